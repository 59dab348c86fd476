"""Score a further reader's labels of some rows against the labels that stand.

    python benchmarks/reader_check.py labels/news labels/news/checks/random-200.jsonl

Each line of the second file holds the id of a row and the reader's label on every axis.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stance.dataset import load_folder
from stance.evaluate import report


def main(folder: Path, path: Path) -> None:
    """Print F1 of the reader against the labels, with 95% intervals, and how many rows differ."""
    data = load_folder(folder)
    examples = {example.id: example for example in data.examples}
    notes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [examples[note["id"]] for note in notes]
    gold, given = {}, {}
    for name, axis in data.taxonomy.axes.items():
        gold[name] = axis.encode(row.labels[name] for row in rows)
        given[name] = axis.encode([note[name]] if axis.single else note[name] for note in notes).astype(bool)
    certain = {name: table.astype(float) for name, table in given.items()}
    result = report(data.taxonomy, gold, given, certain, [row.group for row in rows])
    for name, each in result.axes.items():
        metric = "macro_f1" if each.kind == "single" else "micro_f1"
        low, high = each.intervals[metric]
        differ = int((gold[name] != given[name]).any(axis=1).sum())
        score = f"{each.scores[metric]:.3f} [{low:.3f}, {high:.3f}]"
        print(f"{name} {metric} {score}, {differ} of {len(rows)} rows differ")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
