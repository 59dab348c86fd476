from __future__ import annotations

import random

import pytest

from stance.errors import UserError
from stance.split import grouped_folds, joined_groups, near_duplicates

GROUPS = [f"article {number % 17}" for number in range(200)]


def test_no_article_stands_on_both_sides() -> None:
    """A fold's training side shares no article with its test side, and every row is tested once."""
    folds = grouped_folds(GROUPS, 5, seed=1)
    assert sorted(row for fold in folds for row in fold.test) == list(range(200))
    for fold in folds:
        assert not {GROUPS[row] for row in fold.train} & {GROUPS[row] for row in fold.test}
        assert len(fold.train) + len(fold.test) == 200
    assert max(len(fold.test) for fold in folds) - min(len(fold.test) for fold in folds) <= 12


def test_few_articles_are_left_out_one_by_one() -> None:
    """With no more articles than folds, each article is a fold of its own, named after it."""
    assert [fold.name for fold in grouped_folds(["b", "a", "c", "a"], 5, seed=1)] == ["a", "b", "c"]


def test_folds_follow_the_seed_and_nothing_else() -> None:
    """The same seed gives the same folds, another seed other ones."""
    assert grouped_folds(GROUPS, 5, seed=1) == grouped_folds(GROUPS, 5, seed=1)
    assert grouped_folds(GROUPS, 5, seed=1) != grouped_folds(GROUPS, 5, seed=2)


def test_one_article_cannot_be_split() -> None:
    """Cross-validation over whole articles needs two of them."""
    with pytest.raises(UserError, match="single article"):
        grouped_folds(["a", "a"], 5, seed=1)


def test_near_duplicates_are_found_and_others_are_not() -> None:
    """A sentence retold with a word more is found; one on the same subject is not."""
    texts = [
        "Envoys of the two states agreed on Monday to lift duties on steel and wheat",
        "Wheat and steel were what the ministers spoke of on Monday in Bern",
        "Envoys of the two states agreed late on Monday to lift duties on steel and wheat",
    ]
    assert [pair[:2] for pair in near_duplicates(texts)] == [(0, 2)]


def test_articles_that_share_a_sentence_stay_together() -> None:
    """An agency story printed twice cannot leak from training into test."""
    shared = "Envoys of the two states agreed on Monday to lift duties on steel and wheat"
    words = [f"word{number}" for number in range(400)]
    texts = [" ".join(random.Random(row).sample(words, 12)) for row in range(6)]
    texts[1] = texts[4] = shared
    joined = joined_groups(["a", "a", "b", "b", "c", "d"], texts)
    assert joined == ["a", "a", "b", "b", "a", "d"]
