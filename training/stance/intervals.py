"""95% intervals that respect articles, from what a score becomes when each article is left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from stance.taxonomy import FloatArray

LEVEL = 0.95
Interval = tuple[float, float]


def units(groups: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Return the number of every row's article, and how many articles there are.

    A single article says nothing of other articles; then each of its sentences counts as one.
    """
    _, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    count = int(member.max()) + 1 if len(member) else 0
    if count == 1:
        return np.arange(len(member)), len(member)
    return member.astype(np.int64), count


def standard_error(value: float, left_out: FloatArray) -> float:
    """Return the jackknife standard error (Efron and Stein 1981) of a score.

    Args:
        value: the score of all articles.
        left_out: the score without each article, (articles,).
    """
    count = len(left_out)
    return float(np.sqrt((count - 1) / max(1, count) * ((left_out - value) ** 2).sum()))


def student(articles: int, below: float = (1 + LEVEL) / 2) -> float:
    """Return the quantile of Student's t for so many articles; infinite for fewer than two."""
    return float(stdtrit(articles - 1, below)) if articles > 1 else float("inf")


def score_interval(value: float, left_out: FloatArray, articles: int) -> Interval:
    """Return the 95% interval of a score between 0 and 1.

    Jackknife over articles with Student's t, on the log-odds scale, so that no end leaves 0 to 1. The
    percentiles of a bootstrap of few articles are far too narrow, and those of articles and sentences
    both too wide: ``benchmarks/interval_coverage.py`` measures how often each holds the true score.

    Args:
        value: the score of all articles.
        left_out: the score without each article, (articles,).
        articles: how many of them have a say in the score: those in which a label occurs.
    """
    if articles < 2:
        return 0.0, 1.0
    error = standard_error(value, left_out)
    if error < 1e-12 or not 0 < value < 1:
        # No spread is not certainty. The share of articles that could differ and still not have been
        # met is bounded as by Clopper and Pearson (1934) for 0 of n.
        unseen = 1 - ((1 - LEVEL) / 2) ** (1 / articles)
        return value * (1 - unseen), value + unseen * (1 - value)
    odds = np.log(value / (1 - value))
    reach = student(articles) * error / (value * (1 - value))
    low, high = 1 / (1 + np.exp(np.array([reach, -reach]) - odds))
    return float(low), float(high)


def difference_interval(value: float, left_out: FloatArray) -> Interval:
    """Return the 95% interval of a difference between two scores of the same articles, likewise.

    Args:
        value: the difference on all articles; -1 to 1.
        left_out: the difference without each article, (articles,).
    """
    error = standard_error(value, left_out)
    reach = student(len(left_out)) * error if error else 0.0
    return max(-1.0, value - reach), min(1.0, value + reach)
