from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conftest import ROOT, TAXONOMY
from stance.agreement import alpha, by_axis, by_label, confusions, pair_f1, pairs
from stance.dataset import LabelledData, load_folder


def test_alpha_agrees_with_the_published_example() -> None:
    """The nominal example of three coders and gaps in the literature gives 0.691."""
    coders = ["*****3412113 3*3".replace(" ", ""), "1*213343*******", "**21344*21 133*4".replace(" ", "")]
    units = [[row[at] for row in coders if row[at] != "*"] for at in range(15)]
    assert alpha(units) == pytest.approx(0.691, abs=0.0005)


def test_alpha_of_full_and_of_no_agreement() -> None:
    """Full agreement is 1, systematic disagreement below chance."""
    assert alpha([["a", "a"], ["b", "b"]]) == 1
    assert alpha([["a", "b"], ["b", "a"]]) < 0
    assert alpha([["a", "a"], ["a"]]) == 1


def annotated(tmp_path: Path, notes: list[list[tuple[str, list[str]]]]) -> LabelledData:
    (tmp_path / "taxonomy.yaml").write_text(TAXONOMY, encoding="utf-8")
    rows = [
        {
            "text": f"Sentence {number}.",
            "framing": "neutral",
            "topics": [],
            "annotations": [{"framing": framing, "topics": topics} for framing, topics in each],
        }
        for number, each in enumerate(notes)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return load_folder(tmp_path)


def test_pairs_are_compared_apart(tmp_path: Path) -> None:
    """With three annotators each pair has its own figures, and confusions count every pair."""
    data = annotated(
        tmp_path,
        [
            [("hawkish", ["tariffs"]), ("hawkish", ["tariffs"]), ("neutral", [])],
            [("neutral", []), ("neutral", []), ("neutral", ["space"])],
            [("conciliatory", ["space"]), ("conciliatory", ["space"]), ("conciliatory", ["space"])],
            [("neutral", []), ("neutral", [])],
        ],
    )
    assert pairs(data) == [(0, 1), (0, 2), (1, 2)]
    assert by_axis(data, (0, 1))["framing"] == 1
    assert by_axis(data, (0, 2))["framing"] < 1
    assert pair_f1(data, (0, 1))["topics"] == 1
    assert pair_f1(data, (0, 2))["topics"] == pytest.approx(0.5)
    assert confusions(data)["framing"] == {("hawkish", "neutral"): 2}


@pytest.mark.parametrize("name", ["articles", "written"])
def test_the_data_card_states_the_agreement_of_the_rows(name: str) -> None:
    """The alphas in the news data card are the ones that the annotations give."""
    folder = ROOT / "labels" / "news"
    data = load_folder(folder, [f"{name}.jsonl"])
    card = (folder / "README.md").read_text(encoding="utf-8").split(f"### Agreement: {name}.jsonl")[1]
    card = card.split("\n#")[0]
    stated = dict(re.findall(r"^\| (\w+) \|((?: [\d.]+ \|)+)$", card, re.MULTILINE))
    ways: list[tuple[int, int] | None] = [None, *(pairs(data) if name == "written" else ())]
    for axis in data.axes:
        for label in (axis, *data.taxonomy.axes[axis].names):
            values = [
                by_axis(data, way)[axis] if label == axis else by_label(data, way)[axis][label]
                for way in ways
            ]
            shown = re.findall(r"[\d.]+", stated[label])
            assert [float(each) for each in shown] == pytest.approx(values, abs=0.00051), label
