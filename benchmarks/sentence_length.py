"""Print the mean number of words a sentence, by where the sentences come from, for the data card.

python benchmarks/sentence_length.py labels/news [../shared/devset/news_dev.jsonl]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

from stance.dataset import load_file, load_folder
from stance.records import Example

# Articles of the third round are told from those of the first two by their ids.
THIRD_ROUND = "long"


def sources(folder: Path, others: Sequence[Path]) -> Iterator[tuple[str, Sequence[Example]]]:
    """Yield the name of every source and its sentences."""
    articles = load_folder(folder, ["articles.jsonl"])
    yield "the five articles", articles.examples
    written = load_folder(folder, ["written.jsonl"]).examples
    yield "written, first two rounds", [each for each in written if not each.group.startswith(THIRD_ROUND)]
    yield "written, third round", [each for each in written if each.group.startswith(THIRD_ROUND)]
    for path in others:
        yield path.name, load_file(path, articles.taxonomy).examples


def main(folder: Path, others: Sequence[Path]) -> None:
    """Print one Markdown row a source."""
    print("| source | sentences | words a sentence |\n|---|---|---|")
    for name, examples in sources(folder, others):
        words = mean(len(each.text.split()) for each in examples)
        print(f"| {name} | {len(examples):,} | {words:.1f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
