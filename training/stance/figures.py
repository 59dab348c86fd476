"""Figures of a run: the same names in every run, so that the MLflow UI lays them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from stance.evaluate import AxisReport, Coverage, Report

_BLUE = "#2a6f97"
_GREY = "#8d99ae"

mpl.use("Agg")


def of_report(report: Report) -> Iterator[tuple[str, Figure]]:
    """Yield file name and figure: F1 by label for every axis, confusion and coverage where there are."""
    for name, axis in report.axes.items():
        yield f"per_label_{name}.png", _per_label(name, axis)
        if axis.confusion is not None:
            yield f"confusion_{name}.png", _confusion(name, axis)
        if axis.coverage is not None:
            yield f"coverage_{name}.png", _coverage(name, axis.coverage)


def _per_label(name: str, axis: AxisReport) -> Figure:
    rows = [(label, score) for label, score in reversed(axis.weakest_first()) if score.support]
    figure = Figure(figsize=(7, 0.42 * len(rows) + 1.4), layout="constrained")
    panel = figure.subplots()
    places = range(len(rows))
    values = [score.f1 for _, score in rows]
    reach = [
        [max(0.0, score.f1 - score.f1_interval[0]) for _, score in rows],
        [max(0.0, score.f1_interval[1] - score.f1) for _, score in rows],
    ]
    panel.barh(places, values, color=_BLUE, height=0.6)
    panel.errorbar(values, places, xerr=reach, fmt="none", ecolor=_GREY, capsize=3)
    panel.set_yticks(places, [f"{label} ({score.support})" for label, score in rows])
    panel.set_xlim(0, 1)
    panel.set_xlabel("F1, bars hold 95%; number of sentences in brackets")
    panel.set_title(f"{name}: macro-F1 {axis.scores['macro_f1']:.2f}", loc="left")
    panel.spines[["top", "right"]].set_visible(False)
    return figure


def _confusion(name: str, axis: AxisReport) -> Figure:
    labels = list(axis.per_label)
    counts = axis.confusion or []
    figure = Figure(figsize=(1.1 * len(labels) + 2.2, 1.0 * len(labels) + 1.6), layout="constrained")
    panel = figure.subplots()
    shares = [[cell / max(1, sum(row)) for cell in row] for row in counts]
    panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for gold, row in enumerate(counts):
        for given, cell in enumerate(row):
            colour = "white" if shares[gold][given] > 0.5 else "black"
            panel.text(given, gold, str(cell), ha="center", va="center", color=colour)
    panel.set_xticks(range(len(labels)), labels)
    panel.set_yticks(range(len(labels)), labels)
    panel.set_xlabel("given by the model")
    panel.set_ylabel("annotated")
    panel.set_title(f"{name}, sentences", loc="left")
    return figure


def _coverage(name: str, curve: Sequence[Coverage]) -> Figure:
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    panel = figure.subplots()
    shares = [each.share for each in curve]
    panel.plot(shares, [each.macro_f1 for each in curve], color=_BLUE, marker="o", label="macro-F1")
    panel.plot(shares, [each.accuracy for each in curve], color=_GREY, marker="s", label="accuracy")
    panel.set_xlim(1.03, min(shares) - 0.03)
    panel.set_ylim(0, 1)
    panel.set_xlabel("share of sentences labelled, the most confident ones kept")
    panel.set_title(f"{name}: leaving unsure sentences unlabelled", loc="left")
    panel.legend(frameon=False, loc="lower right")
    panel.spines[["top", "right"]].set_visible(False)
    return figure
