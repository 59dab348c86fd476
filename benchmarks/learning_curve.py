"""How scores grow with the number of written sentences, for both families.

    python benchmarks/learning_curve.py --out docs/learning-curve [--dev ../shared/devset/news_dev.jsonl]

The first point is trained on the five articles alone, each article scored by a model of the other four.
All other points are trained on whole written articles drawn at random until the size is reached, with
none of the five articles among them, and scored on all five; so no point has seen what it is scored on.
Calibration is fitted on an eighth of the articles drawn. Finished points are kept in OUT.jsonl: the same
command goes on where it stopped. Writes OUT.jsonl, OUT.md and OUT.png.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.console import Console

from stance import crossval
from stance.config import TrainConfig, load_config
from stance.crossval import Problem
from stance.dataset import LabelledData, load_file, load_folder
from stance.evaluate import Report, report
from stance.progress import TrainingProgress
from stance.split import Fold

ARTICLES_ALONE = 84
SIZES = (ARTICLES_ALONE, 300, 1000, 2000, 0)  # 0 stands for all
METRICS = (("framing", "macro_f1"), ("topics", "micro_f1"))
COLOURS = {"tfidf": "#e07a1f", "transformer": "#2a6f97"}


def drawn(data: LabelledData, size: int, seed: int) -> tuple[int, ...]:
    """Return rows of whole written articles, at least ``size`` of them; all for 0."""
    rows_of: dict[str, list[int]] = {}
    for row, each in enumerate(data.examples):
        if "written" in each.place:
            rows_of.setdefault(each.group, []).append(row)
    groups = sorted(rows_of)
    random.Random(seed).shuffle(groups)
    chosen: list[int] = []
    for group in groups:
        if size and len(chosen) >= size:
            break
        chosen += rows_of[group]
    return tuple(chosen)


def scored(problem: Problem, config: TrainConfig, fold: Fold, other: LabelledData | None) -> dict[str, Any]:
    """Train on a fold's training side; score its test rows and other data."""
    with TrainingProgress(Console(stderr=True), f"{config.family} {len(fold.train)}") as watcher:
        watcher.plan(1)
        started = time.monotonic()
        classifier, calibration = crossval.fit_calibrated(problem, config, fold, watcher)
        seconds = time.monotonic() - started
    found: dict[str, Any] = {"seconds": round(seconds, 1)}
    rows = list(fold.test)
    sets = {"articles": _subset(problem.data, rows)} if rows else {}
    if other:
        sets["dev"] = other
    for name, data in sets.items():
        raw = classifier.predict_proba([each.text for each in data.examples])
        axes = data.taxonomy.axes
        values = {axis: calibration[axis].probabilities(raw[axis], axes[axis]) for axis in axes}
        given = {axis: calibration[axis].decide(values[axis], axes[axis]) for axis in axes}
        result = report(data.taxonomy, crossval.gold_of(data), given, values, data.groups)
        found[name] = _figures(result)
    return found


def _subset(data: LabelledData, rows: list[int]) -> LabelledData:
    examples = tuple(data.examples[row] for row in rows)
    return LabelledData(data.name, data.taxonomy, examples, data.axes, {})


def _figures(result: Report) -> dict[str, Any]:
    value = result.as_json()
    return {
        f"{axis}/{metric}": [value[axis][metric], *value[axis][f"{metric}_interval"]]
        for axis, metric in METRICS
    }


def leave_one_out(problem: Problem, config: TrainConfig) -> dict[str, Any]:
    """Score the five articles, each by a model trained on the other four."""
    with TrainingProgress(Console(stderr=True), f"{config.family} articles alone") as watcher:
        folds = crossval.outer_folds(problem, config)
        watcher.plan(len(folds) * crossval.fits_a_fold(config))
        outcomes = [crossval.run_fold(problem, config, fold, watcher) for fold in folds]
    result = crossval.score(problem, crossval.out_of_fold(problem, outcomes))
    return {"articles": _figures(result)}


def point(labels: Path, family: str, size: int, other: LabelledData | None) -> dict[str, Any]:
    """Train and score one point of the curve."""
    config = load_config(
        Path(f"configs/{family}.yaml"), ["inner_folds=1", "scored_folds=null"], labels=labels
    )
    if size == ARTICLES_ALONE:
        alone = Problem.of(load_folder(labels, ["articles.jsonl"]))
        found = leave_one_out(alone, config)
        if other:
            everything = Fold("dev", tuple(range(len(alone.groups))), ())
            found["dev"] = scored(alone, config, everything, other)["dev"]
        return {"family": family, "sentences": len(alone.groups), **found}
    problem = Problem.of(load_folder(labels))
    train = drawn(problem.data, size, config.seed)
    test = tuple(row for row, each in enumerate(problem.data.examples) if "articles.jsonl" in each.place)
    return {
        "family": family,
        "sentences": len(train),
        **scored(problem, config, Fold("articles", train, test), other),
    }


def table(points: list[dict[str, Any]]) -> str:
    """Return the points as Markdown."""
    lines = [
        "| family | sentences | tested on | framing macro-F1 | topics micro-F1 |",
        "|---|---|---|---|---|",
    ]
    for each in points:
        for name in ("articles", "dev"):
            if name in each:
                cells = (f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in each[name].values())
                tested = "the five articles" if name == "articles" else "development set"
                lines.append(f"| {each['family']} | {each['sentences']} | {tested} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot(points: list[dict[str, Any]], path: Path) -> None:
    """Draw one panel a metric, a line a family and test set, bars for 95% intervals."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    for panel, (axis, metric) in zip(figure.subplots(1, 2), METRICS, strict=True):
        for family, colour in COLOURS.items():
            for name, style in (("articles", "-"), ("dev", "--")):
                mine = [each for each in points if each["family"] == family and name in each]
                if not mine:
                    continue
                x = [each["sentences"] for each in mine]
                y, low, high = zip(*(each[name][f"{axis}/{metric}"] for each in mine), strict=True)
                tested = "five articles" if name == "articles" else "development set"
                panel.plot(x, y, style, color=colour, marker="o", label=f"{family}, {tested}")
                panel.fill_between(x, low, high, color=colour, alpha=0.08, linewidth=0)
        panel.set_xscale("log")
        panel.set_xticks([84, 300, 1000, 2000, 9500], ["84", "300", "1,000", "2,000", "9,500"])
        panel.minorticks_off()
        panel.set_ylim(0, 1)
        panel.set_xlabel("training sentences")
        panel.set_title(f"{axis} {metric.replace('_', '-').replace('f1', 'F1')}", loc="left")
        panel.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Compute what is missing, then write table and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labels", type=Path, default=Path("labels/news"))
    parser.add_argument("--out", type=Path, default=Path("docs/learning-curve"))
    parser.add_argument("--dev", type=Path, help="further labelled rows to score on, never trained on")
    arguments = parser.parse_args()

    store = arguments.out.with_suffix(".jsonl")
    done = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    taxonomy = load_folder(arguments.labels).taxonomy
    other = load_file(arguments.dev, taxonomy) if arguments.dev else None
    for family in COLOURS:
        for size in SIZES:
            if not any((each["family"], each["size"]) == (family, size) for each in done):
                done.append({"size": size, **point(arguments.labels, family, size, other)})
                store.write_text("".join(json.dumps(each) + "\n" for each in done))
    arguments.out.with_suffix(".md").write_text(table(done))
    plot(done, arguments.out.with_suffix(".png"))
    print(table(done))


if __name__ == "__main__":
    main()
