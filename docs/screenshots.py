"""Take the screenshots of the docs in headless Chromium.

    python docs/screenshots.py [--chromium /usr/bin/chromium]

Needs a store with finished trainings (make demo leaves two; the newest three are shown) and a
Chromium that is installed already; nothing is downloaded. Writes docs/mlflow-compare.png.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

from mlflow import MlflowClient
from playwright.sync_api import Page, sync_playwright

from stance.model_source import store_uri
from stance.tracking.store import EXPERIMENT, ui_command

PORT = 5057
PAGE = f"http://127.0.0.1:{PORT}"


def newest_runs() -> tuple[str, list[str]]:
    """Return the experiment and its newest finished trainings, three at most."""
    client = MlflowClient(store_uri())
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        sys.exit("no experiment 'stance' in this store; run: make demo")
    finished = client.search_runs([experiment.experiment_id], "attributes.status = 'FINISHED'")
    runs = [run.info.run_id for run in finished if "mlflow.parentRunId" not in run.data.tags]
    return experiment.experiment_id, runs[:3]


def compare_page(experiment: str, runs: list[str]) -> str:
    """Return the address of the page that lays the runs side by side."""
    chosen = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([experiment]))}"
    return f"{PAGE}/#/compare-runs?{chosen}"


def unfold(page: Page) -> None:
    """Show scores and a figure, and hide what stands in their way."""
    page.get_by_text("Comparing").first.wait_for(timeout=60_000)
    page.get_by_text("confusion_framing.png").first.wait_for(state="attached", timeout=60_000)
    panel = page.get_by_role("button", name="Close")
    if panel.count():
        panel.first.click()
    for name in ("Visualizations", "Parameters"):
        page.get_by_text(name, exact=True).first.click()
    # The list of files may be folded to nothing, which a click of the mouse cannot reach.
    page.get_by_text("confusion_framing.png").first.dispatch_event("click")


def wait_for(url: str) -> None:
    """Wait until the server answers."""
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    sys.exit(f"{url}: no answer")


def main() -> None:
    """Serve the UI, open the compare page of the runs, and save what it shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "mlflow-compare.png")
    arguments = parser.parse_args()

    experiment, runs = newest_runs()
    server = subprocess.Popen(ui_command(PORT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(PAGE)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=arguments.chromium,
                args=["--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run"],
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1240})
            page.goto(compare_page(experiment, runs))
            unfold(page)
            page.wait_for_timeout(3000)
            page.screenshot(path=arguments.out)
            browser.close()
    finally:
        server.terminate()
    print(f"{arguments.out}: {len(runs)} runs")


if __name__ == "__main__":
    main()
