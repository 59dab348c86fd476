"""Which ways of fine-tuning help: each idea alone, and the good ones together, over several seeds.

    python -m benchmarks.recipes [--seeds 5] [--out docs/recipes] [--workers 2] [--shared ../shared]

Every recipe of ``RECIPES`` is trained on the written articles of four folds of five, and scored on those
of the fifth and on the five articles, none of which it saw; then, as another task, on the published splits
of FOMC, and on real news. Choose by the first two pairs of columns: the development set stands last because
it is looked at last. A GPU is used where there is one, by as many processes as ``--workers`` says. Finished
runs are kept in OUT.jsonl: the same command goes on where it stopped. With ``--keep FOLDER``, every run's
probabilities are kept too, to see what several would say together. Writes OUT.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.recipes.runs import RECIPES, run

COLUMNS = (
    ("written", "framing/macro_f1", "held out, framing"),
    ("written", "topics/micro_f1", "held out, topics"),
    ("articles", "framing/macro_f1", "five articles, framing"),
    ("articles", "topics/micro_f1", "five articles, topics"),
    ("fomc", "framing/weighted_f1", "FOMC"),
    ("dev", "framing/macro_f1", "real news, framing"),
    ("dev", "topics/micro_f1", "real news, topics"),
)


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
    parser.add_argument("--workers", type=int, default=2, help="processes that train side by side")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="FOMC and the development set")
    parser.add_argument("--keep", type=Path, help="a folder for the probabilities of every run")
    parser.add_argument("--only", nargs="*", help="these recipes")
    given = parser.parse_args()
    store = given.out.with_suffix(".jsonl")
    done = {(row["recipe"], row["task"], row["seed"]) for row in _read(store)}
    todo = [
        (*each, given.shared, given.keep)
        for each in plan(given.seeds)
        if each not in done and (not given.only or each[0] in given.only)
    ]
    with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
        for row in pool.imap_unordered(run, todo):
            with store.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(row) + "\n")
            print(row["recipe"], row["task"], row["seed"], row["seconds"], "s", flush=True)
    given.out.with_suffix(".md").write_text(table(_read(store)))


def _read(store: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []


if __name__ == "__main__":
    main()
