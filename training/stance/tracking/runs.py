"""Trainings as MLflow runs: a run a training, a child run a fold."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import mlflow
from mlflow.data.huggingface_dataset import from_huggingface
from mlflow.entities import Metric, Param, RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

import stance
from stance import crossval, figures
from stance.config import TrainConfig
from stance.crossval import Outcome, Problem
from stance.dataset import row_files
from stance.evaluate import Report
from stance.files import fingerprint
from stance.model_source import FINGERPRINT_TAG
from stance.pyfunc import TextTagger
from stance.tagger import Tagger
from stance.tracking import measures, registry
from stance.tracking.store import Store, create_store, first_line, mlflow_errors
from stance.train import Result, RunLog, scored_rows

_DIGEST_LENGTH = 36  # the longest that MLflow's store takes
_FORBIDDEN = re.compile(r"[^\w-]")  # in the name of a logged model
_ADVICE = "check the store or train with --no-track"


class MlflowTracker:
    """See :class:`stance.train.Tracker`."""

    def __init__(self) -> None:
        self._store = create_store()
        with mlflow_errors(_ADVICE):
            self._bury_the_dead()

    @contextmanager
    def training(self, config: TrainConfig, problem: Problem) -> Iterator[RunLog]:
        """Open a run; it ends as FINISHED, FAILED, or KILLED on an interruption."""
        with mlflow_errors(_ADVICE):
            run = mlflow.start_run(
                experiment_id=self._store.experiment, run_name=config.name, tags=_tags(config, problem)
            )
        status = "FAILED"
        try:
            with mlflow_errors(_ADVICE):
                _log_inputs(config, problem)
            yield _MlflowRun(self._store, run.info.run_id, config)
            status = "FINISHED"
        except (KeyboardInterrupt, SystemExit):
            status = "KILLED"
            raise
        except Exception as error:
            # The store may be what failed; its silence must not hide the first error.
            with suppress(MlflowException, OSError):
                mlflow.set_tag("error", first_line(error))
            raise
        finally:
            with suppress(MlflowException, OSError):
                mlflow.end_run(status)

    def _bury_the_dead(self) -> None:
        """Mark runs as killed whose process of this machine is gone: SIGKILL leaves no time to."""
        mine = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
        for run in self._store.client.search_runs([self._store.experiment], filter_string=mine):
            pid = run.data.tags.get("pid", "")
            if pid.isdigit() and not _alive(int(pid)):
                self._store.client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))


def _log_inputs(config: TrainConfig, problem: Problem) -> None:
    """Record settings and data lineage before the first fit."""
    mlflow.log_params(
        {
            "labels_fingerprint": problem.data.fingerprint[:12],
            "taxonomy_fingerprint": problem.taxonomy.fingerprint[:12],
            "sentences": len(problem.groups),
            "articles": len(set(problem.data.groups)),
            **_flat(config.resolved()),
        }
    )
    mlflow.log_dict(config.resolved(), "config.json")
    dataset = from_huggingface(
        problem.dataset, name=problem.data.name, digest=problem.data.fingerprint[:_DIGEST_LENGTH]
    )
    mlflow.log_input(dataset, context="training")


class _MlflowRun:
    """See :class:`stance.train.RunLog`."""

    def __init__(self, store: Store, run_id: str, config: TrainConfig) -> None:
        self._store = store
        self._client = store.client
        self._run_id = run_id
        self._config = config
        self._folds: list[Report] = []

    def fold(self, outcome: Outcome, report: Report) -> None:
        self._folds.append(report)
        with mlflow_errors(_ADVICE):
            tags = {"mlflow.parentRunId": self._run_id, "family": self._config.family, **_process()}
            name = f"{self._config.name}: {outcome.fold.name}"
            child = self._client.create_run(self._store.experiment, run_name=name, tags=tags).info.run_id
            params = {
                "family": self._config.family,
                "seed": self._config.seed,
                "fold": outcome.fold.name,
                "test_sentences": len(outcome.fold.test),
            }
            values = {**measures.of_report(report), **measures.of_dev(outcome.dev)}
            metrics = [*_curve_metrics(outcome.curves), *_metrics(values)]
            logged = [Param(key, str(value)) for key, value in params.items()]
            self._client.log_batch(child, metrics=metrics, params=logged)
            self._client.set_terminated(child, "FINISHED")

    def finish(self, result: Result) -> list[str]:
        with mlflow_errors(_ADVICE):
            self._log_scores(result)
            for name, figure in figures.of_report(result.report):
                # Not in a folder: the compare page lays only files side by side that are in none.
                mlflow.log_figure(figure, name)
            mlflow.log_dict(result.report.as_json(), "report.json")
            mlflow.log_table(_errors(result), "out_of_fold_errors.json")
            champion = registry.champion_of(self._store)
            version = self._log_model(result)
            words = registry.verdict(champion, version, result.folder)
            found = registry.succession(champion, version)
            place = f"{'now the' if found.better else 'not the'} {registry.CHAMPION} ({found.reason})"
            if found.better:
                registry.crown(self._store, version, found.reason, words)
            else:
                registry.describe(
                    self._store, version, f"Not the {registry.CHAMPION}: {found.reason}. {words}"
                )
            note = _description(
                result, f"version {version.version} of `{registry.REGISTERED}`, {place}", words
            )
            self._client.set_tag(self._run_id, "mlflow.note.content", note)
        model = f"model '{registry.REGISTERED}' version {version.version}"
        return [f"MLflow: run {self._run_id[:8]}, {model}; {place}", words]

    def _log_scores(self, result: Result) -> None:
        """Log the scores of the weights that were kept, and the curves of the epochs on the way there."""
        values = {
            **measures.of_report(result.report),
            **measures.of_dev(crossval.mean_dev(result.outcomes)),
            **measures.of_spread(self._folds),
            "speed/train_seconds": result.seconds,
            "speed/train_sentences": float(len(result.problem.groups)),
        }
        curves = crossval.mean_curves([outcome.curves for outcome in result.outcomes])
        self._client.log_batch(self._run_id, metrics=[*_curve_metrics(curves), *_metrics(values)])

    def _log_model(self, result: Result) -> ModelVersion:
        """Log the model folder behind the ``stance.pyfunc`` loader and register it."""
        tagger = Tagger.load(result.folder)
        texts = [example.text for example in result.problem.data.examples[:2]]
        # One column without a name: then a list, a series and a frame all pass.
        signature = mlflow.models.infer_signature(texts, TextTagger(tagger).predict(texts))
        info = mlflow.pyfunc.log_model(
            name=_FORBIDDEN.sub("_", result.config.name),
            loader_module=registry.LOADER,
            data_path=str(result.folder),
            pip_requirements=[f"stance[serve]=={stance.__version__}"],
            signature=signature,
            input_example=texts,
        )
        tags = {
            "score": f"{result.report.score:.6f}",
            "labels_fingerprint": result.problem.data.fingerprint,
            "taxonomy_fingerprint": result.problem.taxonomy.fingerprint,
            FINGERPRINT_TAG: tagger.fingerprint,
            "scored_rows": scored_rows(result.problem, result.predictions),
        }
        return registry.register(self._store, info, self._run_id, tags)


def _tags(config: TrainConfig, problem: Problem) -> dict[str, str]:
    """Return what says which data, which code and which config."""
    recipe = {key: value for key, value in config.resolved().items() if key != "labels"}
    return {
        "family": config.family,
        "labels": problem.data.name,
        "labels_files": ", ".join(path.name for path in row_files(config.labels, config.files)),
        "labels_fingerprint": problem.data.fingerprint,
        "taxonomy_fingerprint": problem.taxonomy.fingerprint,
        "config_hash": fingerprint(recipe)[:12],
        "stance_version": stance.__version__,
        **_code(),
        **_process(),
    }


def _code() -> dict[str, str]:
    """Return the commit of the running code, where it runs out of a repository."""
    own = Path(stance.__file__)
    # A virtual environment inside somebody's repository is not that repository's code.
    if not _git("ls-files", "--error-unmatch", own.name):
        return {"git_changed": "not in a repository"}
    changed = _git("status", "--porcelain", "--untracked-files=no", ".")
    return {
        "mlflow.source.git.commit": _git("rev-parse", "HEAD"),
        "git_changed": "yes" if changed else "no",
    }


def _process() -> dict[str, str]:
    return {"host": socket.gethostname(), "pid": str(os.getpid())}


def _git(*words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", *words],  # noqa: S607 - whichever git the user has
            cwd=Path(stance.__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            flat |= _flat(inner, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = inner
    return flat


def _curve_metrics(curves: crossval.Curves) -> list[Metric]:
    now = int(time.time() * 1000)
    return [
        Metric(measures.epoch_name(name), value, now, step)
        for name, points in curves.items()
        for step, value in points.items()
    ]


def _metrics(values: Mapping[str, float]) -> list[Metric]:
    now = int(time.time() * 1000)
    return [Metric(key, value, now, 0) for key, value in values.items()]


def _errors(result: Result) -> dict[str, list[Any]]:
    """Return a table of the out-of-fold mistakes, the most confident ones first."""
    taxonomy, rows = result.problem.taxonomy, []
    for row, number in enumerate(result.predictions.rows):
        example = result.problem.data.examples[number]
        for name, axis in taxonomy.axes.items():
            given = axis.decode(result.predictions.decided[name][row])
            if given == example.labels[name]:
                continue
            wrong = set(given) ^ set(example.labels[name])
            values = result.predictions.probabilities[name][row]
            sure = max(
                float(values[at]) if label in given else 1 - float(values[at])
                for at, label in enumerate(axis.names)
                if label in wrong
            )
            rows.append((sure, name, example, given))
    rows.sort(key=lambda each: (-each[0], each[2].id, each[1]))
    return {
        "axis": [name for _, name, _, _ in rows],
        "annotated": [", ".join(example.labels[name]) for _, name, example, _ in rows],
        "given": [", ".join(given) for _, _, _, given in rows],
        "confidence": [round(sure, 3) for sure, _, _, _ in rows],
        "text": [example.text for _, _, example, _ in rows],
        "id": [example.id for _, _, example, _ in rows],
    }


def _description(result: Result, place: str, words: str) -> str:
    """Return the run's description in Markdown: what became of it, the verdict, the scores, the data."""
    lines = [
        f"**{result.config.name}** ({result.config.family}): {place}.",
        "",
        words,
        "",
        "| axis | metric | score | 95% |",
        "|---|---|---|---|",
    ]
    for name, axis in result.report.axes.items():
        for metric, value in axis.scores.items():
            low, high = axis.intervals[metric]
            shown = metric.replace("_", "-").replace("f1", "F1")
            lines.append(f"| {name} | {shown} | {value:.3f} | {low:.3f} to {high:.3f} |")
    report, folds = result.report, len(result.outcomes)
    lines += [
        "",
        f"Cross-validated on {report.n} sentences of {report.groups} articles in {folds} "
        f"{'fold' if folds == 1 else 'folds'}, trained on {result.problem.data.name} "
        f"(fingerprint {result.problem.data.fingerprint[:12]}).",
    ]
    return "\n".join(lines)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
