"""Trainings in MLflow; only this module and :mod:`stance.model_source` import it."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# Read when mlflow is imported. A user's own choice stays.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import mlflow
from mlflow import MlflowClient
from mlflow.data.huggingface_dataset import from_huggingface
from mlflow.entities import Metric, Param, RunStatus
from mlflow.exceptions import MlflowException

from stance import __version__, crossval, figures
from stance.config import TrainConfig
from stance.crossval import Outcome, Problem
from stance.errors import StanceError
from stance.evaluate import Report
from stance.model_source import FINGERPRINT_TAG, store_uri
from stance.tagger import Tagger
from stance.train import Result, RunLog, scored_rows

EXPERIMENT = "stance"
REGISTERED = "stance"
CHAMPION = "champion"
_DIGEST_LENGTH = 36  # the longest that MLflow's store takes
_ARTIFACTS = "mlartifacts"
_FORBIDDEN = re.compile(r"[^\w-]")  # in the name of a logged model

# MLflow prints advice for notebook users in the middle of a training.
warnings.filterwarnings("ignore", module=r"mlflow\.")
for _noisy in ("mlflow", "alembic"):
    logging.getLogger(_noisy).setLevel(logging.ERROR)


def ui_command(port: int) -> list[str]:
    """Return the command that serves the MLflow UI on :func:`store_uri`."""
    where = ["--backend-store-uri", store_uri(), "--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "mlflow", "server", *where]


class MlflowTracker:
    """See :class:`stance.train.Tracker`: a run a training, a child run a fold."""

    def __init__(self) -> None:
        uri = store_uri()
        try:
            mlflow.set_tracking_uri(uri)
            self._client = MlflowClient()
            self._experiment = _experiment(self._client, uri)
            self._bury_the_dead()
        except (MlflowException, OSError) as error:
            raise StanceError(
                f"{uri}: the MLflow store cannot be opened ({_first_line(error)}); "
                "check MLFLOW_TRACKING_URI or train with --no-track"
            ) from error

    @contextmanager
    def training(self, config: TrainConfig, problem: Problem) -> Iterator[RunLog]:
        """Open a run; it ends as FINISHED, FAILED, or KILLED on an interruption."""
        with _mlflow_errors():
            run = mlflow.start_run(
                experiment_id=self._experiment, run_name=config.name, tags=_tags(config, problem)
            )
        status = "FAILED"
        try:
            with _mlflow_errors():
                _log_inputs(config, problem)
            yield _MlflowRun(self._client, self._experiment, run.info.run_id, config)
            status = "FINISHED"
        except (KeyboardInterrupt, SystemExit):
            status = "KILLED"
            raise
        except Exception as error:
            # The store may be what failed; its silence must not hide the first error.
            with suppress(MlflowException, OSError):
                mlflow.set_tag("error", _first_line(error))
            raise
        finally:
            with suppress(MlflowException, OSError):
                mlflow.end_run(status)

    def _bury_the_dead(self) -> None:
        """Mark runs as killed whose process of this machine is gone: SIGKILL leaves no time to."""
        mine = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
        for run in self._client.search_runs([self._experiment], filter_string=mine):
            pid = run.data.tags.get("pid", "")
            if pid.isdigit() and not _alive(int(pid)):
                self._client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))


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

    def __init__(self, client: MlflowClient, experiment: str, run_id: str, config: TrainConfig) -> None:
        self._client = client
        self._experiment = experiment
        self._run_id = run_id
        self._config = config

    def fold(self, outcome: Outcome, report: Report) -> None:
        with _mlflow_errors():
            tags = {"mlflow.parentRunId": self._run_id, "family": self._config.family, **_process()}
            name = f"{self._config.name}: {outcome.fold.name}"
            child = self._client.create_run(self._experiment, run_name=name, tags=tags).info.run_id
            params = {
                "family": self._config.family,
                "seed": self._config.seed,
                "fold": outcome.fold.name,
                "test_sentences": len(outcome.fold.test),
            }
            metrics = [*_curve_metrics(outcome.curves), *_score_metrics(report)]
            logged = [Param(key, str(value)) for key, value in params.items()]
            self._client.log_batch(child, metrics=metrics, params=logged)
            self._client.set_terminated(child, "FINISHED")

    def finish(self, result: Result) -> list[str]:
        with _mlflow_errors():
            sentences = len(result.problem.groups)
            speed = {"speed/train_seconds": result.seconds, "speed/train_sentences": float(sentences)}
            curves = crossval.mean_curves([outcome.curves for outcome in result.outcomes])
            metrics = [*_curve_metrics(curves), *_score_metrics(result.report), *_metrics(speed)]
            self._client.log_batch(self._run_id, metrics=metrics)
            for name, figure in figures.of_report(result.report):
                mlflow.log_figure(figure, f"figures/{name}")
            mlflow.log_dict(result.report.as_json(), "report.json")
            mlflow.log_table(_errors(result), "out_of_fold_errors.json")
            version = self._log_model(result)
            champion = self._crown(version, result)
            self._client.set_tag(self._run_id, "mlflow.note.content", _description(result, champion))
        return [f"MLflow: run {self._run_id[:8]}, model '{REGISTERED}' version {version}; {champion}"]

    def _log_model(self, result: Result) -> str:
        """Log the model folder behind the ``stance.pyfunc`` loader and register it."""
        tagger = Tagger.load(result.folder)
        texts = [example.text for example in result.problem.data.examples[:2]]
        from stance.pyfunc import TextTagger

        signature = mlflow.models.infer_signature(texts, TextTagger(tagger).predict(texts))
        info = mlflow.pyfunc.log_model(
            name=_FORBIDDEN.sub("_", result.config.name),
            loader_module="stance.pyfunc",
            data_path=str(result.folder),
            pip_requirements=[f"stance=={__version__}"],
            signature=signature,
            input_example=texts,
        )
        version = self._register(info)
        tags = {
            "score": f"{result.report.score:.6f}",
            "labels_fingerprint": result.problem.data.fingerprint,
            "taxonomy_fingerprint": result.problem.taxonomy.fingerprint,
            FINGERPRINT_TAG: tagger.fingerprint,
            "scored_rows": scored_rows(result.problem, result.predictions),
        }
        for key, value in tags.items():
            self._client.set_model_version_tag(REGISTERED, version, key, value)
        return version

    def _register(self, info: Any) -> str:
        """Make a version of the registered model; mlflow.register_model would print to the terminal."""
        try:
            self._client.create_registered_model(REGISTERED)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = self._client.create_model_version(
            REGISTERED, source=info.model_uri, run_id=self._run_id, model_id=info.model_id
        )
        return str(made.version)

    def _crown(self, version: str, result: Result) -> str:
        """Move the champion alias if this model is the better one; return why in words.

        Scores compare only where both were cross-validated on the same rows. A model of newer rows
        under the same taxonomy takes over; one of another taxonomy answers another question.
        """
        try:
            champion = self._client.get_model_version_by_alias(REGISTERED, CHAMPION)
        except MlflowException:
            champion = None
        score, rows = result.report.score, scored_rows(result.problem, result.predictions)
        if champion is None:
            reason, better = "it is the first", True
        elif champion.tags.get("taxonomy_fingerprint") != result.problem.taxonomy.fingerprint:
            reason, better = f"version {champion.version} stays: the new model has another taxonomy", False
        elif champion.tags.get("labels_fingerprint") != result.problem.data.fingerprint:
            reason, better = f"version {champion.version} was trained on other rows", True
        elif champion.tags.get("scored_rows") != rows:
            reason, better = f"version {champion.version} stays: it was scored on other rows", False
        else:
            old = float(champion.tags["score"])
            better = score >= old
            word = "at least as good as" if better else "below"
            reason = f"score {score:.3f} is {word} the {old:.3f} of version {champion.version}"
        if better:
            self._client.set_registered_model_alias(REGISTERED, CHAMPION, version)
        return f"{'now the' if better else 'not the'} {CHAMPION} ({reason})"


@contextmanager
def _mlflow_errors() -> Iterator[None]:
    try:
        yield
    except (MlflowException, OSError) as error:
        raise StanceError(
            f"{store_uri()}: MLflow refused a record ({_first_line(error)}); "
            "check the store or train with --no-track"
        ) from error


def _experiment(client: MlflowClient, uri: str) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    # An absolute place, so that a process in another folder finds the models.
    place = Path(_ARTIFACTS).resolve().as_uri() if uri.startswith("sqlite:") else None
    return str(client.create_experiment(EXPERIMENT, artifact_location=place))


def _tags(config: TrainConfig, problem: Problem) -> dict[str, str]:
    tags = {
        "family": config.family,
        "labels": problem.data.name,
        "stance_version": __version__,
        **_process(),
    }
    commit = _git("rev-parse", "HEAD")
    if commit:
        changed = _git("status", "--porcelain", "--untracked-files=no")
        tags |= {"mlflow.source.git.commit": commit, "git_changed": "yes" if changed else "no"}
    return tags


def _process() -> dict[str, str]:
    return {"host": socket.gethostname(), "pid": str(os.getpid())}


def _git(*words: str) -> str:
    try:
        command = ["git", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - fixed words
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


def _score_metrics(report: Report) -> list[Metric]:
    values = {"test/score": report.score}
    for name, axis in report.axes.items():
        for metric, value in axis.scores.items():
            low, high = axis.intervals[metric]
            values |= {f"test/{name}/{metric}": value}
            values |= {f"interval/{name}/{metric}_low": low, f"interval/{name}/{metric}_high": high}
        values |= {f"cal/{name}/ece": axis.ece, f"cal/{name}/brier": axis.brier}
        values |= {f"{name}/{label}/f1": each.f1 for label, each in axis.per_label.items() if each.support}
    return _metrics(values)


def _curve_metrics(curves: crossval.Curves) -> list[Metric]:
    now = int(time.time() * 1000)
    return [
        Metric(name, value, now, step) for name, points in curves.items() for step, value in points.items()
    ]


def _metrics(values: dict[str, float]) -> list[Metric]:
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


def _description(result: Result, champion: str) -> str:
    lines = [f"**{result.config.name}** ({result.config.family}), {champion}.", ""]
    for name, axis in result.report.axes.items():
        for metric, value in axis.scores.items():
            low, high = axis.intervals[metric]
            lines.append(f"- {name} {metric.replace('_', ' ')}: {value:.3f} (95% {low:.3f} to {high:.3f})")
    return "\n".join(lines)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
