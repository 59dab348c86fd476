"""The label set: axes, their labels in a fixed order, and what each label means.

Label order comes from here and never from the training data, so that a label that no training row
carries keeps its column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stance.errors import all_at_once
from stance.files import fingerprint
from stance.yamlfile import parse, read_yaml

FloatArray = NDArray[np.float64]
TAXONOMY_FILE = "taxonomy.yaml"
NAME = re.compile(r"[a-z][a-z0-9_]*")
# What a single-label axis says where no label is sure enough.
UNSURE = "unsure"
SUFFIXES = ("probabilities", "explanation", "shares", "index", "sentences", UNSURE)
RESERVED = frozenset(
    [
        "id", "text", "article", "group", "position", "index", "start", "end", "model", "fingerprint", "n",
        "annotations", "settled", "score", "groups", "sentences", "data", "input_ids", "attention_mask",
        "title", "source", "date", "url", "language",
    ]
)  # fmt: skip


class Axis(BaseModel):
    """One question asked of every sentence.

    Attributes:
        kind: ``single`` for exactly one label a sentence, ``multi`` for any number of them.
        labels: label to definition, in the order of every array's columns.
        index: label to weight for an article's index, the mean weight of its sentences; labels
            left out weigh 0. Absent where an index makes no sense.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["single", "multi"]
    description: str
    labels: dict[str, str] = Field(min_length=2)
    index: dict[str, float] | None = None

    @field_validator("labels")
    @classmethod
    def _label_names(cls, labels: dict[str, str]) -> dict[str, str]:
        _check_names(labels)
        return labels

    @model_validator(mode="after")
    def _no_label_means_unsure(self) -> Axis:
        if self.kind == "single" and UNSURE in self.labels:
            raise ValueError(f"'{UNSURE}' is what a model says below --min-confidence; rename this label")
        return self

    @model_validator(mode="after")
    def _index_of_known_labels(self) -> Axis:
        unknown = sorted(set(self.index or {}) - set(self.labels))
        if unknown:
            raise ValueError(f"index names {', '.join(unknown)}, which are no labels of this axis")
        if self.index and self.kind == "multi":
            raise ValueError("an index needs an axis of kind 'single'")
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The labels in column order."""
        return tuple(self.labels)

    @property
    def single(self) -> bool:
        """Whether a sentence gets exactly one label."""
        return self.kind == "single"

    def encode(self, rows: Iterable[Iterable[str]]) -> NDArray[np.int64]:
        """Return a 0/1 array of shape (rows, labels)."""
        column = {name: number for number, name in enumerate(self.names)}
        rows = list(rows)
        table = np.zeros((len(rows), len(self.names)), dtype=np.int64)
        for number, labels in enumerate(rows):
            for label in labels:
                table[number, column[label]] = 1
        return table

    def decode(self, row: Iterable[bool]) -> tuple[str, ...]:
        """Return the labels whose column is set, in taxonomy order."""
        return tuple(name for name, chosen in zip(self.names, row, strict=True) if chosen)

    def order(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return labels in taxonomy order, each once."""
        given = set(labels)
        return tuple(name for name in self.names if name in given)


class Taxonomy(BaseModel):
    """A named set of axes, read from ``taxonomy.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    axes: dict[str, Axis] = Field(min_length=1)

    @field_validator("axes")
    @classmethod
    def _axis_names(cls, axes: dict[str, Axis]) -> dict[str, Axis]:
        _check_names(axes)
        derived = {f"{axis}_{suffix}" for axis in axes for suffix in SUFFIXES}
        taken = sorted((RESERVED | derived) & set(axes))
        if taken:
            raise ValueError(f"'{taken[0]}' is a field of every row; choose another axis name")
        return axes

    @classmethod
    def load(cls, path: Path) -> Taxonomy:
        """Read ``taxonomy.yaml``.

        Raises:
            UserError: the file is missing or wrong; all problems are named with their lines.
        """
        value, lines = read_yaml(path)
        taxonomy, problems = parse(cls, value, path, lines)
        if taxonomy is None:
            raise all_at_once(str(path), problems)
        return taxonomy

    def save(self, path: Path) -> None:
        """Write the taxonomy so that :meth:`load` gives an equal one."""
        value = self.model_dump(exclude_none=True)
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
        path.write_text(text, encoding="utf-8", newline="\n")

    @property
    def fingerprint(self) -> str:
        """Identifies axes, kinds and label order; a reworded definition does not change it."""
        shape: list[Any] = [[name, axis.kind, list(axis.names)] for name, axis in self.axes.items()]
        return fingerprint(shape)


def _check_names(names: Mapping[str, object]) -> None:
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(f"'{name}' is no valid name; use lower-case letters, digits and '_'")
