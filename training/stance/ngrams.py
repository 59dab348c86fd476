"""N-grams of words and of characters: which there are, where they stand in a text, which words they cover."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from stance.words import owners

# "char_wb" as scikit-learn calls them: inside words, with a space on either side.
Analyzer = Literal["word", "char_wb"]
# What scikit-learn takes for a token.
TOKEN = re.compile(r"(?u)\b\w\w+\b")
Place = tuple[str, int, int]  # an n-gram, and the characters of the text that it covers


@dataclass(frozen=True, slots=True)
class Ngrams:
    """The n-grams that a model knows.

    Attributes:
        sizes: the shortest and the longest.
        known: n-gram to its column; tokens are parted by one space.
    """

    analyzer: Analyzer
    sizes: tuple[int, int]
    known: Mapping[str, int]


def character_ngrams(word: str, sizes: tuple[int, int]) -> list[str]:
    """Return the n-grams of a word with a space on either side; one as long as all that comes once."""
    padded = f" {word} "
    found = []
    for size in range(sizes[0], sizes[1] + 1):
        found += [padded[at : at + size] for at in range(max(1, len(padded) - size + 1))]
        if size >= len(padded):
            break
    return found


def shares(ngrams: Ngrams, text: str, words: int) -> csr_matrix:
    """Return how the n-grams of a text are shared out over its words, shape (words, n-grams).

    Every known n-gram is divided among its occurrences, and each of these among the words that it
    covers, so that its column adds up to 1.

    Args:
        ngrams: those known.
        text: the sentence.
        words: how many :func:`stance.words.words` finds in it.
    """
    known, owner = ngrams.known, owners(text)
    covered = [
        (known[term], sorted({owner[at] for at in range(start, end)} - {-1}))
        for term, start, end in _places(ngrams, text)
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


def _places(ngrams: Ngrams, text: str) -> Iterator[Place]:
    lowered = text.lower()
    # Lower case can be longer than the text (İ): every character of it knows where it came from.
    origin = [at for at, character in enumerate(text) for _ in character.lower()]
    places = _word_places if ngrams.analyzer == "word" else _character_places
    for term, start, end in places(lowered, *ngrams.sizes):
        yield term, origin[start], origin[end - 1] + 1


def _word_places(text: str, low: int, high: int) -> Iterator[Place]:
    tokens = list(TOKEN.finditer(text))
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
