"""What every model family keeps, whichever it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import ROWS, Silent, write_rows
from stance import classifiers
from stance.classifiers import Classifier
from stance.config import load_config
from stance.dataset import as_dataset, load_folder
from stance.errors import DamagedModelError

TEXTS = [row[1] for row in ROWS] + ["", "An unheard-of sentence, with 12 words — none of them in the rows!"]

pytestmark = pytest.mark.parametrize("name", classifiers.names())


def fitted(name: str, configs: Path, labels: Path, *, seed: int = 3) -> Classifier:
    data = load_folder(labels)
    config = load_config(configs / f"{name}.yaml", seed=seed)
    classifier = classifiers.get(name)(data.taxonomy, config.params, seed)
    rows = as_dataset(data)
    classifier.fit(rows.select(range(18)), rows.select(range(18, 24)), Silent())
    return classifier


def test_every_family_has_a_config(name: str) -> None:
    """A family that cannot be trained by name would be dead code."""
    assert (Path("configs") / f"{name}.yaml").is_file()


def test_probabilities_are_probabilities(name: str, configs: Path, labels: Path) -> None:
    """Any text, even an empty one, gets finite probabilities in taxonomy order; framings sum to 1."""
    found = fitted(name, configs, labels).predict_proba(TEXTS)
    assert found["framing"].shape == (len(TEXTS), 3)
    assert found["topics"].shape == (len(TEXTS), 3)
    assert np.allclose(found["framing"].sum(1), 1)
    assert all(((each >= 0) & (each <= 1)).all() for each in found.values())


def test_no_texts_give_no_rows(name: str, configs: Path, labels: Path) -> None:
    """An empty batch is no special case for the caller."""
    assert fitted(name, configs, labels).predict_proba([])["topics"].shape == (0, 3)


def test_a_text_is_tagged_alike_in_any_company(name: str, configs: Path, labels: Path) -> None:
    """Batching, padding and order never change what a sentence gets."""
    classifier = fitted(name, configs, labels)
    together = classifier.predict_proba(TEXTS)
    alone = [classifier.predict_proba([text]) for text in TEXTS]
    for axis, values in together.items():
        assert np.allclose(values, np.concatenate([each[axis] for each in alone]), atol=1e-5)


def test_the_same_seed_gives_the_same_model(name: str, configs: Path, labels: Path) -> None:
    """A rerun with the same seed predicts exactly the same."""
    first, second = (fitted(name, configs, labels).predict_proba(TEXTS) for _ in range(2))
    assert all((first[axis] == second[axis]).all() for axis in first)


def test_a_saved_model_predicts_as_before(name: str, configs: Path, labels: Path, tmp_path: Path) -> None:
    """What is loaded from disk gives the probabilities of what was trained."""
    classifier = fitted(name, configs, labels)
    classifier.save(tmp_path)
    config = load_config(configs / f"{name}.yaml")
    loaded = classifiers.get(name).load(tmp_path, load_folder(labels).taxonomy, config.params)
    before, after = classifier.predict_proba(TEXTS), loaded.predict_proba(TEXTS)
    assert all(np.allclose(before[axis], after[axis], atol=1e-5) for axis in before)
    assert not [
        path for path in tmp_path.iterdir() if path.suffix in {".pkl", ".pickle", ".joblib", ".bin", ".pt"}
    ]


def test_any_missing_or_cut_file_is_an_error(name: str, configs: Path, labels: Path, tmp_path: Path) -> None:
    """A model that lacks a file, or whose file was cut short, never loads as an untrained one."""
    fitted(name, configs, labels).save(tmp_path)
    config, taxonomy = load_config(configs / f"{name}.yaml"), load_folder(labels).taxonomy
    files = sorted(tmp_path.iterdir())
    assert files
    for path in files:
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(DamagedModelError):
            classifiers.get(name).load(tmp_path, taxonomy, config.params)
        if path.name != "model.safetensors":  # kept for further training, not read for prediction
            path.write_bytes(whole[: len(whole) // 2])
            with pytest.raises(DamagedModelError):
                classifiers.get(name).load(tmp_path, taxonomy, config.params)
        path.write_bytes(whole)


def test_a_label_without_rows_keeps_its_column(
    name: str, configs: Path, labels: Path, tmp_path: Path
) -> None:
    """A framing and a topic that no training row carries shift no other label, and are not chosen."""
    (tmp_path / "taxonomy.yaml").write_text(
        (labels / "taxonomy.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    rows = [(a, b, c, [t for t in d if t != "farming"]) for a, b, c, d in ROWS if c != "hawkish"]
    write_rows(tmp_path / "rows.jsonl", rows)
    data = load_folder(tmp_path)
    config = load_config(configs / f"{name}.yaml")
    classifier = classifiers.get(name)(data.taxonomy, config.params, 3)
    classifier.fit(as_dataset(data), None, Silent())
    found = classifier.predict_proba([row[1] for row in rows])
    assert (found["framing"].argmax(1) != 1).all()
    assert found["topics"][:, 1].max() < 0.5
