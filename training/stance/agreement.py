"""Krippendorff's alpha between annotators, nominal scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from stance.dataset import LabelledData


def alpha(units: Sequence[Sequence[Hashable]]) -> float:
    """Return Krippendorff's alpha for nominal data.

    Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, by coincidence counts. 1 is full
    agreement, 0 what chance gives. A unit with fewer than two values says nothing and is passed
    over; where all values are one and the same, alpha is 1.

    Args:
        units: for every unit the values that its annotators gave.
    """
    pairable = [unit for unit in units if len(unit) > 1]
    totals = Counter(value for unit in pairable for value in unit)
    n = totals.total()
    disagreed = 0.0
    for unit in pairable:
        size = len(unit)
        same = sum(count * (count - 1) for count in Counter(unit).values())
        disagreed += (size * (size - 1) - same) / (size - 1)
    expected = (n * n - sum(count * count for count in totals.values())) / (n - 1) if n > 1 else 0.0
    return 1.0 if expected == 0 else 1 - disagreed / expected


def by_axis(data: LabelledData) -> dict[str, float]:
    """Return alpha per axis over the rows with two or more annotations.

    A single-label axis is one nominal variable. A multi-label one is one yes-or-no variable a
    label; its alpha is computed over all of them pooled, so that rare labels weigh as they occur.
    """
    rows = [notes for notes in data.annotations.values() if len(notes) > 1]
    found = {}
    for name in data.axes:
        axis = data.taxonomy.axes[name]
        if axis.single:
            found[name] = alpha([[note[name][0] for note in notes] for notes in rows])
        else:
            found[name] = alpha([unit for label in axis.names for unit in _presence(rows, name, label)])
    return found


def by_label(data: LabelledData) -> dict[str, dict[str, float]]:
    """Return alpha of every label taken alone, as given or not given."""
    rows = [notes for notes in data.annotations.values() if len(notes) > 1]
    return {
        name: {label: alpha(_presence(rows, name, label)) for label in data.taxonomy.axes[name].names}
        for name in data.axes
    }


def _presence(
    rows: Sequence[Sequence[Mapping[str, tuple[str, ...]]]], axis: str, label: str
) -> list[list[bool]]:
    return [[label in note[axis] for note in notes] for notes in rows]
