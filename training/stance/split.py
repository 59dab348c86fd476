"""Folds that keep whole articles, and articles that share text, on one side."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stance.errors import UserError

# Two sentences with this share of common word trigrams are one sentence retold.
NEAR_DUPLICATE = 0.5
_SHINGLE = 3


@dataclass(frozen=True, slots=True)
class Fold:
    """One split: row numbers of either side, and a name for people."""

    name: str
    train: tuple[int, ...]
    test: tuple[int, ...]


def shingles(text: str) -> set[str]:
    """Return a text's word trigrams, lower-cased; a shorter text is its own only shingle."""
    words = re.findall(r"\w+", text.lower())
    count = max(1, len(words) - _SHINGLE + 1)
    return {" ".join(words[at : at + _SHINGLE]) for at in range(count)}


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return pairs of rows whose trigram Jaccard similarity reaches :data:`NEAR_DUPLICATE`.

    Exact, by an inverted index of trigrams; rows that share none are never compared.
    """
    rows_with: dict[str, list[int]] = {}
    sets = [shingles(text) for text in texts]
    found = []
    for row, words in enumerate(sets):
        common = Counter(other for word in words for other in rows_with.get(word, ()))
        for other, count in sorted(common.items()):
            similarity = count / (len(words) + len(sets[other]) - count)
            if similarity >= NEAR_DUPLICATE:
                found.append((other, row, similarity))
        for word in words:
            rows_with.setdefault(word, []).append(row)
    return found


def joined_groups(groups: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return a group name a row, articles that share a near-duplicate sentence being one group."""
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    for first, second, _ in near_duplicates(texts):
        low, high = sorted((root(groups[first]), root(groups[second])))
        parent[high] = low
    return [root(group) for group in groups]


def grouped_folds(groups: Sequence[str], count: int, seed: int) -> list[Fold]:
    """Cut rows into folds that never split a group.

    With no more groups than ``count``, every group is left out once. Otherwise groups are shuffled
    and dealt, largest first, to the fold that has the fewest rows.

    Raises:
        UserError: there are fewer than two groups.
    """
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    if len(members) < 2:
        raise UserError("the labels come from a single article; cross-validation needs two or more")
    if len(members) <= count:
        parts = [(group, rows) for group, rows in sorted(members.items())]
    else:
        dealt: list[list[int]] = [[] for _ in range(count)]
        order = sorted(members)
        random.Random(seed).shuffle(order)
        for group in sorted(order, key=lambda group: -len(members[group])):
            min(dealt, key=len).extend(members[group])
        parts = [(f"fold {number}", sorted(rows)) for number, rows in enumerate(dealt, start=1)]
    return [Fold(name, _all_but(rows, len(groups)), tuple(rows)) for name, rows in parts]


def _all_but(rows: Sequence[int], count: int) -> tuple[int, ...]:
    left_out = set(rows)
    return tuple(row for row in range(count) if row not in left_out)
