"""Count the known n-grams of many texts at once, as scikit-learn's vectorisers count them, only quicker.

An n-gram of characters lies inside a word, and so do tokens: what a word holds is worked out once and kept.
A text is then a sum over its words, which one sparse product does for all texts; n-grams of several tokens
are followed token by token through sorted tables. What a text gets does not depend on the texts beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from stance.ngrams import TOKEN, Ngrams, character_ngrams

Columns = NDArray[np.int32]
Keys = NDArray[np.int64]
# Some hundred bytes each. Rare words make up most of those that a large corpus brings, and are soon
# worked out again.
MOST_WORDS = 50_000
_NONE = -1


class Bags:
    """Counts n-grams of words and of characters; lower-cases, and has no other preprocessing.

    Args:
        words: the n-grams of tokens that count.
        characters: the n-grams inside words that count.
    """

    def __init__(self, words: Ngrams, characters: Ngrams) -> None:
        self._chains = _Chains(words)
        self._characters = characters
        self._words = _Words(self._chains.tokens, characters)

    def counts(self, texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
        """Return how often each text has each n-gram of words, and of characters.

        Both have the shape (texts, n-grams) and hold float32; only what is above 0 is stored.
        """
        flat, ends = self._words.numbers(texts)
        used, back = np.unique(flat, return_inverse=True)
        width = len(self._characters.known)
        place: Columns = back.astype(np.int32)
        within = _ones(*_joined(self._words.characters[word] for word in used), width)
        characters = _ones(place, ends, len(used)) @ within
        tokens, owners = _gathered(*_joined(self._words.tokens[word] for word in used), place, ends)
        return self._chains.counts(tokens, owners, len(texts)), characters


class _Words(dict[str, int]):
    """Numbers words in the order that they come, and keeps what is in each.

    Attributes:
        tokens: of every word, the numbers of its tokens; ``_NONE`` for one in no known n-gram.
        characters: of every word, the columns of the known n-grams of its characters, each as often as it
            is there.
    """

    def __init__(self, tokens: dict[str, int], characters: Ngrams) -> None:
        super().__init__()
        self._token_of, self._ngrams = tokens, characters
        self.tokens: list[Columns] = []
        self.characters: list[Columns] = []

    def __missing__(self, word: str) -> int:
        known = self._ngrams.known
        found = [known[term] for term in character_ngrams(word, self._ngrams.sizes) if term in known]
        self.characters.append(np.array(found, dtype=np.int32))
        found = [self._token_of.get(token, _NONE) for token in TOKEN.findall(word)]
        self.tokens.append(np.array(found, dtype=np.int32))
        self[word] = len(self)
        return self[word]

    def numbers(self, texts: Sequence[str]) -> tuple[Columns, Columns]:
        """Return the words of all texts, one after another, and where each text ends, from 0."""
        if len(self) > MOST_WORDS:
            self.clear()
            self.tokens, self.characters = [], []
        flat: list[int] = []
        ends = [0]
        # In lower case as a whole: the case of a last sigma hangs on what follows it.
        for text in texts:
            flat.extend(map(self.__getitem__, text.lower().split()))
            ends.append(len(flat))
        return np.array(flat, dtype=np.int32), np.array(ends, dtype=np.int32)


class _Chains:
    """Known n-grams of tokens, as chains: a sorted table a size, from the chain so far and one token more.

    Attributes:
        tokens: token to number, of all tokens that known n-grams are made of.
    """

    def __init__(self, ngrams: Ngrams) -> None:
        terms = [term.split(" ") for term in ngrams.known]
        tokens = list(chain.from_iterable(terms))
        self.tokens = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
        self._width = len(ngrams.known)
        self._steps: list[tuple[Keys, Columns]] = []
        columns = np.fromiter(ngrams.known.values(), dtype=np.int32, count=len(terms))
        sizes = np.fromiter(map(len, terms), dtype=np.int64, count=len(terms))
        members = np.zeros((len(terms), ngrams.sizes[1]), dtype=np.int64)
        members[np.arange(ngrams.sizes[1]) < sizes[:, None]] = [self.tokens[token] for token in tokens]
        self._link(members, sizes, columns)

    def _link(self, members: Keys, sizes: Keys, columns: Columns) -> None:
        """Make the tables, from the tokens of every n-gram (n-grams, longest), its size and its column."""
        nodes = np.zeros(len(members), dtype=np.int64)
        for size in range(1, members.shape[1] + 1):
            longer = sizes >= size
            keys = nodes[longer] * len(self.tokens) + members[longer, size - 1]
            table, nodes[longer] = np.unique(keys, return_inverse=True)
            column = np.full(len(table), _NONE, dtype=np.int32)
            whole = sizes == size
            column[nodes[whole]] = columns[whole]
            if len(table):
                self._steps.append((table, column))

    def counts(self, tokens: Columns, owners: Columns, texts: int) -> csr_matrix:
        """Return how often each text has each n-gram, shape (texts, n-grams).

        Args:
            tokens: numbers of the tokens of all texts, one after another.
            owners: which text each is of.
            texts: how many texts there are.
        """
        rows, columns = [owners[:0]], [tokens[:0]]
        nodes = np.zeros(len(tokens), dtype=np.int64)
        for size, (table, column) in enumerate(self._steps):
            last, owner = tokens[size:], owners[: len(tokens) - size]
            nodes = nodes[: len(last)]
            keys = nodes * len(self.tokens) + last
            at = np.minimum(np.searchsorted(table, keys), len(table) - 1)
            goes_on = (nodes >= 0) & (last >= 0) & (owner == owners[size:]) & (table[at] == keys)
            nodes = np.where(goes_on, at, _NONE)
            known = np.where(goes_on, column[at], _NONE)
            rows.append(owner[known >= 0])
            columns.append(known[known >= 0])
        where = (np.concatenate(rows), np.concatenate(columns))
        return csr_matrix((np.ones(len(where[0]), np.float32), where), shape=(texts, self._width))


def _ones(columns: Columns, ends: Columns, width: int) -> csr_matrix:
    """Return a row a run of columns, each of them a 1; a column that comes twice stays twice."""
    return csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(ends) - 1, width))


def _joined(arrays: Iterable[Columns]) -> tuple[Columns, Columns]:
    """Return arrays one after another, and where each ends, from 0."""
    held = list(arrays)
    ends = np.zeros(len(held) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, held), dtype=np.int32, count=len(held)), out=ends[1:])
    return np.concatenate([np.zeros(0, dtype=np.int32), *held]), ends


def _gathered(values: Columns, bounds: Columns, place: Columns, ends: Columns) -> tuple[Columns, Columns]:
    """Return the tokens of all texts' words, one after another, and which text each is of.

    Args:
        values: tokens of the distinct words.
        bounds: where those of each distinct word end, from 0.
        place: which distinct word stands where.
        ends: where each text ends, in words, from 0.
    """
    lengths = np.diff(bounds)[place]
    skipped = bounds[:-1][place] - (np.cumsum(lengths) - lengths)
    texts = np.repeat(np.arange(len(ends) - 1, dtype=np.int32), np.diff(ends))
    return values[np.repeat(skipped, lengths) + np.arange(lengths.sum())], np.repeat(texts, lengths)
