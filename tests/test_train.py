from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import pytest

from conftest import ROWS, Silent, Stance, write_rows
from stance.config import load_config
from stance.crossval import Watcher
from stance.errors import StanceError, UserError
from stance.tagger import Tagger
from stance.train import NoTracker, prepare, run


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_training_tfidf_twice_gives_the_same_bytes(configs: Path, models: Path, tmp_path: Path) -> None:
    """A model folder depends on labels, config and seed alone: no clock, no path, no chance."""
    run(load_config(configs / "tfidf.yaml"), tmp_path, NoTracker(), Silent())
    assert contents(tmp_path / "tfidf") == contents(models / "tfidf")


def test_training_a_transformer_twice_gives_the_same_predictions(
    configs: Path, models: Path, tmp_path: Path
) -> None:
    """The same seed gives the same probabilities, to the last digit."""
    run(load_config(configs / "transformer.yaml"), tmp_path, NoTracker(), Silent())
    texts = [row[1] for row in ROWS]
    first = Tagger.load(models / "transformer").predict(texts)[0]
    second = Tagger.load(tmp_path / "transformer").predict(texts)[0]
    assert all((first[axis] == second[axis]).all() for axis in first)


class Stopping(Silent):
    """A watcher that interrupts training at a given fit, and counts fits."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.fits = 0
        self._stop_at = stop_at

    def fit(self, title: str) -> Self:
        """Count, and stop as Ctrl-C would."""
        self.fits += 1
        if self.fits == self._stop_at:
            raise KeyboardInterrupt
        return self


def test_an_interrupted_training_goes_on_where_it_stopped(
    configs: Path, models: Path, tmp_path: Path
) -> None:
    """After Ctrl-C the same command skips finished folds, ends with the same model and tidies up."""
    config = load_config(configs / "tfidf.yaml")
    first: Watcher = Stopping(stop_at=10)
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path, NoTracker(), first)
    assert not (tmp_path / "tfidf").exists()
    second = Stopping()
    run(config, tmp_path, NoTracker(), second)
    assert second.fits == 4 * 4 + 1 - 2 * 4
    assert contents(tmp_path / "tfidf") == contents(models / "tfidf")
    assert [path.name for path in tmp_path.iterdir()] == ["tfidf"]


def test_other_settings_do_not_reuse_finished_folds(configs: Path, tmp_path: Path) -> None:
    """Folds of another seed, setting or label are never mixed into a training."""
    with pytest.raises(KeyboardInterrupt):
        run(load_config(configs / "tfidf.yaml"), tmp_path, NoTracker(), Stopping(stop_at=10))
    watcher = Stopping()
    run(load_config(configs / "tfidf.yaml", seed=4), tmp_path, NoTracker(), watcher)
    assert watcher.fits == 4 * 4 + 1


def test_scores_come_from_models_that_never_saw_the_article(
    configs: Path, labels: Path, tmp_path: Path
) -> None:
    """Articles made of noise score like noise: had a fold leaked, a classifier would know its rows."""
    folder = tmp_path / "noise"
    folder.mkdir()
    shutil.copy(labels / "taxonomy.yaml", folder)
    names = ("conciliatory", "hawkish", "neutral")
    rows: list[tuple[str, str, str, list[str]]] = [
        (
            f"article {number // 6}",
            f"xq{number * 7919 % 1000} zv{number * 104729 % 1000} kw{number}.",
            names[number % 3],
            [],
        )
        for number in range(60)
    ]
    write_rows(folder / "rows.jsonl", rows)
    result, _ = run(load_config(configs / "tfidf.yaml", labels=folder), tmp_path, NoTracker(), Silent())
    assert result.report.n == 60
    assert result.report.axes["framing"].scores["accuracy"] < 0.6


def test_a_place_that_cannot_be_written_is_refused_before_training(configs: Path, tmp_path: Path) -> None:
    """A wrong --out is told at once, and what stands there stays."""
    (tmp_path / "tfidf").write_text("notes", encoding="utf-8")
    (tmp_path / "file").write_text("notes", encoding="utf-8")
    for out, expected in ((tmp_path, "is a file"), (tmp_path / "file", "cannot write here")):
        with pytest.raises(UserError, match=expected):
            prepare(load_config(configs / "tfidf.yaml"), out)
    assert (tmp_path / "tfidf").read_text(encoding="utf-8") == "notes"


def test_a_diverged_training_is_a_failure(configs: Path, tmp_path: Path) -> None:
    """Losses that are no numbers end the training; no broken model is written."""
    config = load_config(configs / "transformer.yaml", ["params.lr=1.0e+30", "params.clip_norm=1.0e+30"])
    with pytest.raises(StanceError, match="diverged"):
        run(config, tmp_path, NoTracker(), Silent())
    assert not (tmp_path / "transformer").exists()


def test_train_ends_with_a_table_and_the_next_command(stance: Stance, configs: Path, tmp_path: Path) -> None:
    """The user sees scores with intervals, the weakest label first, and what to type next."""
    done = stance("train", configs / "tfidf.yaml", "--no-track")
    assert "macro-f1" in done.stdout
    assert "weakest first" in done.stdout
    assert "next: stance predict ARTICLE.txt --model models/tfidf" in done.stderr
    manifest = json.loads((tmp_path / "models" / "tfidf" / "manifest.json").read_text(encoding="utf-8"))
    assert f"{manifest['scores']['framing']['macro_f1']:.3f}" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_training_cleanly(configs: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C or a scheduler's kill leaves no half-written model and no traceback."""
    command = [
        sys.executable,
        "-m",
        "stance",
        "train",
        str(configs / "transformer.yaml"),
        "--no-track",
        "--set",
    ]
    process = subprocess.Popen(
        [*command, "params.epochs=4000"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # A test runner in the background may ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    assert "fits done" in process.stderr.readline()
    time.sleep(1)
    process.send_signal(number)
    message = process.stderr.read()
    assert process.wait(timeout=60) == 128 + number
    assert "Traceback" not in message
    assert not list(tmp_path.glob("models/transformer"))


def test_a_single_article_cannot_be_cross_validated(
    stance: Stance, labels: Path, configs: Path, tmp_path: Path
) -> None:
    """Too few articles is told, with what is needed."""
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(labels / "taxonomy.yaml", folder)
    write_rows(folder / "rows.jsonl", ROWS[:6])
    done = stance("train", configs / "tfidf.yaml", "--labels", folder, "--no-track", code=2)
    assert "1 separate article(s); training needs three or more" in done.stderr
