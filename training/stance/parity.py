"""Does a lighter form of a model say what the model itself says?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.evaluate import metrics

# A lighter form is kept if it gives this share of labels alike and loses no more macro-F1 than this.
MIN_AGREEMENT = 0.99
MAX_LOSS = 0.005


@dataclass(frozen=True, slots=True)
class Parity:
    """How near the lighter form comes on held-out rows.

    Attributes:
        agreement: axis to the share of equal decisions: rows on a single-label axis, else cells.
        loss: axis to macro-F1 lost; below 0 where the lighter form scores better.
    """

    agreement: Mapping[str, float]
    loss: Mapping[str, float]

    @property
    def kept(self) -> bool:
        """Whether the lighter form may stand in for the model."""
        near = all(value >= MIN_AGREEMENT for value in self.agreement.values())
        return near and all(value <= MAX_LOSS for value in self.loss.values())

    def as_json(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {
            "kept": self.kept,
            "agreement": {name: round(value, 6) for name, value in self.agreement.items()},
            "macro_f1_loss": {name: round(value, 6) for name, value in self.loss.items()},
        }


def parity(
    gold: Mapping[str, IntArray],
    full: Mapping[str, BoolArray],
    light: Mapping[str, BoolArray],
    single: Mapping[str, bool],
) -> Parity:
    """Compare decisions on the same rows; all tables are axis to (rows, labels).

    Args:
        gold: 0/1 labels.
        full: what the model decides.
        light: what its lighter form decides.
        single: axis to whether it is single-label.
    """
    agreement, loss = {}, {}
    for name, table in gold.items():
        same = full[name] == light[name]
        agreement[name] = float((same.all(axis=1) if single[name] else same).mean())
        ones = np.ones((1, len(table)))
        scores = [float(metrics(table, given[name], ones)["macro_f1"][0]) for given in (full, light)]
        loss[name] = scores[0] - scores[1]
    return Parity(agreement, loss)
