"""Which ways of fine-tuning help: each idea alone, and the good ones together, over several seeds.

    python -m benchmarks.recipes [--seeds 5] [--out docs/recipes] [--part 1/2]

Every recipe of ``RECIPES`` is trained on whole written articles (``ROWS`` sentences of them), and scored on
held-out written articles and on the five articles, none of which it saw; then, as another task, on the
published splits of FOMC, and on real news. Choose by the first two columns: the development set stands
last because it is looked at last. Rows under ``mixed`` need no training of their own: they average the
probabilities of trained recipes. Finished runs are kept in OUT.jsonl: the same command goes on where it
stopped, and two processes with ``--part 1/2`` and ``--part 2/2`` share the work. Writes OUT.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from benchmarks.recipes import tasks
from benchmarks.recipes.fit import fit, predict
from benchmarks.recipes.ideas import Recipe

ROWS = 1500
PLAIN = Recipe(epochs=4, frozen=2)
RECIPES: dict[str, Recipe] = {
    "plain": PLAIN,
    "nothing frozen": replace(PLAIN, frozen=-1),
    "four layers frozen": replace(PLAIN, frozen=4),
    "no dropout": replace(PLAIN, dropout=0.0),
    "CLS pooling": replace(PLAIN, pooling="cls"),
    "attention pooling": replace(PLAIN, pooling="attention"),
    "max pooling": replace(PLAIN, pooling="max"),
    "layer-wise decay 0.8": replace(PLAIN, layer_decay=0.8),
    "twice the epochs": replace(PLAIN, epochs=8),
    "half the rate, twice the epochs": replace(PLAIN, epochs=8, lr=1e-4),
    "top layer afresh": replace(PLAIN, reinitialised=1),
    "label smoothing 0.1": replace(PLAIN, smoothing=0.1),
    "no class balance": replace(PLAIN, balance=0.0),
    "full class balance": replace(PLAIN, balance=1.0),
    "annotators' votes": replace(PLAIN, votes=True),
    "R-Drop": replace(PLAIN, rdrop=1.0),
    "adversarial": replace(PLAIN, frozen=-1, adversarial=0.5),
    "weight averaging": replace(PLAIN, average=True),
    "topics weigh 2": replace(PLAIN, topics_weight=2.0),
    "topics weigh 4": replace(PLAIN, topics_weight=4.0),
    "masked language first": replace(PLAIN, frozen=-1, mlm=2),
    "contrastive first": replace(PLAIN, frozen=-1, contrastive=1),
    "label descriptions": replace(PLAIN, descriptions=True),
    "disputed rows last": replace(PLAIN, curriculum=True),
    "taught by 3 others": replace(PLAIN, teachers=3),
}
COLUMNS = (
    ("written", "framing/macro_f1", "held out, framing"),
    ("written", "topics/micro_f1", "held out, topics"),
    ("articles", "framing/macro_f1", "five articles, framing"),
    ("articles", "topics/micro_f1", "five articles, topics"),
    ("fomc", "framing/weighted_f1", "FOMC"),
    ("dev", "framing/macro_f1", "real news, framing"),
    ("dev", "topics/micro_f1", "real news, topics"),
)


def trained(name: str, recipe: Recipe, task: tasks.Task, seed: int) -> dict[str, Any]:
    """Train a recipe once and score it on all tests of a task."""
    started = time.monotonic()
    network = fit(task.taxonomy, task.train, recipe, seed)
    seconds = time.monotonic() - started
    tune = predict(network, task.taxonomy, task.tune.texts), task.tune.gold
    scores = {
        where: tasks.scores(task.taxonomy, tune, predict(network, task.taxonomy, test.texts), test)
        for where, test in task.tests.items()
    }
    return {"recipe": name, "seed": seed, "seconds": round(seconds, 1), "scores": scores}


def plan(seeds: int) -> list[tuple[str, str, int]]:
    """Return recipe, task and seed of every run; the first seed of everything comes first."""
    return [
        (name, task, seed) for seed in range(1, seeds + 1) for name in RECIPES for task in ("news", "fomc")
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """Return mean and spread over seeds as Markdown, a recipe a line."""
    lines = [
        "| recipe | seeds | " + " | ".join(title for _, _, title in COLUMNS) + " | seconds |",
        "|---|---|" + "---|" * len(COLUMNS) + "---|",
    ]
    for name in RECIPES:
        mine = [row for row in rows if row["recipe"] == name]
        if mine:
            news = [row for row in mine if "written" in row["scores"]]
            cells = [_cell(mine, where, metric) for where, metric, _ in COLUMNS]
            seconds = f"{mean(row['seconds'] for row in news):.0f}" if news else ""
            lines.append(f"| {name} | {len(news)} | {' | '.join(cells)} | {seconds} |")
    return "\n".join(lines) + "\n"


def _cell(rows: list[dict[str, Any]], where: str, metric: str) -> str:
    values = [row["scores"][where][metric] for row in rows if where in row["scores"]]
    if not values:
        return ""
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


def main() -> None:
    """Compute what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/recipes"))
    parser.add_argument("--part", default="1/1", help="which share of the runs this process takes")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    store = arguments.out.with_suffix(".jsonl")
    part, parts = (int(word) for word in arguments.part.split("/"))
    ready: dict[str, tasks.Task] = {}
    for number, (name, task, seed) in enumerate(plan(arguments.seeds)):
        if number % parts != part - 1 or _finished(store, name, task, seed):
            continue
        key = task if task == "news" else f"fomc-{tasks.FOMC[seed % len(tasks.FOMC)]}"
        if key not in ready:
            ready[key] = tasks.news(ROWS) if task == "news" else tasks.fomc(key.removeprefix("fomc-"))
        row = {"task": task, **trained(name, RECIPES[name], ready[key], seed)}
        with store.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")
        print(name, key, seed, row["seconds"], "s", flush=True)
    arguments.out.with_suffix(".md").write_text(table(_read(store)))


def _read(store: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []


def _finished(store: Path, name: str, task: str, seed: int) -> bool:
    wanted: Mapping[str, Any] = {"recipe": name, "task": task, "seed": seed}
    return any(all(row[key] == value for key, value in wanted.items()) for row in _read(store))


if __name__ == "__main__":
    main()
