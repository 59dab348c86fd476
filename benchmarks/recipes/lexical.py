"""What n-grams say of the same sentences, mixed into what a network says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from benchmarks.recipes.fit import Rows

from stance.batching import probabilities
from stance.classifiers.tfidf import Family, TfidfParams
from stance.taxonomy import FloatArray, Taxonomy

_EPSILON = 1e-7


class Partner:
    """A TF-IDF classifier that is heard beside a network.

    Args:
        taxonomy: the axes.
        rows: what the network learns from, too.
        weight: share of the logits that comes from n-grams.
    """

    def __init__(self, taxonomy: Taxonomy, rows: Rows, weight: float) -> None:
        self._taxonomy = taxonomy
        self._weight = weight
        self._family = Family(taxonomy, TfidfParams(min_df=2), seed=0)
        # A plain dict is enough of a Dataset here, and spares the GPU machine a package.
        data: Any = {"text": list(rows.texts)}
        for (name, axis), table in zip(taxonomy.axes.items(), rows.hard, strict=True):
            if axis.single:
                data[name] = table.argmax(1).tolist()
            else:
                data[name] = [row.nonzero().flatten().tolist() for row in table]
        self._family.fit(data, None, self)

    def metric(self, name: str, value: float, step: int) -> None:
        """Ignore."""

    def progress(self, done: int, total: int, loss: float | None) -> None:
        """Ignore."""

    def mixed(self, raw: Mapping[str, FloatArray], texts: Sequence[str]) -> dict[str, FloatArray]:
        """Return probabilities (rows, labels) of both together, from a network's."""
        other = self._family.logits(texts)
        found = {}
        for name, axis in self._taxonomy.axes.items():
            mine = np.clip(raw[name], _EPSILON, 1 - _EPSILON)
            logits = np.log(mine) if axis.single else np.log(mine) - np.log1p(-mine)
            found[name] = probabilities((1 - self._weight) * logits + self._weight * other[name], axis)
        return found
