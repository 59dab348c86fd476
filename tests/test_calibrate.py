from __future__ import annotations

import numpy as np
import pytest

from stance.calibrate import AxisCalibration, fit
from stance.taxonomy import Axis, Taxonomy

SINGLE = Axis(kind="single", description="", labels={"a": "", "b": "", "c": ""})
MULTI = Axis(kind="multi", description="", labels={"x": "", "y": ""})
TAXONOMY = Taxonomy(name="t", axes={"one": SINGLE, "many": MULTI})


def overconfident(rows: int = 4000, factor: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities whose logits are ``factor`` times too large, and labels of the true ones."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(rows, 3))
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (true.cumsum(1) > generator.random((rows, 1))).argmax(1)
    sharp = np.exp(factor * logits) / np.exp(factor * logits).sum(1, keepdims=True)
    return sharp, np.eye(3, dtype=np.int64)[labels]


def test_temperature_undoes_overconfidence() -> None:
    """Probabilities three times too sharp are brought back to what they ought to say."""
    raw, gold = overconfident()
    many = np.full((len(raw), 2), 0.5)
    fitted = fit({"one": raw, "many": many}, {"one": gold, "many": (many > 1).astype(int)}, TAXONOMY)
    assert fitted["one"].temperature == pytest.approx(3.0, rel=0.12)
    calibrated = fitted["one"].probabilities(raw, SINGLE)
    stated, right = calibrated.max(1), gold[np.arange(len(gold)), calibrated.argmax(1)]
    for low, high in ((0.4, 0.55), (0.55, 0.7), (0.7, 0.9)):
        inside = (stated >= low) & (stated < high)
        assert stated[inside].mean() == pytest.approx(right[inside].mean(), abs=0.06)


def test_temperature_never_changes_the_choice() -> None:
    """Calibration moves confidence; the framing given stays the most probable one."""
    raw, _ = overconfident(200)
    for temperature in (0.3, 1.0, 4.0):
        each = AxisCalibration(temperature=temperature)
        decided = each.decide(each.probabilities(raw, SINGLE), SINGLE)
        assert (decided.argmax(1) == raw.argmax(1)).all()
        assert (decided.sum(1) == 1).all()


def test_thresholds_give_the_best_f1_and_rare_labels_share_one() -> None:
    """A frequent label gets close to its own threshold, a rare one to that of all labels together."""
    rows = 4000
    x = np.linspace(0, 1, rows)
    raw = np.column_stack([x, np.full(rows, 0.1)])
    gold = np.column_stack([x > 0.3, np.arange(rows) == 0]).astype(np.int64)
    single = np.tile([[1.0, 0.0, 0.0]], (rows, 1))
    fitted = fit({"one": single, "many": raw}, {"one": single.astype(int), "many": gold}, TAXONOMY)["many"]
    decided = fitted.decide(fitted.probabilities(raw, MULTI), MULTI)
    assert (decided[:, 0] == gold[:, 0]).mean() > 0.98
    assert not decided[:, 1].any()
