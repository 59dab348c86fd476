"""Turn articles into rows that are ready to be labelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stance.records import Article
from stance.repair import raw_span
from stance.segment import sentences
from stance.taxonomy import Taxonomy


def draft(articles: Iterable[Article], taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    """Yield a row for every distinct sentence, its labels left empty.

    ``start`` and ``end`` count characters of the text as it was read, before any repair. A sentence
    that repeats an earlier one to the letter is left out.
    """
    seen: set[str] = set()
    for article in articles:
        for sentence in sentences(article):
            if sentence.text in seen:
                continue
            seen.add(sentence.text)
            start, end = raw_span(article.edits, sentence.start, sentence.end)
            row = {"id": f"{article.id}:{sentence.index}", "article": article.id, "start": start, "end": end}
            empty = {name: "" if axis.single else [] for name, axis in taxonomy.axes.items()}
            yield {**row, "text": sentence.text, **empty}
