"""Temperatures and thresholds: fitted on held-out predictions of a dev set, applied everywhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stance.taxonomy import Axis, FloatArray, Taxonomy

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
_TEMPERATURES = np.geomspace(0.2, 5.0, 65)
_EPSILON = 1e-7
_SHARED_WEIGHT = 100


class AxisCalibration(BaseModel):
    """How one axis turns raw probabilities into calibrated ones and into labels.

    Attributes:
        temperature: divides the logits; above 1 it makes a model less sure of itself.
        thresholds: on a multi-label axis, the calibrated probability from which a label is given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float = Field(default=1.0, gt=0)
    thresholds: dict[str, float] | None = None

    def probabilities(self, raw: FloatArray, axis: Axis) -> FloatArray:
        """Return calibrated probabilities, shape as given (rows, labels)."""
        return _heated(raw, self.temperature, axis)

    def decide(self, calibrated: FloatArray, axis: Axis) -> BoolArray:
        """Return which labels are given, shape (rows, labels); one a row on a single-label axis."""
        decided: BoolArray
        if axis.single:
            decided = calibrated.argmax(axis=1)[:, None] == np.arange(len(axis.names))
            return decided
        thresholds = self.thresholds or {}
        limits = np.array([thresholds.get(name, 0.5) for name in axis.names])
        decided = calibrated >= limits
        return decided


Calibration = dict[str, AxisCalibration]


def fit(raw: Mapping[str, FloatArray], gold: Mapping[str, IntArray], taxonomy: Taxonomy) -> Calibration:
    """Fit one temperature an axis by likelihood, then one threshold a label by F1.

    Temperature scaling is Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; on a
    multi-label axis the same division is applied to every label's log-odds.

    Args:
        raw: axis to uncalibrated probabilities (rows, labels) of rows that the model never saw.
        gold: axis to 0/1 labels (rows, labels).
        taxonomy: gives axes, kinds and label order.
    """
    fitted = {}
    for name, axis in taxonomy.axes.items():
        temperature, _ = best_temperature(raw[name], gold[name], axis)
        calibrated = _heated(raw[name], temperature, axis)
        thresholds = None if axis.single else _thresholds(calibrated, gold[name], axis)
        fitted[name] = AxisCalibration(temperature=round(temperature, 6), thresholds=thresholds)
    return fitted


def best_temperature(raw: FloatArray, gold: IntArray, axis: Axis) -> tuple[float, float]:
    """Return the temperature of the lowest log loss, and that loss (nats a row or, multi-label, a cell)."""
    losses = [_log_loss(_heated(raw, temperature, axis), gold, axis) for temperature in _TEMPERATURES]
    best = int(np.argmin(losses))
    return float(_TEMPERATURES[best]), losses[best]


def _heated(raw: FloatArray, temperature: float, axis: Axis) -> FloatArray:
    clipped = np.clip(raw, _EPSILON, 1 - _EPSILON)
    if axis.single:
        logits = np.log(clipped) / temperature
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        softened: FloatArray = raised / raised.sum(axis=1, keepdims=True)
        return softened
    odds: FloatArray = 1 / (1 + np.exp(-(np.log(clipped) - np.log1p(-clipped)) / temperature))
    return odds


def _log_loss(probabilities: FloatArray, gold: IntArray, axis: Axis) -> float:
    clipped = np.clip(probabilities, _EPSILON, 1 - _EPSILON)
    if axis.single:
        return float(-np.log(clipped[gold == 1]).mean())
    return float(-np.where(gold == 1, np.log(clipped), np.log1p(-clipped)).mean())


def _thresholds(calibrated: FloatArray, gold: IntArray, axis: Axis) -> dict[str, float]:
    """Return a threshold a label, drawn towards the one that is best for all labels together.

    A label's own best threshold is mostly chance where it has few positives: it weighs as much as they
    do against ``_SHARED_WEIGHT``, on the log-odds scale.
    """
    shared = _log_odds(_best_threshold(calibrated.ravel(), gold.ravel()))
    found = {}
    for column, name in enumerate(axis.names):
        own = _log_odds(_best_threshold(calibrated[:, column], gold[:, column]))
        weight = gold[:, column].sum() / (gold[:, column].sum() + _SHARED_WEIGHT)
        found[name] = round(float(1 / (1 + np.exp(-(weight * own + (1 - weight) * shared)))), 6)
    return found


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, _EPSILON), 1 - _EPSILON)
    return float(np.log(clipped) - np.log1p(-clipped))


def _best_threshold(probabilities: FloatArray, gold: IntArray) -> float:
    """Return the threshold of the highest F1, half-way to the next lower probability."""
    if not gold.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked, hits = probabilities[order], np.cumsum(gold[order])
    f1 = 2 * hits / (np.arange(1, len(ranked) + 1) + gold.sum())
    # A cut between equal probabilities cannot be made.
    f1[:-1][ranked[:-1] == ranked[1:]] = -1
    best = int(f1.argmax())
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)
