from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from conftest import ARTICLE, ROOT, SHARED, Stance, write_rows
from stance.repair import repair


@pytest.fixture
def article(tmp_path: Path) -> Path:
    """Return the path of a small article."""
    path = tmp_path / "talks.txt"
    path.write_text(ARTICLE, encoding="utf-8")
    return path


@pytest.mark.parametrize("family", ["tfidf", "transformer"])
def test_predict_writes_one_json_line_a_sentence(
    stance: Stance, models: Path, article: Path, family: str
) -> None:
    """In a pipe, each sentence is one JSON object with labels, probabilities and offsets."""
    rows = [
        json.loads(line)
        for line in stance("predict", article, "--model", models / family).stdout.splitlines()
    ]
    assert [ARTICLE[row["start"] : row["end"]] for row in rows] == [row["text"] for row in rows]
    assert len(rows) == 3
    assert {row["article"] for row in rows} == {"talks"}
    assert {row["model"] for row in rows} == {family}


def test_predict_takes_the_best_model_and_says_so(
    stance: Stance, models: Path, article: Path, tmp_path: Path
) -> None:
    """Without --model the best one in models/ is used, and standard error names it."""
    (tmp_path / "models").symlink_to(models)
    done = stance("predict", article)
    assert "model: models/" in done.stderr
    assert "the best in models/" in done.stderr


def test_predict_writes_the_same_rows_to_jsonl_and_csv(
    stance: Stance, models: Path, article: Path, tmp_path: Path
) -> None:
    """-o decides the format by its suffix; both hold the same sentences and labels."""
    for name in ("tags.jsonl", "tags.csv"):
        done = stance("predict", article, "--model", models / "tfidf", "-o", name)
        assert done.stdout == ""
        assert "3 sentences of 1 articles" in done.stderr
    rows = [json.loads(line) for line in (tmp_path / "tags.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "tags.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    assert [row["text"] for row in table] == [row["text"] for row in rows]
    assert [row["framing"] for row in table] == [row["framing"] for row in rows]
    assert [float(row["framing_probabilities_hawkish"]) for row in table] == [
        row["framing_probabilities"]["hawkish"] for row in rows
    ]


def test_summary_gives_one_row_an_article(stance: Stance, models: Path, article: Path) -> None:
    """--rows articles counts framings and topics per article and gives the index from -1 to 1."""
    done = stance(
        "predict",
        article,
        "-",
        "--rows",
        "articles",
        "--model",
        models / "tfidf",
        stdin="They met. They left.",
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["article"], row["sentences"]) for row in rows] == [("talks", 3), ("stdin", 2)]
    assert all(-1 <= row["framing_index"] <= 1 for row in rows)


def test_min_confidence_leaves_sentences_unsure(
    stance: Stance, models: Path, article: Path, tmp_path: Path
) -> None:
    """--min-confidence says 'unsure' rather than guess, in rows, in CSV and in the summary."""
    words = ("predict", article, "--model", models / "tfidf", "--min-confidence", "1")
    rows = [json.loads(line) for line in stance(*words).stdout.splitlines()]
    assert [row["framing"] for row in rows] == ["unsure"] * 3
    stance(*words, "--rows", "articles", "-o", "tags.csv")
    with (tmp_path / "tags.csv").open(encoding="utf-8", newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert (row["framing_unsure"], row["framing_index"]) == ("3", "")
    assert "less than or equal to 1" in stance(*words[:-1], "2", code=2).stderr


@pytest.mark.parametrize(
    ("words", "files", "code", "expected"),
    [
        (["predict", "nothing.txt"], {}, 2, "nothing.txt: no such file"),
        (["predict", "a.txt"], {"a.txt": b""}, 2, "a.txt: is empty"),
        (["predict", "a.txt"], {"a.txt": b"\x7fELF\x00\x01"}, 2, "a.txt: holds binary data"),
        (["predict", "a.jsonl"], {"a.jsonl": b'{"text": "A b."}\n{"te'}, 2, "a.jsonl:2: not valid JSON"),
        (["predict", "a.txt"], {"a.txt": b"--- 12 ---"}, 2, "no sentence found"),
        (["predict", "a.txt", "-o", "x.xls"], {"a.txt": b"A b."}, 2, "cannot write '.xls'"),
        (["predict", "a.txt", "-o", "no/x.csv"], {"a.txt": b"A b."}, 2, "the folder no does not exist"),
        (["predict", "-", "--stdin-format", "pdf"], {}, 2, "unknown format"),
        (["predict"], {}, 2, "Missing argument"),
        (["predict", "a.txt", "--modell", "x"], {"a.txt": b"A b."}, 2, "No such option"),
        (["evaluate", "MODEL", "--data", "none.jsonl"], {}, 2, "none.jsonl: no such file"),
        (["evaluate", "MODEL", "--data", "d.jsonl"], {"d.jsonl": b'{"text": "A b."}\n'}, 2, "no row carries"),
        (["train", "nosuch"], {}, 2, "nosuch.yaml: no such config"),
        (["train"], {}, 2, "configs: no .yaml file here"),
        (
            ["train", "c.yaml"],
            {"c.yaml": b"name: c\nfamily: tfidf\nsede: 1\n"},
            2,
            "c.yaml:3: unknown key 'sede'",
        ),
        (["labels", "check", "none"], {}, 2, "none: no such labels folder"),
        (["predict", "word " * 80], {}, 2, "File name too long"),
        (
            ["predict", "a.jsonl"],
            {"a.jsonl": b'{"text": "Beijing \\ud800 met."}'},
            2,
            "a.jsonl:1: holds half",
        ),
        (["predict", "a.jsonl"], {"a.jsonl": b'{"text": "A b.", "n": ' + b"9" * 5000 + b"}"}, 2, "a.jsonl:1"),
        (["predict", "a.jsonl"], {"a.jsonl": b"\x0c"}, 2, "a.jsonl: is empty"),
        (["train", "c.yaml"], {"c.yaml": b"name: 2024-13-45\nfamily: tfidf\n"}, 2, "c.yaml: a value"),
        (["train", "c.yaml"], {"c.yaml": b"name: c\nfamily: tfidf\nparams: 5\n"}, 2, "c.yaml:3: 'params'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    stance: Stance,
    models: Path,
    tmp_path: Path,
    words: list[str],
    files: dict[str, bytes],
    code: int,
    expected: str,
) -> None:
    """Every mistake is told on standard error; nothing is printed or left behind as if it were a result."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    words = [str(models / "tfidf") if word == "MODEL" else word for word in words]
    model = ["--model", str(models / "tfidf")] if words[0] == "predict" else []
    done = stance(*words, *model, code=code)
    assert expected in done.stderr
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} <= set(files)


def test_one_bad_article_among_good_ones_leaves_no_output(
    stance: Stance, models: Path, article: Path, tmp_path: Path
) -> None:
    """A run that could not read everything writes nothing, rather than a part that looks whole."""
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfea")
    done = stance("predict", article, "bad.txt", "--model", models / "tfidf", "-o", "tags.jsonl", code=2)
    assert "bad.txt: is marked as UTF-16" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"talks.txt", "bad.txt"}


def test_a_damaged_model_is_exit_code_1(stance: Stance, models: Path, article: Path, tmp_path: Path) -> None:
    """Damage is a failure and not the user's mistake."""
    folder = tmp_path / "m"
    folder.mkdir()
    for path in (models / "tfidf").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "calibration.json").write_text("{}", encoding="utf-8")
    done = stance("predict", article, "--model", "m", code=1)
    assert "calibration.json: changed or damaged since training" in done.stderr


def test_an_unknown_label_stops_training_before_it_starts(
    stance: Stance, tmp_path: Path, labels: Path
) -> None:
    """A wrong labels file is told with its lines, and no model folder appears."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "taxonomy.yaml").write_text(
        (labels / "taxonomy.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    write_rows(
        folder / "rows.jsonl", [("a", "They met.", "cordial", []), ("b", "They left.", "neutral", ["x"])]
    )
    (tmp_path / "c.yaml").write_text("name: c\nfamily: tfidf\nlabels: mine\n", encoding="utf-8")
    done = stance("train", "c.yaml", "--no-track", code=2)
    assert "rows.jsonl:1: unknown framing label 'cordial'" in done.stderr
    assert "rows.jsonl:2: unknown topics label 'x'" in done.stderr
    assert not (tmp_path / "models").exists()


def test_evaluate_prints_json_for_programs_and_a_table_for_people(
    stance: Stance, models: Path, labels: Path, tmp_path: Path
) -> None:
    """--json holds the documented keys; an axis that the rows lack is left out."""
    done = stance("evaluate", models / "tfidf", "--data", labels / "rows.jsonl", "--json")
    value = json.loads(done.stdout)
    assert value["n"] == 24
    assert {"macro_f1", "accuracy", "per_label"} <= set(value["framing"])
    assert {"micro_f1", "macro_f1", "per_label"} <= set(value["topics"])
    (tmp_path / "half.jsonl").write_text('{"text": "They met.", "framing": "neutral"}\n', encoding="utf-8")
    assert "topics" not in json.loads(
        stance("evaluate", models / "tfidf", "--data", "half.jsonl", "--json").stdout
    )
    tables = stance("evaluate", models / "tfidf", "--data", labels / "rows.jsonl")
    assert "weakest first" in tables.stdout
    assert "24 of 24 sentences were trained on" in tables.stderr


def test_new_rows_are_ready_to_be_labelled(
    stance: Stance, article: Path, labels: Path, tmp_path: Path
) -> None:
    """``labels new`` cuts articles into rows that only lack labels, and never overwrites work."""
    words = ("labels", "new", article, "-o", "todo.jsonl", "--taxonomy", labels / "taxonomy.yaml")
    stance(*words)
    rows = [json.loads(line) for line in (tmp_path / "todo.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[0]["text"] == "Capitals agree to lift duties on tea"
    assert all(row["framing"] == "" and row["topics"] == [] for row in rows)
    assert "may hold labels" in stance(*words, code=2).stderr


def test_a_closed_pipe_is_no_error(stance: Stance, models: Path, tmp_path: Path) -> None:
    """``stance predict ... | head -1`` ends quietly."""
    import subprocess
    import sys

    (tmp_path / "long.txt").write_text("They met on Monday. " * 5000, encoding="utf-8")
    command = f"{sys.executable} -m stance predict long.txt --model {models / 'tfidf'} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stderr == ""
    assert json.loads(done.stdout)["index"] == 0


def test_the_five_articles_are_tagged_sentence_by_sentence(
    stance: Stance, models: Path, tmp_path: Path
) -> None:
    """Every sentence stands at its offsets in the repaired article, furniture left out, in both formats."""
    folder = ROOT / "labels" / "news" / "articles"
    texts = {path.stem: repair(path.read_bytes().decode("utf-8"))[0] for path in folder.glob("*.txt")}
    for name in ("tags.jsonl", "tags.csv"):
        stance("predict", folder, "--model", models / "tfidf", "-o", name)
    rows = [json.loads(line) for line in (tmp_path / "tags.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "tags.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    assert {row["article"] for row in rows} == set(texts)
    for row, flat in zip(rows, table, strict=True):
        assert texts[row["article"]][row["start"] : row["end"]] == row["text"] == flat["text"]
    assert not {"Korea", "-1.6 C", "Latest news", "Related news"} & {row["text"] for row in rows}


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/articles")
def test_the_shipped_articles_are_the_users(stance: Stance) -> None:
    """The raw articles in the labels folder are byte for byte the ones that were given."""
    for path in (SHARED / "articles").glob("*.txt"):
        assert (ROOT / "labels" / "news" / "articles" / path.name).read_bytes() == path.read_bytes()
