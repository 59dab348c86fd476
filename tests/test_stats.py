from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Stance
from stance import stats
from stance.dataset import load_folder


def test_words_that_mark_a_label_are_found(labels: Path) -> None:
    """A word that only one framing uses comes out for it and for no other."""
    words = stats.characteristic_words(load_folder(labels), "framing", top=3, least=3)
    assert "accused" in words["hawkish"]
    assert "welcomed" in words["conciliatory"]
    assert not {"accused", "welcomed"} & set(words["neutral"])


def test_diversity_compares_samples_of_one_size() -> None:
    """The written corpus is at least as varied as the five articles, measured on equal lengths."""
    files = {
        each.name: each
        for each in stats.by_file(load_folder(Path(__file__).parent.parent / "labels" / "news"))
    }
    articles, written = files["articles.jsonl"], files["written.jsonl"]
    assert written.type_token >= articles.type_token
    assert written.distinct_2 >= articles.distinct_2


def test_counts_agree_with_the_rows(labels: Path) -> None:
    """Sums are sums: eight rows a framing, and labels found together."""
    data = load_folder(labels)
    assert stats.counts(data)["framing"] == {"conciliatory": 8, "hawkish": 8, "neutral": 8}
    assert stats.co_occurrence(data)["tariffs", "farming"] == 1


@pytest.fixture
def described(labels: Path, tmp_path: Path) -> Path:
    """Return a copy of the labels with descriptions of two of its articles."""
    for path in labels.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    rows = [
        {"article": "a", "voice": "wire <copy>", "date": "2019-05-01"},
        {"article": "b", "voice": "local paper", "date": "2021-02-03"},
    ]
    (tmp_path / "rows.meta.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return tmp_path


def test_balance_follows_the_articles_descriptions(described: Path) -> None:
    """Sentences are counted under the year and voice of their article."""
    data, meta = load_folder(described), stats.read_meta(described)
    years = stats.balance_by(data, meta, "date", "framing")
    assert list(years) == ["2019", "2021", "not described"]
    assert sum(years["2019"].values()) == 6


def test_the_page_stands_alone(stance: Stance, described: Path) -> None:
    """One HTML file that loads nothing, with text of the data escaped."""
    stance("labels", "stats", described, "--html", "page.html")
    text = (described / "page.html").read_text(encoding="utf-8")
    assert "wire &lt;copy&gt;" in text
    assert "http" not in text
    assert "framing by year" in text
