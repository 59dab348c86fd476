"""Predictions of sentences that come again: wire copy repeats itself, and a repeat costs a look-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from stance.taxonomy import FloatArray

# About 200 bytes of text and 200 of numbers each: some ten megabytes.
MOST = 20_000


class Repeats:
    """Asks for each sentence once while it is remembered; the least recently seen one is forgotten first.

    It must live no longer than one shard. The batch that a sentence falls into moves the last digits of its
    probabilities, so one that outlived a shard would make a part depend on the shards tagged before it.

    Args:
        predict: takes texts, returns a row of numbers each, shape (texts, numbers).
        most: how many sentences are remembered.
    """

    def __init__(self, predict: Callable[[Sequence[str]], FloatArray], most: int = MOST) -> None:
        self._predict = predict
        self._most = most
        self._known: dict[str, FloatArray] = {}

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """Return the rows of texts, at least one, in their order; equal texts have equal rows."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            # Copies, as a view of one row would keep the whole window's array alive.
            rows = (row.copy() for row in self._predict(fresh))
            self._known.update(zip(fresh, rows, strict=True))
        found = []
        for text in texts:
            row = self._known.pop(text)
            self._known[text] = row
            found.append(row)
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return np.stack(found)
