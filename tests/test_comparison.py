from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from conftest import ROWS, Silent, Stance, write_rows
from stance.comparison import compare_models
from stance.config import load_config
from stance.errors import UserError
from stance.tagger import CALIBRATION_FILE, CONFIG_FILE, MANIFEST_FILE, Tagger, write_model
from stance.taxonomy import TAXONOMY_FILE
from stance.train import NoTracker, run


def test_a_model_compared_with_itself_does_not_differ(models: Path) -> None:
    """Every difference is nought, and no sentence is won by either side."""
    (found,) = compare_models([models / "tfidf", models / "tfidf"], None)
    assert found.rows == len(ROWS)
    assert not any(each.value for each in found.differences)
    assert all(not a and not b for a, b in found.only.values())
    assert found.verdict.count("no difference can be told") == 2


def test_scores_are_those_of_the_cross_validation(models: Path) -> None:
    """Without --data the rows are the held-out ones: the scores are those on the models' cards."""
    (found,) = compare_models([models / "tfidf", models / "transformer"], None)
    for name, side in zip(found.names, ("a", "b"), strict=True):
        stated = json.loads((models / name / "manifest.json").read_text(encoding="utf-8"))["scores"]
        for each in found.differences:
            assert getattr(each, side) == pytest.approx(stated[each.axis][each.metric], abs=1e-6)


def test_sentences_that_one_model_alone_gets_right_are_named(models: Path) -> None:
    """The sentences that a model wins are sentences of the rows, and as many as the scores say."""
    (found,) = compare_models([models / "tfidf", models / "transformer"], None)
    only_a, only_b = found.only["framing"]
    accuracy = next(each for each in found.differences if each.metric == "accuracy")
    assert (len(only_b) - len(only_a)) / found.rows == pytest.approx(accuracy.value)
    assert set(only_a) | set(only_b) <= {row[1] for row in ROWS}


def test_models_scored_on_other_rows_need_data(models: Path, configs: Path, tmp_path: Path) -> None:
    """Scores on different rows are never set against each other; rows of one's own are asked for."""
    config = load_config(configs / "tfidf.yaml", ["name=other", "scored_folds=2"])
    run(config, tmp_path, NoTracker(), Silent())
    with pytest.raises(UserError, match="--data"):
        compare_models([models / "tfidf", tmp_path / "other"], None)
    write_rows(tmp_path / "rows.jsonl")
    (found,) = compare_models([models / "tfidf", tmp_path / "other"], tmp_path / "rows.jsonl")
    assert any("were trained on" in note for note in found.notes)


def test_the_command_prints_a_verdict_and_json(stance: Stance, models: Path, tmp_path: Path) -> None:
    """People get a table and a sentence, programs an object of the documented keys."""
    words = ("compare", models / "tfidf", models / "transformer")
    assert "can be told with 24 sentences" in " ".join(stance(*words).stdout.split()) or (
        "is better on" in stance(*words).stdout
    )
    # Piped output is 80 columns wide: every figure of the table is whole.
    assert "…" not in stance(*words, "--wins", "0").stdout
    value = json.loads(stance(*words, "--json").stdout)
    assert {"a", "b", "n", "articles", "verdict", "framing", "topics"} <= set(value)
    assert {"a", "b", "difference", "interval", "p_value", "significant", "detectable"} == set(
        value["framing"]["macro_f1"]
    )
    assert "two models or more" in stance("compare", models / "tfidf", code=2).stderr
    shutil.copytree(models / "tfidf", tmp_path / "cut")
    (tmp_path / "cut" / "held_out.jsonl").write_text("{}\n", encoding="utf-8")
    assert "changed or damaged" in stance("compare", models / "tfidf", "cut", code=1).stderr


def damaged(model: Path, folder: Path) -> Path:
    """Copy a tfidf model with the weights of its framings handed round; topics stay as they are."""
    tagger = Tagger.load(model)
    shutil.copytree(model, folder)
    for name in (TAXONOMY_FILE, CALIBRATION_FILE, CONFIG_FILE, MANIFEST_FILE):
        (folder / name).unlink()
    arrays = load_file(folder / "weights.safetensors")
    for part in ("framing.weights", "framing.bias"):
        arrays[part] = np.ascontiguousarray(np.roll(arrays[part], 1, axis=0))
    save_file(arrays, folder / "weights.safetensors")
    kept = {"format", "stance", "versions", "files", "fingerprint"}
    facts = {key: value for key, value in tagger.manifest.items() if key not in kept}
    write_model(folder, tagger.taxonomy, tagger.calibration, tagger.config, {}, facts)
    return folder


def test_a_damaged_model_is_found(stance: Stance, models: Path, tmp_path: Path) -> None:
    """Where weights of framings are exchanged, the whole model wins on framing, and on framing only."""
    worse = damaged(models / "tfidf", tmp_path / "worse")
    rows = [
        (f"{group}{number // 2}", text, framing, topics)
        for number, (group, text, framing, topics) in enumerate(ROWS)
    ]
    write_rows(tmp_path / "rows.jsonl", rows)
    words = ("compare", models / "tfidf", worse, "--data", "rows.jsonl")
    value = json.loads(stance(*words, "--json").stdout)
    assert value["framing"]["macro_f1"]["significant"]
    assert value["framing"]["macro_f1"]["interval"][1] < -0.5
    assert not value["topics"]["micro_f1"]["significant"]
    said = " ".join(stance(*words).stdout.split())
    assert "tfidf is better on framing by" in said
    assert "on topics no difference can be told with 24 sentences" in said
