"""The words of a sentence, as explanations weigh them, and the sentence without each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Whatever stands between spaces; a dash ends a word, as it does between two clauses.
_CELL = re.compile(r"[^\s—–]+[—–]*|[—–]+")
_EDGES = ".,;:!?\"'()[]{}…“”‘’«»—–-/"

Span = tuple[int, int]


def words(text: str) -> list[Span]:
    """Return start and end of every word, punctuation at its edges left out.

    A mark that stands alone counts as a word, so that every character but spaces belongs to one.
    """
    return [_core(text, *cell.span()) for cell in _CELL.finditer(text)]


def owners(text: str) -> list[int]:
    """Return for every character the number of the word that it belongs to, -1 for spaces."""
    found = [-1] * len(text)
    for number, cell in enumerate(_CELL.finditer(text)):
        found[slice(*cell.span())] = [number] * (cell.end() - cell.start())
    return found


def without_each(text: str) -> Iterator[str]:
    """Yield the sentence without its first word, without its second, and so on; marks stay."""
    for start, end in words(text):
        yield text[:start] + text[end:]


def _core(text: str, start: int, end: int) -> Span:
    cell = text[start:end]
    core = cell.strip(_EDGES)
    if not core:
        return start, end
    first = start + cell.index(core)
    last = first + len(core)
    # The last full stop of "U.S." is a part of it.
    return first, last + ("." in core and text[last : min(end, last + 1)] == ".")
