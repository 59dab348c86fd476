"""Rows turned into the columns that the page carries: articles, sentences, labels, probabilities."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

from stance.errors import all_at_once
from stance.report.axes import UNSURE, ReportAxis
from stance.report.reading import PROBABILITIES, PlacedRow

# Rows carry four digits; whole numbers of them are short in JSON and fit sixteen bits.
WHOLE = 10_000
_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ].*)?)?)?")
_PERIODS = ("day", "month", "year")


@dataclass(frozen=True, slots=True)
class Day:
    """A date that could be read: the (first) day it names, and how exact it is."""

    iso: str
    exact_to: str


def read_day(text: str | None) -> Day | None:
    """Read ``2025-10-14``, ``2025-10``, ``2025``, an ISO time, or the date of a mail or feed; else None."""
    if not text:
        return None
    text = text.strip()
    match = _ISO.fullmatch(text)
    try:
        if match:
            year, month, day = match.groups()
            exact_to = _PERIODS[2 - (month is not None) - (day is not None)]
            return Day(date(int(year), int(month or 1), int(day or 1)).isoformat(), exact_to)
        return Day(parsedate_to_datetime(text).date().isoformat(), "day")
    except (ValueError, TypeError):
        return None


def columns(rows: Sequence[PlacedRow], axes: Sequence[ReportAxis]) -> dict[str, Any]:
    """Return what the page's script reads, ready for JSON.

    Articles stand in the order of their first row, sentences in article order. Labels are numbers of
    an axis's columns, on a single-label axis with ``unsure`` one past the last; probabilities are in
    ten-thousandths, row after row.

    Raises:
        UserError: rows lack a field, carry an unknown label or another taxonomy, or stand twice.
    """
    _check(rows, axes)
    articles: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        articles.setdefault(str(row.values["article"]), []).append(row.values)
    for members in articles.values():
        members.sort(key=lambda values: int(values["index"]))
    ordered = [values for members in articles.values() for values in members]
    return {
        "models": _models(ordered),
        "axes": [_axis_columns(axis, ordered) for axis in axes],
        "articles": _article_columns(articles),
        "texts": [values["text"] for values in ordered],
    }


def _axis_columns(axis: ReportAxis, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    column = {label: number for number, label in enumerate([*axis.labels, UNSURE])}
    field = f"{axis.name}{PROBABILITIES}"
    labels: list[Any] = [
        column[values[axis.name]]
        if axis.single
        else [column[label] for label in _labels_of(values[axis.name])]
        for values in rows
    ]
    return {
        "name": axis.name,
        "single": axis.single,
        "labels": list(axis.labels),
        "weights": axis.weights,
        "weightsFrom": axis.weights_from,
        "given": labels,
        "probabilities": [round(values[field][label] * WHOLE) for values in rows for label in axis.labels],
    }


def _article_columns(articles: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    def stated(field: str) -> list[str | None]:
        return [
            next((str(values[field]) for values in members if values.get(field) is not None), None)
            for members in articles.values()
        ]

    dates = stated("date")
    days = [read_day(text) for text in dates]
    coarsest = max((_PERIODS.index(day.exact_to) for day in days if day), default=0)
    return {
        "id": list(articles),
        "title": stated("title"),
        "source": stated("source"),
        "url": stated("url"),
        "date": dates,
        "day": [day.iso if day else None for day in days],
        "exactTo": _PERIODS[coarsest],
        "sentences": [len(members) for members in articles.values()],
    }


def _models(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    counts = Counter((values.get("model"), values.get("fingerprint")) for values in rows)
    return [
        {"name": model, "fingerprint": fingerprint, "sentences": count}
        for (model, fingerprint), count in counts.most_common()
    ]


def _labels_of(value: Any) -> Sequence[str]:
    """Return the labels of a multi-label field; CSV joins them with ``;`` and leaves none empty."""
    if value is None:
        return ()
    return value.split(";") if isinstance(value, str) else value


def _check(rows: Sequence[PlacedRow], axes: Sequence[ReportAxis]) -> None:
    problems: list[str] = []
    seen: dict[tuple[str, int], str] = {}
    for row in rows:
        if problem := _problem(row.values, axes):
            problems.append(f"{row.place}: {problem}")
            continue
        key = (str(row.values["article"]), int(row.values["index"]))
        first = seen.setdefault(key, row.place)
        if first != row.place:
            problems.append(
                f"{row.place}: sentence {key[1]} of article '{key[0]}' already stands at {first}; "
                "give every article once, tagged by one model"
            )
    if problems:
        raise all_at_once("the rows", problems)


def _problem(values: Mapping[str, Any], axes: Sequence[ReportAxis]) -> str | None:
    """Return what is wrong with a row, or None."""
    if values.get("article") is None:
        return "'article' is missing; give what stance predict wrote"
    if not isinstance(values.get("text"), str):
        return "'text' is missing; give what stance predict wrote"
    if not str(values.get("index")).isdecimal():
        return "'index' is missing or no number; give what stance predict wrote"
    return next(filter(None, (_axis_problem(values, axis) for axis in axes)), None)


def _axis_problem(values: Mapping[str, Any], axis: ReportAxis) -> str | None:
    probabilities = values.get(f"{axis.name}{PROBABILITIES}")
    if not isinstance(probabilities, Mapping) or set(probabilities) != set(axis.labels):
        return f"no probabilities for the labels of '{axis.name}'; make one report per taxonomy"
    if not all(_is_probability(value) for value in probabilities.values()):
        return f"a probability of '{axis.name}' is not between 0 and 1; tag the article again"
    if wrong := _unknown_label(values.get(axis.name), axis):
        return f"'{wrong}' is no label of '{axis.name}'; make one report per taxonomy"
    return None


def _is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _unknown_label(value: Any, axis: ReportAxis) -> str | None:
    if axis.single:
        known = isinstance(value, str) and (value in axis.labels or value == UNSURE)
        return None if known else str(value)
    return next((str(label) for label in _labels_of(value) if label not in axis.labels), None)
