"""A model folder: a fitted classifier, its taxonomy and calibration. The only thing that predicts."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import ValidationError

from stance import __version__, classifiers
from stance.calibrate import AxisCalibration, BoolArray, Calibration
from stance.classifiers import Classifier, Precision
from stance.config import TrainConfig, restore
from stance.errors import DamagedModelError, UserError
from stance.files import fingerprint, sha256, write_json
from stance.records import Article, Explanation, Sentence, Tagged, WordWeight
from stance.repeats import Repeats
from stance.segment import sentences
from stance.taxonomy import TAXONOMY_FILE, Axis, FloatArray, Taxonomy
from stance.words import words

MANIFEST_FILE = "manifest.json"
CALIBRATION_FILE = "calibration.json"
CONFIG_FILE = "config.json"
TRAINED_ON_FILE = "trained_on.txt"
FORMAT = 1
_WINDOW = 512
_VERSIONED = ("numpy", "scikit-learn", "torch", "transformers", "tokenizers", "onnxruntime", "safetensors")


@dataclass(frozen=True, slots=True)
class Tagger:
    """A loaded model.

    Attributes:
        manifest: what training recorded: name, family, scores, checksums, versions, fingerprint.
    """

    classifier: Classifier
    taxonomy: Taxonomy
    calibration: Calibration
    config: TrainConfig
    manifest: Mapping[str, Any]
    folder: Path

    @property
    def name(self) -> str:
        """The model's name, from its config."""
        return self.config.name

    @property
    def precision(self) -> Precision:
        """What numbers it is computed in."""
        return self.classifier.precision

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that identify the model's every byte."""
        return str(self.manifest["fingerprint"])[:12]

    @classmethod
    def load(cls, folder: Path, precision: Precision | None = None) -> Self:
        """Read a model folder after checking every byte of it against its manifest.

        Args:
            folder: the model.
            precision: see :meth:`stance.classifiers.Classifier.load`.

        Raises:
            UserError: there is no such folder, it is no model folder, or has no such form.
            DamagedModelError: a file is missing, changed or of a newer format.
        """
        manifest = read_manifest(folder)
        verify_files(folder, manifest["files"])
        taxonomy = Taxonomy.load(folder / TAXONOMY_FILE)
        config = restore(_read_json(folder / CONFIG_FILE), folder / CONFIG_FILE)
        try:
            calibration = {
                name: AxisCalibration.model_validate(value)
                for name, value in _read_json(folder / CALIBRATION_FILE).items()
            }
        except ValidationError as error:
            raise DamagedModelError(
                f"{folder / CALIBRATION_FILE}: not what training wrote; train again"
            ) from error
        family = classifiers.get(config.family)
        classifier = family.load(folder, taxonomy, config.params, precision)
        return cls(classifier, taxonomy, calibration, config, manifest, folder)

    def predict(self, texts: Sequence[str]) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
        """Return calibrated probabilities and decisions, axis to (texts, labels)."""
        raw = self.classifier.predict_proba(texts)
        probabilities, decided = {}, {}
        for name, axis in self.taxonomy.axes.items():
            probabilities[name] = self.calibration[name].probabilities(raw[name], axis)
            decided[name] = self.calibration[name].decide(probabilities[name], axis)
        return probabilities, decided

    def _numbers(self, texts: Sequence[str]) -> FloatArray:
        """Return :meth:`predict` as one table: probabilities of all labels, then decisions as 0 or 1."""
        probabilities, decided = self.predict(texts)
        return np.hstack([*probabilities.values(), *decided.values()])

    def _apart(self, numbers: FloatArray) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
        """Take :meth:`_numbers` apart into axes."""
        axes = self.taxonomy.axes
        ends = np.cumsum([len(axis.names) for axis in axes.values()] * 2)[:-1]
        tables = np.split(numbers, ends, axis=1)
        decided = {name: table > 0 for name, table in zip(axes, tables[len(axes) :], strict=True)}
        return dict(zip(axes, tables, strict=False)), decided

    def tag(
        self, articles: Iterable[Article], min_confidence: float = 0.0, *, explain: bool = False
    ) -> Iterator[Tagged]:
        """Yield every sentence of every article, tagged, in order; one that comes again is computed once.

        Args:
            articles: in the order that their sentences are to come.
            min_confidence: a sentence gets no label on a single-label axis where the best one's
                calibrated probability is below this. Multi-label axes keep their thresholds.
            explain: weigh the words of every sentence too, which takes longer.
        """
        predict = Repeats(self._numbers)
        waiting = (sentence for article in articles for sentence in sentences(article))
        while window := list(islice(waiting, _WINDOW)):
            numbers = predict([sentence.text for sentence in window])
            tagged = self._tagged(window, numbers, min_confidence)
            yield from self._explained(tagged) if explain else tagged

    def _tagged(self, window: Sequence[Sentence], numbers: FloatArray, min_confidence: float) -> list[Tagged]:
        probabilities, decided = self._apart(numbers)
        for name, axis in self.taxonomy.axes.items():
            if axis.single:
                decided[name] &= probabilities[name].max(axis=1, keepdims=True) >= min_confidence
        axes = self.taxonomy.axes.items()
        return [
            Tagged(
                sentence,
                {name: axis.decode(decided[name][row]) for name, axis in axes},
                {
                    name: dict(zip(axis.names, probabilities[name][row].tolist(), strict=True))
                    for name, axis in axes
                },
            )
            for row, sentence in enumerate(window)
        ]

    def _explained(self, tagged: Sequence[Tagged]) -> list[Tagged]:
        """Return the sentences with what their words did for their labels."""
        texts = [each.sentence.text for each in tagged]
        labels = {
            name: [_to_explain(each, name, axis) for each in tagged]
            for name, axis in self.taxonomy.axes.items()
        }
        columns = {
            name: [[axis.names.index(label) for label in row] for row in labels[name]]
            for name, axis in self.taxonomy.axes.items()
        }
        weights = self.classifier.explain(texts, columns)
        return [
            replace(
                each,
                explanations={
                    name: _explanations(each.sentence.text, labels[name][row], weights[name][row])
                    for name in self.taxonomy.axes
                },
            )
            for row, each in enumerate(tagged)
        ]


def _to_explain(tagged: Tagged, name: str, axis: Axis) -> tuple[str, ...]:
    """Return the labels assigned; an unsure sentence explains its best one."""
    if not axis.single or tagged.labels[name]:
        return tagged.labels[name]
    probabilities = tagged.probabilities[name]
    return (max(probabilities, key=probabilities.__getitem__),)


def _explanations(text: str, labels: Sequence[str], weights: FloatArray) -> tuple[Explanation, ...]:
    spans = words(text)
    return tuple(
        Explanation(
            label,
            tuple(
                WordWeight(start, end, text[start:end], weight)
                for (start, end), weight in zip(spans, row, strict=True)
            ),
        )
        for label, row in zip(labels, weights.tolist(), strict=True)
    )


def write_model(
    folder: Path,
    taxonomy: Taxonomy,
    calibration: Calibration,
    config: TrainConfig,
    extra_files: Mapping[str, str],
    facts: Mapping[str, Any],
) -> None:
    """Make a model of a folder that a classifier was saved to; the manifest comes last and covers all.

    Args:
        folder: holds what the classifier saved, and nothing else.
        taxonomy: the classifier's label set.
        calibration: one an axis.
        config: what it was trained with.
        extra_files: file name to text: the model card.
        facts: what the manifest says besides checksums and versions; must not hold times or paths,
            so that the same training gives the same bytes.
    """
    taxonomy.save(folder / TAXONOMY_FILE)
    write_json(folder / CONFIG_FILE, config.resolved())
    write_json(folder / CALIBRATION_FILE, {name: each.model_dump() for name, each in calibration.items()})
    for name, text in extra_files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    files = {}
    for path in sorted(folder.iterdir()):
        # safetensors makes private files; a model is as public as its card.
        path.chmod((folder / CONFIG_FILE).stat().st_mode)
        files[path.name] = sha256(path)
    manifest = {"format": FORMAT, "stance": __version__, **facts, "versions": _versions(), "files": files}
    write_json(folder / MANIFEST_FILE, {**manifest, "fingerprint": fingerprint(manifest)})


def _versions() -> dict[str, str]:
    found = {}
    for name in _VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a model folder's manifest and check it against its own fingerprint.

    Raises:
        UserError: there is no such folder, or it is no model folder.
        DamagedModelError: the manifest was changed or is of a newer format.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such model folder; train one with: stance train")
    if not (folder / MANIFEST_FILE).is_file():
        raise UserError(f"{folder}: no {MANIFEST_FILE} in it, so it is no model; name a folder under models/")
    manifest = _read_json(folder / MANIFEST_FILE)
    stated = manifest.pop("fingerprint", None)
    if stated != fingerprint(manifest):
        raise DamagedModelError(f"{folder / MANIFEST_FILE}: changed since training; train the model again")
    if manifest["format"] != FORMAT:
        raise DamagedModelError(
            f"{folder}: format {manifest['format']} is not format {FORMAT}; upgrade stance"
        )
    return {**manifest, "fingerprint": stated}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedModelError(f"{path}: cannot be read as JSON; train the model again") from error
    if not isinstance(value, dict):
        raise DamagedModelError(f"{path}: not what training wrote; train the model again")
    return value


def verify_files(folder: Path, files: Mapping[str, str]) -> None:
    """Check every file of a model folder against the checksums in its manifest.

    Raises:
        DamagedModelError: a file is missing or changed.
    """
    paths = [folder / name for name in files]
    for path in paths:
        if not path.is_file():
            raise DamagedModelError(f"{path}: missing; train the model again")
    # Hashing leaves the interpreter to others, and the two large files take most of it.
    with ThreadPoolExecutor() as pool:
        for path, stated, found in zip(paths, files.values(), pool.map(sha256, paths), strict=True):
            if found != stated:
                raise DamagedModelError(f"{path}: changed or damaged since training; train the model again")


def best_model(folder: Path) -> Path:
    """Return the model folder with the highest cross-validated score in ``folder``.

    Raises:
        UserError: there is no model, or the models were scored on different rows, so that no score
            says which is best.
    """
    paths = [path.parent for path in sorted(folder.glob(f"[!.]*/{MANIFEST_FILE}"))]
    if not paths:
        raise UserError(f"{folder}: no trained model here; train one with: stance train")
    manifests = {path: read_manifest(path) for path in paths}
    if len({manifest["scored"]["rows"] for manifest in manifests.values()}) > 1:
        names = ", ".join(map(str, paths))
        raise UserError(f"{folder}: the models were scored on different rows; choose with --model: {names}")
    return max(paths, key=lambda path: float(manifests[path]["scores"]["score"]))
