"""The recipes, and one run of one of them: in a module of its own, where other processes find it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.recipes import tasks
from benchmarks.recipes.fit import fit, predict
from benchmarks.recipes.ideas import Recipe
from benchmarks.recipes.lexical import Partner
from benchmarks.recipes.network import DEVICE

PLAIN = Recipe(epochs=6, topics_weight=3.0)
RECIPES: dict[str, Recipe] = {
    "plain": PLAIN,
    "embeddings frozen": replace(PLAIN, frozen=0),
    "two layers frozen": replace(PLAIN, frozen=2),
    "four layers frozen": replace(PLAIN, frozen=4),
    "half the epochs": replace(PLAIN, epochs=3),
    "twice the epochs": replace(PLAIN, epochs=12),
    "quarter of the rate": replace(PLAIN, lr=5e-5),
    "half the rate": replace(PLAIN, lr=1e-4),
    "twice the rate": replace(PLAIN, lr=4e-4),
    "half the rate, twice the epochs": replace(PLAIN, epochs=12, lr=1e-4),
    "batches of 16": replace(PLAIN, batch=16),
    "batches of 64": replace(PLAIN, batch=64),
    "no dropout": replace(PLAIN, dropout=0.0),
    "dropout 0.2": replace(PLAIN, dropout=0.2),
    "CLS pooling": replace(PLAIN, pooling="cls"),
    "attention pooling": replace(PLAIN, pooling="attention"),
    "max pooling": replace(PLAIN, pooling="max"),
    "layer-wise decay 0.8": replace(PLAIN, layer_decay=0.8),
    "layer-wise decay 0.65, twice the rate": replace(PLAIN, layer_decay=0.65, lr=4e-4),
    "top layer afresh": replace(PLAIN, reinitialised=1),
    "weight decay 0.1": replace(PLAIN, decay=0.1),
    "label smoothing 0.1": replace(PLAIN, smoothing=0.1),
    "no class balance": replace(PLAIN, balance=0.0),
    "full class balance": replace(PLAIN, balance=1.0),
    "annotators' votes": replace(PLAIN, votes=True),
    "R-Drop 4, two layers frozen, weights averaged": replace(PLAIN, rdrop=4.0, frozen=2, average=True),
    "two layers frozen, weights averaged": replace(PLAIN, frozen=2, average=True),
    "R-Drop 4, two layers frozen": replace(PLAIN, rdrop=4.0, frozen=2),
    "two layers frozen, half n-grams": replace(PLAIN, frozen=2, lexical=0.5),
    "R-Drop 4, two layers frozen, weights averaged, half n-grams": replace(
        PLAIN, rdrop=4.0, frozen=2, average=True, lexical=0.5
    ),
    "adversarial": replace(PLAIN, adversarial=0.5),
    "topics weigh 1": replace(PLAIN, topics_weight=1.0),
    "masked language first": replace(PLAIN, mlm=2),
    "contrastive first": replace(PLAIN, contrastive=1),
    "label descriptions": replace(PLAIN, descriptions=True),
    "disputed rows last": replace(PLAIN, curriculum=True),
    "taught by 3 others": replace(PLAIN, teachers=3),
}


def trained(name: str, task: str, seed: int, shared: Path, keep: Path | None) -> dict[str, Any]:
    """Train a recipe once and score it on all tests of a task."""
    ready = _task(task, seed, shared)
    started = time.monotonic()
    network = fit(ready.taxonomy, ready.train, RECIPES[name], seed)
    seconds = time.monotonic() - started
    every = {**ready.tests, "tune": ready.tune}
    raw = {where: predict(network, ready.taxonomy, test.texts) for where, test in every.items()}
    if weight := RECIPES[name].lexical:
        partner = Partner(ready.taxonomy, ready.train, weight)
        raw = {where: partner.mixed(raw[where], test.texts) for where, test in every.items()}
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        tables = {f"{where}/{axis}": table for where, each in raw.items() for axis, table in each.items()}
        savez: Any = np.savez  # its stub takes any keyword for `allow_pickle`
        savez(keep / f"{name}-{task}-{seed}.npz", **{key: each.astype("f4") for key, each in tables.items()})
    scores = {
        where: tasks.scores(ready.taxonomy, (raw["tune"], ready.tune.gold), raw[where], test)
        for where, test in ready.tests.items()
    }
    return {
        "recipe": name,
        "task": task,
        "seed": seed,
        "seconds": round(seconds, 1),
        "on": DEVICE.type,
        "scores": scores,
    }


@cache
def _task(task: str, seed: int, shared: Path) -> tasks.Task:
    if task == "news":
        return tasks.news(shared)
    return tasks.fomc(shared, tasks.FOMC[seed % len(tasks.FOMC)])


def run(work: tuple[str, str, int, Path, Path | None]) -> dict[str, Any]:
    """Do one piece of work on one core."""
    torch.set_num_threads(1)
    return trained(*work)
