"""Every kind of input gives the same article: formats, packing, encodings, columns, languages."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
import zstandard

from conftest import Stance
from stance.decoding import decode
from stance.errors import UserError
from stance.formats import Field, Layout, write_csv
from stance.inputs import InputOptions, check_tables, parse_columns, read_articles, read_raw
from stance.language import detect
from stance.records import Article, Meta

ROW = {
    "id": "n1",
    "text": "They met in Zürich. “Good,” he said.",
    "title": "Envoys, again",
    "source": "Wire",
    "date": "2025-03-04",
    "url": "https://example.org/1",
}
META = Meta("Envoys, again", "Wire", "2025-03-04", "https://example.org/1")


def read(*paths: Path, stdin: bytes = b"", **changes: object) -> list[Article]:
    options = InputOptions(**changes)  # type: ignore[arg-type]  # each test names fields that exist
    return list(read_articles(paths, options, io.BytesIO(stdin)))


def table(form: str, row: dict[str, str]) -> bytes:
    """Return one row in a table format."""
    if form == "jsonl":
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    if form == "csv":
        quoted = ['"' + value.replace('"', '""') + '"' for value in row.values()]
        return (",".join(row) + "\n" + ",".join(quoted) + "\n").encode()
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pylist([row]), sink)
    return sink.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gz": gzip.compress, "zst": zstandard.compress}


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_row_is_the_same_article_in_every_table_and_packing(
    tmp_path: Path, form: str, packing: str
) -> None:
    """Text, id and metadata come through from a file and from standard input alike."""
    suffix = f"{form}.{packing}".strip(".")
    content = PACK[packing](table(form, ROW))
    (tmp_path / f"a.{suffix}").write_bytes(content)
    for article in (
        *read(tmp_path / f"a.{suffix}"),
        *read(Path("-"), stdin=content, stdin_format=suffix),
        *read(tmp_path),
    ):
        assert (article.id, article.text, article.meta) == ("n1", ROW["text"], META)


def test_columns_may_have_any_name(tmp_path: Path) -> None:
    """--columns maps a table's names; a wrong one is told in one sentence before anything is read."""
    row = {"body": "They met.", "published": "4 March", "n": "7"}
    columns = parse_columns("text=body, date=published,id=n")
    for form in ("jsonl", "csv", "parquet"):
        path = tmp_path / f"a.{form}"
        path.write_bytes(table(form, row))
        [article] = read(path, columns=columns)
        assert (article.id, article.text, article.meta.date) == ("7", "They met.", "4 March")
        with pytest.raises(UserError, match=r"no column 'text'.*'body'.*--columns text=NAME"):
            check_tables([path], InputOptions())
    for wrong in ("text", "body=text", "text=", "text=a,text=b"):
        with pytest.raises(UserError, match="--columns"):
            parse_columns(wrong)


def test_metadata_comes_from_pages_and_front_matter(tmp_path: Path) -> None:
    """HTML gives what its metadata says and no guessed date; Markdown what its front matter says."""
    body = "<p>" + "The two envoys met in Bern on 3 May 2024 and agreed to go on talking. " * 4 + "</p>"
    head = '<title>Envoys</title><link rel="canonical" href="https://example.org/1">'
    dated = '<meta property="article:published_time" content="2025-03-04T10:00:00Z">'
    for name, extra in (("a", dated), ("b", "")):
        page = f"<html><head>{head}{extra}</head><body><article>{body}</article></body></html>"
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    (tmp_path / "c.md").write_text(
        "---\ntitle: 'It: begins'\ntags:\n  - x\ndate: 2025-01-02\n---\nThey met.", encoding="utf-8"
    )
    first, second, third = (article.meta for article in read(tmp_path))
    assert (first.date, first.url) == ("2025-03-04", "https://example.org/1")
    assert (second.title, second.date) == ("Envoys", None)
    assert (third.title, third.date) == ("It: begins", "2025-01-02")


TEXT = "The envoy’s café bill was £5. They met."


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings_are_told_from_the_bytes(encoding: str, tmp_path: Path) -> None:
    """Text comes out the same from every encoding, in a file of its own and in tables."""
    (tmp_path / "a.txt").write_bytes(TEXT.encode(encoding))
    (tmp_path / "b.csv").write_bytes(f"text\n{TEXT}\n".encode(encoding))
    (tmp_path / "c.jsonl").write_bytes(json.dumps({"text": TEXT}, ensure_ascii=False).encode(encoding))
    assert [article.text for article in read(tmp_path)] == [TEXT] * 3


def test_an_old_encoding_of_another_script_is_told() -> None:
    """Where most bytes lie outside ASCII, encodings are compared."""
    russian = "Министры приветствовали перемирие и обещали отменить пошлины на сталь. " * 5
    assert decode(russian.encode("cp1251")) == russian
    with pytest.raises(ValueError, match="binary"):
        decode(b"PK\x03\x04\0\0\0\1")


def test_one_row_in_another_encoding_spoils_no_other(tmp_path: Path) -> None:
    """A table pasted together from two sources is mended row by row."""
    rows = [b"id,text", "1,Zürich met.".encode(), "2,Zürich left.".encode("cp1252")]
    (tmp_path / "a.csv").write_bytes(b"\n".join(rows))
    assert [article.text for article in read(tmp_path)] == ["Zürich met.", "Zürich left."]


def test_globs_name_files_below_any_folder(tmp_path: Path) -> None:
    """A quoted pattern finds files in name order, and ids keep them apart."""
    for name in ("x/1.txt", "y/1.txt", "y/2.md", "y/.hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("They met.", encoding="utf-8")
    assert [article.id for article in read(tmp_path / "**" / "*.txt")] == ["x/1", "y/1"]
    with pytest.raises(UserError, match=r"no \.txt"):
        read(tmp_path / "*.csv")


def test_ids_of_two_files_may_meet(tmp_path: Path) -> None:
    """Two tables that both count from 1 keep apart; one that repeats an id is refused."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text('{"id": 1, "text": "They met."}\n', encoding="utf-8")
    assert [article.id for article in read(tmp_path)] == ["1", f"{tmp_path}/b.jsonl:1"]
    (tmp_path / "c.csv").write_text("id,text\n1,They met.\n1,They left.\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"c.csv:3: the id '1' stands in this file already"):
        read(tmp_path / "c.csv")


def test_a_large_table_is_not_held_in_memory(tmp_path: Path) -> None:
    """The first article is there before the rest of the file was read."""
    with (tmp_path / "a.jsonl").open("w", encoding="utf-8") as handle:
        handle.writelines('{"text": "They met."}\n' for _ in range(50_000))
    first = next(read_raw([tmp_path / "a.jsonl"], InputOptions(), io.BytesIO()))
    assert first.offset < (tmp_path / "a.jsonl").stat().st_size / 10


def test_an_unclosed_quote_names_its_line(tmp_path: Path) -> None:
    """A CSV whose quotes are broken is told with the row where they break."""
    (tmp_path / "a.csv").write_text('id,text\n1,They met.\n2,"They ' + "left. " * 2_000_000, encoding="utf-8")
    with pytest.raises(UserError, match=r"a.csv:3: not valid CSV"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The ministers welcomed the truce and said that they would go on with the talks. " * 3),
        (
            "de",
            "Die Minister begrüßten die Waffenruhe und sagten, dass die Gespräche weitergehen sollen. " * 3,
        ),
        ("fr", "Les ministres ont salué la trêve et ont dit que les pourparlers allaient continuer. " * 3),
        ("nl", "De ministers waren blij met het bestand en zeiden dat de gesprekken in mei doorgaan. " * 3),
        ("zh", "两国部长对停战表示欢迎，并表示会谈将继续进行。中国和美国同意降低关税。" * 3),
        (None, "They met."),
    ],
)
def test_languages_are_flagged_and_short_texts_are_not_guessed_at(code: str | None, text: str) -> None:
    """The code is right for whole sentences and missing where nobody could tell."""
    assert detect(text) == code


def test_csv_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    """Text that would run as a formula is disarmed; numbers and other text stay as they are."""
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a=b", "'quoted'", None]
    layout = Layout((Field("t", "text"), Field("n", "number"), Field("l", "labels")), {})
    write_csv(({"t": text, "n": -1.5, "l": ["a", "b"]} for text in texts), tmp_path / "a.csv", layout)
    import csv

    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["t"] for row in rows] == [
        "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", "a=b", "'quoted'", ""
    ]  # fmt: skip
    assert {row["n"] for row in rows} == {"-1.5"}


def test_a_foreign_article_is_tagged_and_counted(stance: Stance, models: Path, tmp_path: Path) -> None:
    """Its rows say so in ``language``, and a line on standard error counts it."""
    german = "Die Minister begrüßten die Waffenruhe und sagten, dass die Gespräche weitergehen sollen. " * 3
    (tmp_path / "a.txt").write_text(german, encoding="utf-8")
    done = stance("predict", "a.txt", "--model", models / "tfidf")
    assert {json.loads(line)["language"] for line in done.stdout.splitlines()} == {"de"}
    assert "1 articles are not in English" in done.stderr
