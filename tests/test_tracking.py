from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Silent
from stance.config import load_config
from stance.dataset import load_folder
from stance.errors import StanceError, UserError
from stance.model_source import model_folder
from stance.tagger import Tagger
from stance.train import run

mlflow = pytest.importorskip("mlflow", reason="needs the train extra")
from stance.tracking.runs import MlflowTracker  # noqa: E402 - only where mlflow is there


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Iterator[Any]:
    """Train both families into a real SQLite store; yield a client of it."""
    folder = tmp_path_factory.mktemp("mlflow")
    before = Path.cwd()
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'runs.db'}"
    try:
        for name in ("tfidf", "transformer"):
            run(load_config(configs / f"{name}.yaml"), folder / "models", MlflowTracker(), Silent())
        yield mlflow.MlflowClient()
    finally:
        os.chdir(before)
        del os.environ["MLFLOW_TRACKING_URI"]


def parents(client: Any) -> list[Any]:
    experiment = client.get_experiment_by_name("stance").experiment_id
    return [run for run in client.search_runs([experiment]) if "mlflow.parentRunId" not in run.data.tags]


def test_every_training_is_a_finished_run_with_a_child_a_fold(store: Any) -> None:
    """A run a training, a child a fold, all marked as finished."""
    found = parents(store)
    assert {run.data.params["family"] for run in found} == {"tfidf", "transformer"}
    for run_ in found:
        children = store.search_runs(
            [run_.info.experiment_id], f"tags.mlflow.parentRunId = '{run_.info.run_id}'"
        )
        assert {child.data.params["fold"] for child in children} == {"a", "b", "c", "d"}
        assert {each.info.status for each in [run_, *children]} == {"FINISHED"}


def test_runs_of_both_families_compare_under_the_same_names(store: Any) -> None:
    """Final metrics, figures and files carry the same names whatever the family."""
    first, second = parents(store)
    curves = {"epoch/train_loss", "epoch/dev_loss"}
    assert set(first.data.metrics) - curves == set(second.data.metrics) - curves
    assert {"test/framing/macro_f1", "test/topics/micro_f1", "test/score", "cal/framing/ece"} <= set(
        first.data.metrics
    )
    assert {name.split("/")[0] for name in first.data.metrics} - {"framing", "topics"} <= {
        *("test", "dev", "spread", "interval", "cal", "speed", "epoch"),
    }
    files = [{item.path for item in store.list_artifacts(run.info.run_id)} for run in (first, second)]
    assert files[0] == files[1]
    assert {
        "confusion_framing.png",
        "per_label_topics.png",
        "out_of_fold_errors.json",
    } <= files[0]


def test_epoch_curves_are_recorded(store: Any) -> None:
    """A transformer's loss can be followed epoch by epoch."""
    run_ = next(run for run in parents(store) if run.data.params["family"] == "transformer")
    points = store.get_metric_history(run_.info.run_id, "epoch/dev_loss")
    assert [point.step for point in points] == list(range(1, len(points) + 1))
    assert len(points) >= 2


def test_a_run_answers_which_data_code_and_config(store: Any, labels: Path, configs: Path) -> None:
    """Lineage: the data's fingerprint, the settings, and the commit where there is one."""
    run_ = next(run for run in parents(store) if run.data.params["family"] == "tfidf")
    fingerprint = load_folder(labels).fingerprint
    assert run_.data.params["labels_fingerprint"] == fingerprint[:12]
    assert run_.inputs.dataset_inputs[0].dataset.digest == fingerprint[:36]
    path = store.download_artifacts(run_.info.run_id, "config.json")
    assert (
        json.loads(Path(path).read_text(encoding="utf-8")) == load_config(configs / "tfidf.yaml").resolved()
    )


def test_the_champion_is_the_model_with_the_better_score(store: Any) -> None:
    """The alias stands on the version whose cross-validated score is highest."""
    versions = store.search_model_versions("name='stance'")
    assert len(versions) == 2
    best = max(versions, key=lambda version: float(version.tags["score"]))
    assert store.get_model_version_by_alias("stance", "champion").version == best.version


def test_the_champion_runs_in_a_process_of_its_own(store: Any, tmp_path: Path) -> None:
    """mlflow.pyfunc.load_model by alias gives tags, in a process that has only the installed package."""
    program = (
        "import mlflow; model = mlflow.pyfunc.load_model('models:/stance@champion');"
        "print(model.predict(['Ministers welcomed the truce.', 'They met.']).to_json(orient='records'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        env=dict(os.environ),
    )
    rows = json.loads(done.stdout.splitlines()[-1])
    assert len(rows) == 2
    assert rows[0]["framing"] in {"conciliatory", "hawkish", "neutral"}
    assert sum(rows[0]["framing_probabilities"].values()) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, "KILLED"), (RuntimeError, "FAILED")])
def test_a_run_that_ends_early_is_marked(
    store: Any, configs: Path, tmp_path: Path, error: type[BaseException], status: str
) -> None:
    """An interruption and a failure are told apart in the UI, and neither stays 'running'."""

    class Breaking(Silent):
        def fit(self, title: str) -> Silent:
            raise error

    before = {run.info.run_id for run in parents(store)}
    with pytest.raises(error):
        run(load_config(configs / "tfidf.yaml", seed=8), tmp_path, MlflowTracker(), Breaking())
    ended = next(run for run in parents(store) if run.info.run_id not in before)
    assert ended.info.status == status
    store.delete_run(ended.info.run_id)


def test_a_run_whose_process_was_killed_is_marked_later(store: Any) -> None:
    """SIGKILL leaves a run open; the next training on this machine closes it."""
    tags = {"host": socket.gethostname(), "pid": "999999999"}
    experiment = store.get_experiment_by_name("stance").experiment_id
    dead = store.create_run(experiment, tags=tags).info.run_id
    MlflowTracker()
    assert store.get_run(dead).info.status == "KILLED"
    store.delete_run(dead)


def test_a_store_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wrong MLFLOW_TRACKING_URI is one sentence with the way out."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nosuch://place")
    with pytest.raises(StanceError, match="--no-track"):
        MlflowTracker()


def test_a_model_of_the_registry_is_fetched_once(
    store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By alias, version or run, a model becomes a checked folder of the cache, reused without a download."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    champion = store.get_model_version_by_alias("stance", "champion")
    folder = model_folder(Path("models:/stance@champion"))
    assert folder == tmp_path / "stance" / "models" / champion.tags["model_fingerprint"]
    assert Tagger.load(folder).fingerprint == folder.name

    def unreachable(*_: Any, **__: Any) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.artifacts, "download_artifacts", unreachable)
        name = store.get_logged_model(champion.source.removeprefix("models:/")).name
        for given in (
            f"models:/stance/{champion.version}",
            f"runs:/{champion.run_id}",
            f"runs:/{champion.run_id}/{name}",
        ):
            assert model_folder(Path(given)) == folder
    (folder / "calibration.json").write_text("{}", encoding="utf-8")
    assert model_folder(Path("models:/stance@champion")) == folder
    Tagger.load(folder)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert model_folder(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["models:/stance@nobody", "models:/nothing/1", "runs:/0123/tfidf"])
def test_a_model_that_mlflow_lacks_is_one_sentence(
    store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """A wrong name, and a store that is not there, say what to check; no store is made on the way."""
    with pytest.raises(UserError, match="check the name"):
        model_folder(Path(name))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(UserError, match="no MLflow store"):
        model_folder(Path(name))
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="cannot be fetched"):
        model_folder(Path(name))
