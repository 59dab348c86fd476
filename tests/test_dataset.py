from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import ROOT, TAXONOMY, write_rows
from stance.dataset import as_dataset, load_file, load_folder
from stance.errors import UserError
from stance.repair import repair
from stance.taxonomy import Taxonomy


def folder_with(tmp_path: Path, lines: str) -> Path:
    (tmp_path / "taxonomy.yaml").write_text(TAXONOMY, encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def test_all_mistakes_are_shown_at_once_with_their_lines(tmp_path: Path) -> None:
    """One look at the error is enough to mend a whole labels file."""
    lines = [
        {"id": "1", "text": "They met.", "framing": "friendly", "topics": []},
        {"id": "2", "text": "", "framing": "neutral", "topics": []},
        {"id": "3", "text": "They left.", "framing": "neutral", "topics": "tariffs"},
        {"id": "4", "text": "They ate.", "framing": "neutral", "topics": ["tarifs"]},
        {"id": "5", "text": "They sat.", "framing": "neutral"},
        {"id": "6", "text": "They ran.", "framing": "neutral", "topics": []},
        {"id": "6", "text": "They hid.", "framing": "neutral", "topics": []},
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"id": "8", \n'
    with pytest.raises(UserError) as caught:
        load_folder(folder_with(tmp_path, text))
    message = str(caught.value)
    for expected in (
        "rows.jsonl:1: unknown framing label 'friendly'; use one of conciliatory, hawkish, neutral",
        "rows.jsonl:2: 'text' is missing or empty",
        "rows.jsonl:3: 'topics' must be a list",
        "rows.jsonl:4: unknown topics label 'tarifs'",
        "rows.jsonl:5: 'topics' is missing",
        "rows.jsonl:7: the id '6' already stands at",
        "rows.jsonl:8: not valid JSON",
    ):
        assert expected in message


def test_an_empty_labels_file_is_refused(tmp_path: Path) -> None:
    """No rows is a mistake to tell, not a model of nothing."""
    with pytest.raises(UserError, match="holds no rows"):
        load_folder(folder_with(tmp_path, "\n"))


def test_evaluation_rows_may_leave_out_an_axis(tmp_path: Path) -> None:
    """Rows with framing alone are scored on framing alone; half-labelled rows are refused."""
    folder_with(tmp_path, '{"text": "They met.", "framing": "neutral"}\n')
    taxonomy = Taxonomy.load(tmp_path / "taxonomy.yaml")
    assert load_file(tmp_path / "rows.jsonl", taxonomy).axes == ("framing",)
    folder_with(tmp_path, '{"text": "A b.", "framing": "neutral"}\n{"text": "C d.", "topics": []}\n')
    with pytest.raises(UserError, match=r"rows\.jsonl:1: 'topics' is missing"):
        load_file(tmp_path / "rows.jsonl", taxonomy)


def test_the_fingerprint_changes_with_any_label(tmp_path: Path, labels: Path) -> None:
    """Two data sets share a fingerprint only if every row and label is the same."""
    folder_with(tmp_path, "")
    write_rows(tmp_path / "rows.jsonl")
    same = load_folder(tmp_path)
    assert same.fingerprint == load_folder(labels).fingerprint
    text = (tmp_path / "rows.jsonl").read_text(encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text(text.replace("hawkish", "neutral", 1), encoding="utf-8")
    assert load_folder(tmp_path).fingerprint != same.fingerprint


def test_the_dataset_carries_label_names_and_the_fingerprint(labels: Path) -> None:
    """What training reads is a datasets.Dataset whose labels are numbered in taxonomy order."""
    pytest.importorskip("datasets", reason="needs the train extra")
    data = load_folder(labels)
    rows = as_dataset(data)
    assert rows.features["framing"].names == ["conciliatory", "hawkish", "neutral"]
    assert rows[12]["topics"] == [0, 1]
    assert data.fingerprint.startswith(rows._fingerprint)


def test_gold_sentences_stand_in_the_articles() -> None:
    """Every row of the five articles is the repaired text of its offsets in the article's raw file."""
    folder = ROOT / "labels" / "news"
    rows = [json.loads(line) for line in (folder / "articles.jsonl").read_text(encoding="utf-8").splitlines()]
    raw = {path.stem: path.read_bytes().decode("utf-8") for path in (folder / "articles").glob("*.txt")}
    assert len(raw) == 5
    assert {row["article"] for row in rows} == set(raw)
    for row in rows:
        assert repair(raw[row["article"]][row["start"] : row["end"]])[0] == row["text"]
    texts = [row["text"] for row in rows]
    assert len(set(texts)) == len(texts)
    assert not {"Korea", "Latest news", "Related news", "-1.6 C"} & set(texts)
    assert not any("Β" in text for text in texts)
