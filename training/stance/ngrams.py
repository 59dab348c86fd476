"""Where the n-grams of a vectoriser stand in a text, and which words they cover."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from stance.words import owners

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

Place = tuple[str, int, int]  # an n-gram, and the characters of the text that it covers


def shares(vectorizer: TfidfVectorizer, text: str, words: int) -> csr_matrix:
    """Return how the n-grams of a text are shared out over its words, shape (words, n-grams).

    Every known n-gram is divided among its occurrences, and each of these among the words that it
    covers, so that its column adds up to 1.

    Args:
        vectorizer: fitted; lower-cases, and has no other preprocessing.
        text: the sentence.
        words: how many :func:`stance.words.words` finds in it.
    """
    known, owner = vectorizer.vocabulary_, owners(text)
    covered = [
        (known[term], sorted({owner[at] for at in range(start, end)} - {-1}))
        for term, start, end in _places(vectorizer, text)
        if term in known
    ]
    times = Counter(column for column, _ in covered)
    cells = [
        (1 / times[column] / len(numbers), number, column)
        for column, numbers in covered
        for number in numbers
    ]
    values, rows, columns = zip(*cells, strict=True) if cells else ((), (), ())
    where = (np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64))
    return csr_matrix((np.array(values), where), shape=(words, len(known)))


def _places(vectorizer: TfidfVectorizer, text: str) -> Iterator[Place]:
    lowered = text.lower()
    # Lower case can be longer than the text (İ): every character of it knows where it came from.
    origin = [at for at, character in enumerate(text) for _ in character.lower()]
    low, high = vectorizer.ngram_range
    if vectorizer.analyzer == "word":
        found = _word_places(lowered, re.compile(vectorizer.token_pattern), low, high)
    else:
        found = _character_places(lowered, low, high)
    for term, start, end in found:
        yield term, origin[start], origin[end - 1] + 1


def _word_places(text: str, pattern: re.Pattern[str], low: int, high: int) -> Iterator[Place]:
    tokens = list(pattern.finditer(text))
    for size in range(low, high + 1):
        for first in range(len(tokens) - size + 1):
            members = tokens[first : first + size]
            yield " ".join(each.group() for each in members), members[0].start(), members[-1].end()


def _character_places(text: str, low: int, high: int) -> Iterator[Place]:
    """Yield n-grams inside words with a space on either side; one as long as all that comes once."""
    for word in re.finditer(r"\S+", text):
        padded = f" {word.group()} "
        for size in range(low, high + 1):
            for first in range(max(1, len(padded) - size + 1)):
                # The spaces around it are not in the text: a term of nothing else falls to the word's edge.
                start = word.start() + min(max(first - 1, 0), len(word.group()) - 1)
                end = word.start() + min(first + size - 1, len(word.group()))
                yield padded[first : first + size], start, max(end, start + 1)
            if size >= len(padded):
                break
