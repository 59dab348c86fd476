"""Scores with intervals, from gold and predicted labels; pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.counts import Counts
from stance.intervals import Interval, score_interval, units
from stance.taxonomy import Axis, FloatArray, Taxonomy

_BINS = 10
_SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's scores; ``support`` counts gold rows, ``f1_interval`` is a 95% interval."""

    precision: float
    recall: float
    f1: float
    f1_interval: Interval
    support: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is left, and how good it is, when the least confident rows go unlabelled.

    Attributes:
        share: of the rows that keep their label.
        confidence: the lowest probability of a kept label: what ``--min-confidence`` would be.
    """

    share: float
    confidence: float
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Answers whose stated probability lies from ``low`` to below ``high``, and how many came true.

    Attributes:
        n: how many answers; where there are none, confidence and right are 0.
        confidence: mean probability stated.
        right: share of them that came true.
    """

    low: float
    high: float
    n: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class AxisReport:
    """Scores of one axis.

    Attributes:
        scores: metric name to value: ``macro_f1`` always; ``accuracy`` on a single-label axis,
            ``micro_f1`` on a multi-label one.
        intervals: metric name to 95% interval.
        per_label: in taxonomy order.
        confusion: gold by predicted counts, on a single-label axis.
        ece: expected calibration error of the probability of the given label (Naeini et al. 2015),
            on a multi-label axis that of all labels' probabilities.
        brier: mean squared error of the probabilities, summed over a row's labels on a single-label
            axis (Brier 1950: 0 to 2), averaged over all cells on a multi-label one (0 to 1).
        calibration: the ten bins that ``ece`` is the mean gap of.
        coverage: from all rows down to the most confident ones, on a single-label axis.
    """

    kind: str
    scores: Mapping[str, float]
    intervals: Mapping[str, Interval]
    per_label: Mapping[str, LabelScore]
    confusion: Sequence[Sequence[int]] | None
    ece: float
    brier: float
    calibration: Sequence[CalibrationBin]
    coverage: Sequence[Coverage] | None

    def weakest_first(self) -> list[tuple[str, LabelScore]]:
        """Return labels with support by ascending F1; those without come last."""
        return sorted(self.per_label.items(), key=lambda item: (item[1].support == 0, item[1].f1))


@dataclass(frozen=True, slots=True)
class Report:
    """Scores of all axes on ``n`` sentences from ``groups`` articles."""

    n: int
    groups: int
    axes: Mapping[str, AxisReport]

    @property
    def score(self) -> float:
        """One figure to rank models by: the mean of the axes' macro-F1."""
        return float(np.mean([axis.scores["macro_f1"] for axis in self.axes.values()]))

    def as_json(self) -> dict[str, Any]:
        """Return the documented JSON form: ``n``, ``groups``, ``score`` and one object an axis."""
        value: dict[str, Any] = {"n": self.n, "groups": self.groups, "score": _rounded(self.score)}
        for name, axis in self.axes.items():
            block: dict[str, Any] = {}
            for metric, score in axis.scores.items():
                block[metric] = _rounded(score)
                block[f"{metric}_interval"] = [_rounded(end) for end in axis.intervals[metric]]
            block["ece"] = _rounded(axis.ece)
            block["brier"] = _rounded(axis.brier)
            block["calibration"] = [
                {key: _rounded(value) for key, value in asdict(each).items()} | {"n": each.n}
                for each in axis.calibration
            ]
            block["per_label"] = {label: _label_json(score) for label, score in axis.per_label.items()}
            if axis.confusion is not None:
                block["confusion"] = [list(row) for row in axis.confusion]
            if axis.coverage is not None:
                block["coverage"] = [
                    {key: _rounded(value) for key, value in asdict(each).items()} for each in axis.coverage
                ]
            value[name] = block
        return value


def _label_json(score: LabelScore) -> dict[str, Any]:
    return {
        "precision": _rounded(score.precision),
        "recall": _rounded(score.recall),
        "f1": _rounded(score.f1),
        "f1_interval": [_rounded(end) for end in score.f1_interval],
        "support": score.support,
    }


def _rounded(value: float) -> float:
    return round(float(value), 6)


def report(
    taxonomy: Taxonomy,
    gold: Mapping[str, IntArray],
    decided: Mapping[str, BoolArray],
    probabilities: Mapping[str, FloatArray],
    groups: Sequence[str],
) -> Report:
    """Score predictions.

    Args:
        taxonomy: gives kinds and label order.
        gold: axis to 0/1 labels (rows, labels); an axis left out here is not scored.
        decided: axis to given labels (rows, labels).
        probabilities: axis to calibrated probabilities (rows, labels).
        groups: the article of every row; intervals leave out whole articles.
    """
    axes = {
        name: _axis_report(taxonomy.axes[name], gold[name], decided[name], probabilities[name], groups)
        for name in gold
    }
    return Report(len(groups), len(set(groups)), axes)


def _axis_report(
    axis: Axis, gold: IntArray, decided: BoolArray, probabilities: FloatArray, groups: Sequence[str]
) -> AxisReport:
    counts = Counts.of(gold, decided, *units(groups))
    bins = calibration_bins(axis, gold, decided, probabilities)
    point = {name: values[0] for name, values in counts.total().scores().items()}
    names = headline(single=axis.single)
    return AxisReport(
        kind=axis.kind,
        scores={name: float(point[name]) for name in names},
        intervals=_intervals(counts, names),
        per_label=_label_scores(axis, counts),
        confusion=(gold.T @ decided.astype(np.int64)).tolist() if axis.single else None,
        ece=sum(each.n * abs(each.confidence - each.right) for each in bins)
        / max(1, sum(each.n for each in bins)),
        brier=float(((probabilities - gold) ** 2).mean() * (len(axis.names) if axis.single else 1)),
        calibration=bins,
        coverage=coverage_curve(gold, decided, probabilities) if axis.single else None,
    )


def _intervals(counts: Counts, names: Sequence[str]) -> dict[str, Interval]:
    point, left_out = counts.total().scores(), counts.left_out().scores()
    articles = int(counts.occurs().any(axis=1).sum())
    return {name: score_interval(float(point[name][0]), left_out[name], articles) for name in names}


def _label_scores(axis: Axis, counts: Counts) -> dict[str, LabelScore]:
    point, left_out = counts.total().scores(), counts.left_out().scores()["f1"]
    articles, support = counts.occurs().sum(axis=0), counts.true.sum(axis=0)
    return {
        name: LabelScore(
            precision=float(point["precision"][0, column]),
            recall=float(point["recall"][0, column]),
            f1=float(point["f1"][0, column]),
            f1_interval=score_interval(
                float(point["f1"][0, column]), left_out[:, column], int(articles[column])
            ),
            support=int(support[column]),
        )
        for column, name in enumerate(axis.names)
    }


def coverage_curve(gold: IntArray, decided: BoolArray, probabilities: FloatArray) -> list[Coverage]:
    """Score the most confident rows of a single-label axis, from all of them down to three in ten.

    Also known as the accuracy-rejection curve (Nadeem, Zucker and Hanczar, MLSB 2009). All tables are
    (rows, labels).
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    curve = []
    for share in _SHARES:
        kept = order[: max(1, round(share * len(order)))]
        found = metrics(gold[kept], decided[kept], np.ones((1, len(kept))))
        accuracy, macro_f1 = float(found["accuracy"][0]), float(found["macro_f1"][0])
        curve.append(Coverage(share, float(confidence[kept[-1]]), accuracy, macro_f1))
    return curve


def metrics(gold: IntArray, decided: BoolArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Return every metric, one value a weighing of the rows.

    Args:
        gold: 0/1 labels (rows, labels).
        decided: given labels, likewise.
        weights: how often each row counts, (weighings, rows).
    """
    rows = len(gold)
    return Counts.of(gold, decided, np.arange(rows), rows).weighed(weights).scores()


def headline(*, single: bool) -> tuple[str, str]:
    """Return the names of the metrics that an axis is judged by, the first one foremost."""
    return ("macro_f1", "accuracy") if single else ("micro_f1", "macro_f1")


def calibration_bins(
    axis: Axis, gold: IntArray, decided: BoolArray, probabilities: FloatArray
) -> list[CalibrationBin]:
    """Compare probabilities with what came true, in ten bins of equal width.

    On a single-label axis the probability is that of the given label, one a row; on a multi-label one
    every label's, one a cell. All tables are (rows, labels).
    """
    if axis.single:
        stated, right = probabilities.max(axis=1), (gold * decided).sum(axis=1)
    else:
        stated, right = probabilities.ravel(), gold.ravel()
    numbers = np.minimum((stated * _BINS).astype(int), _BINS - 1)
    found = []
    for number in range(_BINS):
        inside = numbers == number
        count = int(inside.sum())
        means = (float(stated[inside].mean()), float(right[inside].mean())) if count else (0.0, 0.0)
        found.append(CalibrationBin(number / _BINS, (number + 1) / _BINS, count, *means))
    return found
