from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from stance.calibrate import BoolArray, IntArray
from stance.errors import StanceError
from stance.paired import Difference, differences, verdict
from stance.taxonomy import Axis, Taxonomy

LABELS = {"a": "", "b": "", "c": ""}
TAXONOMY = Taxonomy(name="t", axes={"one": Axis(kind="single", description="", labels=LABELS)})
ROWS = 600
GROUPS = [f"g{row // 10}" for row in range(ROWS)]


def model(gold: IntArray, right: float, seed: int) -> BoolArray:
    generator = np.random.default_rng(seed)
    truth = gold.argmax(1)
    given = np.where(generator.random(ROWS) < right, truth, generator.integers(0, 3, ROWS))
    table: BoolArray = np.eye(3, dtype=bool)[given]
    return table


def compared(a: BoolArray, b: BoolArray, gold: IntArray) -> Difference:
    return differences(TAXONOMY, {"one": gold}, {"one": a}, {"one": b}, GROUPS)[0]


@pytest.fixture
def gold() -> IntArray:
    """Return 600 rows of three labels, drawn at random."""
    table: IntArray = np.eye(3, dtype=np.int64)[np.random.default_rng(0).integers(0, 3, ROWS)]
    return table


def test_a_model_does_not_differ_from_itself(gold: IntArray) -> None:
    """The same answers twice: no difference, an interval of zero width, p of one."""
    answers = model(gold, 0.7, 1)
    found = compared(answers, answers, gold)
    assert (found.value, found.interval, found.p_value) == (0, (0, 0), 1)
    assert not found.significant
    assert verdict([found], "A", "B", ROWS).endswith("600 sentences: both score alike on each article.")


def test_a_damaged_model_is_found_out(gold: IntArray) -> None:
    """A model that answers a third of the rows by chance is worse by what scikit-learn gives."""
    good, bad = model(gold, 0.8, 1), model(gold, 0.5, 2)
    found = compared(good, bad, gold)
    expected = [f1_score(gold.argmax(1), each.argmax(1), average="macro") for each in (good, bad)]
    assert (found.a, found.b) == pytest.approx(expected)
    assert found.significant
    assert found.interval[0] <= found.value <= found.interval[1] < 0
    assert "A is better on one by" in verdict([found], "A", "B", ROWS)


def test_chance_is_called_a_difference_in_one_of_twenty_tries() -> None:
    """Two models of equal skill, compared 200 times: significant in about 5%, never in 10%."""
    generator = np.random.default_rng(5)
    significant = 0
    for seed in range(200):
        gold = np.eye(3, dtype=np.int64)[generator.integers(0, 3, ROWS)]
        found = compared(model(gold, 0.6, 2 * seed), model(gold, 0.6, 2 * seed + 1), gold)
        significant += found.significant
    assert significant <= 20


def test_the_verdict_says_what_the_rows_cannot_show(gold: IntArray) -> None:
    """Where nothing can be told, the reader learns how large a difference would have to be."""
    found = compared(model(gold, 0.7, 1), model(gold, 0.7, 2), gold)
    text = verdict([found], "A", "B", ROWS)
    assert "no difference can be told with 600 sentences" in text
    assert f"about {100 * found.detectable:.1f}" in text


def test_few_articles_leave_room_for_chance_and_the_verdict_says_so(gold: IntArray) -> None:
    """Five articles can swap their models in 32 ways: no difference is proved by them, however large."""
    good, bad = {"one": model(gold, 0.9, 1)}, {"one": model(gold, 0.3, 2)}
    found = differences(TAXONOMY, {"one": gold}, bad, good, [f"g{row % 5}" for row in range(ROWS)])
    assert not found[0].significant
    assert "B is ahead on one by" in verdict(found, "A", "B", ROWS)
    assert "room for chance" in verdict(found, "A", "B", ROWS)


def test_answers_of_other_rows_are_refused(gold: IntArray) -> None:
    """A model that answered fewer rows is not compared with one that answered all."""
    with pytest.raises(StanceError, match="not of the same rows"):
        compared(model(gold, 0.7, 1), model(gold, 0.7, 2)[:-1], gold)
