"""Finished folds on disk, so that an interrupted training goes on where it stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stance.calibrate import AxisCalibration
from stance.crossval import Outcome
from stance.files import whole_file
from stance.split import Fold
from stance.taxonomy import FloatArray


class FoldStore:
    """Outcomes of one training, kept under a key that changes with anything that matters to them."""

    def __init__(self, folder: Path, key: str) -> None:
        self._root = folder
        self._folder = folder / key[:16]

    def read(self, number: int, fold: Fold) -> Outcome | None:
        """Return a finished fold's outcome, or None where it has yet to run."""
        path = self._path(number)
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            return Outcome(
                fold=fold,
                raw=_arrays(value["raw"]),
                light=None if value["light"] is None else _arrays(value["light"]),
                calibration={
                    name: AxisCalibration.model_validate(each) for name, each in value["calibration"].items()
                },
                dev=value["dev"],
                curves={
                    name: {int(step): each for step, each in points.items()}
                    for name, points in value["curves"].items()
                },
            )
        except (FileNotFoundError, ValueError, KeyError):
            # A fold that cannot be read is simply run again.
            return None

    def write(self, number: int, outcome: Outcome) -> None:
        """Keep a finished fold."""
        self._folder.mkdir(parents=True, exist_ok=True)
        value = {
            "raw": _lists(outcome.raw),
            "light": None if outcome.light is None else _lists(outcome.light),
            "calibration": {name: each.model_dump() for name, each in outcome.calibration.items()},
            "dev": outcome.dev,
            "curves": outcome.curves,
        }
        with whole_file(self._path(number)) as partial:
            partial.write_text(json.dumps(value), encoding="utf-8")

    def clear(self) -> None:
        """Forget everything kept for this model, once it is complete."""
        shutil.rmtree(self._root, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"fold-{number}.json"


def _arrays(value: Mapping[str, list[list[float]]]) -> dict[str, FloatArray]:
    return {name: np.array(rows) for name, rows in value.items()}


def _lists(value: Mapping[str, FloatArray]) -> dict[str, list[list[float]]]:
    return {name: rows.tolist() for name, rows in value.items()}
