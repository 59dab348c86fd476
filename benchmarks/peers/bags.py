"""Peers that see words and no pretrained encoder."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from benchmarks.peers.task import BATCH, Peer, Rows

from stance.taxonomy import FloatArray


class ScikitLearn(Peer):
    """TF-IDF and logistic regression as scikit-learn's own text tutorial joins them.

    All settings are the defaults, but for ``max_iter``: a hundred steps do not reach the optimum.
    """

    key = "scikit-learn"
    title = "scikit-learn, TF-IDF and logistic regression"
    packages = ("scikit-learn", "skops")
    modules = ("sklearn.linear_model", "sklearn.feature_extraction.text", "sklearn.multiclass", "skops.io")

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline

        self._models = {
            axis: make_pipeline(TfidfVectorizer(), logistic(self.taxonomy.axes[axis].single)).fit(
                rows.texts, logistic_target(rows, axis)
            )
            for axis in axes
        }

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`."""
        return {axis: logistic_values(self, axis, model, texts) for axis, model in self._models.items()}

    def save(self, folder: Path) -> None:
        """See :class:`Peer`."""
        dump(self._models, folder)


def logistic(single: bool) -> Any:
    """Return an untrained logistic regression, one against the rest where there may be many labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    model = LogisticRegression(max_iter=1000)
    return model if single else OneVsRestClassifier(model)


def logistic_target(rows: Rows, axis: str) -> Any:
    """Return what scikit-learn wants to learn an axis from."""
    return rows.classes(axis) if rows.taxonomy.axes[axis].single else rows.gold[axis]


def logistic_values(peer: Peer, axis: str, model: Any, features: Any) -> FloatArray:
    """Return probabilities in taxonomy order; a class that no training row has gets 0."""
    found = np.asarray(model.predict_proba(features), dtype=np.float64)
    columns = peer.taxonomy.axes[axis]
    if not columns.single:
        return found
    values = np.zeros((len(found), len(columns.names)))
    values[:, model.classes_] = found
    return values


def dump(models: Mapping[str, Any], folder: Path) -> None:
    """Write scikit-learn models without a pickle, as scikit-learn recommends for files that travel."""
    from skops import io

    for axis, model in models.items():
        io.dump(model, folder / f"{axis}.skops")


class FastText(Peer):
    """Supervised fastText by its text classification tutorial.

    Punctuation set apart and lower case, 25 epochs, word bigrams, 200,000 buckets and 50 dimensions; lr 1.0
    with softmax for one label, lr 0.5 with one-vs-all for many. fastText passes over training lines without a
    label, so sentences without a topic get one of their own, which is dropped again at prediction. One
    thread, because with more the result differs from run to run.
    """

    key = "fasttext"
    title = "fastText, supervised"
    packages = ("fasttext-community",)
    modules = ("fasttext",)
    _nothing: ClassVar[str] = "none"

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`."""
        import fasttext

        self._models: dict[str, Any] = {}
        for axis in axes:
            single = self.taxonomy.axes[axis].single
            file = self.work / f"{axis}.txt"
            file.write_text("".join(self._lines(rows, axis)), encoding="utf-8")
            self._models[axis] = fasttext.train_supervised(
                input=str(file),
                lr=1.0 if single else 0.5,
                loss="softmax" if single else "ova",
                epoch=25,
                wordNgrams=2,
                bucket=200_000,
                dim=50,
                thread=1,
                seed=self.seed,
                verbose=0,
            )

    def _lines(self, rows: Rows, axis: str) -> list[str]:
        return [
            " ".join([f"__label__{label}" for label in labels or [self._nothing]] + [_spaced(text)]) + "\n"
            for labels, text in zip(rows.names(axis), rows.texts, strict=True)
        ]

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`."""
        lines = [_spaced(text) for text in texts]
        return {axis: self._values(axis, model, lines) for axis, model in self._models.items()}

    def _values(self, axis: str, model: Any, lines: list[str]) -> FloatArray:
        names = self.taxonomy.axes[axis].names
        column = {f"__label__{name}": number for number, name in enumerate(names)}
        values = np.zeros((len(lines), len(names)))
        for row, (labels, chances) in enumerate(zip(*model.predict(lines, k=-1), strict=True)):
            for label, chance in zip(labels, chances, strict=True):
                if label in column:
                    values[row, column[label]] = chance
        return values

    def save(self, folder: Path) -> None:
        """See :class:`Peer`."""
        for axis, model in self._models.items():
            model.save_model(str(folder / f"{axis}.bin"))


def _spaced(text: str) -> str:
    return " ".join(re.sub(r"([.!?,'/()])", r" \1 ", text).lower().split())


class _Spacy(Peer):
    """spaCy's own training of a blank English pipeline, one component an axis.

    Everything is what spaCy's default config says: dropout 0.1, batches that grow from 100 to 1,000 words,
    an evaluation every 200 steps, the best step kept, an end after 1,600 steps without a better one. The
    evaluation is on a fifth of the training articles. The two components then share one pipeline.
    """

    packages = ("spacy",)
    modules = ("spacy.training.loop", "spacy.training.initialize")

    def _model(self, single: bool) -> dict[str, Any]:
        """Return settings that differ from the component's defaults."""
        raise NotImplementedError

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`."""
        trained = {self._factory(axis): self._train(rows, axis) for axis in axes}
        (_, self._pipeline), *others = trained.items()
        for factory, other in others:
            self._pipeline.add_pipe(factory, source=other)

    def _factory(self, axis: str) -> str:
        return "textcat" if self.taxonomy.axes[axis].single else "textcat_multilabel"

    def _train(self, rows: Rows, axis: str) -> Any:
        import spacy
        from spacy.training.initialize import init_nlp
        from spacy.training.loop import train

        blank = spacy.blank("en")
        blank.add_pipe(self._factory(axis), config=self._model(self.taxonomy.axes[axis].single))
        config = blank.config
        for side, part in zip(("train", "dev"), rows.fifth(self.seed), strict=True):
            config["paths"][side] = str(self.work / f"{axis}-{side}.spacy")
            self._documents(blank, part, axis).to_disk(config["paths"][side])
        config["system"]["seed"] = self.seed
        folder = self.work / axis
        folder.mkdir()
        train(init_nlp(config), folder, stdout=sys.stderr)
        return spacy.load(folder / "model-best")

    def _documents(self, blank: Any, rows: Rows, axis: str) -> Any:
        from spacy.tokens import DocBin

        documents = DocBin()
        for text, gold in zip(rows.texts, rows.gold[axis].tolist(), strict=True):
            document = blank.make_doc(text)
            document.cats = dict(zip(self.taxonomy.axes[axis].names, map(float, gold), strict=True))
            documents.add(document)
        return documents

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`."""
        found = [document.cats for document in self._pipeline.pipe(texts, batch_size=BATCH)]
        return {
            name: np.array([[cats[label] for label in axis.names] for cats in found])
            for name, axis in self.taxonomy.axes.items()
            if self._factory(name) in self._pipeline.pipe_names
        }

    def save(self, folder: Path) -> None:
        """See :class:`Peer`."""
        self._pipeline.to_disk(folder)


class SpacyBag(_Spacy):
    """The bag of words that ``spacy init config --pipeline textcat`` writes."""

    key = "spacy-bow"
    title = "spaCy, bag of words"

    def _model(self, single: bool) -> dict[str, Any]:
        return {
            "model": {
                "@architectures": "spacy.TextCatBOW.v3",
                "exclusive_classes": single,
                "length": 262_144,
                "ngram_size": 1,
                "no_output_layer": False,
            }
        }


class SpacyEnsemble(_Spacy):
    """The default of ``textcat`` and ``textcat_multilabel``: convolutions and a bag of words together."""

    key = "spacy-ensemble"
    title = "spaCy, ensemble"

    def _model(self, single: bool) -> dict[str, Any]:
        return {}
