"""A fine-tuned transformer, and beside it the n-grams that it overlooks.

Trained with torch, run with onnxruntime and tokenizers. With a ``lexical_weight`` a TF-IDF classifier
learns the same rows, and the two are heard together: they err on different sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from tokenizers import Encoding, Tokenizer

from stance.batching import log_odds, probabilities
from stance.classifiers import FitLog, Precision, Wanted, WordWeights, tfidf
from stance.encoder import DEFAULT_ENCODER, locate
from stance.errors import DamagedModelError, MissingExtraError, StanceError, UserError
from stance.runtime import Runtime, multiplies_bytes, seconds_for
from stance.taxonomy import FloatArray, Taxonomy
from stance.words import without_each

if TYPE_CHECKING:
    from datasets import Dataset

WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "model.onnx"
LIGHT_FILE = "model.int8.onnx"
TOKENIZER_FILE = "tokenizer.json"
_EXPLAINED_AT_ONCE = 64
_SAMPLED = 64
_PARITY = 1e-3
_CLEARLY = 0.5
_FAR = 1.0
_PROBE = ["Ministers agreed to talk.", "Duties rise on Monday, and more may follow, he said."]


class TransformerParams(BaseModel):
    """Settings of the ``transformer`` family.

    Attributes:
        encoder: ``all-MiniLM-L6-v2``, a local folder, or a hub id.
        revision: the full commit hash of a hub id.
        max_tokens: longer sentences are cut.
        epochs: passes over the rows; the rate falls to nought at the end of the last.
        min_steps: few rows are passed over more often, until at least so many batches are learnt from.
        lr: peak learning rate of the encoder; ``head_lr`` that of the heads.
        warmup: share of all steps in which the rate rises.
        dropout: before the heads; ``encoder_dropout`` inside the encoder.
        frozen_layers: embeddings and so many of the lowest layers keep their pretrained weights, which
            makes every epoch quicker; 0 trains everything.
        multi_label_weight: weight of a multi-label axis' loss, a mean over its labels, against that of a
            single-label one.
        bf16: train in bfloat16 where the processor computes it in hardware; weights stay fp32.
        balanced: weigh rare labels by the square root of their inverse frequency.
        rdrop: weight of the divergence between two passes under different dropout; 0 passes once, which
            halves the time.
        averaged_share: share of all steps, the last ones, whose weights are averaged; 0 for none.
        lexical_weight: share of the logits that comes from n-grams; 0 leaves them out.
        lexical: settings of the n-grams.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: str = DEFAULT_ENCODER
    revision: str | None = None
    max_tokens: int = Field(default=128, ge=8, le=512)
    epochs: int = Field(default=3, ge=1)
    min_steps: int = Field(default=0, ge=0)
    batch_size: int = Field(default=32, ge=1)
    lr: float = Field(default=2e-4, gt=0)
    head_lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    encoder_dropout: float = Field(default=0.1, ge=0, lt=1)
    frozen_layers: int = Field(default=0, ge=0)
    multi_label_weight: float = Field(default=1.0, gt=0)
    clip_norm: float = Field(default=1.0, gt=0)
    bf16: bool = True
    balanced: bool = True
    rdrop: float = Field(default=0.0, ge=0)
    averaged_share: float = Field(default=0.0, ge=0, lt=1)
    lexical_weight: float = Field(default=0.0, ge=0, lt=1)
    lexical: tfidf.TfidfParams = tfidf.TfidfParams()

    def passes(self, rows: int) -> int:
        """Return how often so many rows are passed over, by ``epochs`` and ``min_steps``."""
        steps = -(-rows // self.batch_size)
        return max(self.epochs, -(-self.min_steps // steps))


class Family:
    """See :class:`stance.classifiers.Classifier`."""

    Params: ClassVar[type[BaseModel]] = TransformerParams

    def __init__(self, taxonomy: Taxonomy, params: TransformerParams, seed: int) -> None:
        self._taxonomy = taxonomy
        self._params = params
        self._seed = seed
        self._tokenizer: Tokenizer | None = None
        self._network: Any = None
        self._runtime: Runtime | None = None
        self._lexical: tfidf.Family | None = None
        self._sample: Sequence[Encoding] = ()
        self.precision: Precision = "fp32"

    def fit(self, train: Dataset, dev: Dataset | None, log: FitLog) -> None:
        """See :class:`stance.classifiers.Classifier`."""
        try:
            from stance import finetune, network
        except ImportError as error:
            raise MissingExtraError(error.name or "torch", "train", "training a transformer") from None

        folder = locate(self._params.encoder, self._params.revision)
        self._tokenizer = _tokenizer(folder / TOKENIZER_FILE, self._params.max_tokens)
        finetune.seed_everything(self._seed)
        self._network = network.build(folder, self._taxonomy, self._params)
        rows = self._rows(train)
        self._sample = rows.encodings[:: -(-len(rows) // _SAMPLED)]
        dev_rows = None if dev is None else self._rows(dev)
        finetune.train(self._network, self._taxonomy, rows, dev_rows, self._params, self._seed, log)
        if self._params.lexical_weight:
            self._lexical = tfidf.Family(self._taxonomy, self._params.lexical, self._seed)
            self._lexical.fit(train, dev, _Untold())

    def _rows(self, data: Dataset) -> Any:
        import torch

        from stance import finetune

        targets = {}
        for name, axis in self._taxonomy.axes.items():
            if axis.single:
                targets[name] = torch.tensor(list(data[name]), dtype=torch.long)
                continue
            targets[name] = torch.zeros((len(data), len(axis.names)))
            for number, labels in enumerate(data[name]):
                targets[name][number, list(labels)] = 1.0
        return finetune.Rows(self._encode(data["text"]), targets)

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        if self._tokenizer is None:
            raise StanceError("this classifier is not trained; call fit or load first")
        return self._tokenizer.encode_batch([" ".join(text.split()) for text in texts])

    def predict_proba(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        """See :class:`stance.classifiers.Classifier`."""
        axes = self._taxonomy.axes
        if not texts:
            return {name: np.zeros((0, len(axis.names))) for name, axis in axes.items()}
        return {name: probabilities(logits, axes[name]) for name, logits in self._logits(texts).items()}

    def _logits(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        """Return axis to logits (texts, labels) of the network and the n-grams together."""
        found = self._network_logits(texts)
        if self._lexical is None:
            return found
        share, other = self._params.lexical_weight, self._lexical.logits(texts)
        return {name: (1 - share) * logits + share * other[name] for name, logits in found.items()}

    def _network_logits(self, texts: Sequence[str]) -> dict[str, FloatArray]:
        encodings = self._encode(texts)
        if self._runtime is not None:
            logits = self._runtime.run(encodings)
        else:
            from stance import finetune

            logits = finetune.predict(self._network, encodings)
        return dict(zip(self._taxonomy.axes, logits, strict=True))

    def explain(self, texts: Sequence[str], wanted: Wanted) -> WordWeights:
        """See :class:`stance.classifiers.Classifier`: by occlusion.

        A word's weight is how much the label's log-odds drop when the sentence is read without it (Li,
        Monroe and Jurafsky, "Understanding Neural Networks through Representation Erasure", 2016).
        The weights do not add up to anything, and two words that say the same hide each other.
        """
        found: WordWeights = {name: [] for name in wanted}
        for start in range(0, len(texts), _EXPLAINED_AT_ONCE):
            part = texts[start : start + _EXPLAINED_AT_ONCE]
            drops = self._drops(part)
            for name, rows in wanted.items():
                columns = rows[start : start + _EXPLAINED_AT_ONCE]
                found[name] += [
                    each[name][:, list(which)].T for each, which in zip(drops, columns, strict=True)
                ]
        return found

    def _drops(self, texts: Sequence[str]) -> list[dict[str, FloatArray]]:
        """Return for every text and axis how far the log-odds drop, shape (words, labels)."""
        versions = [[text, *without_each(text)] for text in texts]
        logits = self._logits([version for each in versions for version in each])
        odds = {name: log_odds(scores, self._taxonomy.axes[name]) for name, scores in logits.items()}
        ends = np.cumsum([len(each) for each in versions])
        return [
            {
                name: scores[end - len(each)] - scores[end - len(each) + 1 : end]
                for name, scores in odds.items()
            }
            for each, end in zip(versions, ends.tolist(), strict=True)
        ]

    def compressed(self) -> Self:
        """See :class:`stance.classifiers.Classifier`: the same network in 8-bit integers."""
        from stance.quantize import quantize

        with TemporaryDirectory() as name:
            onnx, light = Path(name) / ONNX_FILE, Path(name) / LIGHT_FILE
            tokenizer = self._export(Path(name) / WEIGHTS_FILE, onnx)
            quantize(onnx, light, self._sample)
            runtime = Runtime(light)
            return self._running(self._taxonomy, self._params, tokenizer, runtime, self._lexical, "int8")

    def save(self, folder: Path, *, light: bool = False) -> None:
        """See :class:`stance.classifiers.Classifier`; the ONNX graph must agree with torch.

        Raises:
            StanceError: the exported graph gives other logits than the network it came from.
        """
        from stance import finetune
        from stance.quantize import quantize

        tokenizer = self._export(folder / WEIGHTS_FILE, folder / ONNX_FILE)
        tokenizer.save(str(folder / TOKENIZER_FILE))
        probe = self._encode(_PROBE)
        wanted, got = finetune.predict(self._network, probe), Runtime(folder / ONNX_FILE).run(probe)
        if not all(np.abs(one - other).max() <= _PARITY for one, other in zip(wanted, got, strict=True)):
            raise StanceError(
                f"{folder / ONNX_FILE}: the exported graph differs from the trained network; report this"
            )
        if self._lexical is not None:
            self._lexical.save(folder)
        if light:
            quantize(folder / ONNX_FILE, folder / LIGHT_FILE, self._sample)

    def _export(self, weights: Path, onnx: Path) -> Tokenizer:
        from stance import network

        if self._network is None or self._tokenizer is None:
            raise StanceError("only a freshly trained transformer can be saved; copy the loaded folder")
        network.export(self._network, self._tokenizer, self._taxonomy, weights, onnx)
        return self._tokenizer

    @classmethod
    def load(
        cls, folder: Path, taxonomy: Taxonomy, params: TransformerParams, precision: Precision | None = None
    ) -> Self:
        """See :class:`stance.classifiers.Classifier`."""
        for name in (ONNX_FILE, TOKENIZER_FILE, WEIGHTS_FILE):
            if not (folder / name).is_file():
                raise DamagedModelError(f"{folder / name}: missing; train the model again")
        tokenizer = _tokenizer(folder / TOKENIZER_FILE, params.max_tokens)
        light = folder / LIGHT_FILE
        if precision == "int8" and not light.is_file():
            raise UserError(f"{folder}: has no int8 form; its card says why: leave --precision away")
        if precision is None:
            precision = _quicker(folder, tokenizer) if light.is_file() else "fp32"
        runtime = Runtime(light if precision == "int8" else folder / ONNX_FILE)
        if runtime.outputs != {name: len(axis.names) for name, axis in taxonomy.axes.items()}:
            raise DamagedModelError(f"{folder}: its outputs do not fit the taxonomy; train it again")
        lexical = tfidf.Family.load(folder, taxonomy, params.lexical) if params.lexical_weight else None
        return cls._running(taxonomy, params, tokenizer, runtime, lexical, precision)

    @classmethod
    def _running(
        cls,
        taxonomy: Taxonomy,
        params: TransformerParams,
        tokenizer: Tokenizer,
        runtime: Runtime,
        lexical: tfidf.Family | None,
        precision: Precision,
    ) -> Self:
        """Return a classifier that predicts and cannot be trained or saved."""
        model = cls(taxonomy, params, seed=0)
        model._tokenizer, model._runtime, model._lexical = tokenizer, runtime, lexical
        model.precision = precision
        return model


class _Untold:
    """A fit log for the n-grams, whose few seconds are not worth a bar of their own."""

    def metric(self, name: str, value: float, step: int) -> None:
        """Ignore."""

    def progress(self, done: int, total: int, loss: float | None) -> None:
        """Ignore."""


def _quicker(folder: Path, tokenizer: Tokenizer) -> Precision:
    """Return the form that needs less time on this machine: plain where bytes are multiplied, else tried.

    fp32 must be twice as quick to be taken: near the draw the same machine must not change its mind.
    It is also taken where int8 comes out wrong: old processors have no room for sums of two products.
    """
    if multiplies_bytes():
        return "int8"
    probe = tokenizer.encode_batch(_PROBE)
    full, light = Runtime(folder / ONNX_FILE), Runtime(folder / LIGHT_FILE)
    pairs = zip(full.run(probe), light.run(probe), strict=True)
    if any(np.abs(one - other).max() > _FAR for one, other in pairs):
        return "fp32"
    return "fp32" if seconds_for(full, probe) < _CLEARLY * seconds_for(light, probe) else "int8"


def _tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # tokenizers raises plain Exception for whatever is wrong with the file.
    except Exception as error:
        raise DamagedModelError(f"{path}: no tokenizer can be read from it ({error})") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer
