from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Stance
from report_rows import FRAMINGS, NASTY, TOPICS, rows, write
from stance.errors import UserError
from stance.formats import write_csv
from stance.report.axes import find_axes, load_taxonomy
from stance.report.columns import columns, read_day
from stance.report.evaluation import STYLES as EVALUATION_STYLES
from stance.report.page import SCRIPTS, STYLES, embedded, page
from stance.report.reading import read_rows
from stance.rows import layout
from stance.taxonomy import Axis, Taxonomy

NEWS = ROOT / "labels" / "news" / "taxonomy.yaml"
APP = ROOT / "training" / "stance" / "report" / "app"


def read(path: Path) -> dict[str, Any]:
    found = read_rows([path])
    return columns(found, find_axes(found, None))


def test_every_format_gives_the_same_columns(tmp_path: Path) -> None:
    """JSON Lines, CSV, Parquet (nested or flat) and a folder of parts say the same."""
    import pyarrow as pa
    from pyarrow import parquet

    values = rows(4, 5)
    values[1]["text"] = "=SUM of it all, she said."
    expected = read(write(tmp_path / "tags.jsonl", values))
    axes = {
        "framing": Axis(kind="single", description="", labels=dict.fromkeys(FRAMINGS, "")),
        "topics": Axis(kind="multi", description="", labels=dict.fromkeys(TOPICS, "")),
    }
    form = layout("sentences", Taxonomy(name="tiny", axes=axes), "tiny", "0123456789ab")
    write_csv(values, tmp_path / "tags.csv", form)
    parquet.write_table(pa.Table.from_pylist(values), tmp_path / "tags.parquet")
    chances = pa.map_(pa.string(), pa.float64())
    table = pa.Table.from_pylist(values)
    for axis in ("framing", "topics"):
        field = f"{axis}_probabilities"
        pairs = pa.array([list(value[field].items()) for value in values], chances)
        table = table.set_column(table.column_names.index(field), field, pairs)
    parquet.write_table(table, tmp_path / "maps.parquet")
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts" / "1.jsonl", values[:7])
    write_csv(values[7:], tmp_path / "parts" / "2.csv", form)
    for name in ("tags.csv", "tags.parquet", "maps.parquet", "parts"):
        assert read(tmp_path / name) == expected, name
    assert expected["articles"]["sentences"] == [5, 5, 5, 5]
    assert [axis["single"] for axis in expected["axes"]] == [True, False]


def test_a_folder_of_a_batch_run_gives_its_sentences(tmp_path: Path) -> None:
    """Beside the sentences stand article rows, errors and a manifest, which are no sentences."""
    values = rows(3, 2)
    for name in ("sentences", "articles"):
        (tmp_path / "tags" / name).mkdir(parents=True)
    write(tmp_path / "tags" / "sentences" / "part-00000.jsonl", values)
    (tmp_path / "tags" / "articles" / "part-00000.jsonl").write_text('{"article": "a"}\n', encoding="utf-8")
    (tmp_path / "tags" / "errors.jsonl").write_text('{"reason": "empty"}\n', encoding="utf-8")
    (tmp_path / "tags" / "manifest.json").write_text("{}", encoding="utf-8")
    assert read(tmp_path / "tags") == read(write(tmp_path / "tags.jsonl", values))


def test_rows_of_before_the_article_fields_still_work(tmp_path: Path) -> None:
    """Title, source, date and url may be missing or null."""
    values = rows(2, 3)
    for value in values:
        for field in ("title", "source", "date", "url"):
            del value[field]
    articles = read(write(tmp_path / "tags.jsonl", values))["articles"]
    assert articles["title"] == articles["source"] == articles["day"] == [None, None]


def test_sentences_come_in_article_order_whatever_the_files_order(tmp_path: Path) -> None:
    """Parts of an article may lie apart; its sentences stand together by their index."""
    values = rows(3, 4)
    mixed = read(write(tmp_path / "mixed.jsonl", values[::-1]))
    assert mixed["articles"]["id"] == ["a00002", "a00001", "a00000"]
    assert mixed["texts"] == [value["text"] for at in (2, 1, 0) for value in values[at * 4 : at * 4 + 4]]


@pytest.mark.parametrize(
    ("text", "day", "exact_to"),
    [
        ("2025-10-14", "2025-10-14", "day"),
        ("2025-10-14T23:30:00+08:00", "2025-10-14", "day"),
        ("2025-10", "2025-10-01", "month"),
        ("2025", "2025-01-01", "year"),
        ("Tue, 14 Oct 2025 10:00:00 GMT", "2025-10-14", "day"),
    ],
)
def test_dates_are_read_as_exactly_as_they_are_given(text: str, day: str, exact_to: str) -> None:
    """ISO dates, months, years and times are known, and the dates of feeds."""
    found = read_day(text)
    assert found is not None
    assert (found.iso, found.exact_to) == (day, exact_to)


@pytest.mark.parametrize("text", [None, "", "last Tuesday", "2025-13-01", "2025-02-30", "03/04/2025"])
def test_a_date_that_can_be_misread_is_not_read(text: str | None) -> None:
    """No guess is made, least of all about the order of day and month."""
    assert read_day(text) is None


def test_index_weights_come_from_the_taxonomy_or_from_known_names(tmp_path: Path) -> None:
    """Known names get the weights of labels/news; other labels get none unless a taxonomy says so."""
    found = read_rows([write(tmp_path / "tags.jsonl", rows(2, 3))])
    assert find_axes(found, None)[0].weights == (-1, 1, 0)
    text = json.dumps(rows(2, 3)).replace("hawkish", "warm").replace("conciliatory", "cool")
    other = read_rows([write(tmp_path / "other.jsonl", json.loads(text))])
    assert find_axes(other, None)[0].weights is None
    file = tmp_path / "taxonomy.yaml"
    file.write_text(
        "name: own\naxes:\n  framing:\n    kind: single\n    description: tone\n"
        "    labels: {cool: c, warm: w, neutral: n}\n    index: {cool: -0.5, warm: 2}\n"
        "  topics:\n    kind: multi\n    description: about\n"
        "    labels: {tariffs: t, farming: f, space: s}\n",
        encoding="utf-8",
    )
    axes = find_axes(other, *load_taxonomy(None, file))
    assert (axes[0].labels, axes[0].weights) == (("cool", "warm", "neutral"), (-0.5, 2, 0))


def test_a_taxonomy_of_other_labels_is_refused(tmp_path: Path) -> None:
    """Weights of a taxonomy that did not tag the rows would be put on the wrong labels."""
    found = read_rows([write(tmp_path / "tags.jsonl", rows(2, 3))])
    with pytest.raises(UserError, match="'topics' and its labels are not those of"):
        find_axes(found, *load_taxonomy(None, NEWS))


def damaged(field: str, value: Any) -> list[dict[str, Any]]:
    values = deepcopy(rows(2, 3))
    values[4][field] = value
    return values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (damaged("framing", "hostile"), "tags.jsonl:5: 'hostile' is no label of 'framing'"),
        (damaged("topics", ["tea"]), "tags.jsonl:5: 'tea' is no label of 'topics'"),
        (damaged("text", None), "tags.jsonl:5: 'text' is missing"),
        (damaged("index", 0), "tags.jsonl:5: sentence 0 of article 'a00001' already stands at .*:4"),
        (damaged("framing_probabilities", {"hawkish": 1}), "tags.jsonl:5: no probabilities for the labels"),
        (
            damaged("topics_probabilities", dict.fromkeys(TOPICS, 7)),
            "tags.jsonl:5: a probability of 'topics'",
        ),
        ([{"article": "a", "sentences": 3, "framing_index": 0.2}], "tags.jsonl:1: one row an article"),
        ([{"text": "a"}], "tags.jsonl:1: no sentence row"),
        ([], "no row in it"),
    ],
)
def test_rows_that_no_report_can_be_made_of_are_named(
    tmp_path: Path, values: list[dict[str, Any]], message: str
) -> None:
    """Every mistake is one sentence with the file and the line."""
    with pytest.raises(UserError, match=message):
        read(write(tmp_path / "tags.jsonl", values))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    """Files that are not what their suffix says, or not there, end as the user's mistake."""
    pytest.importorskip("pyarrow", reason="needs the train extra")
    for name, content in (
        ("tags.jsonl", "{"),
        ("tags.csv", "article,text\na\n"),
        ("tags.parquet", "x"),
        ("t.txt", ""),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match=re.escape(name)):
            read_rows([tmp_path / name])
    with pytest.raises(UserError, match="no such file"):
        read_rows([tmp_path / "none.jsonl"])


def test_embedded_json_cannot_end_its_element() -> None:
    """Whatever an article says, the data stay data, and nothing of them is lost."""
    text = embedded([NASTY])
    assert "<" not in text
    assert json.loads(text) == [NASTY]


def test_text_that_looks_like_a_placeholder_stays_text(tmp_path: Path) -> None:
    """An article about templates does not change the page."""
    data = read(write(tmp_path / "tags.jsonl", rows(2, 3)))
    text = page(data, "{{script}} <b>")
    assert "<h1>{{script}} &lt;b&gt;</h1>" in text
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    assert json.loads(found[1])["texts"][0] == NASTY


def test_the_parts_of_the_page_are_all_used_and_short() -> None:
    """Every file of the page's code is part of it, under 400 lines, and never sets markup from text."""
    parts = {path.name: path.read_text(encoding="utf-8") for path in APP.iterdir()}
    assert set(parts) == {*SCRIPTS, *STYLES, *EVALUATION_STYLES, "page.html"}
    assert max(len(text.splitlines()) for text in parts.values()) < 400
    for name in SCRIPTS:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", parts[name])


def test_the_command_writes_one_file_and_says_so(stance: Stance, tmp_path: Path) -> None:
    """Stance report names counts and place; what it cannot write, it does not begin."""
    write(tmp_path / "tags.jsonl", rows(3, 4))
    done = stance("report", "tags.jsonl", "-o", "report.html", "--title", "Harbour & lake")
    assert done.stdout == ""
    assert "report on 12 sentences of 3 articles written to report.html" in done.stderr
    assert "<h1>Harbour &amp; lake</h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "name a .html file" in stance("report", "tags.jsonl", "-o", "report.pdf", code=2).stderr
    assert "does not exist" in stance("report", "tags.jsonl", "-o", "no/report.html", code=2).stderr
    both = stance("report", "tags.jsonl", "-o", "r.html", "--model", "m", "--taxonomy", "t", code=2)
    assert "give one of them" in both.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "tags.jsonl"]


def test_the_tags_of_a_model_become_a_report(stance: Stance, models: Path, tmp_path: Path) -> None:
    """What stance predict writes, stance report reads, with the model's own weights."""
    article = ROOT / "tests" / "data" / "unseen.txt"
    stance("predict", article, "--model", models / "tfidf", "-o", "tags.csv")
    stance("report", "tags.csv", "-o", "report.html", "--model", models / "tfidf")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    other = stance("report", "tags.csv", "-o", "r.html", "--model", models / "transformer", code=2)
    assert "name the model that tagged it" in other.stderr
    assert '"weights":[-1.0,1.0,0.0],"weightsFrom":"tfidf/taxonomy.yaml"' in text
