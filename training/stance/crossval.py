"""Cross-validation and the calibration inside it: who is trained on what, and tested on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stance import calibrate, classifiers
from stance.calibrate import BoolArray, Calibration, IntArray
from stance.classifiers import Classifier, FitLog
from stance.config import TrainConfig
from stance.dataset import LabelledData, as_dataset
from stance.errors import UserError
from stance.evaluate import Report, headline, metrics, report
from stance.parity import Parity, parity
from stance.split import Fold, grouped_folds, joined_groups
from stance.taxonomy import FloatArray, Taxonomy

if TYPE_CHECKING:
    from datasets import Dataset

# With one inner split, this share of the articles (one in so many) is the dev set.
_DEV_PARTS = 8

Curves = Mapping[str, Mapping[int, float]]


class Watcher(Protocol):
    """Is told which fit runs now, and follows it."""

    def plan(self, fits: int) -> None:
        """Learn how many fits the whole training has."""

    def fit(self, title: str) -> FitLog:
        """Learn that a fit starts; the answer receives its progress."""

    def skip(self, fits: int, title: str) -> None:
        """Learn that so many fits need not run, because an earlier run finished them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The rows to learn from, in every form that training needs.

    Attributes:
        groups: an article a row, articles that share near-duplicates being one.
        gold: axis to 0/1 labels (rows, labels).
    """

    data: LabelledData
    dataset: Dataset
    groups: Sequence[str]
    gold: Mapping[str, IntArray]

    @property
    def taxonomy(self) -> Taxonomy:
        """The axes and labels."""
        return self.data.taxonomy

    @classmethod
    def of(cls, data: LabelledData) -> Problem:
        """Prepare labelled data for training.

        Raises:
            UserError: there are fewer than three articles that share no text.
            MissingExtraError: the ``train`` extra is not installed.
        """
        groups = joined_groups(data.groups, [example.text for example in data.examples])
        if len(set(groups)) < 3:
            raise UserError(
                f"{data.name}: the labels come from {len(set(groups))} separate article(s); training needs "
                "three or more, so that one can be tested on and one tuned on"
            )
        return cls(data, as_dataset(data), groups, gold_of(data))


def gold_of(data: LabelledData) -> dict[str, IntArray]:
    """Return axis to 0/1 labels, shape (rows, labels)."""
    axes = data.taxonomy.axes
    return {name: axes[name].encode(example.labels[name] for example in data.examples) for name in data.axes}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fold gave.

    Attributes:
        raw: axis to uncalibrated probabilities of the fold's test rows.
        light: the same from the classifier's lighter form; None where it has none.
        calibration: fitted inside the fold's training side.
        dev: axis to metric to what the kept weights score on the rows that they were tuned on.
        curves: metric to epoch to value.
    """

    fold: Fold
    raw: Mapping[str, FloatArray]
    light: Mapping[str, FloatArray] | None
    calibration: Calibration
    dev: Mapping[str, Mapping[str, float]]
    curves: Curves


@dataclass(frozen=True, slots=True)
class _Fit:
    """A trained classifier, and how it was tuned; see :class:`Outcome`."""

    classifier: Classifier
    calibration: Calibration
    dev: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Out-of-fold predictions of some rows; both tables are axis to (rows, labels)."""

    rows: Sequence[int]
    probabilities: Mapping[str, FloatArray]
    decided: Mapping[str, BoolArray]


def outer_folds(problem: Problem, config: TrainConfig) -> list[Fold]:
    """Return the folds that the reported scores come from.

    Raises:
        UserError: a training side is left with a single article, and none to tune on.
    """
    folds = grouped_folds(problem.groups, config.folds, config.seed)
    for fold in folds:
        if len({problem.groups[row] for row in fold.train}) < 2:
            raise UserError(
                f"folds={config.folds} leaves one article to train on beside '{fold.name}'; use more folds"
            )
    return folds[: config.scored_folds]


def fits_a_fold(config: TrainConfig) -> int:
    """Return how many fits one outer fold takes."""
    return 1 if config.inner_folds == 1 else config.inner_folds + 1


def run_fold(problem: Problem, config: TrainConfig, fold: Fold, watcher: Watcher) -> Outcome:
    """Train and calibrate on a fold's training side; predict its test side."""
    recorder = _Recorder()
    fit = _fit_and_tune(problem, config, fold, watcher, recorder)
    texts = _texts(problem, fold.test)
    raw, lighter = fit.classifier.predict_proba(texts), fit.classifier.compressed()
    light = None if lighter is None else lighter.predict_proba(texts)
    return Outcome(fold, raw, light, fit.calibration, fit.dev, recorder.curves())


def fit_calibrated(
    problem: Problem, config: TrainConfig, fold: Fold, watcher: Watcher
) -> tuple[Classifier, Calibration]:
    """Train and calibrate on a fold's training side."""
    fit = _fit_and_tune(problem, config, fold, watcher, _Recorder())
    return fit.classifier, fit.calibration


def _fit_and_tune(
    problem: Problem, config: TrainConfig, fold: Fold, watcher: Watcher, recorder: _Recorder
) -> _Fit:
    groups = [problem.groups[row] for row in fold.train]
    wanted = config.inner_folds if config.inner_folds > 1 else _DEV_PARTS
    inner = [
        Fold(each.name, _pick(fold.train, each.train), _pick(fold.train, each.test))
        for each in grouped_folds(groups, wanted, config.seed)
    ]
    if config.inner_folds == 1:
        inner = inner[:1]
    raws = []
    for number, each in enumerate(inner, start=1):
        log = recorder.follow(watcher.fit(f"{fold.name}: tuning {number} of {len(inner)}"))
        classifier = make(problem, config)
        classifier.fit(*_sides(problem, each), log)
        raws.append(classifier.predict_proba(_texts(problem, each.test)))
    rows = [row for each in inner for row in each.test]
    joined = {name: np.concatenate([raw[name] for raw in raws]) for name in problem.taxonomy.axes}
    gold = {name: table[rows] for name, table in problem.gold.items()}
    calibration = calibrate.fit(joined, gold, problem.taxonomy)
    dev = _dev_scores(problem.taxonomy, joined, gold, calibration)
    if config.inner_folds == 1:
        return _Fit(classifier, calibration, dev)
    classifier = make(problem, config)
    train = problem.dataset.select(fold.train)
    classifier.fit(train, None, recorder.follow(watcher.fit(f"{fold.name}: training")))
    return _Fit(classifier, calibration, dev)


def _dev_scores(
    taxonomy: Taxonomy,
    raw: Mapping[str, FloatArray],
    gold: Mapping[str, IntArray],
    calibration: Calibration,
) -> dict[str, dict[str, float]]:
    """Score the rows that a fit was tuned on: with the thresholds chosen on them."""
    scores = {}
    for name, axis in taxonomy.axes.items():
        decided = calibration[name].decide(calibration[name].probabilities(raw[name], axis), axis)
        found = metrics(gold[name], decided, np.ones((1, len(decided))))
        scores[name] = {metric: float(found[metric][0]) for metric in headline(single=axis.single)}
    return scores


def make(problem: Problem, config: TrainConfig) -> Classifier:
    """Return an untrained classifier of the config's family."""
    return classifiers.get(config.family)(problem.taxonomy, config.params, config.seed)


def fit_final(problem: Problem, config: TrainConfig, watcher: Watcher) -> Classifier:
    """Train on every row."""
    classifier = make(problem, config)
    classifier.fit(problem.dataset, None, watcher.fit("final model, on everything"))
    return classifier


def final_calibration(problem: Problem, outcomes: Sequence[Outcome]) -> Calibration:
    """Fit the final model's temperatures and thresholds on all out-of-fold probabilities."""
    rows = _tested(outcomes)
    raw = {name: np.concatenate([each.raw[name] for each in outcomes]) for name in problem.taxonomy.axes}
    return calibrate.fit(raw, {name: table[rows] for name, table in problem.gold.items()}, problem.taxonomy)


def out_of_fold(problem: Problem, outcomes: Sequence[Outcome]) -> Predictions:
    """Return for every tested row what the one model that never saw its article says of it."""
    probabilities: dict[str, FloatArray] = {}
    decided: dict[str, BoolArray] = {}
    for name, axis in problem.taxonomy.axes.items():
        calibrated = [each.calibration[name].probabilities(each.raw[name], axis) for each in outcomes]
        choices = [
            each.calibration[name].decide(values, axis)
            for each, values in zip(outcomes, calibrated, strict=True)
        ]
        probabilities[name], decided[name] = np.concatenate(calibrated), np.concatenate(choices)
    return Predictions(_tested(outcomes), probabilities, decided)


def light_parity(problem: Problem, outcomes: Sequence[Outcome]) -> Parity | None:
    """Compare the folds' models with their lighter forms on the held-out rows; None where there are none."""
    lighter = [replace(each, raw=each.light) for each in outcomes if each.light is not None]
    if len(lighter) < len(outcomes):
        return None
    rows, axes = _tested(outcomes), problem.taxonomy.axes
    return parity(
        {name: table[rows] for name, table in problem.gold.items()},
        out_of_fold(problem, outcomes).decided,
        out_of_fold(problem, lighter).decided,
        {name: axis.single for name, axis in axes.items()},
    )


def score(problem: Problem, predictions: Predictions) -> Report:
    """Score out-of-fold predictions; intervals leave out the annotated articles one by one."""
    rows, articles = list(predictions.rows), problem.data.groups
    return report(
        problem.taxonomy,
        {name: table[rows] for name, table in problem.gold.items()},
        predictions.decided,
        predictions.probabilities,
        [articles[row] for row in rows],
    )


def _tested(outcomes: Sequence[Outcome]) -> list[int]:
    return [row for each in outcomes for row in each.fold.test]


def _sides(problem: Problem, fold: Fold) -> tuple[Dataset, Dataset]:
    return problem.dataset.select(fold.train), problem.dataset.select(fold.test)


def _texts(problem: Problem, rows: Sequence[int]) -> list[str]:
    return [problem.data.examples[row].text for row in rows]


def _pick(rows: Sequence[int], positions: Sequence[int]) -> tuple[int, ...]:
    return tuple(rows[position] for position in positions)


def mean_dev(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return axis to metric to the mean over folds of :attr:`Outcome.dev`."""
    return {
        name: {metric: float(np.mean([each.dev[name][metric] for each in outcomes])) for metric in scores}
        for name, scores in outcomes[0].dev.items()
    }


def mean_curves(curves: Sequence[Curves]) -> dict[str, dict[int, float]]:
    """Return metric to epoch to the mean over the folds that reached the epoch."""
    recorder = _Recorder()
    for each in curves:
        for name, points in each.items():
            for step, value in points.items():
                recorder.add(name, value, step)
    return recorder.curves()


class _Recorder:
    """Collects the curves of several fits and gives their mean per epoch."""

    def __init__(self) -> None:
        self._points: dict[str, dict[int, list[float]]] = {}

    def follow(self, log: FitLog) -> FitLog:
        return _Recording(self, log)

    def add(self, name: str, value: float, step: int) -> None:
        self._points.setdefault(name, {}).setdefault(step, []).append(value)

    def curves(self) -> dict[str, dict[int, float]]:
        return {
            name: {step: float(np.mean(values)) for step, values in sorted(points.items())}
            for name, points in self._points.items()
        }


@dataclass(frozen=True, slots=True)
class _Recording:
    recorder: _Recorder
    log: FitLog

    def metric(self, name: str, value: float, step: int) -> None:
        self.recorder.add(name, value, step)
        self.log.metric(name, value, step)

    def progress(self, done: int, total: int, loss: float | None) -> None:
        self.log.progress(done, total, loss)
