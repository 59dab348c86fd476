from __future__ import annotations

import numpy as np
import pytest

from stance.parity import parity

GOLD = {"one": np.eye(3, dtype=np.int64)[np.arange(600) % 3], "many": np.zeros((600, 4), dtype=np.int64)}
GOLD["many"][::3, 1] = 1
SINGLE = {"one": True, "many": False}
SAME = {name: table > 0 for name, table in GOLD.items()}


@pytest.mark.parametrize(("changed", "kept"), [(0, True), (2, True), (30, False)])
def test_a_form_that_decides_otherwise_too_often_is_not_kept(changed: int, kept: bool) -> None:
    """Alike in 99% of labels and half a point of macro-F1, or left out of the model folder."""
    other = {name: table.copy() for name, table in SAME.items()}
    other["one"][:changed] = np.roll(other["one"][:changed], 1, axis=1)
    found = parity(GOLD, SAME, other, SINGLE)
    assert found.agreement == {"one": pytest.approx(1 - changed / 600), "many": 1}
    assert found.loss["one"] == pytest.approx(changed / 600, abs=1e-3)
    assert found.kept is kept
    assert found.as_json()["kept"] is kept


def test_a_rare_label_lost_is_a_loss_although_almost_all_cells_agree() -> None:
    """Agreement of cells hides a topic that vanishes; macro-F1 does not."""
    gold = {"many": np.zeros((600, 4), dtype=np.int64)}
    gold["many"][:3, 0], gold["many"][:, 1] = 1, 1
    full = {"many": gold["many"] > 0}
    light = {"many": full["many"].copy()}
    light["many"][:, 0] = False
    found = parity(gold, full, light, {"many": False})
    assert found.agreement["many"] > 0.99
    assert not found.kept
