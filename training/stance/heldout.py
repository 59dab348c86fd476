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
from stance.files import text_key
from stance.taxonomy import FloatArray, Taxonomy

HELD_OUT_FILE = "held_out.jsonl"
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows that a model was tested on and not trained on; every table is axis to (rows, labels).

    Attributes:
        ids: of the labelled rows.
        groups: the article of every row.
        keys: :func:`stance.files.text_key` of every row's text; empty where a model was trained before
            they were kept.
    """

    ids: Sequence[str]
    groups: Sequence[str]
    keys: Sequence[str]
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
            [text_key(each.text) for each in examples],
            {name: table[rows] for name, table in problem.gold.items()},
            predictions.decided,
            predictions.probabilities,
        )

    def text(self, taxonomy: Taxonomy) -> str:
        """Return JSON Lines: ``id``, ``article``, ``key``, and an axis' gold and given labels, probabilities.

        The sentences themselves stay out: whoever passes a model on need not pass its rows on.
        """
        lines = []
        for row, each in enumerate(zip(self.ids, self.groups, self.keys, strict=True)):
            value: dict[str, Any] = dict(zip(("id", "article", "key"), each, strict=True))
            for name, axis in taxonomy.axes.items():
                value[name] = list(axis.decode(self.gold[name][row]))
                value[f"{name}_given"] = list(axis.decode(self.decided[name][row]))
                value[f"{name}_probabilities"] = [
                    round(share, _DIGITS) for share in self.probabilities[name][row].tolist()
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
                [row.get("key", "") for row in rows],
                {name: axis.encode(row[name] for row in rows) for name, axis in axes},
                {name: axis.encode(row[f"{name}_given"] for row in rows) > 0 for name, axis in axes},
                {name: np.array([row[f"{name}_probabilities"] for row in rows]) for name, _ in axes},
            )
        except (OSError, ValueError, KeyError) as error:
            raise DamagedModelError(f"{path}: not what training wrote; train the model again") from error

    def taken(self, rows: Sequence[int]) -> Self:
        """Return these rows, in this order."""
        chosen = list(rows)
        return type(self)(
            [self.ids[row] for row in chosen],
            [self.groups[row] for row in chosen],
            [self.keys[row] for row in chosen],
            {name: table[chosen] for name, table in self.gold.items()},
            {name: table[chosen] for name, table in self.decided.items()},
            {name: table[chosen] for name, table in self.probabilities.items()},
        )

    def identities(self, *, by_text: bool) -> list[tuple[object, ...]]:
        """Return what makes a row the same row elsewhere: id, article and gold labels, and maybe text."""
        numbers = range(len(self.ids))
        gold = [tuple(table[row].tobytes() for table in self.gold.values()) for row in numbers]
        keys = self.keys if by_text else [""] * len(self.ids)
        return list(zip(self.ids, self.groups, keys, gold, strict=True))


def shared(tests: Sequence[HeldOut]) -> list[HeldOut]:
    """Cut every model's held-out rows down to those that all have, in the order of the first."""
    by_text = all(all(test.keys) for test in tests)
    places = [{key: row for row, key in enumerate(test.identities(by_text=by_text))} for test in tests]
    common = [key for key in places[0] if all(key in place for place in places)]
    return [test.taken([place[key] for key in common]) for test, place in zip(tests, places, strict=True)]
