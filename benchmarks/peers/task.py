"""The task that every peer gets: the same rows to learn from, and the same rows to be scored on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from stance import crossval
from stance.calibrate import BoolArray, IntArray
from stance.config import TrainConfig, load_config
from stance.crossval import Problem
from stance.dataset import LabelledData, load_file, load_folder
from stance.split import Fold, grouped_folds
from stance.taxonomy import FloatArray, Taxonomy

BATCH = 32
_DEV_PARTS = 5
_SMOKE_TEST_ROWS = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled sentences.

    Attributes:
        groups: the article of every row; in training rows, articles that share text are one.
        gold: axis to 0/1 labels (rows, labels).
    """

    taxonomy: Taxonomy
    texts: list[str]
    groups: list[str]
    gold: Mapping[str, IntArray]

    def pick(self, rows: Sequence[int]) -> Rows:
        """Return some of the rows."""
        index = list(rows)
        return Rows(
            self.taxonomy,
            [self.texts[row] for row in index],
            [self.groups[row] for row in index],
            {axis: table[index] for axis, table in self.gold.items()},
        )

    def fifth(self, seed: int) -> tuple[Rows, Rows]:
        """Set a fifth of the articles aside."""
        fold = grouped_folds(self.groups, _DEV_PARTS, seed)[0]
        return self.pick(fold.train), self.pick(fold.test)

    def names(self, axis: str) -> list[list[str]]:
        """Return every row's labels on an axis."""
        columns = self.taxonomy.axes[axis]
        return [list(columns.decode(row)) for row in self.gold[axis].astype(bool)]

    def classes(self, axis: str) -> IntArray:
        """Return every row's label number on a single-label axis."""
        numbers: IntArray = self.gold[axis].argmax(axis=1)
        return numbers


class Peer(ABC):
    """Something that a user could pick to classify sentences.

    Attributes:
        key: what ``--only`` calls it.
        title: what the table calls it.
        packages: the distributions it needs; the table gives the version of the first.
        modules: what it imports, loaded before the clock starts.
        tunes: whether it finds its own thresholds.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    modules: ClassVar[tuple[str, ...]]
    tunes: ClassVar[bool] = False

    def __init__(self, task: Task, work: Path) -> None:
        """Prepare; ``work`` is an empty folder for the files that training needs."""
        self.task = task
        self.taxonomy = task.problem.taxonomy
        self.seed = task.config.seed
        self.work = work

    @abstractmethod
    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """Learn some of the axes."""

    @abstractmethod
    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """Return learnt axis to probabilities (texts, labels), in taxonomy order."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what prediction needs into an existing folder, as the peer itself does."""

    def decide(self, values: Mapping[str, FloatArray]) -> dict[str, BoolArray]:
        """Return the labels given: the likeliest, or all from one half on where there may be many."""
        return {axis: decided(self.taxonomy, axis, table, 0.5) for axis, table in values.items()}


def decided(taxonomy: Taxonomy, axis: str, values: FloatArray, threshold: float) -> BoolArray:
    """Return which labels are given, shape (rows, labels)."""
    given: BoolArray
    if taxonomy.axes[axis].single:
        given = values.argmax(axis=1)[:, None] == np.arange(values.shape[1])
    else:
        given = values >= threshold
    return given


def best_threshold(values: FloatArray, gold: IntArray) -> float:
    """Return the one threshold of the highest micro-F1 over all labels, in steps of a hundredth."""
    grid = np.arange(1, 100) / 100
    f1 = [2 * (gold * (values >= each)).sum() / ((values >= each).sum() + gold.sum()) for each in grid]
    return float(grid[int(np.argmax(f1))])


@dataclass(frozen=True, slots=True)
class Task:
    """What to learn from and what to be scored on.

    Attributes:
        fold: the row numbers in ``problem`` that ``train`` and ``held_out`` hold.
        dev: further rows to be scored on, never trained on.
        labels: fingerprints of all rows, so that results of other rows are never mixed in.
    """

    problem: Problem
    config: TrainConfig
    fold: Fold
    train: Rows
    held_out: Rows
    dev: Rows | None
    labels: tuple[str, str]


def load(folder: Path, dev: Path | None, limit: int) -> Task:
    """Load the labels and cut the first fold.

    Args:
        folder: the labels folder.
        dev: a file of labelled rows to be scored too.
        limit: train on whole articles until so many rows are reached, and test on few; 0 for all.
    """
    config = load_config(Path("configs/tfidf.yaml"), labels=folder)
    problem = Problem.of(load_folder(folder))
    fold = crossval.outer_folds(problem, config)[0]
    if limit:
        fold = _shortened(problem, fold, limit)
    other = load_file(dev, problem.taxonomy) if dev else None
    return Task(
        problem,
        config,
        fold,
        _rows(problem.data, problem.groups).pick(fold.train),
        _rows(problem.data, problem.data.groups).pick(fold.test),
        _rows(other, other.groups) if other else None,
        (problem.data.fingerprint, other.fingerprint if other else ""),
    )


def _rows(data: LabelledData, groups: Sequence[str]) -> Rows:
    return Rows(data.taxonomy, [each.text for each in data.examples], list(groups), crossval.gold_of(data))


def _shortened(problem: Problem, fold: Fold, limit: int) -> Fold:
    chosen: list[int] = []
    for group in dict.fromkeys(problem.groups[row] for row in fold.train):
        if len(chosen) < limit:
            chosen += [row for row in fold.train if problem.groups[row] == group]
    return Fold(fold.name, tuple(chosen), fold.test[:_SMOKE_TEST_ROWS])
