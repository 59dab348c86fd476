"""How far annotators agree: Krippendorff's alpha, F1 between pairs, and what they confuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations

import numpy as np

from stance.dataset import LabelledData

Pair = tuple[int, int]
Notes = Sequence[Mapping[str, tuple[str, ...]]]


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


def pairs(data: LabelledData) -> list[Pair]:
    """Return every pair of annotators, by their place in ``annotations``, from 0."""
    most = max((len(notes) for notes in data.annotations.values()), default=0)
    return list(combinations(range(most), 2))


def by_axis(data: LabelledData, pair: Pair | None = None) -> dict[str, float]:
    """Return alpha per axis, of all annotators or of one pair.

    A single-label axis is one nominal variable. A multi-label one is one yes-or-no variable a
    label, and its alpha is the mean over the labels.
    """
    rows, found = _notes(data, pair), {}
    for name in data.axes:
        if data.taxonomy.axes[name].single:
            found[name] = alpha([[note[name][0] for note in notes] for notes in rows])
        else:
            found[name] = float(np.mean(list(by_label(data, pair)[name].values())))
    return found


def by_label(data: LabelledData, pair: Pair | None = None) -> dict[str, dict[str, float]]:
    """Return alpha of every label taken alone, as given or not given."""
    rows = _notes(data, pair)
    return {
        name: {
            label: alpha([[label in note[name] for note in notes] for notes in rows])
            for label in data.taxonomy.axes[name].names
        }
        for name in data.axes
    }


def pair_f1(data: LabelledData, pair: Pair) -> dict[str, float]:
    """Return F1 of one annotator against the other: macro on a single-label axis, else micro."""
    rows, found = _notes(data, pair), {}
    for name in data.axes:
        axis = data.taxonomy.axes[name]
        first, second = (axis.encode(notes[place][name] for notes in rows) for place in (0, 1))
        hits, given = (first * second).sum(0), first.sum(0) + second.sum(0)
        each = 2 * hits[given > 0] / given[given > 0]
        found[name] = float(each.mean() if axis.single else 2 * hits.sum() / given.sum())
    return found


def confusions(data: LabelledData) -> dict[str, Counter[tuple[str, str]]]:
    """Return per single-label axis how often two annotators gave these two labels to a sentence."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    for name in data.axes:
        if not data.taxonomy.axes[name].single:
            continue
        found[name] = Counter()
        for notes in _notes(data, None):
            for one, other in combinations([note[name][0] for note in notes], 2):
                if one != other:
                    found[name][min(one, other), max(one, other)] += 1
    return found


def _notes(data: LabelledData, pair: Pair | None) -> list[Notes]:
    """Return the annotations of every row that has two or more, or both of a pair."""
    if pair is None:
        return [notes for notes in data.annotations.values() if len(notes) > 1]
    first, second = pair
    return [(notes[first], notes[second]) for notes in data.annotations.values() if len(notes) > second]
