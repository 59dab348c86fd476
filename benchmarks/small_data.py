"""How many steps the transformer needs where labels are few: scores by training rows and ``min_steps``.

    python benchmarks/small_data.py [--workers 2] [--out docs/small-data]

Trains on whole articles drawn at random from four folds of five, by the default config but for
``min_steps``, with one inner split to calibrate on as ever, and scores the articles of the fifth fold.
Finished runs are kept in OUT.jsonl: the same command goes on where it stopped. Writes OUT.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from rich.console import Console

from stance import crossval
from stance.config import load_config
from stance.crossval import Problem
from stance.dataset import load_folder
from stance.progress import TrainingProgress
from stance.split import Fold

LABELS = Path("labels/news")
# Training rows to the least numbers of steps that are tried with them.
PLAN = {100: (0, 100, 200, 400), 300: (0, 100, 200, 400, 800), 1000: (0, 400)}
METRICS = (("framing", "macro_f1"), ("topics", "micro_f1"))


def drawn(problem: Problem, fold: Fold, rows: int, seed: int) -> Fold:
    """Return a fold that trains on whole articles of another's training side, at least so many rows."""
    groups = sorted({problem.groups[row] for row in fold.train})
    random.Random(seed).shuffle(groups)
    chosen: list[int] = []
    for group in groups:
        if len(chosen) >= rows:
            break
        chosen += [row for row in fold.train if problem.groups[row] == group]
    return Fold(fold.name, tuple(sorted(chosen)), fold.test)


def run(work: tuple[int, int, int]) -> dict[str, Any]:
    """Train and score once, on one core."""
    rows, steps, seed = work
    torch.set_num_threads(1)
    config = load_config(
        Path("configs/transformer.yaml"), [f"params.min_steps={steps}", f"seed={seed}"], labels=LABELS
    )
    problem = Problem.of(load_folder(LABELS))
    fold = crossval.outer_folds(problem, load_config(Path("configs/transformer.yaml"), labels=LABELS))[0]
    # Bars of runs that stand side by side would mix.
    with TrainingProgress(Console(quiet=True), "") as watcher:
        outcome = crossval.run_fold(problem, config, drawn(problem, fold, rows, seed), watcher)
    scores = crossval.score(problem, crossval.out_of_fold(problem, [outcome])).as_json()
    return {
        "rows": rows,
        "steps": steps,
        "seed": seed,
        **{f"{axis}/{metric}": round(scores[axis][metric], 4) for axis, metric in METRICS},
        "ece": round(scores["framing"]["ece"], 4),
    }


def table(done: list[dict[str, Any]]) -> str:
    """Return means over seeds as Markdown."""
    lines = [
        "| training sentences | least steps | seeds | framing macro-F1 | topics micro-F1 | "
        "calibration error of framing |",
        "|---|---|---|---|---|---|",
    ]
    for rows, tried in PLAN.items():
        for steps in tried:
            mine = [each for each in done if (each["rows"], each["steps"]) == (rows, steps)]
            if mine:
                keys = [f"{axis}/{metric}" for axis, metric in METRICS]
                cells = [f"{mean(each[key] for each in mine):.3f}" for key in [*keys, "ece"]]
                lines.append(f"| {rows} | {steps or 'none'} | {len(mine)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Compute what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/small-data"))
    parser.add_argument("--workers", type=int, default=2, help="processes that train side by side")
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    store = arguments.out.with_suffix(".jsonl")
    done = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    finished = {(each["rows"], each["steps"], each["seed"]) for each in done}
    todo = [
        (rows, steps, seed)
        for seed in range(1, arguments.seeds + 1)
        for rows, tried in PLAN.items()
        for steps in tried
        if (rows, steps, seed) not in finished
    ]
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for each in pool.imap_unordered(run, todo):
            done.append(each)
            store.write_text("".join(json.dumps(row) + "\n" for row in done))
            print(each, flush=True)
    arguments.out.with_suffix(".md").write_text(table(done))


if __name__ == "__main__":
    main()
