from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conftest import ROWS, Silent, Stance, write_rows
from stance.comparison import compare_models
from stance.config import load_config
from stance.errors import UserError
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
