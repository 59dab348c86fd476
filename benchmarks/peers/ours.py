"""stance itself, both families, by the configs that ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from benchmarks.peers.task import Peer, Rows
from rich.console import Console

from stance import classifiers, crossval
from stance.calibrate import BoolArray
from stance.config import load_config
from stance.files import write_json
from stance.progress import TrainingProgress
from stance.tagger import CALIBRATION_FILE
from stance.taxonomy import FloatArray


class _Stance(Peer):
    """Trained and calibrated on the fold's training side, as ``stance train`` does for its scores.

    An eighth of the training articles is not trained on: temperatures and thresholds come from it.
    """

    packages = ("stance",)
    modules: ClassVar[tuple[str, ...]] = ()
    tunes = True

    def fit(self, rows: Rows, axes: Sequence[str]) -> None:
        """See :class:`Peer`; ``rows`` are those of the task's fold, and both axes are learnt at once."""
        self._config = load_config(Path(f"configs/{self.key.removeprefix('stance-')}.yaml"))
        with TrainingProgress(Console(stderr=True), self.title) as watcher:
            watcher.plan(1)
            self._classifier, self._calibration = crossval.fit_calibrated(
                self.task.problem, self._config, self.task.fold, watcher
            )

    def predict(self, texts: list[str]) -> dict[str, FloatArray]:
        """See :class:`Peer`; the probabilities are calibrated."""
        raw = self._classifier.predict_proba(texts)
        return {
            name: self._calibration[name].probabilities(raw[name], axis)
            for name, axis in self.taxonomy.axes.items()
        }

    def decide(self, values: Mapping[str, FloatArray]) -> dict[str, BoolArray]:
        """See :class:`Peer`; by the thresholds found in training."""
        axes = self.taxonomy.axes
        return {axis: self._calibration[axis].decide(table, axes[axis]) for axis, table in values.items()}

    def save(self, folder: Path) -> None:
        """See :class:`Peer`; from here on the saved model predicts, as it does for a user."""
        self._classifier.save(folder)
        write_json(
            folder / CALIBRATION_FILE, {name: each.model_dump() for name, each in self._calibration.items()}
        )
        family = classifiers.get(self._config.family)
        self._classifier = family.load(folder, self.taxonomy, self._config.params)


class StanceTfidf(_Stance):
    """The baseline."""

    key = "stance-tfidf"
    title = "stance, tfidf"
    modules = ("stance.classifiers.tfidf",)


class StanceTransformer(_Stance):
    """The fine-tuned encoder."""

    key = "stance-transformer"
    title = "stance, transformer"
    modules = ("stance.classifiers.transformer", "stance.finetune")
