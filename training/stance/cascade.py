"""Two models in a row: a quick one answers where it is sure enough, the full one takes the rest.

How sure is enough is read off the held-out rows that both models keep: on them the pair may lose hardly any
macro-F1 against the full model alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from stance.calibrate import BoolArray, Calibration
from stance.errors import UserError
from stance.evaluate import metrics
from stance.files import fingerprint
from stance.heldout import HeldOut, shared
from stance.split import grouped_folds
from stance.tagger import Tagger
from stance.taxonomy import FloatArray, Taxonomy

# Macro-F1 that an axis may lose; limits that lose so much on some articles lose more on others, so they are
# fitted to less.
MAX_LOSS = 0.005
_FITTED_LOSS = 0.003
# Fewer held-out rows than this cannot tell a loss of half a point from chance.
_LEAST_ROWS = 100
_STEPS = 100
_PARTS = 5
_EPSILON = 1e-6
Limits = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Loss:
    """What the pair does on held-out rows, against the full model alone.

    Attributes:
        answered: share of the rows that the first model answers.
        lost: axis to macro-F1 lost; below 0 where the pair scores better.
        rows: how many there are.
    """

    answered: float
    lost: Mapping[str, float]
    rows: int


@dataclass(frozen=True, slots=True)
class Cascade(Tagger):
    """The full model, with a quicker one before it.

    Attributes:
        first: answers where it is sure on every axis.
        limits: axis to how sure it must be; see :func:`sureness`.
    """

    first: Tagger
    limits: Limits

    @classmethod
    def of(cls, full: Tagger, first: Tagger, limits: Limits | None = None) -> Self:
        """Put one model before another.

        Args:
            full: decides whatever the first is not sure of.
            first: the quicker one.
            limits: where they are known; None fits them to the held-out rows of both.

        Raises:
            UserError: the models have other labels, or too few held-out rows in common.
        """
        if full.taxonomy != first.taxonomy:
            raise UserError(
                f"--cascade {first.folder}: has other labels than {full.folder}; train both on one set"
            )
        if limits is None:
            limits = fit(_tests(full, first), first.calibration, full.taxonomy)
        own = {each.name: getattr(full, each.name) for each in fields(Tagger)}
        return cls(**own, first=first, limits=limits)

    @property
    def name(self) -> str:
        """Both models' names, in the order that they are asked."""
        return f"{self.first.name}+{self.config.name}"

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that identify both models' every byte."""
        return fingerprint([self.manifest["fingerprint"], self.first.manifest["fingerprint"]])[:12]

    def predict(self, texts: Sequence[str]) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
        """See :meth:`stance.tagger.Tagger.predict`; every row is wholly of the one model or the other."""
        probabilities, decided = self.first.predict(texts)
        sure = _sure(sureness(probabilities, self.first.calibration, self.taxonomy), self.limits)
        rest = np.flatnonzero(~sure).tolist()
        if rest:
            # Named, as super() does not work in a class with slots.
            better = Tagger.predict(self, [texts[row] for row in rest])
            for name in self.taxonomy.axes:
                probabilities[name][rest], decided[name][rest] = better[0][name], better[1][name]
        return probabilities, decided

    def loss(self) -> Loss:
        """Measure the pair on articles that the limits were not fitted to: in five parts, each in turn."""
        full, first = _tests(self, self.first)
        values = sureness(first.probabilities, self.first.calibration, self.taxonomy)
        sure = np.zeros(len(full.ids), dtype=bool)
        for part in grouped_folds(full.groups, _PARTS, seed=0):
            seen = (full.taken(part.train), first.taken(part.train))
            limits = fit(seen, self.first.calibration, self.taxonomy)
            rows = list(part.test)
            sure[rows] = _sure(values, limits)[rows]
        return Loss(float(sure.mean()), _lost(full, first, sure), len(sure))


def sureness(
    probabilities: Mapping[str, FloatArray], calibration: Calibration, taxonomy: Taxonomy
) -> dict[str, FloatArray]:
    """Return axis to how sure a model is of each row, shape (rows,).

    On a single-label axis this is the best label's probability; on a multi-label one how far the label
    nearest to its threshold is from it, in log-odds.
    """
    found = {}
    for name, axis in taxonomy.axes.items():
        if axis.single:
            found[name] = probabilities[name].max(axis=1)
            continue
        thresholds = calibration[name].thresholds or {}
        limits = np.array([thresholds.get(label, 0.5) for label in axis.names])
        found[name] = np.abs(_log_odds(probabilities[name]) - _log_odds(limits)).min(axis=1)
    return found


def fit(tests: tuple[HeldOut, HeldOut], calibration: Calibration, taxonomy: Taxonomy) -> dict[str, float]:
    """Return the limits that let the first model answer most.

    One share of the rows, those that an axis is least sure of, is withheld on every axis alike. It is the
    least share from which on no axis loses more than ``_FITTED_LOSS``: a smaller one that happens to lose
    little does not count.

    Args:
        tests: held-out rows of the full model, and the same rows of the quicker one.
        calibration: of the quicker one.
        taxonomy: of both.
    """
    full, first = tests
    sure = sureness(first.probabilities, calibration, taxonomy)
    limits = {name: float("inf") for name in sure}
    for step in range(_STEPS - 1, -1, -1):
        tried = {name: float(np.quantile(values, step / _STEPS)) for name, values in sure.items()}
        if max(_lost(full, first, _sure(sure, tried)).values()) > _FITTED_LOSS:
            break
        limits = tried
    return limits


def _tests(full: Tagger, first: Tagger) -> tuple[HeldOut, HeldOut]:
    """Return the held-out rows that both models have, in one order."""
    one, other = shared([HeldOut.load(each.folder, each.taxonomy) for each in (full, first)])
    if len(one.ids) < _LEAST_ROWS:
        raise UserError(
            f"--cascade {first.folder}: has {len(one.ids)} held-out rows in common with {full.folder}, too "
            "few to tell when to trust it; train both on the same labels, with the same seed and folds"
        )
    return one, other


def _sure(sure: Mapping[str, FloatArray], limits: Limits) -> BoolArray:
    """Return which rows reach the limits of all axes, shape (rows,)."""
    reached: BoolArray = np.all([values >= limits[name] for name, values in sure.items()], axis=0)
    return reached


def _lost(full: HeldOut, first: HeldOut, sure: BoolArray) -> dict[str, float]:
    """Return axis to the macro-F1 lost where the first model answers the rows that it is sure of."""
    lost, ones = {}, np.ones((1, len(sure)))
    for name, gold in full.gold.items():
        mixed = np.where(sure[:, None], first.decided[name], full.decided[name])
        alone, pair = (
            float(metrics(gold, each, ones)["macro_f1"][0]) for each in (full.decided[name], mixed)
        )
        lost[name] = alone - pair
    return lost


def _log_odds(probabilities: FloatArray) -> FloatArray:
    clipped = np.clip(probabilities, _EPSILON, 1 - _EPSILON)
    odds: FloatArray = np.log(clipped) - np.log1p(-clipped)
    return odds
