"""Undo mojibake and hard wraps in an article, and keep the way back to the raw characters."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

import ftfy

from stance.records import Edit

# A UTF-8 currency sign read as Greek (cp1253) gives "Β£", "Β¥", "β‚¬"; ftfy leaves these alone
# because a Greek letter before a currency sign could be meant. In English news it never is.
_GREEK_CURRENCY = re.compile("Β[£¥]|β‚¬")
_CHUNK = re.compile(r"\r\n?|[^\r\n]+|\n")
_WORDS = re.compile(r" +|[^ ]+")
_WIDEST_WRAP = 120


def repair(raw: str) -> tuple[str, tuple[Edit, ...]]:
    """Mend encoding damage and line ends; turn the line breaks of hard-wrapped text into spaces.

    Everything else stays as it is: curly quotes, dashes and spacing are the publisher's.

    Returns:
        The repaired text, and the edits (ascending) that lead back to the raw text.
    """
    pieces: list[str] = []
    edits: list[Edit] = []
    raw_at = fixed_at = 0
    for match in _CHUNK.finditer(raw):
        chunk = match.group()
        fixed = "\n" if chunk in {"\r", "\r\n"} else _mend(chunk)
        edits += [
            Edit(fixed_at + start, fixed_at + end, raw_at + raw_start, raw_at + raw_end)
            for start, end, raw_start, raw_end in _length_changes(chunk, fixed)
        ]
        pieces.append(fixed)
        raw_at += len(chunk)
        fixed_at += len(fixed)
    return _unwrap("".join(pieces)), tuple(edits)


def raw_span(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """Return the span of the raw text that became the non-empty span ``start:end``."""
    return _raw_start(edits, start), _raw_end(edits, end)


def _raw_start(edits: Sequence[Edit], offset: int) -> int:
    number = bisect_right(edits, offset, key=lambda edit: edit.start) - 1
    if number < 0:
        return offset
    edit = edits[number]
    return edit.raw_start if offset < edit.end else edit.raw_end + offset - edit.end


def _raw_end(edits: Sequence[Edit], offset: int) -> int:
    number = bisect_left(edits, offset, key=lambda edit: edit.start) - 1
    if number < 0:
        return offset
    edit = edits[number]
    return edit.raw_end + max(0, offset - edit.end)


def _mend(line: str) -> str:
    if line.isascii():
        return line
    mended = _GREEK_CURRENCY.sub(lambda found: found.group().encode("cp1253").decode("utf-8"), line)
    return ftfy.fix_encoding(mended).removeprefix("\ufeff")


def _length_changes(old: str, new: str) -> list[Edit]:
    """Compare word by word where both have as many words: comparing whole lines takes quadratic time."""
    if len(old) == len(new):
        return []
    old_words, new_words = _WORDS.findall(old), _WORDS.findall(new)
    if len(old_words) != len(new_words):
        old_words, new_words = [old], [new]
    edits = []
    raw_at = at = 0
    for raw, fixed in zip(old_words, new_words, strict=True):
        if raw != fixed:
            matcher = difflib.SequenceMatcher(None, raw, fixed, autojunk=False)
            edits += [
                Edit(at + start, at + end, raw_at + raw_start, raw_at + raw_end)
                for tag, raw_start, raw_end, start, end in matcher.get_opcodes()
                if tag != "equal"
            ]
        raw_at += len(raw)
        at += len(fixed)
    return edits


def _unwrap(text: str) -> str:
    """Join the lines of greedily wrapped paragraphs; every character keeps its offset."""
    lines = text.split("\n")
    breaks = ["\n"] * len(lines)
    start = 0
    for end in range(len(lines) + 1):
        if end < len(lines) and lines[end].strip():
            continue
        if _is_wrapped(lines[start:end]):
            breaks[start : end - 1] = [" "] * (end - 1 - start)
        start = end + 1
    joined = "".join(line + mark for line, mark in zip(lines, breaks, strict=True))
    return joined[:-1]


def _is_wrapped(block: list[str]) -> bool:
    """Tell whether no line of a block had room for the first word of the next one."""
    if len(block) < 2:
        return False
    width = max(map(len, block))
    if width > _WIDEST_WRAP or width < 40:
        return False
    return all(
        len(line.rstrip()) + 1 + len(following.split()[0]) > width for line, following in pairwise(block)
    )
