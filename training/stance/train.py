"""One whole training: labels in, a scored and tracked model folder out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stance import __version__, crossval
from stance.card import model_card
from stance.checkpoint import FoldStore
from stance.config import TrainConfig
from stance.crossval import Outcome, Predictions, Problem, Watcher
from stance.dataset import load_folder
from stance.evaluate import Report
from stance.files import check_folder, fingerprint, text_key, whole_folder
from stance.heldout import HELD_OUT_FILE, HeldOut
from stance.split import Fold
from stance.tagger import TRAINED_ON_FILE, write_model


@dataclass(frozen=True, slots=True)
class Result:
    """A finished training.

    Attributes:
        report: cross-validated scores, pooled over all folds.
        predictions: out-of-fold.
        seconds: what the fits of this process took.
    """

    config: TrainConfig
    problem: Problem
    folder: Path
    report: Report
    predictions: Predictions
    outcomes: Sequence[Outcome]
    seconds: float


class RunLog(Protocol):
    """Records one training."""

    def fold(self, outcome: Outcome, report: Report) -> None:
        """Record a finished fold and its scores on its own test rows."""

    def finish(self, result: Result) -> list[str]:
        """Record the finished training; return lines to show to the user."""


class Tracker(Protocol):
    """Where trainings are recorded."""

    def training(self, config: TrainConfig, problem: Problem) -> AbstractContextManager[RunLog]:
        """Open the record of one training; an exception inside marks it as failed or killed."""


class NoTracker:
    """Records nothing: ``--no-track``."""

    @contextmanager
    def training(self, config: TrainConfig, problem: Problem) -> Iterator[RunLog]:
        """See :class:`Tracker`."""
        yield self

    def fold(self, outcome: Outcome, report: Report) -> None:
        """See :class:`RunLog`."""

    def finish(self, result: Result) -> list[str]:
        """See :class:`RunLog`."""
        return []


def prepare(config: TrainConfig, out: Path) -> tuple[Problem, list[Fold]]:
    """Load the labels and check everything that can be checked before the first fit.

    Raises:
        UserError: the labels or settings are wrong, or ``out`` cannot be written.
    """
    problem = Problem.of(load_folder(config.labels, config.files))
    folds = crossval.outer_folds(problem, config)
    check_folder(out / config.name)
    return problem, folds


def run(config: TrainConfig, out: Path, tracker: Tracker, watcher: Watcher) -> tuple[Result, list[str]]:
    """Cross-validate, fit on everything, write ``out/<name>``, record it all.

    Finished folds are kept beside the model folder until it is complete: the same call after an
    interruption goes on with the first unfinished one.

    Returns:
        The result, and lines that the tracker wants shown.

    Raises:
        UserError: the labels or settings are wrong.
        StanceError: the model cannot be trained or written.
    """
    problem, folds = prepare(config, out)
    folder = out / config.name
    with tracker.training(config, problem) as log:
        started = time.monotonic()
        each = crossval.fits_a_fold(config)
        watcher.plan(len(folds) * each + 1)
        settings = {key: value for key, value in config.resolved().items() if key != "labels"}
        key = fingerprint([settings, problem.data.fingerprint, __version__])
        store = FoldStore(out / f".{config.name}.folds", key)
        outcomes = []
        for number, fold in enumerate(folds, start=1):
            outcome = store.read(number, fold)
            if outcome is None:
                outcome = crossval.run_fold(problem, config, fold, watcher)
                store.write(number, outcome)
            else:
                watcher.skip(each, f"{fold.name}: finished earlier")
            outcomes.append(outcome)
            log.fold(outcome, _fold_report(problem, outcome))
        predictions = crossval.out_of_fold(problem, outcomes)
        report = crossval.score(problem, predictions)
        classifier = crossval.fit_final(problem, config, watcher)
        calibration = crossval.final_calibration(problem, outcomes)
        light = crossval.light_parity(problem, outcomes)
        facts = _facts(config, problem, report, outcomes, predictions)
        facts["light"] = None if light is None else light.as_json()
        card = model_card(config, problem, report, calibration, light)
        with whole_folder(folder) as partial:
            files = {
                "README.md": card,
                TRAINED_ON_FILE: _text_keys(problem),
                HELD_OUT_FILE: HeldOut.of(problem, predictions).text(problem.taxonomy),
            }
            with_light = light is not None and light.kept
            classifier.save(partial, light=with_light)
            write_model(partial, problem.taxonomy, calibration, config, files, facts)
        result = Result(config, problem, folder, report, predictions, outcomes, time.monotonic() - started)
        lines = log.finish(result)
        store.clear()
    return result, lines


def _fold_report(problem: Problem, outcome: Outcome) -> Report:
    return crossval.score(problem, crossval.out_of_fold(problem, [outcome]))


def _text_keys(problem: Problem) -> str:
    return "".join(f"{key}\n" for key in sorted({text_key(each.text) for each in problem.data.examples}))


def scored_rows(problem: Problem, predictions: Predictions) -> str:
    """Identify the rows, and their labels, that a score was taken on: only such scores compare."""
    examples = problem.data.examples
    return fingerprint(
        sorted([examples[row].id, examples[row].text, examples[row].labels] for row in predictions.rows)
    )


def _facts(
    config: TrainConfig,
    problem: Problem,
    report: Report,
    outcomes: Sequence[Outcome],
    predictions: Predictions,
) -> dict[str, object]:
    return {
        "name": config.name,
        "family": config.family,
        "labels": {
            "name": problem.data.name,
            "fingerprint": problem.data.fingerprint,
            "taxonomy": problem.taxonomy.fingerprint,
            "rows": len(problem.groups),
            "articles": len(set(problem.data.groups)),
        },
        "scored": {
            "how": "cross-validation over whole articles",
            "folds": [len(outcomes), config.folds],
            "rows": scored_rows(problem, predictions),
        },
        "scores": report.as_json(),
    }
