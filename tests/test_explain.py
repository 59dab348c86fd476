"""Which words made it so: what every family keeps, and what goes out."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from rich.console import Console

from conftest import ARTICLE, ROWS, Stance
from stance import classifiers
from stance.records import Article, Explanation, Tagged, WordWeight
from stance.render import tagged_tables
from stance.tagger import Tagger
from stance.taxonomy import FloatArray
from stance.words import words

TEXTS = [row[1] for row in ROWS]
NASTY = ["", "—", 'A "truce"—no?  İstanbul…', "duties duties duties", "U.S. duties, threatened duties", "x"]
families = pytest.mark.parametrize("name", classifiers.names())


def everything(tagger: Tagger, texts: list[str]) -> dict[str, list[FloatArray]]:
    """Explain every label of every text."""
    wanted = {
        name: [list(range(len(axis.names)))] * len(texts) for name, axis in tagger.taxonomy.axes.items()
    }
    return tagger.classifier.explain(texts, wanted)


@families
def test_every_word_of_any_text_gets_a_finite_weight(name: str, models: Path) -> None:
    """One weight a label and word, whatever the text: empty, a mark, letters that grow in lower case."""
    tagger = Tagger.load(models / name)
    found = everything(tagger, NASTY)
    for axis, arrays in found.items():
        for text, weights in zip(NASTY, arrays, strict=True):
            assert weights.shape == (len(tagger.taxonomy.axes[axis].names), len(words(text)))
            assert np.isfinite(weights).all()
    assert tagger.classifier.explain([], {"framing": []}) == {"framing": []}


@families
def test_only_the_labels_asked_for_are_explained(name: str, models: Path) -> None:
    """Each text names its own labels, none among them; company changes no weight in fp32."""
    tagger = Tagger.load(models / name, "fp32")
    found = tagger.classifier.explain(TEXTS[:2], {"topics": [[2, 0], []]})
    assert list(found) == ["topics"]
    assert found["topics"][1].shape == (0, len(words(TEXTS[1])))
    alone = everything(tagger, TEXTS[:1])["topics"][0]
    assert np.allclose(found["topics"][0], alone[[2, 0]], atol=1e-4)


@families
def test_without_its_weightiest_word_a_label_is_less_probable(name: str, models: Path) -> None:
    """What the explanation says is what happens, in most sentences; a few have no word that helps."""
    tagger = Tagger.load(models / name, "fp32")
    before = tagger.classifier.predict_proba(TEXTS)["framing"]
    best = before.argmax(axis=1)
    found = tagger.classifier.explain(TEXTS, {"framing": [[column] for column in best.tolist()]})["framing"]
    shorter = []
    for text, (weights,) in zip(TEXTS, found, strict=True):
        start, end = words(text)[int(weights.argmax())]
        shorter.append(text[:start] + text[end:])
    rows = np.arange(len(TEXTS))
    speaks = np.array([weights.max() > 0 for (weights,) in found])
    assert speaks.mean() >= 0.75
    after = tagger.classifier.predict_proba(shorter)["framing"]
    assert (after[rows, best] < before[rows, best])[speaks].mean() >= 0.9


def test_weights_of_words_and_the_bias_add_up_to_the_logit(models: Path) -> None:
    """TF-IDF: exact, on both kinds of axis; a text without words has the bias alone."""
    tagger = Tagger.load(models / "tfidf")
    texts = [*TEXTS, *NASTY]
    raw = tagger.classifier.predict_proba([*texts, ""])
    framing, topics = np.log(raw["framing"]), np.log(raw["topics"]) - np.log1p(-raw["topics"])
    logits = {"framing": framing - (framing.sum(1, keepdims=True) - framing) / 2, "topics": topics}
    for axis, arrays in everything(tagger, texts).items():
        sums = np.array([weights.sum(axis=1) for weights in arrays])
        assert np.allclose(sums + logits[axis][-1], logits[axis][:-1], atol=1e-5)
        assert np.abs(sums).max() > 0.1


def test_an_ngram_is_shared_out_over_the_words_it_covers(models: Path) -> None:
    """A word that stands twice gets the same twice, and no word gets what it has no part in."""
    tagger = Tagger.load(models / "tfidf")
    (weights,) = tagger.classifier.explain(["xyzzy duties qwrt duties"], {"topics": [[0]]})["topics"]
    unknown, first, _, second = weights[0].tolist()
    assert first == pytest.approx(second, rel=1e-6)
    assert first > abs(unknown)


def test_dropped_log_odds_are_the_weights_of_a_transformer(models: Path) -> None:
    """Occlusion: the log-odds of the sentence less those of the sentence without the word."""
    tagger = Tagger.load(models / "transformer", "fp32")
    text = "Officials accused the rival."
    raw = tagger.classifier.predict_proba([text, "Officials  the rival."])
    odds = {axis: np.log(values) - np.log1p(-values) for axis, values in raw.items()}
    for axis, (weights,) in everything(tagger, [text]).items():
        assert np.allclose(weights[:, 1], odds[axis][0] - odds[axis][1], atol=1e-3)


@families
def test_rows_explain_the_labels_given(name: str, models: Path, tmp_path: Path, stance: Stance) -> None:
    """Each given label has every word of the sentence with its place; unsure explains the best label."""
    (tmp_path / "talks.txt").write_text(ARTICLE, encoding="utf-8")
    command = ("predict", "talks.txt", "--model", models / name, "--explain")
    rows = [json.loads(line) for line in stance(*command).stdout.splitlines()]
    unsure = [json.loads(line) for line in stance(*command, "--min-confidence", "1").stdout.splitlines()]
    for row, other in zip(rows, unsure, strict=True):
        assert [each["label"] for each in row["framing_explanation"]] == [row["framing"]]
        assert [each["label"] for each in row["topics_explanation"]] == row["topics"]
        assert other["framing"] == "unsure"
        assert [each["label"] for each in other["framing_explanation"]] == [row["framing"]]
        for explanation in row["framing_explanation"] + row["topics_explanation"]:
            spans = [(word["start"], word["end"]) for word in explanation["words"]]
            assert spans == words(row["text"])
            assert all(
                row["text"][word["start"] : word["end"]] == word["text"] for word in explanation["words"]
            )
    assert any(row["topics_explanation"] for row in rows)


def test_every_format_carries_the_same_explanations(models: Path, tmp_path: Path, stance: Stance) -> None:
    """JSON Lines, Parquet, CSV and a folder's parts agree; without --explain there is no such column."""
    (tmp_path / "talks.txt").write_text(ARTICLE, encoding="utf-8")
    command = ("predict", "talks.txt", "--model", models / "tfidf")
    for target in ("tags.jsonl", "tags.csv", "tags.parquet", "tags/"):
        stance(*command, "--explain", "-o", target)
    wanted = [json.loads(line) for line in (tmp_path / "tags.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "tags.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    part = tmp_path / "tags" / "sentences" / "part-00000.parquet"
    for path in (tmp_path / "tags.parquet", part):
        assert pyarrow.parquet.read_table(path).to_pylist() == wanted
    for axis in ("framing_explanation", "topics_explanation"):
        assert [json.loads(row[axis]) for row in table] == [row[axis] for row in wanted]
        assert " " not in table[0][axis].split('"text"')[0]
    stance(*command, "-o", "plain.parquet")
    assert not [
        column
        for column in pyarrow.parquet.read_table(tmp_path / "plain.parquet").column_names
        if "explanation" in column
    ]


def test_a_folder_is_not_continued_with_other_explanations(
    models: Path, tmp_path: Path, stance: Stance
) -> None:
    """Whether words are weighed belongs to what a run is; an article row has no words to weigh."""
    (tmp_path / "talks.txt").write_text(ARTICLE, encoding="utf-8")
    command = ("predict", "talks.txt", "--model", models / "tfidf", "-o")
    stance(*command, "tags/")
    assert "explain" in stance(*command, "tags/", "--explain", code=2).stderr
    done = stance(*command, "a.csv", "--rows", "articles", "--explain", code=2)
    assert "leave --rows articles away" in done.stderr


def test_the_terminal_marks_and_lists_the_words(models: Path) -> None:
    """Words that speak for the label are underlined in its colour, and named with their weights."""
    tagger = Tagger.load(models / "tfidf")
    (tagged,) = tagger.tag([Article("a", "They threatened duties.", "a")], explain=True)
    shown = drawn(with_weights(tagged, (0.0, 2.0, -0.5)), tagger)
    assert "hawkish: threatened\u00a0+2.00, duties\u00a0-0.50" in shown.replace("\x1b[2m", "").replace(
        "\x1b[0m", ""
    )
    assert "\x1b[1;4;" in shown.split("threatened")[0].rsplit("They", 1)[1]


def with_weights(tagged: Tagged, weights: tuple[float, ...]) -> Tagged:
    text = tagged.sentence.text
    found = tuple(
        WordWeight(start, end, text[start:end], weight)
        for (start, end), weight in zip(words(text), weights, strict=True)
    )
    explanations = {"framing": (Explanation("hawkish", found),), "topics": ()}
    return Tagged(tagged.sentence, tagged.labels, tagged.probabilities, explanations)


def drawn(tagged: Tagged, tagger: Tagger) -> str:
    console: Any = Console(force_terminal=True, width=120, color_system="256")
    with console.capture() as capture:
        for table in tagged_tables([tagged], tagger.taxonomy):
            console.print(table)
    return str(capture.get())
