"""Score a saved model on labelled rows, and find where it errs most surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.crossval import gold_of
from stance.dataset import LabelledData, load_file, load_folder
from stance.errors import UserError
from stance.evaluate import Report, report
from stance.files import text_key
from stance.records import Example
from stance.tagger import TRAINED_ON_FILE, Tagger
from stance.taxonomy import Axis, FloatArray, Taxonomy

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row on which a model erred.

    Attributes:
        group: the article it comes from.
        gold: labels that were annotated, in taxonomy order.
        given: labels that the model gave.
        label: the one that it erred on most surely: given and not annotated, or the other way round.
        probability: calibrated, of ``label``.
    """

    id: str
    group: str
    gold: tuple[str, ...]
    given: tuple[str, ...]
    label: str
    probability: float
    text: str

    def as_json(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            **asdict(self),
            "gold": list(self.gold),
            "given": list(self.given),
            "probability": round(self.probability, _DIGITS),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model scored on labelled rows.

    Attributes:
        data: what was measured on, as it was named on the command line.
        known: how many of the sentences the model was trained on.
        errors: axis name to mistakes, the surest first.
    """

    tagger: Tagger
    data: Path
    report: Report
    known: int
    errors: Mapping[str, Sequence[Mistake]]

    def as_json(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        value = self.report.as_json()
        for name, mistakes in self.errors.items():
            value[name]["errors"] = [each.as_json() for each in mistakes]
        identity = {"model": self.tagger.name, "fingerprint": self.tagger.fingerprint}
        return {**identity, "data": self.data.name, "trained_on": self.known, **value}


def load_rows(path: Path, taxonomy: Taxonomy) -> LabelledData:
    """Read labelled rows, a file or a labels folder, for models with this taxonomy.

    Raises:
        UserError: it is missing or wrong, or a folder with another taxonomy.
    """
    if not path.is_dir():
        return load_file(path, taxonomy)
    data = load_folder(path)
    if data.taxonomy.fingerprint != taxonomy.fingerprint:
        raise UserError(
            f"{path}: has another taxonomy ({data.taxonomy.name}) than the model ({taxonomy.name}); "
            "name labels of the same axes and labels"
        )
    return data


def trained_on(tagger: Tagger, data: LabelledData) -> int:
    """Return how many of the sentences, letter for letter, the model was trained on."""
    known = set((tagger.folder / TRAINED_ON_FILE).read_text(encoding="utf-8").split())
    return sum(text_key(example.text) in known for example in data.examples)


def score_model(tagger: Tagger, data: LabelledData) -> Report:
    """Predict every row and score the axes that the data carries; intervals leave out each of its groups."""
    probabilities, decided = tagger.predict([example.text for example in data.examples])
    return report(data.taxonomy, gold_of(data), decided, probabilities, data.groups)


def evaluate_model(tagger: Tagger, path: Path, errors: int) -> Evaluation:
    """Score a model on labelled rows.

    Args:
        tagger: the model.
        path: labelled rows, a file or a labels folder.
        errors: how many mistakes an axis are kept.

    Raises:
        UserError: see :func:`load_rows`.
    """
    data = load_rows(path, tagger.taxonomy)
    gold = gold_of(data)
    probabilities, decided = tagger.predict([example.text for example in data.examples])
    scores = report(data.taxonomy, gold, decided, probabilities, data.groups)
    worst = {
        name: worst_errors(
            data.taxonomy.axes[name], data.examples, gold[name], decided[name], probabilities[name], errors
        )
        for name in gold
    }
    return Evaluation(tagger, path, scores, trained_on(tagger, data), worst)


def worst_errors(
    axis: Axis,
    examples: Sequence[Example],
    gold: IntArray,
    decided: BoolArray,
    probabilities: FloatArray,
    most: int,
) -> list[Mistake]:
    """Return the rows on which a model erred most surely, one mistake a row.

    Args:
        axis: gives the labels.
        examples: the rows.
        gold: 0/1 labels (rows, labels).
        decided: given labels, likewise.
        probabilities: calibrated, likewise.
        most: how many to return.
    """
    # A label wrongly given is as sure an error as it is probable, one wrongly left out as it is not.
    sure = np.where(decided, probabilities, 1 - probabilities)
    wrong = decided != (gold > 0)
    # A single-label axis errs by what it gives; what it leaves out follows from that.
    sure = np.where(wrong & decided if axis.single else wrong, sure, -1.0)
    column = sure.argmax(axis=1)
    rows = np.arange(len(sure))
    order = np.argsort(-sure[rows, column], kind="stable")[:most]
    return [
        Mistake(
            examples[row].id,
            examples[row].group,
            axis.decode(gold[row] > 0),
            axis.decode(decided[row]),
            axis.names[column[row]],
            float(probabilities[row, column[row]]),
            examples[row].text,
        )
        for row in order.tolist()
        if sure[row, column[row]] >= 0
    ]
