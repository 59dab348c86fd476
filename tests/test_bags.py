"""N-grams are counted as scikit-learn counts them, whatever the texts and however they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from conftest import ROWS
from stance import bags
from stance.bags import Bags
from stance.ngrams import Analyzer, Ngrams

TEXTS = [row[1] for row in ROWS]
ODD = [
    "",
    " \t ",
    "a",
    "the the the, the",
    "\u0130stanbul and \u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3",
    "agreed\u2028to\x1clift \u2014 \u201cduties\u201d on 3,000 tonnes",
    "U.S.-made steel; don't",
]


def vectorizer(analyzer: Analyzer, sizes: tuple[int, int], least: int) -> Any:
    return CountVectorizer(analyzer=analyzer, ngram_range=sizes, min_df=least, dtype=np.float32).fit(TEXTS)


def counted(texts: Sequence[str], *vectorizers: Any) -> list[np.ndarray]:
    ngrams = [Ngrams(each.analyzer, each.ngram_range, each.vocabulary_) for each in vectorizers]
    return [table.toarray() for table in Bags(*ngrams).counts(texts)]


@pytest.mark.parametrize("least", [1, 2])
@pytest.mark.parametrize(("words", "characters"), [((1, 2), (2, 5)), ((1, 3), (1, 3)), ((2, 3), (4, 9))])
def test_counts_are_those_of_scikit_learn(
    words: tuple[int, int], characters: tuple[int, int], least: int
) -> None:
    """Every n-gram of every text is counted as often, rare scripts and empty texts among them."""
    word, character = vectorizer("word", words, least), vectorizer("char_wb", characters, least)
    texts = TEXTS + ODD
    found = counted(texts, word, character)
    np.testing.assert_array_equal(found[0], word.transform(texts).toarray())
    np.testing.assert_array_equal(found[1], character.transform(texts).toarray())


def test_no_text_is_counted() -> None:
    """No texts give no rows, and texts without words give rows of zeros."""
    pair = vectorizer("word", (1, 2), 1), vectorizer("char_wb", (2, 5), 1)
    assert [len(table) for table in counted([], *pair)] == [0, 0]
    assert [table.sum() for table in counted(["", " "], *pair)] == [0, 0]


def test_words_are_forgotten_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of words stays bounded, and forgetting them changes no count."""
    monkeypatch.setattr(bags, "MOST_WORDS", 5)
    word, character = vectorizer("word", (1, 2), 1), vectorizer("char_wb", (2, 5), 1)
    ngrams = [Ngrams(each.analyzer, each.ngram_range, each.vocabulary_) for each in (word, character)]
    bag = Bags(*ngrams)
    for text in TEXTS * 2:
        for table, each in zip(bag.counts([text]), (word, character), strict=True):
            np.testing.assert_array_equal(table.toarray(), each.transform([text]).toarray())
