"""What cross-validation predicted, kept in the model folder so that models compare without a retraining."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.crossval import Predictions, Problem
from stance.errors import DamagedModelError
from stance.taxonomy import FloatArray, Taxonomy

HELD_OUT_FILE = "held_out.jsonl"
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows that a model was tested on and not trained on; every table is axis to (rows, labels).

    Attributes:
        ids: of the labelled rows.
        groups: the article of every row.
    """

    ids: Sequence[str]
    groups: Sequence[str]
    gold: Mapping[str, IntArray]
    decided: Mapping[str, BoolArray]
    probabilities: Mapping[str, FloatArray]

    @classmethod
    def of(cls, problem: Problem, predictions: Predictions) -> Self:
        """Collect what cross-validation predicted."""
        rows = list(predictions.rows)
        examples = [problem.data.examples[row] for row in rows]
        return cls(
            [each.id for each in examples],
            [each.group for each in examples],
            {name: table[rows] for name, table in problem.gold.items()},
            predictions.decided,
            predictions.probabilities,
        )

    def text(self, taxonomy: Taxonomy) -> str:
        """Return JSON Lines: ``id``, ``article``, and an axis' gold labels, given ones and probabilities.

        The sentences themselves stay out: whoever passes a model on need not pass its rows on.
        """
        lines = []
        for row, (key, group) in enumerate(zip(self.ids, self.groups, strict=True)):
            value: dict[str, Any] = {"id": key, "article": group}
            for name, axis in taxonomy.axes.items():
                value[name] = list(axis.decode(self.gold[name][row]))
                value[f"{name}_given"] = list(axis.decode(self.decided[name][row]))
                value[f"{name}_probabilities"] = [
                    round(each, _DIGITS) for each in self.probabilities[name][row].tolist()
                ]
            lines.append(json.dumps(value, ensure_ascii=False) + "\n")
        return "".join(lines)

    @classmethod
    def load(cls, folder: Path, taxonomy: Taxonomy) -> Self:
        """Read what :meth:`text` gave from a model folder.

        Raises:
            DamagedModelError: the file is missing, or not what training wrote.
        """
        path = folder / HELD_OUT_FILE
        try:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            axes = taxonomy.axes.items()
            return cls(
                [row["id"] for row in rows],
                [row["article"] for row in rows],
                {name: axis.encode(row[name] for row in rows) for name, axis in axes},
                {name: axis.encode(row[f"{name}_given"] for row in rows) > 0 for name, axis in axes},
                {name: np.array([row[f"{name}_probabilities"] for row in rows]) for name, _ in axes},
            )
        except (OSError, ValueError, KeyError) as error:
            raise DamagedModelError(f"{path}: not what training wrote; train the model again") from error
