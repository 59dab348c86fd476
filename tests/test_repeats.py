from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stance.records import Article
from stance.repeats import Repeats
from stance.tagger import Tagger
from stance.taxonomy import FloatArray


class Counting:
    """Predicts a text's length, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """Return shape (texts, 1)."""
        self.asked += texts
        return np.array([[float(len(text))] for text in texts])


def test_a_sentence_is_computed_once_while_it_is_remembered() -> None:
    """Repeats in a window and across windows cost nothing; order and values are those of the texts."""
    predict = Counting()
    repeats = Repeats(predict)
    assert repeats(["aa", "b", "aa"]).ravel().tolist() == [2, 1, 2]
    assert repeats(["ccc", "b"]).ravel().tolist() == [3, 1]
    assert predict.asked == ["aa", "b", "ccc"]


def test_memory_is_bounded_and_forgets_what_was_seen_longest_ago() -> None:
    """Beyond its size the least recently seen sentence goes, even if a window alone is larger."""
    predict = Counting()
    repeats = Repeats(predict, most=2)
    repeats(["a", "bb"])
    repeats(["a", "ccc"])
    assert repeats(["a", "bb", "dddd"]).ravel().tolist() == [1, 2, 4]
    assert predict.asked == ["a", "bb", "ccc", "bb", "dddd"]


def test_equal_sentences_are_tagged_alike_and_calls_do_not_share_a_memory(models: Path) -> None:
    """Whatever batches they fall into, repeats in one call agree; a second call gives the same bytes."""
    tagger = Tagger.load(models / "transformer")
    text = "Ministers welcomed the truce. " + " ".join(f"The rate was {n} percent." for n in range(40))
    articles = [Article(f"a{n}", text, "x") for n in range(15)]
    tagged = list(tagger.tag(articles))
    by_text: dict[str, set[str]] = {}
    for each in tagged:
        by_text.setdefault(each.sentence.text, set()).add(repr(each.probabilities))
    assert len(tagged) == 15 * 41
    assert all(len(found) == 1 for found in by_text.values())
    assert list(tagger.tag(articles)) == tagged
