"""Token ids in padded batches of like length, the same for training and for prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from stance.taxonomy import Axis, FloatArray

IdArray = NDArray[np.int64]
_BATCH = 32


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


def in_batches(
    encodings: Sequence[Encoding], run: Callable[[IdArray, IdArray], Sequence[FloatArray]]
) -> list[FloatArray]:
    """Run sentences through a network in batches of like length; the order given is kept.

    Args:
        encodings: tokenised sentences, at least one.
        run: takes ids and mask, returns logits (batch, labels), one array an axis.
    """
    parts, order = [], []
    for batch in by_length(encodings, _BATCH):
        parts.append(run(*pad([encodings[number] for number in batch])))
        order += batch
    back = np.argsort(order)
    return [np.concatenate(arrays).astype(np.float64)[back] for arrays in zip(*parts, strict=True)]


def probabilities(logits: FloatArray, axis: Axis) -> FloatArray:
    """Return softmax (single-label) or sigmoid (multi-label) of logits, same shape."""
    if not axis.single:
        odds: FloatArray = 1 / (1 + np.exp(-logits))
        return odds
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: FloatArray = raised / raised.sum(axis=1, keepdims=True)
    return shares


def log_odds(logits: FloatArray, axis: Axis) -> FloatArray:
    """Return the log-odds of the probabilities that :func:`probabilities` gives, same shape."""
    if not axis.single:
        return logits
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    others = raised.sum(axis=1, keepdims=True) - raised
    tiny = np.finfo(np.float64).tiny
    odds: FloatArray = np.log(np.maximum(raised, tiny)) - np.log(np.maximum(others, tiny))
    return odds
