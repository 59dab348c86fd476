"""What ``stance evaluate`` tells: calibration, the surest errors, tables, JSON, and a page in a browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from conftest import ROWS, TAXONOMY, Stance, write_rows
from stance.evaluate import calibration_bins
from stance.records import Example
from stance.scoring import worst_errors
from stance.taxonomy import Axis

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NASTY = '</script><img src="http://example.invalid/x.png" onerror="alert(1)"> was threatened by <b>them</b>.'
SINGLE = Axis(kind="single", description="", labels={"a": "", "b": "", "c": ""})
MULTI = Axis(kind="multi", description="", labels={"a": "", "b": "", "c": ""})


def examples(count: int) -> list[Example]:
    return [Example(f"r{row}", f"text {row}", "g", {}, f"f:{row}") for row in range(count)]


@pytest.fixture
def wrong_rows(tmp_path: Path) -> Path:
    """Return rows that no model was trained on, some of them annotated against all sense."""
    path = tmp_path / "new.jsonl"
    turned = {"hawkish": "conciliatory", "conciliatory": "hawkish", "neutral": "neutral"}
    rows = [(group, f"Again: {text}", label, topics) for group, text, label, topics in ROWS]
    rows[:6] = [(group, text, turned[label], []) for group, text, label, _ in rows[:6]]
    write_rows(path, [*rows, ("d", NASTY, "conciliatory", [])])
    return path


def test_bins_hold_every_answer_once_and_give_the_calibration_error() -> None:
    """Ten bins: counts add up, and a model that is right as often as it says has no gap in any."""
    confidence = np.repeat([0.65, 0.95], [20, 20])
    gold = np.eye(3, dtype=np.int64)[np.where(np.arange(40) % 20 < np.repeat([13, 19], 20), 0, 1)]
    rest = (1 - confidence) / 2
    probabilities = np.stack([confidence, rest, rest], axis=1)
    decided = np.eye(3, dtype=bool)[np.zeros(40, dtype=int)]
    bins = calibration_bins(SINGLE, gold, decided, probabilities)
    assert [each.n for each in bins] == [0, 0, 0, 0, 0, 0, 20, 0, 0, 20]
    for each in (bins[6], bins[9]):
        assert each.low <= each.confidence < each.high
        assert each.confidence == pytest.approx(each.right)
    cells = calibration_bins(MULTI, gold, decided, probabilities)
    assert sum(each.n for each in cells) == 120


def test_the_surest_errors_come_first_on_a_single_label_axis() -> None:
    """Only wrong rows, by the probability of the label that was given."""
    probabilities = np.array([[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]])
    gold = np.eye(3, dtype=np.int64)[[0, 1, 0, 1]]
    decided = np.eye(3, dtype=bool)[probabilities.argmax(1)]
    found = worst_errors(SINGLE, examples(4), gold, decided, probabilities, 5)
    assert [(each.id, each.gold, each.given, each.probability) for each in found] == [
        ("r3", ("b",), ("c",), 0.8),
        ("r2", ("a",), ("b",), 0.7),
        ("r1", ("b",), ("a",), 0.6),
    ]
    assert len(worst_errors(SINGLE, examples(4), gold, decided, probabilities, 1)) == 1


def test_a_missed_label_is_as_sure_an_error_as_one_wrongly_given() -> None:
    """On a multi-label axis each wrong row names the label that the model erred on most surely."""
    probabilities = np.array([[0.9, 0.6, 0.1], [0.02, 0.9, 0.4], [0.9, 0.1, 0.1]])
    gold = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0]])
    found = worst_errors(MULTI, examples(3), gold, probabilities >= 0.5, probabilities, 5)
    assert [(each.id, each.label, each.probability) for each in found] == [
        ("r1", "a", 0.02),
        ("r0", "b", 0.6),
    ]


def test_json_tables_and_folder_agree(stance: Stance, models: Path, wrong_rows: Path, tmp_path: Path) -> None:
    """The documented keys are there; a labels folder is measured as its file; tables show the errors."""
    command = ("evaluate", models / "tfidf", "--data")
    value = json.loads(stance(*command, wrong_rows, "--json", "--errors", "2").stdout)
    assert (value["n"], value["groups"], value["trained_on"]) == (25, 4, 0)
    assert {"micro_f1", "macro_f1", "per_label"} <= set(value["topics"])
    for axis, answers in (("framing", 25), ("topics", 75)):
        bins = value[axis]["calibration"]
        assert sum(each["n"] for each in bins) == answers
        gap = sum(each["n"] * abs(each["confidence"] - each["right"]) for each in bins) / answers
        assert value[axis]["ece"] == pytest.approx(gap, abs=1e-5)
        assert len(value[axis]["errors"]) <= 2
    first, second = value["framing"]["errors"]
    assert first["probability"] >= second["probability"]
    assert first["gold"] != first["given"] == [first["label"]]
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(wrong_rows, folder / "new.jsonl")
    (folder / "taxonomy.yaml").write_text(TAXONOMY, encoding="utf-8")
    other = json.loads(stance(*command, folder, "--json", "--errors", "2").stdout)
    assert {**other, "data": "new.jsonl"} == value
    tables = " ".join(stance(*command, wrong_rows).stdout.split())
    for words in (
        "expected calibration error",
        "the surest 70% alone",
        "annotated (rows)",
        "surest errors first",
    ):
        assert words in tables
    assert "surest errors" not in stance(*command, wrong_rows, "--errors", "0").stdout


def test_a_folder_with_another_taxonomy_is_refused(
    stance: Stance, models: Path, wrong_rows: Path, tmp_path: Path
) -> None:
    """Labels that the model does not know cannot be measured, and the page is not begun."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "taxonomy.yaml").write_text(TAXONOMY.replace("space: rockets", "sea: ships"), encoding="utf-8")
    (folder / "r.jsonl").write_text('{"text": "A.", "framing": "neutral", "topics": []}\n', encoding="utf-8")
    command = ("evaluate", models / "tfidf", "--html", "page.html", "--data")
    assert "another taxonomy" in stance(*command, folder, code=2).stderr
    assert not (tmp_path / "page.html").exists()
    assert "name a .html file" in stance(*command[:3], "page.txt", "--data", wrong_rows, code=2).stderr


def figures(tab: Page, axis: str) -> dict[str, str]:
    tiles = tab.locator(f"#{axis} .tiles > div").all()
    return {tile.locator("dt").inner_text(): tile.locator(".big").inner_text() for tile in tiles}


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_shows_the_figures_of_the_json(
    stance: Stance, models: Path, wrong_rows: Path, tmp_path: Path, browser: Browser, width: int
) -> None:
    """It opens from a file, asks for nothing, runs nothing, fits the window, and says what the JSON says."""
    command = ("evaluate", models / "tfidf", "--data", wrong_rows, "--errors", "25")
    done = stance(*command, "--html", "page.html", "--json")
    value: dict[str, Any] = json.loads(done.stdout)
    heard: list[str] = []
    asked: list[str] = []
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.on("console", lambda message: heard.append(message.text))
    tab.on("pageerror", lambda error: heard.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((tmp_path / "page.html").as_uri())
    assert figures(tab, "framing") == {
        "macro-F1": f"{value['framing']['macro_f1']:.2f}",
        "accuracy": f"{value['framing']['accuracy']:.2f}",
        "expected calibration error": f"{value['framing']['ece']:.3f}",
        "Brier score": f"{value['framing']['brier']:.3f}",
    }
    assert figures(tab, "topics")["micro-F1"] == f"{value['topics']['micro_f1']:.2f}"
    labels = value["framing"]["per_label"]
    shown = tab.locator("#framing .labels tbody tr").all()
    names = [str(row.get_attribute("data-label")) for row in shown]
    assert [labels[name]["f1"] for name in names] == sorted(each["f1"] for each in labels.values())
    low, high = labels[names[0]]["f1_interval"]
    assert f"{low:.2f}–{high:.2f}" in shown[0].inner_text()
    cells = [int(text.split()[0]) for text in tab.locator(".confusion tbody td").all_inner_texts()]
    assert cells == [count for row in value["framing"]["confusion"] for count in row]
    counts = tab.locator("#topics .two tbody tr").all_inner_texts()
    assert [int(row.split()[3]) for row in counts] == [each["n"] for each in value["topics"]["calibration"]]
    worst = tab.locator("#framing .errors .text").all_inner_texts()
    assert worst == [each["text"] for each in value["framing"]["errors"]]
    assert NASTY in worst
    assert "What the model is not for" in tab.locator("body").inner_text()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.locator("script, img").count() == 0
    tab.close()
    assert heard == []
    assert asked == [(tmp_path / "page.html").as_uri()]
