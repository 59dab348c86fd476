"""What every score is made of: hits, given and true labels, article by article."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.taxonomy import FloatArray


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of labels, a case a row: an article, a resample, or everything.

    Attributes:
        hits: labels both given and true, (cases, labels).
        given: labels given, likewise.
        true: labels annotated, likewise.
        rows: sentences, (cases,).
    """

    hits: FloatArray
    given: FloatArray
    true: FloatArray
    rows: FloatArray

    @classmethod
    def of(cls, gold: IntArray, decided: BoolArray, member: IntArray, articles: int) -> Counts:
        """Count article by article.

        Args:
            gold: 0/1 labels (rows, labels).
            decided: given labels, likewise.
            member: the number of every row's article, (rows,).
            articles: how many there are.
        """
        return cls(
            _summed(gold * decided, member, articles),
            _summed(decided, member, articles),
            _summed(gold, member, articles),
            np.bincount(member, minlength=articles).astype(float),
        )

    def weighed(self, weights: FloatArray) -> Counts:
        """Return sums of cases, each counted as often as ``weights`` (sums, cases) says."""
        return Counts(weights @ self.hits, weights @ self.given, weights @ self.true, weights @ self.rows)

    def total(self) -> Counts:
        """Return all cases as one."""
        return self.weighed(np.ones((1, len(self.rows))))

    def left_out(self) -> Counts:
        """Return all cases but one, for each of them."""
        every = self.total()
        return Counts(
            every.hits - self.hits, every.given - self.given, every.true - self.true, every.rows - self.rows
        )

    def occurs(self) -> BoolArray:
        """Return whether a label is given or true in a case, (cases, labels)."""
        found: BoolArray = (self.given + self.true) > 0
        return found

    def scores(self) -> dict[str, FloatArray]:
        """Return every metric, one value a case; those of single labels are (cases, labels)."""
        f1 = _divided(2 * self.hits, self.given + self.true)
        # A label that occurs neither in gold nor among the predictions has no F1 to average.
        occurs = self.occurs()
        return {
            "precision": _divided(self.hits, self.given),
            "recall": _divided(self.hits, self.true),
            "f1": f1,
            "macro_f1": _divided((f1 * occurs).sum(1), occurs.sum(1)),
            "micro_f1": _divided(2 * self.hits.sum(1), (self.given + self.true).sum(1)),
            "accuracy": _divided(self.hits.sum(1), self.rows),
        }


def _summed(table: IntArray | BoolArray, member: IntArray, articles: int) -> FloatArray:
    columns = [np.bincount(member, weights=column, minlength=articles) for column in table.T]
    return np.stack(columns, axis=1)


def _divided(top: FloatArray, bottom: FloatArray) -> FloatArray:
    quotient: FloatArray = np.divide(top, bottom, out=np.zeros_like(top, dtype=float), where=bottom > 0)
    return quotient
