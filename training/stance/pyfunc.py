"""Lets MLflow run a model folder: ``loader_module`` of the logged model. Imports no mlflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from stance.errors import UserError
from stance.tagger import Tagger


class TextTagger:
    """Texts in, one row of tags a text out; every text is taken as one sentence."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return labels and probabilities.

        Args:
            model_input: texts as a list, an array, a series, or a frame with a column ``text`` or one
                column without a name.
            params: unused; MLflow passes it.

        Returns:
            For every axis a column with its label (single-label) or its list of labels, and a
            column ``<axis>_probabilities`` with a mapping from label to probability.

        Raises:
            UserError: the frame has no such column, or a value is no text.
        """
        texts = _texts(model_input)
        probabilities, decided = self._tagger.predict(texts)
        columns: dict[str, list[Any]] = {}
        for name, axis in self._tagger.taxonomy.axes.items():
            labels = [axis.decode(row) for row in decided[name]]
            columns[name] = [row[0] for row in labels] if axis.single else [list(row) for row in labels]
            columns[f"{name}_probabilities"] = [
                {label: round(value, 4) for label, value in zip(axis.names, row.tolist(), strict=True)}
                for row in probabilities[name]
            ]
        return pd.DataFrame(columns)


def _texts(model_input: Any) -> list[str]:
    if isinstance(model_input, pd.DataFrame):
        # MLflow cuts a frame down to as many columns as the signature has: the first one may be any.
        unnamed = list(model_input.columns) == [0]
        if not unnamed and "text" not in model_input:
            found = ", ".join(map(str, model_input.columns)) or "none"
            raise UserError(f"the input has no column 'text' (found: {found}); put the texts there, first")
        model_input = model_input[0 if unnamed else "text"]
    texts = [model_input] if isinstance(model_input, str) else list(model_input)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise UserError(f"input {number} is no text but {text!r}; give every sentence as a string")
    return texts


def _load_pyfunc(path: str) -> TextTagger:
    """Load for MLflow, which finds this function by its name."""
    return TextTagger(Tagger.load(Path(path)))
