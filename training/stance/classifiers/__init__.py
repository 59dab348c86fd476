"""The one seam between model families: a protocol, and the closed set of modules that follow it.

A family is one module here that defines ``Family``. YAML names the module and nothing else: no dotted
path from a config is ever imported.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

from pydantic import BaseModel

from stance.taxonomy import FloatArray, Taxonomy

if TYPE_CHECKING:
    from datasets import Dataset


Precision = Literal["fp32", "int8"]

# Axis name to, for every text, the columns of the labels to be explained.
Wanted = Mapping[str, Sequence[Sequence[int]]]
# Axis name to, for every text, an array (labels wanted, words of the text).
WordWeights = dict[str, list[FloatArray]]


class FitLog(Protocol):
    """What a family tells while it fits."""

    def metric(self, name: str, value: float, step: int) -> None:
        """Record one point of a curve; ``step`` counts epochs from 1."""

    def progress(self, done: int, total: int, loss: float | None) -> None:
        """Report finished steps out of ``total`` and the running loss."""


class Classifier(Protocol):
    """A model family. It knows no thresholds, label files or tracking."""

    Params: ClassVar[type[BaseModel]]

    @property
    def precision(self) -> Precision:
        """What numbers the model is computed in."""

    def __init__(self, taxonomy: Taxonomy, params: Any, seed: int) -> None:
        """Make an untrained classifier; cheap, loads nothing."""

    def fit(self, train: Dataset, dev: Dataset | None, log: FitLog) -> None:
        """Train on ``train``.

        Args:
            train: rows as :func:`stance.dataset.as_dataset` gives them.
            dev: rows that a family may follow its loss on; never trained on.
            log: receives curves and progress.
        """

    def predict_proba(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        """Return axis name to uncalibrated probabilities, shape (texts, labels), taxonomy order."""

    def explain(self, texts: Sequence[str], wanted: Wanted) -> WordWeights:
        """Weigh the words of sentences: above 0 a word speaks for the label, below 0 against it.

        Weights are in log-odds (natural logarithm) before calibration; each family says of what.

        Args:
            texts: sentences, whose words :func:`stance.words.words` tells.
            wanted: the labels to explain; an axis left out is not explained.
        """

    def compressed(self) -> Self | None:
        """Return a lighter form that predicts nearly alike; None where the family has none."""

    def save(self, folder: Path, *, light: bool = False) -> None:
        """Write the fitted model into an existing folder; never a pickle, the same bytes every time.

        Args:
            folder: where to.
            light: add the form that :meth:`compressed` gives, for prediction to choose from.
        """

    @classmethod
    def load(cls, folder: Path, taxonomy: Taxonomy, params: Any, precision: Precision | None = None) -> Self:
        """Read what :meth:`save` wrote.

        Args:
            folder: where from.
            taxonomy: the label set it was trained with.
            params: the settings it was trained with.
            precision: the form wanted; None takes the one that is quicker on this machine.

        Raises:
            UserError: the model has no such form.
            DamagedModelError: a file is missing or does not fit the taxonomy.
        """


@cache
def names() -> tuple[str, ...]:
    """Return the names of all families, without importing any."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def get(name: str) -> type[Classifier]:
    """Return a family's class.

    Raises:
        KeyError: no family has this name.
    """
    if name not in names():
        raise KeyError(name)
    family: type[Classifier] = importlib.import_module(f"{__name__}.{name}").Family
    return family
