"""Three runs side by side in the UI of MLflow, in a browser."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from conftest import Silent
from stance.config import load_config
from stance.train import run

mlflow = pytest.importorskip("mlflow", reason="needs the train extra")
from stance.tracking.runs import MlflowTracker  # noqa: E402 - only where mlflow is there
from stance.tracking.store import ui_command  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SEEDS = (3, 4, 5)
SECONDS = 120


@dataclass(frozen=True)
class Served:
    """A store with three runs, and where its UI is."""

    address: str
    client: Any

    @property
    def runs(self) -> list[Any]:
        """The three trainings, without the runs of their folds."""
        experiment = self.client.get_experiment_by_name("stance").experiment_id
        found = self.client.search_runs([experiment])
        return [each for each in found if "mlflow.parentRunId" not in each.data.tags]

    def compared(self) -> str:
        """Return the address of the page that lays the runs side by side."""
        runs = [each.info.run_id for each in self.runs]
        experiments = [self.runs[0].info.experiment_id]
        return f"{self.address}/#/compare-runs?runs={_quoted(runs)}&experiments={_quoted(experiments)}"


def _quoted(value: list[str]) -> str:
    return quote(json.dumps(value))


@pytest.fixture(scope="module")
def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Iterator[Served]:
    """Train three times into a store, and serve its UI as ``stance ui`` does."""
    folder = tmp_path_factory.mktemp("ui")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = Path.cwd()
    os.chdir(folder)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'runs.db'}"
    try:
        for seed in SEEDS:
            run(load_config(configs / "tfidf.yaml", seed=seed), folder / str(seed), MlflowTracker(), Silent())
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(ui_command(port), stdout=log, stderr=log, start_new_session=True)
        try:
            _answered(f"http://127.0.0.1:{port}", server, folder / "log")
            yield Served(f"http://127.0.0.1:{port}", mlflow.MlflowClient())
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=30)
    finally:
        os.chdir(before)
        del os.environ["MLFLOW_TRACKING_URI"]


def _answered(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """Return the compare page of the three runs, its metrics there."""
    tab = browser.new_page(viewport={"width": 1400, "height": 1200})
    tab.set_default_timeout(SECONDS * 1000)
    tab.goto(served.compared())
    tab.locator(NAME).first.wait_for()
    yield tab
    tab.close()


# MLflow draws only the part of its table that is in view: names in one grid, values in another beside it.
NAME = "a[title='Plot chart']"
GRIDS = """
    const box = document.querySelector("a[title='Plot chart']").closest("[class*=collapse-content-box]");
    const grids = [...box.querySelectorAll(".ReactVirtualized__Grid")];
"""
SCROLL = f"(to) => {{ {GRIDS} for (const grid of grids) grid.scrollTop = to; return grids[0].scrollHeight }}"
CELLS = f"""() => {{ {GRIDS}
    return grids.map((grid) => [...grid.querySelectorAll("[role=rowgroup] > *")]
        .map((cell) => [parseInt(cell.style.top), cell.innerText.trim()]))
}}"""


def shown_metrics(tab: Page) -> dict[str, list[float]]:
    """Return the page's whole table of metrics: name to its value in every run."""
    names: dict[int, str] = {}
    values: dict[int, list[str]] = {}
    height, at = tab.evaluate(SCROLL, 0), 0
    while at < height:
        tab.evaluate(SCROLL, at)
        tab.wait_for_timeout(100)
        left, right = tab.evaluate(CELLS)
        names |= dict(left)
        for top in {top for top, _ in right}:
            values[top] = [text for row, text in right if row == top]
        at += 150
    return {name: [float(text) for text in values[top]] for top, name in names.items()}


def test_three_runs_show_the_same_metrics_side_by_side(served: Served, page: Page) -> None:
    """Every final score and its interval stands once, for all three runs, with the value recorded."""
    shown = shown_metrics(page)
    runs = served.runs
    assert len(runs) == len(SEEDS)
    axes = {"framing": ("macro_f1", "accuracy"), "topics": ("micro_f1", "macro_f1")}
    named = [f"{axis}/{metric}" for axis, metrics in axes.items() for metric in metrics]
    wanted = {
        "test/score",
        *(f"test/{each}" for each in named),
        *(f"interval/{each}_{end}" for each in named for end in ("low", "high")),
        *(f"spread/{each}_sd" for each in named),
        *(f"cal/{axis}/ece" for axis in axes),
    }
    assert wanted <= set(shown)
    for name, values in shown.items():
        assert values == pytest.approx([each.data.metrics[name] for each in runs], abs=0.00051, rel=0.001)


def test_three_runs_show_their_figures_side_by_side(page: Page) -> None:
    """A figure chosen once is drawn for all three runs, since it has the same name in each."""
    for name in ("confusion_framing.png", "per_label_topics.png"):
        page.get_by_text(name, exact=True).first.dispatch_event("click")
        figures = page.locator(f"img[alt='{name}']")
        figures.nth(len(SEEDS) - 1).wait_for()
        assert figures.count() == len(SEEDS)


def test_runs_say_which_data_code_and_config(page: Page) -> None:
    """Parameters and tags answer what a run was trained on, with which code and settings."""
    text = page.locator("body").inner_text()
    for name in ("labels_fingerprint", "config_hash", "stance_version", "git_changed", "seed"):
        assert name in text
