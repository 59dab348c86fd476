from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from stance.errors import UserError
from stance.formats import Field, Layout, write_csv, write_jsonl, write_parquet
from stance.inputs import InputOptions, read_articles
from stance.records import Article


def read(
    *paths: Path, stdin: bytes = b"", stdin_format: str = "txt", skip: Path | None = None
) -> list[Article]:
    options = InputOptions(stdin_format, skip=skip)
    return list(read_articles(paths, options, io.BytesIO(stdin)))


HTML = """<!doctype html><html><head><title>Envoys meet</title></head><body>
<nav><a href="/">Home</a> <a href="/world">World</a></nav>
<article><h1>Envoys meet in Bern</h1>
<p>The two envoys met in Bern on Monday and agreed to go on talking about the duties on steel and wheat.</p>
<p>A further round of talks is planned for the second week of May, a spokesman for the ministry said.</p>
</article><footer>Copyright, all rights reserved</footer></body></html>"""

MARKDOWN = """---
title: Envoys
---
# Envoys meet in *Bern*

The two [envoys](https://example.org) met\\
on **Monday**<br>.

- Duties stay
"""


def test_every_format_gives_the_article_text(tmp_path: Path) -> None:
    """Text, Markdown, HTML and JSON Lines all come out as plain text without markup."""
    (tmp_path / "a.txt").write_text("They met. Β£5 was paid.", encoding="utf-8")
    (tmp_path / "b.md").write_text(MARKDOWN, encoding="utf-8")
    (tmp_path / "c.html").write_text(HTML, encoding="utf-8")
    (tmp_path / "d.jsonl").write_text('{"id": 7, "text": "One."}\n\n{"text": "Two."}\n', encoding="utf-8")
    articles = {article.id: article.text for article in read(tmp_path)}
    assert list(articles) == ["a", "b", "c", "7", "d:3"]
    assert articles["a"] == "They met. £5 was paid."
    assert articles["b"] == "Envoys meet in Bern\n\nThe two envoys met on Monday.\n\nDuties stay"
    assert "agreed to go on talking" in articles["c"]
    assert "World" not in articles["c"]
    assert "<" not in articles["c"]
    assert articles["d:3"] == "Two."


def test_standard_input_is_read_in_the_format_asked_for() -> None:
    """``-`` takes text by default, and any other format by name."""
    assert read(Path("-"), stdin=b"They met.")[0].text == "They met."
    assert read(Path("-"), stdin=b'{"id": "x", "text": "They met."}', stdin_format="jsonl")[0].id == "x"


def test_files_of_one_name_keep_apart(tmp_path: Path) -> None:
    """Articles of the same file name in two folders get different ids."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("They met.", encoding="utf-8")
    assert len({article.id for article in read(tmp_path / "one", tmp_path / "two")}) == 2
    assert [article.id for article in read(tmp_path)] == ["one/a", "two/a"]


def test_the_output_of_an_earlier_run_is_not_an_article(tmp_path: Path) -> None:
    """Tagging a folder into a file of that folder twice does not tag the tags."""
    (tmp_path / "a.txt").write_text("They met.", encoding="utf-8")
    (tmp_path / "tags.jsonl").write_text('{"text": "They met."}\n', encoding="utf-8")
    assert [article.id for article in read(tmp_path, skip=tmp_path / "tags.jsonl")] == ["a"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \n\xef\xbb\xbf\n", "is empty"),
        ("a.txt", b"PK\x03\x04\x00\x00", "binary"),
        ("a.txt", b"\xff\xfea", "marked as UTF-16 text but breaks it at byte 3"),
        ("a.pdf", b"%PDF", "cannot read '.pdf' files"),
        ("a.html", b"<html></html>", "no article text"),
        ("a.jsonl", b'{"text": "x"}\n{"text": \n', "a.jsonl:2: not valid JSON"),
        ("a.jsonl", b'["text"]\n', "a.jsonl:1: expected a JSON object"),
        ("a.jsonl", b'{"txt": "x"}\n', "a.jsonl:1: no column 'text'"),
        (
            "a.jsonl",
            b'{"id": 1, "text": "x"}\n{"id": 1, "text": "y"}\n{"id": [], "text": "z"}',
            "a.jsonl:3: 'id'",
        ),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    """What cannot be read is refused with file, line and reason, never skipped."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name) as caught:
        read(tmp_path / name)
    assert expected in str(caught.value)


def test_a_missing_path_and_a_bare_folder_are_refused(tmp_path: Path) -> None:
    """Nothing to read is an error and not an empty result."""
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "nothing.txt")
    with pytest.raises(UserError, match=r"no \.txt"):
        read(tmp_path)


def test_rows_survive_every_format(tmp_path: Path) -> None:
    """Text with quotes, commas and line breaks comes back as it went in; nested fields become columns."""
    rows = [
        {"text": 'He said "no", twice\nor so', "topics": ["a", "b"], "p": {"a": 0.5, "b": 0.25}},
        {"text": "Ünïcode — ok", "topics": [], "p": {"a": 0.1, "b": 0.2}},
    ]
    write_jsonl(rows, tmp_path / "r.jsonl")
    fields = (Field("text", "text"), Field("topics", "labels"), Field("p", "numbers", ("a", "b")))
    layout = Layout(fields, {"stance_schema": "2"})
    write_csv(rows, tmp_path / "r.csv", layout)
    write_parquet(rows, tmp_path / "r.parquet", layout)
    lines = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == rows
    parquet = pyarrow.parquet.read_table(tmp_path / "r.parquet")
    assert parquet.to_pylist() == rows
    assert parquet.schema.metadata == {b"stance_schema": b"2"}
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    assert [row["text"] for row in table] == [row["text"] for row in rows]
    assert table[0]["topics"] == "a;b"
    assert table[0]["p_a"] == "0.5"


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """An output file appears whole or not at all, and an older one stays as it was."""
    target = tmp_path / "r.jsonl"
    target.write_text("old", encoding="utf-8")

    def rows() -> Iterator[dict[str, int]]:
        yield {"a": 1}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_jsonl(rows(), target)
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]
