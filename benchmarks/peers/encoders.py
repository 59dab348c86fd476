"""Peers that start from the pretrained encoder that stance starts from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.peers.bags import dump, logistic, logistic_target, logistic_values
from benchmarks.peers.task import BATCH, Peer, Rows

from stance.encoder import DEFAULT_ENCODER, locate
from stance.taxonomy import FloatArray

# 8,000 pairs, which takes a quarter of an hour on two cores; all pairs of 4,900 sentences would be twelve
# million.
PAIR_STEPS = 500
# The example's 3 epochs for one label a text. Several labels start from "none of them" and have few positives
# each: 3 epochs would end before most topics are ever given.
EPOCHS = {"single": 3, "multi": 15}
MAX_TOKENS = 128


def encoder_folder() -> str:
    """Return where the encoder lies."""
    return str(locate(DEFAULT_ENCODER, None))


class SetFit(Peer):
    """SetFit: contrastive fine-tuning on sentence pairs, then logistic regression.

    Defaults throughout: batches of 16 pairs, as many alike as unlike, one epoch, lr 2e-5, scikit-learn's
    logistic regression; one-vs-rest where there may be many labels. The pairs are limited by ``max_steps``,
    its way for data that is not few-shot: then only so many pairs are drawn as are used.
    """

    key = "setfit"
    title = "SetFit, MiniLM"
    packages = ("setfit",)
    modules = ("setfit", "datasets")

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`."""
        self._models = {axis: self._train(rows, axis) for axis in axes}

    def _train(self, rows: Rows, axis: str) -> Any:
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        single = self.taxonomy.axes[axis].single
        strategy = None if single else "one-vs-rest"
        model = SetFitModel.from_pretrained(encoder_folder(), multi_target_strategy=strategy)
        arguments = TrainingArguments(
            output_dir=str(self.work / axis),
            max_steps=PAIR_STEPS,
            seed=self.seed,
            save_strategy="no",
            report_to="none",
        )
        data = Dataset.from_dict({"text": rows.texts, "label": logistic_target(rows, axis).tolist()})
        Trainer(model=model, args=arguments, train_dataset=data).train()
        return model

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`."""
        found = {}
        for axis, model in self._models.items():
            vectors = model.encode(texts, batch_size=BATCH, show_progress_bar=False)
            found[axis] = logistic_values(self, axis, model.model_head, vectors)
        return found

    def save(self, folder: Path) -> None:
        """See :class:`Peer`; SetFit itself pickles the head."""
        for axis, model in self._models.items():
            model.save_pretrained(str(folder / axis))


class Probe(Peer):
    """Logistic regression on frozen sentence embeddings, as sentence-transformers' users do."""

    key = "probe"
    title = "sentence-transformers, MiniLM frozen, and logistic regression"
    packages = ("sentence-transformers", "skops")
    modules = ("sentence_transformers", "sklearn.linear_model", "skops.io")

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`."""
        from sentence_transformers import SentenceTransformer

        self._encoder = SentenceTransformer(encoder_folder())
        vectors = self._encode(rows.texts)
        self._models = {
            axis: logistic(self.taxonomy.axes[axis].single).fit(vectors, logistic_target(rows, axis))
            for axis in axes
        }

    def _encode(self, texts: list[str]) -> Any:
        return self._encoder.encode(texts, batch_size=BATCH, show_progress_bar=False)

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`."""
        vectors = self._encode(texts)
        return {axis: logistic_values(self, axis, model, vectors) for axis, model in self._models.items()}

    def save(self, folder: Path) -> None:
        """See :class:`Peer`."""
        self._encoder.save(str(folder / "encoder"))
        dump(self._models, folder)


class Model2Vec(Peer):
    """model2vec: word vectors distilled from the encoder, then its own training of vectors and head.

    Defaults throughout: 256 dimensions; lr 1e-3, a hidden layer of 512, early stopping with patience 5 on a
    tenth of the training rows.
    """

    key = "model2vec"
    title = "model2vec, distilled from MiniLM"
    packages = ("model2vec", "skeletoken")
    modules = ("model2vec.distill", "model2vec.train", "transformers")

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`."""
        from model2vec.distill import distill_from_model
        from transformers import AutoModel, AutoTokenizer

        folder = encoder_folder()
        static = distill_from_model(AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))
        self._models = {axis: self._train(static, rows, axis) for axis in axes}

    def _train(self, static: Any, rows: Rows, axis: str) -> Any:
        from model2vec.train import StaticModelForClassification

        names = rows.names(axis)
        labels = [name for (name,) in names] if self.taxonomy.axes[axis].single else names
        model = StaticModelForClassification.from_static_model(model=static)
        return model.fit(rows.texts, labels, random_seed=self.seed).to_pipeline()

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`."""
        found = {}
        for name, model in self._models.items():
            names = self.taxonomy.axes[name].names
            columns = [names.index(label) for label in model.classes_]
            found[name] = np.zeros((len(texts), len(names)))
            found[name][:, columns] = model.predict_proba(texts, batch_size=BATCH)
        return found

    def save(self, folder: Path) -> None:
        """See :class:`Peer`."""
        for axis, model in self._models.items():
            model.save_pretrained(str(folder / axis))


class Transformers(Peer):
    """The text classification example of transformers: its Trainer, one whole model an axis.

    Batches of 32, at most 128 tokens and 3 epochs are the example's; five times the epochs for many labels.
    The rate is the Trainer's default of 5e-5, because a small encoder moves little at the example's 2e-5.
    Products are in bfloat16 where the processor has it, as the guide to training on processors advises.
    """

    key = "transformers"
    title = "transformers, Trainer, MiniLM"
    packages = ("transformers", "accelerate")
    modules = ("transformers", "datasets", "torch")

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`."""
        from transformers import AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(encoder_folder())
        self._models = {axis: self._train(rows, axis) for axis in axes}

    def _train(self, rows: Rows, axis: str) -> Any:
        from datasets import Dataset
        from torch import cuda, device
        from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments, set_seed

        from stance.finetune import computes_bf16

        on = device("cuda" if cuda.is_available() else "cpu")
        set_seed(self.seed)
        columns = self.taxonomy.axes[axis]
        model = AutoModelForSequenceClassification.from_pretrained(
            encoder_folder(),
            num_labels=len(columns.names),
            problem_type=f"{columns.kind}_label_classification",
        )
        # Several labels are learnt by a loss that wants floats.
        target = rows.classes(axis) if columns.single else rows.gold[axis].astype(float)
        encoded = self._tokenizer(rows.texts, truncation=True, max_length=MAX_TOKENS)
        arguments = TrainingArguments(
            output_dir=str(self.work / axis),
            per_device_train_batch_size=32,
            learning_rate=5e-5,
            num_train_epochs=EPOCHS[columns.kind],
            seed=self.seed,
            bf16=computes_bf16(on),
            use_cpu=on.type == "cpu",
            save_strategy="no",
            report_to="none",
        )
        data = Dataset.from_dict({**encoded, "labels": target.tolist()})
        Trainer(model=model, args=arguments, train_dataset=data, processing_class=self._tokenizer).train()
        return model.eval()

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`."""
        return {axis: self._values(axis, model, texts) for axis, model in self._models.items()}

    def _values(self, axis: str, model: Any, texts: list[str]) -> FloatArray:
        import torch

        parts = []
        for start in range(0, len(texts), BATCH):
            batch = self._tokenizer(
                texts[start : start + BATCH],
                truncation=True,
                max_length=MAX_TOKENS,
                padding=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                logits = model(**batch.to(model.device)).logits
            parts.append(logits.softmax(1) if self.taxonomy.axes[axis].single else logits.sigmoid())
        values: FloatArray = torch.cat(parts).cpu().numpy().astype(np.float64)
        return values

    def save(self, folder: Path) -> None:
        """See :class:`Peer`."""
        for axis, model in self._models.items():
            model.save_pretrained(folder / axis)
            self._tokenizer.save_pretrained(folder / axis)
