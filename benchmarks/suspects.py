"""Rank annotated sentences by how much out-of-fold models doubt their labels.

    python benchmarks/suspects.py labels/news --top 300 > suspects.jsonl

Self-confidence ranking of Northcutt, Jiang and Chuang, "Confident Learning", JAIR 2021: a row is as
suspect as the probability that a model which never saw its article gives to the label it carries, on
the axis where that probability is lowest. The model is the tfidf family with its default config.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from stance import crossval
from stance.config import load_config
from stance.crossval import Problem
from stance.dataset import load_folder
from stance.progress import TrainingProgress


def main() -> None:
    """Cross-validate, rank, and print one JSON object a suspect row, the most suspect first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--top", type=int, default=300)
    parser.add_argument("--config", type=Path, default=Path("configs/tfidf.yaml"))
    arguments = parser.parse_args()

    config = load_config(arguments.config, ["inner_folds=1"], labels=arguments.labels)
    problem = Problem.of(load_folder(config.labels, config.files))
    with TrainingProgress(Console(stderr=True), "suspects") as watcher:
        folds = crossval.outer_folds(problem, config)
        watcher.plan(len(folds))
        outcomes = [crossval.run_fold(problem, config, fold, watcher) for fold in folds]
    predictions = crossval.out_of_fold(problem, outcomes)
    rows = list(predictions.rows)
    confidence = {}
    for name, axis in problem.taxonomy.axes.items():
        gold, probabilities = problem.gold[name][rows], predictions.probabilities[name]
        if axis.single:
            confidence[name] = (gold * probabilities).sum(axis=1)
        else:
            confidence[name] = np.where(gold == 1, probabilities, 1 - probabilities).min(axis=1)
    # Ranks, not probabilities: a yes-or-no label is doubted on another scale than one of three.
    ranks = {name: values.argsort().argsort() for name, values in confidence.items()}
    order = np.min(list(ranks.values()), axis=0).argsort(kind="stable")
    for place in order[: arguments.top]:
        example = problem.data.examples[rows[place]]
        row = {
            "id": example.id,
            "text": example.text,
            **{axis: list(example.labels[axis]) for axis in confidence},
        }
        row["confidence"] = {name: round(float(values[place]), 4) for name, values in confidence.items()}
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
