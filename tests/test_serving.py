"""The logged model behind MLflow's scoring server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Silent, Stance
from stance.config import load_config
from stance.errors import UserError
from stance.tagger import Tagger
from stance.train import run

mlflow = pytest.importorskip("mlflow", reason="needs the train extra")
from stance.pyfunc import TextTagger  # noqa: E402 - needs pandas
from stance.tracking.runs import MlflowTracker  # noqa: E402 - only where mlflow is there

TEXTS = ["Ministers welcomed the truce.", "Officials accused the rival of dumping cheap steel."]
FORMS: list[dict[str, Any]] = [
    {"inputs": TEXTS},
    {"instances": TEXTS},
    {"dataframe_split": {"columns": ["text"], "data": [[text] for text in TEXTS]}},
    {"dataframe_records": [{"text": text} for text in TEXTS]},
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Iterator[Path]:
    """Train a tiny tfidf into a store; yield its folder."""
    folder = tmp_path_factory.mktemp("serving")
    before = Path.cwd()
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'runs.db'}"
    try:
        run(load_config(configs / "tfidf.yaml"), folder / "models", MlflowTracker(), Silent())
        yield folder
    finally:
        os.chdir(before)
        del os.environ["MLFLOW_TRACKING_URI"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: next(iter(form)))
def test_every_form_of_input_gives_the_same_tags(store: Path, form: dict[str, Any]) -> None:
    """Lists, instances, splits and records are read as the texts that they hold."""
    from mlflow.pyfunc import scoring_server

    model = mlflow.pyfunc.load_model("models:/stance@champion")
    answer = scoring_server.invocations(  # type: ignore[no-untyped-call]
        json.dumps(form), "application/json", model, model.metadata.get_input_schema()
    )
    expected = TextTagger(Tagger.load(store / "models" / "tfidf")).predict(TEXTS)
    assert json.loads(answer.response)["predictions"] == expected.to_dict(orient="records")


@pytest.mark.parametrize("given", [["a", None], [1.5]])
def test_what_is_no_text_is_refused(models: Path, given: list[Any]) -> None:
    """A number or a gap is never tagged as if it were a sentence."""
    with pytest.raises(UserError, match="is no text"):
        TextTagger(Tagger.load(models / "tfidf")).predict(given)


def test_a_frame_needs_its_column(models: Path) -> None:
    """A column that is not called 'text' is not taken for one."""
    import pandas as pd

    with pytest.raises(UserError, match="no column 'text'"):
        TextTagger(Tagger.load(models / "tfidf")).predict(pd.DataFrame({"id": ["a"]}))


def test_the_champion_is_served_with_the_labels_of_the_command_line(
    store: Path, stance: Stance, tmp_path: Path
) -> None:
    """``mlflow models serve`` answers a POST with the labels that ``stance predict`` gives."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["models", "serve", "-m", "models:/stance@champion", "--env-manager", "local"]
    command = [sys.executable, "-m", "mlflow", *words, "--port", str(port), "--workers", "1"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=tmp_path, env=_activated(), start_new_session=True
        )
    try:
        answer = _posted(f"http://127.0.0.1:{port}", {"inputs": TEXTS}, server, tmp_path / "log")
    finally:
        _end(server)
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in TEXTS), encoding="utf-8"
    )
    done = stance("predict", "rows.jsonl", "--model", store / "models" / "tfidf")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == TEXTS
    wanted = ("framing", "topics")
    assert [{key: row[key] for key in wanted} for row in answer["predictions"]] == [
        {key: row[key] for key in wanted} for row in rows
    ]


def _activated() -> dict[str, str]:
    """Return this environment with its own commands found first: MLflow starts uvicorn by name."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _posted(address: str, body: dict[str, Any], server: subprocess.Popen[bytes], log: Path) -> Any:
    request = urllib.request.Request(
        f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    for _ in range(360):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(f"{address}/ping", timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
    raise AssertionError(log.read_text(encoding="utf-8"))


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server and the workers of its process group."""
    import signal

    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
