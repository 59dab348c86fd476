"""Charts of an evaluation as inline SVG, drawn without a script; colours come from the page's style."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stance.evaluate import CalibrationBin, Coverage
from stance.intervals import Interval
from stance.report.markup import Html, element, fragment

_WIDTH, _HEIGHT = 340, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 326, 12, 238
_COUNTS_TOP, _COUNTS_BOTTOM = 272, 306
_FEW = 10

Scale = Callable[[float], float]


def scale(low: float, high: float, start: float, end: float) -> Scale:
    """Return the way from a value between ``low`` and ``high`` to a place between ``start`` and ``end``."""
    return lambda value: round(start + (value - low) / (high - low) * (end - start), 1)


def score_strip(value: float, interval: Interval) -> Html:
    """Return a score between 0 and 1 as a dot on a line, its interval thicker."""
    x = scale(0, 1, 6, 194)
    return element(
        "svg",
        element("line", x1=6, x2=194, y1=8, y2=8, class_="grid"),
        element("line", x1=x(interval[0]), x2=x(interval[1]), y1=8, y2=8, class_="error"),
        element("circle", cx=x(value), cy=8, r=4, class_="dot"),
        viewBox="0 0 200 16",
        class_="chart strip-chart",
        aria_hidden="true",
    )


def score_bar(value: float, interval: Interval) -> Html:
    """Return a score between 0 and 1 as a bar that fills its cell, with the interval across its end."""
    low, high = (round(100 * end, 2) for end in interval)
    return element(
        "svg",
        element("rect", x=0, y=0, width=100, height=16, class_="track"),
        element("rect", x=0, y=3, width=round(100 * value, 2), height=10, class_="bar"),
        element("rect", x=low, y=7, width=round(high - low, 2), height=2, class_="whisker"),
        viewBox="0 0 100 16",
        preserveAspectRatio="none",
        class_="score-bar",
        aria_hidden="true",
    )


def reliability_chart(bins: Sequence[CalibrationBin], title: str) -> Html:
    """Return what was stated against what came true, over how many answers each bin holds.

    On the dashed line probabilities are what they say. A hollow dot stands for fewer than ten answers.
    """
    x, y = scale(0, 1, _LEFT, _RIGHT), scale(0, 1, _BOTTOM, _TOP)
    known = [each for each in bins if each.n]
    path = " ".join(f"{x(each.confidence)},{y(each.right)}" for each in known)
    told = "; ".join(f"{each.confidence:.2f} stated, {each.right:.2f} right, {each.n:,}" for each in known)
    return _chart(
        title,
        f"Probability stated, share right, and number of answers: {told}.",
        _frame(x, y, (0, 0.25, 0.5, 0.75, 1), (0, 0.25, 0.5, 0.75, 1), "{:.2f}", "probability stated"),
        element("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="ideal"),
        element("polyline", points=path, class_="trend"),
        [_reliability_dot(each, x, y) for each in known],
        _bin_counts(bins, x),
    )


def _reliability_dot(each: CalibrationBin, x: Scale, y: Scale) -> Html:
    span = f"{each.low:.1f} to {each.high:.1f}"
    tip = f"{span}: {each.confidence:.2f} stated, {each.right:.2f} right, {each.n:,} answers"
    place = {"cx": x(each.confidence), "cy": y(each.right), "r": 4}
    return element("circle", element("title", tip), class_="dot few" if each.n < _FEW else "dot", **place)


def _bin_counts(bins: Sequence[CalibrationBin], x: Scale) -> Html:
    """Draw the number of answers in every bin; the tallest column carries its number."""
    most = max(1, *(each.n for each in bins))
    columns = []
    for each in bins:
        tall = round((_COUNTS_BOTTOM - _COUNTS_TOP) * each.n / most, 1)
        columns.append(
            element(
                "rect",
                element("title", f"{each.low:.1f} to {each.high:.1f}: {each.n:,} answers"),
                x=x(each.low) + 2,
                y=round(_COUNTS_BOTTOM - tall, 1),
                width=round(x(each.high) - x(each.low) - 4, 1),
                height=tall,
            )
        )
    return element(
        "g",
        columns,
        element("text", f"{most:,}", x=_LEFT - 6, y=_COUNTS_TOP + 9, text_anchor="end"),
        element("text", "0", x=_LEFT - 6, y=_COUNTS_BOTTOM, text_anchor="end"),
        element("text", "answers a bin", x=(_LEFT + _RIGHT) / 2, y=_COUNTS_BOTTOM + 18, text_anchor="middle"),
        class_="counts",
    )


def coverage_chart(curve: Sequence[Coverage], title: str) -> Html:
    """Return accuracy and macro-F1 where only the surest sentences keep their label."""
    halved = all(min(each.accuracy, each.macro_f1) >= 0.5 for each in curve)
    steps = (0.5, 0.6, 0.7, 0.8, 0.9, 1) if halved else (0, 0.2, 0.4, 0.6, 0.8, 1)
    x = scale(1.0, min(each.share for each in curve), _LEFT + 6, _RIGHT - 6)
    y = scale(steps[0], 1, _BOTTOM, _TOP)
    shown = [each.share for each in curve[::2]]
    told = "; ".join(f"{each.share:.0%}: {each.accuracy:.2f} and {each.macro_f1:.2f}" for each in curve)
    return _chart(
        title,
        f"Accuracy and macro-F1 by share labelled: {told}.",
        _frame(x, y, shown, steps, "{:.2f}", "share of sentences labelled", "{:.0%}"),
        _line(curve, [each.accuracy for each in curve], x, y, "accuracy"),
        _line(curve, [each.macro_f1 for each in curve], x, y, "macro-f1"),
        _key("accuracy", "accuracy", _COUNTS_TOP + 14),
        _key("macro-f1", "macro-F1", _COUNTS_TOP + 34),
    )


def _line(curve: Sequence[Coverage], values: Sequence[float], x: Scale, y: Scale, kind: str) -> Html:
    places = [(x(each.share), y(value)) for each, value in zip(curve, values, strict=True)]
    marks = [
        fragment(_mark(kind, *place, f"{each.share:.0%} labelled, from {each.confidence:.2f}: {value:.2f}"))
        for place, each, value in zip(places, curve, values, strict=True)
    ]
    return element(
        "g",
        element("polyline", points=" ".join(f"{a},{b}" for a, b in places)),
        marks,
        class_=f"series {kind}",
    )


def _mark(kind: str, x: float, y: float, tip: str) -> Html:
    title = element("title", tip)
    if kind == "accuracy":
        return element("circle", title, cx=x, cy=y, r=3.6)
    return element("rect", title, x=x - 3.4, y=y - 3.4, width=6.8, height=6.8)


def _key(kind: str, name: str, y: float) -> Html:
    sample = element("line", x1=_LEFT + 6, x2=_LEFT + 34, y1=y - 4, y2=y - 4)
    return element(
        "g",
        sample,
        _mark(kind, _LEFT + 20, y - 4, name),
        element("text", name, x=_LEFT + 44, y=y),
        class_=f"series {kind}",
    )


def _frame(
    x: Scale,
    y: Scale,
    across: Sequence[float],
    upwards: Sequence[float],
    up_format: str,
    heading: str,
    across_format: str = "{:.2f}",
) -> Html:
    """Draw grid lines with their values, and what the horizontal axis means."""
    lines = [
        fragment(
            element("line", x1=_LEFT, x2=_RIGHT, y1=y(value), y2=y(value), class_="grid"),
            element("text", up_format.format(value), x=_LEFT - 6, y=y(value) + 4, text_anchor="end"),
        )
        for value in upwards
    ]
    ticks = [
        element("text", across_format.format(value), x=x(value), y=_BOTTOM + 16, text_anchor="middle")
        for value in across
    ]
    name = element("text", heading, x=(_LEFT + _RIGHT) / 2, y=_BOTTOM + 31, text_anchor="middle")
    return fragment(lines, ticks, name)


def _chart(title: str, description: str, *parts: object) -> Html:
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *parts,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        width=_WIDTH,
        height=_HEIGHT,
        role="img",
        class_="chart figure-chart",
    )
