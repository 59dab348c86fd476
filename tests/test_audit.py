from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import TAXONOMY, Stance
from stance.audit import problems
from stance.dataset import load_folder

LONG = "The envoys of the two states met in the old town hall on Monday and agreed to go on talking in May."
FOREIGN = (
    "Die Minister beider Staaten einigten sich gestern auf neue Regeln und wollen im Mai weiter reden. " * 3
)


def found_in(
    tmp_path: Path, rows: list[dict[str, object]], other: list[dict[str, object]] | None = None
) -> str:
    (tmp_path / "taxonomy.yaml").write_text(TAXONOMY, encoding="utf-8")
    for name, each in (("rows.jsonl", rows), ("more.jsonl", other)):
        if each:
            full = [{"framing": "neutral", "topics": [], **row} for row in each]
            (tmp_path / name).write_text("\n".join(map(json.dumps, full)), encoding="utf-8")
    return "\n".join(problems(load_folder(tmp_path)))


@pytest.mark.parametrize(
    ("rows", "other", "expected"),
    [
        (
            [{"text": LONG, "article": "a"}],
            [{"text": LONG.replace("old ", ""), "article": "b"}],
            "word trigrams are those of",
        ),
        ([{"text": "Related news", "article": "a"}], None, "rows.jsonl:1: 'Related news' is page furniture"),
        ([{"text": FOREIGN, "article": "a"}], None, "article 'a' does not look English"),
        (
            [{"text": "They met.", "article": "a"}],
            [{"text": "They ate.", "article": "a"}],
            "stands in 2 files",
        ),
        ([{"text": "They met.", "article": "a", "position": 1}], None, "have a gap or a repeat"),
    ],
)
def test_what_a_corpus_must_not_hold_is_named(
    tmp_path: Path, rows: list[dict[str, object]], other: list[dict[str, object]] | None, expected: str
) -> None:
    """Retold sentences, furniture, other languages and torn articles are told with file and line."""
    assert expected in found_in(tmp_path, rows, other)


def test_a_clean_corpus_has_no_problem(tmp_path: Path) -> None:
    """Headlines without function words and short articles are no mistakes."""
    rows: list[dict[str, object]] = [
        {"text": "Tea tariffs cut; shares jump", "article": "a", "position": 0},
        {"text": LONG, "article": "a", "position": 1},
    ]
    assert found_in(tmp_path, rows) == ""


def test_check_prints_counts_or_all_problems(stance: Stance, labels: Path, tmp_path: Path) -> None:
    """A clean folder exits 0 with its balance; a bad one exits 2 with every problem."""
    assert "24 sentences of 4 articles" in stance("labels", "check", labels).stdout
    found_in(
        tmp_path,
        [{"text": "Related news", "article": "a"}, {"text": "They met.", "article": "b", "position": 3}],
    )
    done = stance("labels", "check", ".", code=2)
    assert "2 problems" in done.stderr
    assert done.stdout == ""


def test_the_news_corpus_is_clean_and_as_large_as_its_card_says() -> None:
    """What ships passes its own audit: whole articles, no retold sentence, enough of every label."""
    data = load_folder(Path(__file__).parent.parent / "labels" / "news")
    assert problems(data) == []
    written = [example for example in data.examples if "written.jsonl" in example.place]
    assert len({example.group for example in written}) >= 360
    assert len(written) >= 5400
    share = {
        label: sum(label in each.labels["framing"] for each in written) / len(written)
        for label in ("conciliatory", "hawkish")
    }
    assert share["conciliatory"] >= 0.20
    assert share["hawkish"] >= 0.25
    for topic in data.taxonomy.axes["topics"].names:
        assert sum(topic in each.labels["topics"] for each in written) >= 200, topic
