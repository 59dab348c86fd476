"""The metrics of a run under their names: the same in every run, and grouped by what precedes a slash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import stdev

from stance.evaluate import Report

EPOCH = "epoch"


def of_report(report: Report) -> dict[str, float]:
    """Return cross-validated scores: of the kept weights, on articles that they never saw."""
    values = {"test/score": report.score}
    for name, axis in report.axes.items():
        for metric, value in axis.scores.items():
            low, high = axis.intervals[metric]
            values |= {f"test/{name}/{metric}": value}
            values |= {f"interval/{name}/{metric}_low": low, f"interval/{name}/{metric}_high": high}
        values |= {f"cal/{name}/ece": axis.ece, f"cal/{name}/brier": axis.brier}
        values |= {f"{name}/{label}/f1": each.f1 for label, each in axis.per_label.items() if each.support}
    return values


def of_dev(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return what the kept weights score on the rows that they were tuned on."""
    return {f"dev/{name}/{metric}": value for name, axis in scores.items() for metric, value in axis.items()}


def of_spread(folds: Sequence[Report]) -> dict[str, float]:
    """Return how far the folds lie apart: standard deviation (n - 1), least and largest of every score."""
    if len(folds) < 2:
        return {}
    values: dict[str, float] = {}
    for name, axis in folds[0].axes.items():
        for metric in axis.scores:
            found = [fold.axes[name].scores[metric] for fold in folds]
            key = f"spread/{name}/{metric}"
            values |= {f"{key}_sd": stdev(found), f"{key}_min": min(found), f"{key}_max": max(found)}
    return values


def epoch_name(curve: str) -> str:
    """Return the name of a curve over epochs: its last point is not the model, so it stands apart."""
    return f"{EPOCH}/{curve.replace('/', '_')}"
