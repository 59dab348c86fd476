"""Fill the tables of README.md and docs/results.md from trained models and from the other benchmarks.

    python benchmarks/results.py [--models models] [--dev ../shared/devset/news_dev.jsonl]

A table stands between ``<!-- results: NAME -->`` and ``<!-- end -->``. Trains nothing: run `stance train`
and the benchmarks first. Without ``--dev`` the tables that need real news are left as they are.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from stance.comparison import compare_models
from stance.dataset import load_file
from stance.scoring import score_model
from stance.tagger import Tagger

FAMILIES = ("tfidf", "transformer")
PAGES = (Path("README.md"), Path("docs/results.md"))
METRICS = (("framing", "macro_f1", "framing macro-F1"), ("topics", "micro_f1", "topics micro-F1"))
_BLOCK = re.compile(r"(<!-- results: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
Scores = dict[str, dict[str, Any]]


def held_out(models: Path) -> Scores:
    """Return family to its cross-validated scores."""
    return {name: dict(Tagger.load(models / name).manifest["scores"]) for name in FAMILIES}


def on_file(models: Path, path: Path) -> Scores:
    """Return family to its scores on labelled rows."""
    found = {}
    for name in FAMILIES:
        tagger = Tagger.load(models / name)
        found[name] = score_model(tagger, load_file(path, tagger.taxonomy)).as_json()
    return found


def alone(curve: Path) -> Scores:
    """Return family to its scores on the five articles alone, from the learning curve."""
    points = [json.loads(line) for line in curve.read_text().splitlines()]
    found: Scores = {}
    for point in points:
        if point["size"] == 84:
            value: dict[str, Any] = {}
            for key, (score, low, high) in point["articles"].items():
                axis, metric = key.split("/")
                value[axis] = {metric: score, f"{metric}_interval": [low, high]}
            found[point["family"]] = value
    return found


def score_table(sources: dict[str, Scores]) -> str:
    """Return headline scores with intervals, a test set a line."""
    lines = ["| measured on | score | tfidf | transformer |", "|---|---|---|---|"]
    for title, scores in sources.items():
        for number, (axis, metric, name) in enumerate(METRICS):
            cells = [_interval(scores[family][axis], metric) for family in FAMILIES]
            lines.append(f"| {title if not number else ''} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _interval(axis: dict[str, Any], metric: str) -> str:
    low, high = axis[f"{metric}_interval"]
    return f"{axis[metric]:.2f} [{low:.2f}, {high:.2f}]"


def label_table(sources: dict[str, Scores]) -> str:
    """Return every label's F1, the transformer's weakest first, an axis after the other."""
    columns = [f"{family}, {title}" for title in sources for family in FAMILIES]
    lines = ["| label | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    first = next(iter(sources.values()))["transformer"]
    for axis in ("framing", "topics"):
        labels = first[axis]["per_label"]
        for label in sorted(labels, key=lambda each, labels=labels: labels[each]["f1"]):  # type: ignore[misc]
            cells = []
            for scores in sources.values():
                for family in FAMILIES:
                    each = scores[family][axis]["per_label"][label]
                    cells.append(f"{each['f1']:.2f} ({each['support']})")
            lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def confidence_table(sources: dict[str, Scores]) -> str:
    """Return how well stated probabilities hold, and what leaving unsure sentences out gains."""
    lines = [
        "| measured on | family | calibration error | Brier score | macro-F1 of all | of the surest 70% | "
        "of the surest 50% |",
        "|---|---|---|---|---|---|---|",
    ]
    for title, scores in sources.items():
        for family in FAMILIES:
            axis = scores[family]["framing"]
            kept = {each["share"]: each["macro_f1"] for each in axis["coverage"]}
            lines.append(
                f"| {title} | {family} | {axis['ece']:.3f} | {axis['brier']:.3f} | {kept[1.0]:.3f} | "
                f"{kept[0.7]:.3f} | {kept[0.5]:.3f} |"
            )
    return "\n".join(lines) + "\n"


def verdicts(models: Path, dev: Path | None) -> str:
    """Return what `stance compare` says of the two families."""
    folders = [models / name for name in FAMILIES]
    lines = []
    for title, data in (("held-out articles", None), ("real news", dev)):
        if data is not None or title == "held-out articles":
            (found,) = compare_models(folders, data)
            lines.append(f"- {title}, {found.rows:,} sentences: {found.verdict}")
    return "\n".join(lines) + "\n"


def filled(text: str, blocks: dict[str, str]) -> str:
    """Return a page with its marked tables replaced; a block that was not made stays."""

    def put(match: re.Match[str]) -> str:
        return match[1] + blocks[match[2]] + match[3] if match[2] in blocks else match[0]

    return _BLOCK.sub(put, text)


def main() -> None:
    """Make all tables, then write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--dev", type=Path)
    arguments = parser.parse_args()
    out = held_out(arguments.models)
    count = out["tfidf"]
    title = (
        f"held-out articles of the shipped labels ({count['n']:,} sentences of {count['groups']} articles)"
    )
    blocks: dict[str, str] = {}
    for name in ("learning-curve", "small-data", "fomc", "peers", "recipes", "tfidf-features", "intervals"):
        path = Path(f"docs/{name}.md")
        if path.exists():
            blocks[name] = path.read_text()
    if arguments.dev:
        dev = on_file(arguments.models, arguments.dev)
        news = f"real news, development set ({dev['tfidf']['n']} sentences)"
        five = "the five articles alone (84 sentences), leaving one article out"
        sources = {title: out, news: dev, five: alone(Path("docs/learning-curve.jsonl"))}
        blocks["scores"] = score_table(sources)
        blocks["labels"] = label_table({"held out": out, "real news": dev})
        blocks["confidence"] = confidence_table({"held-out articles": out, "real news": dev})
        blocks["verdict"] = verdicts(arguments.models, arguments.dev)
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
