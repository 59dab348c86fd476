"""Token ids in padded batches of like length, the same for training and for prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

IdArray = NDArray[np.int64]


def by_length(encodings: Sequence[Encoding], size: int) -> Iterator[list[int]]:
    """Yield the numbers of encodings, shortest first, in batches of ``size``."""
    order = sorted(range(len(encodings)), key=lambda number: len(encodings[number]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def pad(encodings: Sequence[Encoding]) -> tuple[IdArray, IdArray]:
    """Return token ids and attention mask, shape (batch, longest); padded places hold 0."""
    longest = max(len(encoding) for encoding in encodings)
    ids = np.zeros((len(encodings), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding)] = encoding.ids
        mask[row, : len(encoding)] = 1
    return ids, mask
