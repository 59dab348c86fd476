"""Champions: how they come, who moves them, and what is written about it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROWS, TAXONOMY, Silent, write_rows
from stance.config import load_config
from stance.errors import UserError
from stance.train import run

mlflow = pytest.importorskip("mlflow", reason="needs the train extra")
from typer.testing import CliRunner  # noqa: E402 - only where mlflow is there

from stance.cli import app  # noqa: E402
from stance.tracking import registry  # noqa: E402
from stance.tracking.runs import MlflowTracker  # noqa: E402
from stance.tracking.store import open_store  # noqa: E402


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Iterator[Any]:
    """Train a good tfidf, a poor one, and one of another taxonomy; yield a client of their store."""
    folder = tmp_path_factory.mktemp("registry")
    other = folder / "other"
    other.mkdir()
    (other / "taxonomy.yaml").write_text(
        TAXONOMY.replace("rockets}", "rockets, sea: ships}"), encoding="utf-8"
    )
    write_rows(other / "rows.jsonl")
    before = Path.cwd()
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'runs.db'}"
    try:
        for settings, labels in (
            (["name=good"], None),
            (["name=poor", "params.C=0.001", "params.balanced=false", "scored_folds=2"], None),
            (["name=foreign"], other),
        ):
            config = load_config(configs / "tfidf.yaml", settings, labels=labels)
            run(config, folder / "models", MlflowTracker(), Silent())
        yield mlflow.MlflowClient()
    finally:
        os.chdir(before)
        del os.environ["MLFLOW_TRACKING_URI"]


def version(store: Any, number: int) -> Any:
    return store.get_model_version("stance", str(number))


def champion(store: Any) -> str:
    return str(store.get_model_version_by_alias("stance", "champion").version)


def note(store: Any, number: int) -> str:
    return str(store.get_run(version(store, number).run_id).data.tags["mlflow.note.content"])


def test_a_run_says_how_it_compares_with_the_champion(store: Any) -> None:
    """The description holds the scores and the verdict, or why there is none."""
    assert "no champion to compare it with" in note(store, 1)
    assert "12 sentences of 2 articles held out from both" in note(store, 2)
    assert "| framing | macro-F1 |" in note(store, 2)
    assert "another taxonomy" in note(store, 3)


def test_folds_show_their_spread_on_the_parent(store: Any) -> None:
    """The parent has deviation, least and largest of every score over its folds."""
    parent = store.get_run(version(store, 1).run_id)
    folds = store.search_runs(
        [parent.info.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
    )
    found = [fold.data.metrics["test/framing/macro_f1"] for fold in folds]
    assert parent.data.metrics["spread/framing/macro_f1_min"] == pytest.approx(min(found))
    assert parent.data.metrics["spread/framing/macro_f1_max"] == pytest.approx(max(found))
    assert 0 <= parent.data.metrics["spread/framing/macro_f1_sd"] <= max(found) - min(found)


def test_tags_answer_which_data_code_and_config(store: Any) -> None:
    """Two configs on the same rows share the data's tags and differ in the config's."""
    first, second = (store.get_run(version(store, number).run_id).data.tags for number in (1, 2))
    assert first["labels_files"] == "rows.jsonl"
    assert first["labels_fingerprint"] == second["labels_fingerprint"]
    assert first["config_hash"] != second["config_hash"]
    assert {"git_changed", "stance_version", "taxonomy_fingerprint"} <= set(first)


def test_promote_moves_the_champion_and_writes_why(store: Any) -> None:
    """By run and by version number, with the reason in the description and a tag."""
    run_id = version(store, 2).run_id
    done = CliRunner().invoke(app, ["promote", run_id[:12], "--why", "to see it fail"])
    assert done.exit_code == 0, done.output
    assert "the champion was version 1" in done.output
    assert champion(store) == "2"
    assert version(store, 2).tags["promoted"].endswith(": to see it fail")
    assert "to see it fail" in version(store, 2).description
    back = registry.promote("1", None)
    assert back.before is not None
    assert back.before.startswith("version 2")
    assert champion(store) == "1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("99",), "no such version"),
        (("fffffff0fff",), "no run has an id"),
        (("best one",), "neither a version number nor a run's id"),
        (("3",), "another taxonomy"),
    ],
)
def test_what_cannot_be_champion_is_refused(store: Any, words: tuple[str], message: str) -> None:
    """An unknown name and another taxonomy are refused in one sentence, and the champion stays."""
    before = champion(store)
    with pytest.raises(UserError, match=message):
        registry.promote(*words, None)
    assert champion(store) == before


def test_a_run_without_a_model_is_refused(store: Any) -> None:
    """A fold has no model to promote."""
    experiment = store.get_experiment_by_name("stance").experiment_id
    fold = next(each for each in store.search_runs([experiment]) if "mlflow.parentRunId" in each.data.tags)
    with pytest.raises(UserError, match="has no model"):
        registry.version_of(open_store(), f"runs:/{fold.info.run_id}")


def test_another_taxonomy_needs_force_and_a_reason(store: Any) -> None:
    """--force alone is refused; with a reason the alias moves."""
    with pytest.raises(UserError, match="--why"):
        registry.promote("3", None, force=True)
    registry.promote("3", "new codebook", force=True)
    assert champion(store) == "3"
    registry.promote("1", "back", force=True)


def test_compare_takes_models_in_mlflow(store: Any) -> None:
    """A champion and a run compare as their folders do."""
    words = ["compare", "models:/stance@champion", version(store, 1).run_id[:8], "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["n"] == len(ROWS)


def test_looking_makes_no_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Promote in the wrong folder says so and leaves nothing behind."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(UserError, match="no MLflow store here"):
        registry.promote("1", None)
    assert not list(tmp_path.iterdir())
