"""What recipes are trained on and measured on."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from benchmarks.recipes.fit import Rows
from sklearn.metrics import f1_score

from stance import crossval
from stance.calibrate import IntArray, fit
from stance.dataset import LabelledData, load_file, load_folder
from stance.split import grouped_folds, joined_groups
from stance.taxonomy import Axis, FloatArray, Taxonomy

LABELS = Path("labels/news")
FOMC = ("5768", "78516", "944601")
_SEED = 13


@dataclass(frozen=True, slots=True)
class Test:
    """Sentences to measure on, with gold labels (rows, labels) an axis."""

    texts: Sequence[str]
    gold: Mapping[str, IntArray]
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class Task:
    """Rows to train on, rows to calibrate on, and rows to test on."""

    taxonomy: Taxonomy
    train: Rows
    tune: Test
    tests: Mapping[str, Test]


def news(shared: Path) -> Task:
    """Return written articles to learn from, and others, the five articles and real news to test on."""
    data = load_folder(LABELS)
    groups = joined_groups(data.groups, [each.text for each in data.examples])
    held_out = set(grouped_folds(groups, 5, _SEED)[0].test)
    five = {row for row, each in enumerate(data.examples) if "articles.jsonl" in each.place}
    rest = [row for row in range(len(groups)) if row not in held_out and row not in five]
    names = sorted({groups[row] for row in rest})
    random.Random(_SEED).shuffle(names)
    tuning = set(names[: len(names) // 8])
    tests = {"written": _test(data, sorted(held_out - five)), "articles": _test(data, sorted(five))}
    dev = shared / "devset/news_dev.jsonl"
    if dev.exists():
        other = load_file(dev, data.taxonomy)
        tests["dev"] = _test(other, list(range(len(other.examples))))
    return Task(
        data.taxonomy,
        _rows(data, [row for row in rest if groups[row] not in tuning]),
        _test(data, [row for row in rest if groups[row] in tuning]),
        tests,
    )


def fomc(shared: Path, split: str) -> Task:
    """Sentences of monetary policy: another meaning of hawkish."""
    labels = {"dovish": "easing", "hawkish": "tightening", "neutral": "neither"}
    axis = Axis(kind="single", description="Monetary policy", labels=labels)
    taxonomy = Taxonomy(name="fomc", axes={"framing": axis})
    sides = {}
    for side in ("train", "test"):
        lines = (shared / f"benchmarks/fomc/{side}-{split}.jsonl").read_text().splitlines()
        sides[side] = [json.loads(line) for line in lines]
    names = list(labels)
    gold = {
        side: np.eye(3, dtype=np.int64)[[names.index(row["framing"]) for row in rows]]
        for side, rows in sides.items()
    }
    texts = {side: [row["text"] for row in rows] for side, rows in sides.items()}
    table = [torch.from_numpy(gold["train"]).float()]
    groups = [str(number) for number in range(len(texts["train"]))]
    test = Test(texts["test"], {"framing": gold["test"]}, [str(n) for n in range(len(texts["test"]))])
    return Task(taxonomy, Rows(texts["train"], table, table, groups), test, {"fomc": test})


def _test(data: LabelledData, rows: Sequence[int]) -> Test:
    gold = crossval.gold_of(data)
    examples = [data.examples[row] for row in rows]
    return Test(
        [each.text for each in examples],
        {name: table[list(rows)] for name, table in gold.items()},
        [each.group for each in examples],
    )


def _rows(data: LabelledData, rows: Sequence[int]) -> Rows:
    test = _test(data, rows)
    votes = []
    for name, axis in data.taxonomy.axes.items():
        notes = [axis.encode(note[name] for note in data.annotations[data.examples[row].id]) for row in rows]
        means = [
            note.mean(0) if len(note) else table for note, table in zip(notes, test.gold[name], strict=True)
        ]
        votes.append(torch.from_numpy(np.stack(means)).float())
    hard = [torch.from_numpy(table).float() for table in test.gold.values()]
    return Rows(test.texts, hard, votes, test.groups)


def scores(
    taxonomy: Taxonomy,
    tune: tuple[Mapping[str, FloatArray], Mapping[str, IntArray]],
    raw: Mapping[str, FloatArray],
    test: Test,
) -> dict[str, float]:
    """Calibrate on the tuning rows and score the test rows, in per cent."""
    calibration = fit(*tune, taxonomy)
    axes = taxonomy.axes
    values = {name: calibration[name].probabilities(raw[name], axes[name]) for name in axes}
    given = {name: calibration[name].decide(values[name], axes[name]) for name in axes}
    kept = {}
    for name, axis in axes.items():
        gold = test.gold[name]
        if axis.single:
            gold, mine = gold.argmax(1), given[name].argmax(1)
            kept[f"{name}/macro_f1"] = f1_score(gold, mine, average="macro", zero_division=0)
            kept[f"{name}/weighted_f1"] = f1_score(gold, mine, average="weighted", zero_division=0)
        else:
            kept[f"{name}/micro_f1"] = f1_score(gold, given[name], average="micro", zero_division=0)
    kept = {name: round(100 * value, 2) for name, value in kept.items()}
    kept["framing/loss"] = round(
        float(-np.log(np.clip(values["framing"][test.gold["framing"] == 1], 1e-7, 1)).mean()), 4
    )
    return kept
