"""Word and character n-grams, TF-IDF weights, logistic regression: the baseline to beat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix, hstack, vstack

from stance.bags import Bags
from stance.batching import probabilities
from stance.classifiers import FitLog, Precision, Wanted, WordWeights
from stance.errors import DamagedModelError, StanceError, UserError
from stance.ngrams import Analyzer, Ngrams, shares
from stance.taxonomy import Axis, FloatArray, Taxonomy
from stance.words import words

if TYPE_CHECKING:
    from datasets import Dataset
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

VOCABULARY_FILE = "vocabulary.json"
WEIGHTS_FILE = "weights.safetensors"
ANALYZERS: tuple[Analyzer, ...] = ("word", "char_wb")
Layer = tuple[np.ndarray, np.ndarray]  # weights (labels, features), biases (labels,)
_NEVER = -30.0
# Few enough for the tables of a sparse product to stay small, enough to spread the cost of a call.
_AT_ONCE = 1024


class TfidfParams(BaseModel):
    """Settings of the ``tfidf`` family.

    Attributes:
        word_ngrams: shortest and longest word n-gram.
        char_ngrams: shortest and longest character n-gram, inside words.
        min_df: in how many sentences an n-gram must occur to count.
        C: inverse strength of the L2 penalty.
        balanced: weigh labels inversely to their frequency.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    word_ngrams: tuple[int, int] = (1, 2)
    char_ngrams: tuple[int, int] = (2, 5)
    min_df: int = Field(default=1, ge=1)
    C: float = Field(default=10.0, gt=0)
    balanced: bool = True

    @model_validator(mode="after")
    def _ranges(self) -> TfidfParams:
        for low, high in (self.word_ngrams, self.char_ngrams):
            if not 1 <= low <= high:
                raise ValueError(f"n-grams [{low}, {high}] must be ascending and start at 1 or more")
        return self


class Family:
    """One set of n-grams shared by all axes; one linear layer an axis.

    Multinomial logistic regression on a single-label axis, one-vs-rest on a multi-label one. scikit-learn
    trains it, and is not loaded to predict.
    """

    Params: ClassVar[type[BaseModel]] = TfidfParams
    precision: Precision = "fp32"

    def __init__(self, taxonomy: Taxonomy, params: TfidfParams, seed: int) -> None:
        self._taxonomy = taxonomy
        self._params = params
        self._seed = seed
        self._ngrams: dict[Analyzer, Ngrams] = {}
        self._idf: dict[Analyzer, np.ndarray] = {}
        self._layers: dict[str, Layer] = {}
        self._bags: Bags | None = None

    def fit(self, train: Dataset, dev: Dataset | None, log: FitLog) -> None:
        """See :class:`stance.classifiers.Classifier`; the fit is convex, so ``dev`` goes unused."""
        texts = list(train["text"])
        vectorizers = {analyzer: self._vectorizer(analyzer) for analyzer in ANALYZERS}
        try:
            parts = [vectorizer.fit_transform(texts) for vectorizer in vectorizers.values()]
        except ValueError as error:  # no n-gram is left
            raise UserError(
                f"params of tfidf: no n-gram fits the sentences ({error}); lower min_df"
            ) from None
        for analyzer, each in vectorizers.items():
            terms = sorted(each.vocabulary_, key=each.vocabulary_.__getitem__)
            self._know(analyzer, terms, each.idf_)
        matrix = hstack(parts, format="csr", dtype=np.float32)
        axes = self._taxonomy.axes.items()
        for done, (name, axis) in enumerate(axes, start=1):
            self._layers[name] = self._fit_axis(axis, matrix, list(train[name]))
            log.progress(done, len(axes), None)
        self._ready()

    def _vectorizer(self, analyzer: Analyzer) -> TfidfVectorizer:
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            analyzer=analyzer,
            ngram_range=self._sizes(analyzer),
            min_df=self._params.min_df,
            sublinear_tf=True,
            dtype=np.float32,
        )

    def _sizes(self, analyzer: Analyzer) -> tuple[int, int]:
        return self._params.word_ngrams if analyzer == "word" else self._params.char_ngrams

    def _know(self, analyzer: Analyzer, terms: Sequence[str], idf: np.ndarray) -> None:
        """Take n-grams, in the order of their columns, with their inverse document frequencies."""
        known = {term: column for column, term in enumerate(terms)}
        self._ngrams[analyzer] = Ngrams(analyzer, self._sizes(analyzer), known)
        self._idf[analyzer] = idf.astype(np.float32)

    def _ready(self) -> None:
        """Put the layers of all axes side by side, so that one product serves them all."""
        self._bags = Bags(self._ngrams["word"], self._ngrams["char_wb"])
        weights = np.vstack([weights for weights, _ in self._layers.values()]).T
        middle = len(self._ngrams["word"].known)
        self._weights = {
            "word": np.ascontiguousarray(weights[:middle]),
            "char_wb": np.ascontiguousarray(weights[middle:]),
        }
        self._bias = np.hstack([bias for _, bias in self._layers.values()])

    def _fit_axis(self, axis: Axis, matrix: csr_matrix, rows: list[Any]) -> Layer:
        if axis.single:
            return self._multinomial(matrix, np.asarray(rows), len(axis.names))
        table = np.zeros((matrix.shape[0], len(axis.names)), dtype=np.int64)
        for number, labels in enumerate(rows):
            table[number, labels] = 1
        layers = [self._binary(matrix, column) for column in table.T]
        return np.vstack([weights for weights, _ in layers]), np.hstack([bias for _, bias in layers])

    def _multinomial(self, matrix: csr_matrix, target: np.ndarray, columns: int) -> Layer:
        """Fit one row of weights a label; one that no training row carries is never chosen."""
        weights = np.zeros((columns, matrix.shape[1]), np.float32)
        bias = np.full(columns, _NEVER, np.float32)
        seen = np.unique(target)
        if len(seen) == 1:
            bias[seen] = 0
            return weights, bias
        model = self._regression().fit(matrix, target)
        if len(seen) == 2:  # scikit-learn folds two labels into one row of log-odds
            weights[seen] = np.vstack([-model.coef_ / 2, model.coef_ / 2])
            bias[seen] = np.hstack([-model.intercept_ / 2, model.intercept_ / 2])
        else:
            weights[seen], bias[seen] = model.coef_, model.intercept_
        return weights, bias

    def _binary(self, matrix: csr_matrix, target: np.ndarray) -> Layer:
        """Fit log-odds of a label; where all rows agree there are only their smoothed odds."""
        positive, negative = int(target.sum()), int((1 - target).sum())
        if not positive or not negative:
            odds = np.log((positive + 0.5) / (negative + 0.5))
            return np.zeros((1, matrix.shape[1]), np.float32), np.array([odds], np.float32)
        model = self._regression().fit(matrix, target)
        return model.coef_.astype(np.float32), model.intercept_.astype(np.float32)

    def _regression(self) -> LogisticRegression:
        from sklearn.linear_model import LogisticRegression

        weight = "balanced" if self._params.balanced else None
        return LogisticRegression(
            C=self._params.C, class_weight=weight, max_iter=1000, random_state=self._seed
        )

    def predict_proba(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        """See :class:`stance.classifiers.Classifier`."""
        axes = self._taxonomy.axes
        return {name: probabilities(logits, axes[name]) for name, logits in self.logits(texts).items()}

    def logits(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        """Return axis name to logits, shape (texts, labels), taxonomy order."""
        starts = range(0, len(texts), _AT_ONCE)
        parts = [self._side_by_side(texts[start : start + _AT_ONCE]) for start in starts]
        whole = np.concatenate([np.zeros((0, len(self._bias))), *parts])
        ends = np.cumsum([len(axis.names) for axis in self._taxonomy.axes.values()])[:-1]
        return dict(zip(self._taxonomy.axes, np.split(whole, ends, axis=1), strict=True))

    def _side_by_side(self, texts: Sequence[str]) -> FloatArray:
        """Return logits, shape (texts, labels of all axes)."""
        logits: FloatArray = np.zeros((len(texts), len(self._bias))) + self._bias
        for analyzer, features in self._features(texts).items():
            logits += features @ self._weights[analyzer]
        return logits

    def _features(self, texts: Sequence[str]) -> dict[Analyzer, csr_matrix]:
        """Return TF-IDF weights of unit length, shape (texts, n-grams), of each kind of n-gram."""
        if self._bags is None:
            raise StanceError("this classifier is not trained; call fit or load first")
        counts = self._bags.counts(texts)
        return {
            analyzer: _weighted(table, self._idf[analyzer])
            for analyzer, table in zip(ANALYZERS, counts, strict=True)
        }

    def explain(self, texts: Sequence[str], wanted: Wanted) -> WordWeights:
        """See :class:`stance.classifiers.Classifier`; the weights are exact.

        An n-gram adds its TF-IDF weight times its coefficient to a label's logit. That is shared out over
        the words that it covers, so a text's weights and the bias add up to the logit: on a
        multi-label axis the label's log-odds, on a single-label one how far its logit lies above the mean
        of the other labels' logits. What a text without words gets is the bias.
        """
        if not texts:
            return {name: [] for name in wanted}
        parts = self._word_parts(texts)
        ends = np.cumsum([len(words(text)) for text in texts])[:-1]
        found: WordWeights = {}
        for name, rows in wanted.items():
            logits = np.asarray(parts @ self._layers[name][0].T, dtype=np.float64)
            if self._taxonomy.axes[name].single:
                logits = _above_the_others(logits)
            pieces = zip(np.split(logits, ends), rows, strict=True)
            found[name] = [piece[:, list(columns)].T for piece, columns in pieces]
        return found

    def _word_parts(self, texts: Sequence[str]) -> csr_matrix:
        """Return the texts' features split over their words, shape (words of all texts, features)."""
        parts = []
        for analyzer, features in self._features(texts).items():
            split = [
                shares(self._ngrams[analyzer], text, len(words(text))).multiply(features[row])
                for row, text in enumerate(texts)
            ]
            parts.append(vstack(split, format="csr"))
        return hstack(parts, format="csr", dtype=np.float64)

    def compressed(self) -> None:
        """See :class:`stance.classifiers.Classifier`; a sparse product leaves little to save."""

    def save(self, folder: Path, *, light: bool = False) -> None:
        """See :class:`stance.classifiers.Classifier`."""
        terms = {analyzer: list(each.known) for analyzer, each in self._ngrams.items()}
        text = json.dumps(terms, ensure_ascii=False, separators=(",", ":"))
        (folder / VOCABULARY_FILE).write_text(text + "\n", encoding="utf-8", newline="\n")
        arrays = {f"{analyzer}.idf": idf for analyzer, idf in self._idf.items()}
        for name, (weights, bias) in self._layers.items():
            arrays |= {f"{name}.weights": weights, f"{name}.bias": bias}
        save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, folder / WEIGHTS_FILE)

    @classmethod
    def load(
        cls, folder: Path, taxonomy: Taxonomy, params: TfidfParams, precision: Precision | None = None
    ) -> Self:
        """See :class:`stance.classifiers.Classifier`."""
        if precision == "int8":
            raise UserError(f"{folder}: a tfidf model has no int8 form; leave --precision away")
        model = cls(taxonomy, params, seed=0)
        try:
            terms = json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8"))
            arrays = load_file(folder / WEIGHTS_FILE)
            for analyzer in ANALYZERS:
                model._know(analyzer, terms[analyzer], arrays[f"{analyzer}.idf"])
            model._layers = {
                name: (arrays[f"{name}.weights"], arrays[f"{name}.bias"]) for name in taxonomy.axes
            }
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise DamagedModelError(
                f"{folder}: the model's files cannot be read ({error}); train it again"
            ) from error
        model._check_shapes(folder)
        model._ready()
        return model

    def _check_shapes(self, folder: Path) -> None:
        for analyzer, idf in self._idf.items():
            if idf.shape != (len(self._ngrams[analyzer].known),):
                raise DamagedModelError(f"{folder}: its n-grams do not fit their weights; train it again")
        features = sum(map(len, self._idf.values()))
        for name, axis in self._taxonomy.axes.items():
            weights, bias = self._layers[name]
            if weights.shape != (len(axis.names), features) or bias.shape != (len(axis.names),):
                raise DamagedModelError(
                    f"{folder}: weights for '{name}' do not fit its labels; train it again"
                )


def _weighted(counts: csr_matrix, idf: np.ndarray) -> csr_matrix:
    """Return sublinear TF-IDF, each row of length 1 or, without a known n-gram, of zeros."""
    values = (1 + np.log(counts.data)) * idf[counts.indices]
    sizes = np.diff(counts.indptr)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    lengths = np.sqrt(np.bincount(rows, np.square(values, dtype=np.float64), minlength=len(sizes)))
    scaled = (values / lengths[rows]).astype(np.float32)
    return csr_matrix((scaled, counts.indices, counts.indptr), shape=counts.shape)


def _above_the_others(logits: FloatArray) -> FloatArray:
    """Return how far each logit lies above the mean of the others, shape (rows, labels) as given."""
    others = (logits.sum(axis=1, keepdims=True) - logits) / (logits.shape[1] - 1)
    above: FloatArray = logits - others
    return above
