"""What a labels folder is made of: balance, lengths, diversity, and the words that mark a label."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from pathlib import Path
from typing import Any

from stance.dataset import META_SUFFIX, LabelledData
from stance.errors import UserError
from stance.files import read_text
from stance.formats import json_rows
from stance.records import Example

_DRAWS = 200
_PRIOR_WORDS = 1000.0


@dataclass(frozen=True, slots=True)
class FileStats:
    """One file of rows.

    Attributes:
        words: mean number of words a sentence.
        type_token, distinct_2: share of distinct words and word pairs, mean over samples of whole
            articles that are as long as the shortest file of the folder.
    """

    name: str
    sentences: int
    articles: int
    words: float
    type_token: float
    distinct_2: float


def words_of(text: str) -> list[str]:
    """Return the lower-cased words of a text; numbers count as words."""
    return re.findall(r"\w+(?:['’]\w+)?", text.lower())


def by_file(data: LabelledData, seed: int = 0) -> list[FileStats]:
    """Return the make-up of every file, diversity on samples of equal size."""
    files: dict[str, list[Example]] = {}
    for example in data.examples:
        files.setdefault(Path(example.place.rpartition(":")[0]).name, []).append(example)
    size = min(sum(len(words_of(each.text)) for each in rows) for rows in files.values())
    return [_file_stats(name, rows, size, seed) for name, rows in files.items()]


def _file_stats(name: str, rows: Sequence[Example], size: int, seed: int) -> FileStats:
    articles: dict[str, list[str]] = {}
    for each in rows:
        articles.setdefault(each.group, []).extend(words_of(each.text))
    generator = random.Random(seed)
    ratios = [_diversity(list(articles.values()), size, generator) for _ in range(_DRAWS)]
    total = sum(map(len, articles.values()))
    means = [sum(column) / _DRAWS for column in zip(*ratios, strict=True)]
    return FileStats(name, len(rows), len(articles), total / len(rows), *means)


def _diversity(articles: list[list[str]], size: int, generator: random.Random) -> tuple[float, float]:
    """Draw whole articles until there are ``size`` words; return type-token ratio and distinct-2."""
    sample: list[str] = []
    for article in generator.sample(articles, len(articles)):
        sample += article
        if len(sample) >= size:
            break
    sample = sample[:size]
    bigrams = list(pairwise(sample))
    return len(set(sample)) / max(1, len(sample)), len(set(bigrams)) / max(1, len(bigrams))


def counts(data: LabelledData) -> dict[str, dict[str, int]]:
    """Return axis to label to number of sentences."""
    return {
        name: {
            label: sum(label in example.labels[name] for example in data.examples)
            for label in data.taxonomy.axes[name].names
        }
        for name in data.axes
    }


def co_occurrence(data: LabelledData) -> dict[tuple[str, str], int]:
    """Return how many sentences carry both of two labels, over all axes."""
    found: Counter[tuple[str, str]] = Counter()
    for example in data.examples:
        labels = [label for name in data.axes for label in example.labels[name]]
        found.update((one, other) for one in labels for other in labels)
    return dict(found)


def characteristic_words(
    data: LabelledData, axis: str, top: int = 12, least: int = 5
) -> dict[str, list[str]]:
    """Return the words that mark each label against the rest of the rows.

    Log-odds ratio with an informative Dirichlet prior, by z-score: Monroe, Colaresi and Quinn,
    "Fightin' Words", Political Analysis 2008. A word counts once a sentence, and only if at least
    ``least`` sentences of the label hold it.
    """
    everywhere: Counter[str] = Counter()
    inside = {label: Counter[str]() for label in data.taxonomy.axes[axis].names}
    for example in data.examples:
        words = set(words_of(example.text))
        everywhere.update(words)
        for label in example.labels[axis]:
            inside[label].update(words)
    return {label: _marking(found, everywhere, top, least) for label, found in inside.items()}


def _marking(inside: Counter[str], everywhere: Counter[str], top: int, least: int) -> list[str]:
    total, within = everywhere.total(), inside.total()
    scores = {}
    for word, count in inside.items():
        if count < least or word.isdigit():
            continue
        prior = _PRIOR_WORDS * everywhere[word] / total
        outside = everywhere[word] - count
        odds = log((count + prior) / (within + _PRIOR_WORDS - count - prior))
        rest = log((outside + prior) / (total - within + _PRIOR_WORDS - outside - prior))
        scores[word] = (odds - rest) / sqrt(1 / (count + prior) + 1 / (outside + prior))
    return sorted(scores, key=lambda word: -scores[word])[:top]


def read_meta(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Return article id to its description, from the folder's ``*.meta.jsonl`` files.

    Raises:
        UserError: a line is no JSON object with an ``article``.
    """
    found: dict[str, Mapping[str, Any]] = {}
    problems: list[str] = []
    for path in sorted(folder.glob(f"*{META_SUFFIX}")):
        for number, row in json_rows(read_text(path), str(path), problems):
            if not isinstance(row.get("article"), str):
                problems.append(f"{path}:{number}: 'article' is missing; add it")
            else:
                found[row["article"]] = row
    if problems:
        raise UserError(problems[0])
    return found


def balance_by(
    data: LabelledData, meta: Mapping[str, Mapping[str, Any]], field: str, axis: str
) -> dict[str, dict[str, int]]:
    """Return a field of the articles' descriptions to label to number of sentences, years cut from dates."""
    found: dict[str, Counter[str]] = {}
    for example in data.examples:
        value = str(meta.get(example.group, {}).get(field, "not described"))
        value = value[:4] if field == "date" and value != "not described" else value
        found.setdefault(value, Counter()).update(example.labels[axis])
    return {value: dict(found[value]) for value in sorted(found)}
