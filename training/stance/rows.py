"""What goes out: one row a tagged sentence, or one row an article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from stance.records import Tagged
from stance.taxonomy import UNSURE, Axis, Taxonomy

_DIGITS = 4


def sentence_row(tagged: Tagged, taxonomy: Taxonomy, model: str, fingerprint: str) -> dict[str, Any]:
    """Return a sentence row; ``docs/output.md`` describes every field."""
    sentence = tagged.sentence
    row: dict[str, Any] = {
        "article": sentence.article,
        "index": sentence.index,
        "start": sentence.start,
        "end": sentence.end,
        "text": sentence.text,
    }
    for name, axis in taxonomy.axes.items():
        labels = tagged.labels[name]
        row[name] = (labels or (UNSURE,))[0] if axis.single else list(labels)
        row[f"{name}_probabilities"] = {
            label: round(value, _DIGITS) for label, value in tagged.probabilities[name].items()
        }
    return {**row, "model": model, "fingerprint": fingerprint}


def article_rows(
    tagged: Iterable[Tagged], taxonomy: Taxonomy, model: str, fingerprint: str
) -> Iterator[dict[str, Any]]:
    """Yield one row an article; the sentences of an article must come together.

    A single-label axis gives the number of unsure sentences, the labels' shares of the others and, where
    the taxonomy weighs its labels, an index: the others' mean weight, None where all are unsure. A
    multi-label axis gives the labels found, most frequent first, and in how many sentences each was.
    """
    for article, group in groupby(tagged, key=lambda each: each.sentence.article):
        members = list(group)
        row: dict[str, Any] = {"article": article, "sentences": len(members)}
        for name, axis in taxonomy.axes.items():
            row |= _axis_summary(name, axis, members)
        yield {**row, "model": model, "fingerprint": fingerprint}


def _axis_summary(name: str, axis: Axis, members: list[Tagged]) -> dict[str, Any]:
    counts = Counter(label for each in members for label in each.labels[name])
    if axis.single:
        sure = counts.total()
        shares = {label: round(counts[label] / max(1, sure), _DIGITS) for label in axis.names}
        summary: dict[str, Any] = {f"{name}_shares": shares, f"{name}_unsure": len(members) - sure}
        if axis.index is not None:
            weight = sum(axis.index.get(label, 0.0) * count for label, count in counts.items())
            summary[f"{name}_index"] = round(weight / sure, _DIGITS) if sure else None
        return summary
    found = sorted(counts, key=lambda label: (-counts[label], axis.names.index(label)))
    return {name: found, f"{name}_sentences": {label: counts[label] for label in axis.names}}
