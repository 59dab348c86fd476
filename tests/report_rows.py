"""Invented sentence rows, shaped as stance predict writes them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FRAMINGS = ("conciliatory", "hawkish", "neutral")
TOPICS = ("tariffs", "farming", "space")
SOURCES = ("Harbour Post", "Inland Times", "Lake <b>Wire</b>")
# What an article may hold and a page must only ever show.
NASTY = '</script><img src="http://example.invalid/x.png" onerror="alert(1)"> {{data}} <!-- é \u2028'


def row(article: int, index: int, framing: str, topics: list[str], text: str) -> dict[str, Any]:
    """Return one row; the labels given are the probable ones."""
    chances = dict.fromkeys(FRAMINGS, 0.1)
    if framing == "unsure":
        chances = {"conciliatory": 0.34, "hawkish": 0.36, "neutral": 0.3}
    else:
        # Later sentences of later articles are clearer.
        chances |= {framing: 0.8 + min(0.15, article / 1000 + index / 10000)}
        spare = (1 - chances[framing]) / 2
        chances |= {label: spare for label in FRAMINGS if label != framing}
    return {
        "article": f"a{article:05d}",
        "title": f"Article number {article}",
        "source": SOURCES[article % 3],
        "date": f"2025-{article % 10 + 1:02d}-{article % 28 + 1:02d}",
        "url": f"https://example.invalid/{article}",
        "language": "en",
        "index": index,
        "start": index * 100,
        "end": index * 100 + len(text),
        "text": text,
        "framing": framing,
        "framing_probabilities": {label: round(value, 4) for label, value in chances.items()},
        "topics": topics,
        "topics_probabilities": {topic: 0.9 if topic in topics else 0.05 for topic in TOPICS},
        "model": "tiny",
        "fingerprint": "0123456789ab",
    }


def rows(articles: int = 24, sentences: int = 10, seed: int = 1) -> list[dict[str, Any]]:
    """Return rows whose articles differ in how hawkish they are, some sentences unsure."""
    draw = random.Random(seed)
    found = []
    for article in range(articles):
        hawkish = draw.random() * 0.7
        for index in range(sentences):
            framing = draw.choices((*FRAMINGS, "unsure"), (0.25, hawkish, 0.5, 0.05))[0]
            topics = [topic for topic in TOPICS if draw.random() < 0.3]
            word = draw.choice(("barley", "magnets", "rockets", "ports"))
            text = f"Sentence {index} of article {article} speaks of {word} and of other things."
            found.append(row(article, index, framing, topics, text))
    found[0]["text"] = NASTY
    found[0]["title"] = NASTY
    return found


def other_taxonomy(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with two single-label axes that have no weights, and two multi-label ones."""
    rest = {key: item for key, item in value.items() if "framing" not in key}
    moods = {
        label: value["framing_probabilities"][old]
        for label, old in zip(("glad", "cross", "calm"), ("conciliatory", "hawkish", "neutral"), strict=True)
    }
    return {
        **rest,
        "mood": {"conciliatory": "glad", "hawkish": "cross", "neutral": "calm", "unsure": "unsure"}[
            value["framing"]
        ],
        "mood_probabilities": moods,
        "tense": "past" if value["index"] % 2 else "present",
        "tense_probabilities": {"past": 0.5, "present": 0.5},
        "places": ["sea"] if value["index"] == 1 else [],
        "places_probabilities": {"sea": 0.2, "land": 0.1},
    }


def write(path: Path, values: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path
