"""Another label set with no code: monetary policy, where hawkish means something else.

    python benchmarks/fomc.py --data ../shared/benchmarks/fomc [--out docs/fomc]

Makes a labels folder of each of the three published splits of Shah, Paturi and Chava, "Trillion Dollar
Words", ACL 2023, trains both families on its training side by the default configs, and scores the test
side. Weighted F1 as in the paper, beside the authors' own figures. Finished splits are kept in OUT.jsonl:
the same command goes on where it stopped. Writes OUT.md. The sentences are not ours and are not shipped.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

import yaml
from rich.console import Console

from stance.config import load_config
from stance.counts import Counts
from stance.crossval import gold_of
from stance.dataset import load_file
from stance.intervals import score_interval, units
from stance.progress import TrainingProgress
from stance.tagger import Tagger
from stance.taxonomy import FloatArray
from stance.train import NoTracker, run

SPLITS = ("5768", "78516", "944601")
FAMILIES = ("tfidf", "transformer")
# Means of the three splits, from the authors' result files.
PUBLISHED = {
    "majority": 0.314,
    "rules": 0.497,
    "LSTM": 0.492,
    "BiLSTM": 0.539,
    "ChatGPT, zero-shot": 0.587,
    "BERT-base, 110M parameters": 0.631,
    "FinBERT, 110M": 0.633,
    "RoBERTa-base, 125M": 0.676,
    "RoBERTa-large, 355M": 0.717,
}
TAXONOMY = {
    "name": "fomc",
    "axes": {
        "framing": {
            "kind": "single",
            "description": "Where the sentence sees monetary policy or the economy heading",
            "labels": {
                "dovish": "easing, or weakness that calls for it",
                "hawkish": "tightening, or strength and inflation that call for it",
                "neutral": "neither, or both in balance",
            },
            "index": {"dovish": -1, "hawkish": 1},
        }
    },
}


def labels_folder(data: Path, split: str, folder: Path) -> Path:
    """Write a labels folder of a split's training side."""
    folder.mkdir()
    (folder / "taxonomy.yaml").write_text(yaml.safe_dump(TAXONOMY, sort_keys=False), encoding="utf-8")
    rows = [json.loads(line) for line in (data / f"train-{split}.jsonl").read_text().splitlines()]
    kept = {row["text"]: row for row in rows}
    lines = [
        json.dumps({"id": f"{split}:{number}", "text": row["text"], "framing": row["framing"]})
        for number, row in enumerate(kept.values())
    ]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def scored(data: Path, split: str, family: str, overrides: list[str]) -> dict[str, Any]:
    """Train a family on one split and score its test side."""
    with tempfile.TemporaryDirectory() as name:
        folder = labels_folder(data, split, Path(name) / "fomc")
        config = load_config(Path(f"configs/{family}.yaml"), overrides, labels=folder)
        started = time.monotonic()
        with TrainingProgress(Console(stderr=True), f"{family} {split}") as watcher:
            result, _ = run(config, Path(name), NoTracker(), watcher)
        seconds = time.monotonic() - started
        tagger = Tagger.load(result.folder)
    test = load_file(data / f"test-{split}.jsonl", tagger.taxonomy)
    gold = gold_of(test)["framing"]
    _, decided = tagger.predict([each.text for each in test.examples])
    counts = Counts.of(gold, decided["framing"], *units(test.groups))
    point = weighted_f1(counts.total())
    low, high = score_interval(float(point[0]), weighted_f1(counts.left_out()), len(counts.rows))
    return {
        "family": family,
        "split": split,
        "weighted_f1": round(float(point[0]), 4),
        "interval": [round(low, 4), round(high, 4)],
        "seconds": round(seconds, 1),
    }


def weighted_f1(counts: Counts) -> FloatArray:
    """Return F1 weighted by how often each label is true, one value a case."""
    weighted: FloatArray = (counts.scores()["f1"] * counts.true).sum(1) / counts.true.sum(1)
    return weighted


def table(rows: list[dict[str, Any]]) -> str:
    """Return the scores as Markdown, best first."""
    lines = ["| model | weighted F1, mean | " + " | ".join(SPLITS) + " |", "|---|---|---|---|---|"]
    entries: list[tuple[float, str, list[str]]] = [
        (value, f"{name} (published)", ["", "", ""]) for name, value in PUBLISHED.items()
    ]
    for family in FAMILIES:
        mine = {row["split"]: row for row in rows if row["family"] == family}
        if set(mine) == set(SPLITS):
            cells = [
                f"{mine[split]['weighted_f1']:.3f} [{mine[split]['interval'][0]:.3f}, "
                f"{mine[split]['interval'][1]:.3f}]"
                for split in SPLITS
            ]
            value = mean(row["weighted_f1"] for row in mine.values())
            entries.append((value, f"**stance {family}**", cells))
    for value, name, cells in sorted(entries, reverse=True):
        lines.append(f"| {name} | {value:.3f} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compute what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/benchmarks/fomc"))
    parser.add_argument("--out", type=Path, default=Path("docs/fomc"))
    parser.add_argument("--family", choices=FAMILIES, action="append")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    store = arguments.out.with_suffix(".jsonl")
    rows = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    for family in arguments.family or FAMILIES:
        for split in SPLITS:
            if not any((row["family"], row["split"]) == (family, split) for row in rows):
                rows.append(scored(arguments.data, split, family, arguments.overrides))
                store.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments.out.with_suffix(".md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
