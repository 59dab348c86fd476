from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, precision_recall_fscore_support

from stance.evaluate import Report, report
from stance.taxonomy import Axis, Taxonomy

SINGLE = Axis(kind="single", description="", labels={"a": "", "b": "", "c": ""})
MULTI = Axis(kind="multi", description="", labels={"x": "", "y": "", "z": ""})
TAXONOMY = Taxonomy(name="t", axes={"one": SINGLE, "many": MULTI})


def scored(rows: int = 120, groups: int = 12, seed: int = 0) -> tuple[Report, dict[str, Any]]:
    generator = np.random.default_rng(seed)
    gold = np.eye(3, dtype=int)[generator.integers(0, 3, rows)]
    given = np.eye(3, dtype=int)[
        np.where(generator.random(rows) < 0.7, gold.argmax(1), generator.integers(0, 3, rows))
    ]
    many, some = generator.random((rows, 3)) < 0.3, generator.random((rows, 3)) < 0.3
    arrays = {"gold": gold, "given": given, "many": many.astype(int), "some": some}
    result = report(
        TAXONOMY,
        {"one": gold, "many": many.astype(int)},
        {"one": given.astype(bool), "many": some},
        {"one": 0.1 + 0.7 * given.astype(float), "many": 0.2 + 0.6 * some.astype(float)},
        [f"g{row % groups}" for row in range(rows)],
    )
    return result, arrays


def test_scores_are_those_of_scikit_learn() -> None:
    """Precision, recall, F1, macro, micro and accuracy agree with the field's reference."""
    result, arrays = scored()
    one, many = result.axes["one"], result.axes["many"]
    gold, given = arrays["gold"].argmax(1), arrays["given"].argmax(1)
    assert one.scores["macro_f1"] == pytest.approx(f1_score(gold, given, average="macro"))
    assert one.scores["accuracy"] == pytest.approx(accuracy_score(gold, given))
    assert many.scores["micro_f1"] == pytest.approx(f1_score(arrays["many"], arrays["some"], average="micro"))
    assert many.scores["macro_f1"] == pytest.approx(f1_score(arrays["many"], arrays["some"], average="macro"))
    precision, recall, f1, support = precision_recall_fscore_support(gold, given)
    for column, each in enumerate(one.per_label.values()):
        assert (each.precision, each.recall, each.f1) == pytest.approx(
            (precision[column], recall[column], f1[column])
        )
        assert each.support == support[column]


def test_keeping_only_confident_rows_is_scored_from_all_down_to_few() -> None:
    """A model that is right where it is sure: fewer labels, better ones, and the confidence that does it."""
    gold = np.eye(3, dtype=int)[np.arange(100) % 3]
    sure = np.arange(100) < 60
    probabilities = np.where(sure[:, None], 0.05 + 0.85 * gold, 0.2 + 0.4 * np.roll(gold, 1, axis=1))
    decided = np.eye(3, dtype=bool)[probabilities.argmax(1)]
    axis = report(TAXONOMY, {"one": gold}, {"one": decided}, {"one": probabilities}, ["g"] * 100).axes["one"]
    curve = {each.share: each for each in axis.coverage or ()}
    assert curve[1.0].accuracy == pytest.approx(0.6)
    assert curve[0.6].accuracy == curve[0.6].macro_f1 == 1
    assert (curve[0.6].confidence, curve[1.0].confidence) == pytest.approx((0.9, 0.6))


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    """Summed over a row's labels on a single-label axis, averaged over cells on a multi-label one."""
    result, arrays = scored()
    one, many = 0.1 + 0.7 * arrays["given"], 0.2 + 0.6 * arrays["some"].astype(float)
    cells = [brier_score_loss(arrays["gold"][:, column], one[:, column]) for column in range(3)]
    assert result.axes["one"].brier == pytest.approx(sum(cells))
    cells = [brier_score_loss(arrays["many"][:, column], many[:, column]) for column in range(3)]
    assert result.axes["many"].brier == pytest.approx(np.mean(cells))


def test_a_label_that_never_occurs_is_not_averaged() -> None:
    """A topic that neither annotators nor model gave does not pull the macro-F1 down to nothing."""
    gold = np.array([[1, 0, 0], [0, 1, 0]])
    result = report(TAXONOMY, {"many": gold}, {"many": gold.astype(bool)}, {"many": gold * 1.0}, ["a", "b"])
    assert result.axes["many"].scores["macro_f1"] == 1
    assert list(result.axes) == ["many"]
    assert result.axes["many"].weakest_first()[-1][0] == "z"


def test_intervals_hold_the_score_and_widen_with_fewer_articles() -> None:
    """The same rows say less when they come from few articles that err together."""
    rows = 300
    gold = np.eye(3, dtype=int)[np.arange(rows) % 3]
    wrong = (np.arange(rows) // 30) % 2 == 0
    given = np.where(wrong[:, None], np.roll(gold, 1, axis=1), gold).astype(bool)
    widths = []
    for size in (30, 1):
        groups = [str(row // size) for row in range(rows)]
        axis = report(TAXONOMY, {"one": gold}, {"one": given}, {"one": given * 1.0}, groups).axes["one"]
        low, high = axis.intervals["accuracy"]
        assert low <= axis.scores["accuracy"] <= high
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


def test_a_label_seen_in_one_article_has_a_score_that_says_nothing() -> None:
    """Its interval is all of 0 to 1, while that of a label met everywhere is narrow."""
    gold = np.eye(3, dtype=int)[np.arange(200) % 2]
    gold[3] = [0, 0, 1]
    decided = gold.astype(bool)
    groups = [f"g{row // 5}" for row in range(200)]
    found = report(TAXONOMY, {"one": gold}, {"one": decided}, {"one": gold * 1.0}, groups).axes["one"]
    assert found.per_label["c"].f1_interval == (0, 1)
    low, high = found.per_label["a"].f1_interval
    assert 0.9 < low < high == 1


def test_json_holds_the_documented_keys() -> None:
    """What other programs read is there: n, scores, intervals, per label."""
    value = scored()[0].as_json()
    assert value["n"] == 120
    common = {"macro_f1", "macro_f1_interval", "ece", "brier", "per_label"}
    assert common | {"accuracy", "confusion", "coverage"} <= set(value["one"])
    assert {"micro_f1", "macro_f1", "per_label"} <= set(value["many"])
    assert set(value["one"]["per_label"]["a"]) == {"precision", "recall", "f1", "f1_interval", "support"}
