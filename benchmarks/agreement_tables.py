"""Print the agreement tables of a labels folder's data card.

python benchmarks/agreement_tables.py labels/news
"""

from __future__ import annotations

import sys
from pathlib import Path

from stance.agreement import by_axis, by_label, pair_f1, pairs
from stance.dataset import load_folder


def main(folder: Path) -> None:
    """Print one Markdown table a file, and the pairs' F1."""
    for path in sorted(folder.glob("*.jsonl")):
        if path.name.endswith(".meta.jsonl"):
            continue
        data = load_folder(folder, [path.name])
        found = pairs(data)
        ways = [None, *(found if len(found) > 1 else ())]
        head = (
            ["all", *(f"{one + 1} and {other + 1}" for one, other in found)] if len(found) > 1 else ["alpha"]
        )
        print(f"### Agreement: {path.name}\n\n| label | {' | '.join(head)} |\n|---|{'---|' * len(head)}")
        for axis in data.axes:
            values = [by_axis(data, way)[axis] for way in ways]
            print(f"| {axis} | {' | '.join(f'{value:.3f}' for value in values)} |")
            for label in data.taxonomy.axes[axis].names:
                values = [by_label(data, way)[axis][label] for way in ways]
                print(f"| {label} | {' | '.join(f'{value:.3f}' for value in values)} |")
        print()
        for one, other in found:
            scores = ", ".join(f"{axis} {value:.3f}" for axis, value in pair_f1(data, (one, other)).items())
            print(f"- F1 between {one + 1} and {other + 1}: {scores}")
        print()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
