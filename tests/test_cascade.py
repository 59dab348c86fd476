"""A quick model answers first, and only where held-out rows say that it may."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from conftest import ROWS, Stance
from stance.cascade import MAX_LOSS, Cascade, fit, sureness
from stance.distributed import Worker, _model
from stance.errors import UserError
from stance.heldout import HeldOut
from stance.tagger import Tagger
from stance.taxonomy import Taxonomy

TEXTS = [row[1] for row in ROWS]
NEVER, ALWAYS = {"framing": 2.0, "topics": 1e9}, {"framing": 0.0, "topics": 0.0}


@pytest.fixture(scope="module")
def pair(models: Path) -> tuple[Tagger, Tagger]:
    """Return a full model and a quicker one."""
    return Tagger.load(models / "transformer", "fp32"), Tagger.load(models / "tfidf")


def held_out(taxonomy: Taxonomy, right: np.ndarray, sure: np.ndarray) -> HeldOut:
    """Return rows whose gold framing goes round; where ``right`` is false the model says the next label."""
    count, labels = len(right), len(taxonomy.axes["framing"].names)
    gold = np.eye(labels, dtype=int)[np.arange(count) % labels]
    given = np.eye(labels)[(np.arange(count) + ~right) % labels]
    shares = np.where(given > 0, sure[:, None], (1 - sure[:, None]) / (labels - 1))
    width = len(taxonomy.axes["topics"].names)
    topics = np.tile(np.eye(width, dtype=int), (count, 1))[:count]
    names = [str(row) for row in range(count)]
    return HeldOut(
        names,
        names,
        names,
        {"framing": gold, "topics": topics},
        {"framing": given > 0, "topics": topics > 0},
        {"framing": shares, "topics": np.where(topics > 0, sure[:, None], 1 - sure[:, None])},
    )


def test_limits_let_through_what_is_right_and_no_more(pair: tuple[Tagger, Tagger]) -> None:
    """A model right in the surer half of its rows answers that half, and about none of the rest."""
    first = pair[1]
    right = np.arange(400) >= 200
    sure = np.linspace(0.75, 0.99, 400)
    full = held_out(first.taxonomy, np.ones(400, dtype=bool), sure)
    cheap = held_out(first.taxonomy, right, sure)
    limits = fit((full, cheap), first.calibration, first.taxonomy)
    values = sureness(cheap.probabilities, first.calibration, first.taxonomy)
    answered = np.all([values[name] >= limits[name] for name in limits], axis=0)
    assert 0.45 < answered.mean() < 0.55
    assert (answered & ~right).sum() <= 400 * 3 * MAX_LOSS


def test_a_model_that_is_always_wrong_answers_nothing(pair: tuple[Tagger, Tagger]) -> None:
    """Where trust is never earned, every sentence goes to the full model."""
    first, sure = pair[1], np.linspace(0.75, 0.99, 400)
    tests = [held_out(first.taxonomy, np.full(400, right), sure) for right in (True, False)]
    limits = fit((tests[0], tests[1]), first.calibration, first.taxonomy)
    assert all(limit > 0.99 for limit in limits.values())


def test_every_row_is_of_one_model(pair: tuple[Tagger, Tagger]) -> None:
    """Sure rows are those of the first model, the others those of the full one, to the bit for TF-IDF."""
    full, first = pair
    alone, quick = full.predict(TEXTS), first.predict(TEXTS)
    values = sureness(quick[0], first.calibration, first.taxonomy)
    limits = {name: float(np.median(each)) for name, each in values.items()}
    found = Cascade.of(full, first, limits).predict(TEXTS)
    sure = np.all([values[name] >= limits[name] for name in limits], axis=0)
    assert 0 < sure.sum() < len(TEXTS)
    for name in limits:
        np.testing.assert_array_equal(found[0][name][sure], quick[0][name][sure])
        np.testing.assert_allclose(found[0][name][~sure], alone[0][name][~sure], atol=1e-5)
        np.testing.assert_array_equal(found[1][name][sure], quick[1][name][sure])


def test_limits_at_the_ends_leave_one_model(pair: tuple[Tagger, Tagger]) -> None:
    """Limits that nothing reaches give the full model, and limits that all reach the first."""
    full, first = pair
    for limits, alone in ((NEVER, full), (ALWAYS, first)):
        found = Cascade.of(full, first, limits).predict(TEXTS)
        for name, table in alone.predict(TEXTS)[1].items():
            np.testing.assert_array_equal(found[1][name], table)


def test_a_cascade_has_a_name_and_fingerprint_of_its_own(pair: tuple[Tagger, Tagger]) -> None:
    """Rows of a cascade are not taken for rows of one of its models."""
    full, first = pair
    both = Cascade.of(full, first, NEVER)
    assert both.name == "tfidf+transformer"
    assert len({both.fingerprint, full.fingerprint, first.fingerprint}) == 3


def test_a_worker_elsewhere_gets_both_models(pair: tuple[Tagger, Tagger]) -> None:
    """On a cluster a worker loads the same pair, with the same limits."""
    worker = Worker()
    both = Cascade.of(*pair, NEVER)
    worker.load(_model(both, shared=True))
    assert isinstance(worker._tagger, Cascade)
    assert (worker._tagger.fingerprint, worker._tagger.limits) == (both.fingerprint, NEVER)


def test_too_few_rows_in_common_are_refused(pair: tuple[Tagger, Tagger], models: Path) -> None:
    """Two dozen held-out rows cannot tell when a model may be trusted."""
    with pytest.raises(UserError, match=r"24 held-out rows in common .* train both"):
        Cascade.of(*pair)


def test_the_command_line_takes_a_cascade(
    stance: Stance, models: Path, tmp_path: Path, pair: tuple[Tagger, Tagger]
) -> None:
    """``--cascade`` says what is wrong with a pair, and goes with no explanation."""
    (tmp_path / "a.txt").write_text(TEXTS[0], encoding="utf-8")
    words = ("predict", "a.txt", "--model", models / "transformer", "--cascade", models / "tfidf")
    assert "held-out rows in common" in stance(*words, code=2).stderr
    assert "leave --cascade away" in stance(*words, "--explain", code=2).stderr


def test_rows_of_a_cascade_are_tagged_alike(pair: tuple[Tagger, Tagger]) -> None:
    """Tagging whole articles through a cascade gives the labels that its models give."""
    from stance.records import Article

    article = Article("x", "\n\n".join(TEXTS), "x.txt")
    both = Cascade.of(*pair, ALWAYS)
    rows = [json.dumps(each.labels) for each in both.tag([article])]
    assert rows == [json.dumps(each.labels) for each in pair[1].tag([article])]
