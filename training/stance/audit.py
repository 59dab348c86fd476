"""What a labels folder must keep beyond its schema: no retold sentences, whole articles, real sentences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from stance.dataset import LabelledData
from stance.language import ENOUGH_WORDS, english_share
from stance.records import Example
from stance.segment import is_furniture
from stance.split import near_duplicates

_FUNCTION_WORDS = 0.15
_SHOWN = 60


def problems(data: LabelledData) -> list[str]:
    """Return every problem found, one sentence each with file and line."""
    examples = data.examples
    return [
        *_retold(examples),
        *_broken_articles(examples),
        *_not_sentences(examples),
        *_not_english(examples),
    ]


def _retold(examples: Sequence[Example]) -> list[str]:
    """A sentence that repeats another almost to the letter teaches nothing and leaks across splits."""
    return [
        f"{examples[second].place}: {similarity:.0%} of its word trigrams are those of "
        f"{examples[first].place}: '{_short(examples[first].text)}'; reword or remove one"
        for first, second, similarity in near_duplicates([example.text for example in examples])
    ]


def _broken_articles(examples: Sequence[Example]) -> list[str]:
    """Rows of an article stand in one file, and their positions, where given, count from 0 without gap."""
    found = []
    articles: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        articles[example.group].append(example)
    for name, rows in articles.items():
        files = {row.place.rpartition(":")[0] for row in rows}
        if len(files) > 1:
            found.append(f"{rows[0].place}: article '{name}' stands in {len(files)} files; keep it in one")
        given = [row.position for row in rows if row.position is not None]
        if given and sorted(given) != list(range(len(rows))):
            found.append(
                f"{rows[0].place}: positions of article '{name}' have a gap or a repeat; count from 0"
            )
    return found


def _not_sentences(examples: Sequence[Example]) -> list[str]:
    return [
        f"{example.place}: '{_short(example.text)}' is page furniture; remove it"
        for example in examples
        if is_furniture(example.text)
    ]


def _not_english(examples: Sequence[Example]) -> list[str]:
    """Judge whole articles: a headline can do without function words, thirty words of text cannot."""
    words: dict[str, list[str]] = defaultdict(list)
    first: dict[str, Example] = {}
    for example in examples:
        words[example.group] += re.findall(r"[^\W\d_]+", example.text.lower())
        first.setdefault(example.group, example)
    return [
        f"{first[name].place}: article '{name}' does not look English; remove or translate it"
        for name, found in words.items()
        if len(found) >= ENOUGH_WORDS and english_share(found) < _FUNCTION_WORDS
    ]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
