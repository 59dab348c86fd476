"""A transformer with n-grams beside it says what both say, and is saved and loaded as one model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import ROWS, Silent
from stance.classifiers import tfidf
from stance.classifiers.transformer import Family, TransformerParams
from stance.dataset import as_dataset, load_folder
from stance.errors import DamagedModelError
from stance.taxonomy import FloatArray, Taxonomy
from stance.words import words

pytest.importorskip("torch", reason="needs the train extra")
TEXTS = [row[1] for row in ROWS[:5]]


def settings(encoder: Path, **given: object) -> TransformerParams:
    base = {"encoder": str(encoder), "epochs": 2, "lr": 0.003, "batch_size": 8, "bf16": False}
    return TransformerParams.model_validate(
        {**base, "lexical_weight": 0.5, "lexical": {"min_df": 2}, **given}
    )


def trained(taxonomy: Taxonomy, labels: Path, params: TransformerParams) -> Family:
    family = Family(taxonomy, params, seed=3)
    family.fit(as_dataset(load_folder(labels)), None, Silent())
    return family


def centred(probabilities: FloatArray) -> FloatArray:
    logits: FloatArray = np.log(probabilities)
    middled: FloatArray = logits - logits.mean(1, keepdims=True)
    return middled


def test_both_are_heard_in_the_stated_shares(encoder: Path, labels: Path) -> None:
    """The logits are the weighted mean of the network's and of a tfidf model's, each trained alone."""
    data = load_folder(labels)
    both = trained(data.taxonomy, labels, settings(encoder, lexical_weight=0.25)).predict_proba(TEXTS)
    network = trained(data.taxonomy, labels, settings(encoder, lexical_weight=0)).predict_proba(TEXTS)
    alone = tfidf.Family(data.taxonomy, tfidf.TfidfParams(min_df=2), seed=3)
    alone.fit(as_dataset(data), None, Silent())
    wanted = 0.75 * centred(network["framing"]) + 0.25 * centred(alone.predict_proba(TEXTS)["framing"])
    assert np.allclose(centred(both["framing"]), wanted, atol=1e-4)


def test_it_is_saved_and_loaded_whole(encoder: Path, labels: Path, tmp_path: Path) -> None:
    """The folder holds both parts, and what is loaded predicts as before in every form."""
    taxonomy, params = load_folder(labels).taxonomy, settings(encoder)
    family = trained(taxonomy, labels, params)
    before, light = family.predict_proba(TEXTS), family.compressed().predict_proba(TEXTS)
    family.save(tmp_path, light=True)
    full = Family.load(tmp_path, taxonomy, params, "fp32").predict_proba(TEXTS)
    small = Family.load(tmp_path, taxonomy, params, "int8").predict_proba(TEXTS)
    assert np.allclose(full["topics"], before["topics"], atol=1e-5)
    assert np.allclose(small["topics"], light["topics"], atol=1e-5)


def test_without_its_n_grams_it_does_not_load(encoder: Path, labels: Path, tmp_path: Path) -> None:
    """Half a model never passes for the whole."""
    taxonomy, params = load_folder(labels).taxonomy, settings(encoder)
    trained(taxonomy, labels, params).save(tmp_path)
    (tmp_path / tfidf.VOCABULARY_FILE).unlink()
    with pytest.raises(DamagedModelError, match=r"vocabulary\.json"):
        Family.load(tmp_path, taxonomy, params)


def test_words_are_weighed_on_what_both_say(encoder: Path, labels: Path) -> None:
    """A word that only the n-grams know about counts in the explanation."""
    taxonomy = load_folder(labels).taxonomy
    heard = trained(taxonomy, labels, settings(encoder, lexical_weight=0.9))
    deaf = trained(taxonomy, labels, settings(encoder, lexical_weight=0))
    wanted = {"framing": [[0]]}
    with_both, network_alone = (each.explain(TEXTS[:1], wanted)["framing"][0] for each in (heard, deaf))
    assert with_both.shape == (1, len(words(TEXTS[0])))
    assert not np.allclose(with_both, network_alone, atol=1e-3)
