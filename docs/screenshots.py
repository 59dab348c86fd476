"""Take the screenshots of the docs in headless Chromium.

    python docs/screenshots.py [--chromium /usr/bin/chromium]

Needs a store with a finished tfidf and a finished transformer run (make demo leaves one) and a
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
from playwright.sync_api import sync_playwright

from stance.tracking.store import EXPERIMENT, store_uri, ui_command

PORT = 5057
PAGE = f"http://127.0.0.1:{PORT}"


def newest_runs() -> tuple[str, list[str]]:
    """Return the experiment and the newest finished run of each family."""
    client = MlflowClient(store_uri())
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        sys.exit("no experiment 'stance' in this store; run: make demo")
    found: dict[str, str] = {}
    for run in client.search_runs([experiment.experiment_id], "attributes.status = 'FINISHED'"):
        if "mlflow.parentRunId" not in run.data.tags:
            found.setdefault(run.data.params["family"], run.info.run_id)
    return experiment.experiment_id, [found[family] for family in sorted(found)]


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
    chosen = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([experiment]))}"
    server = subprocess.Popen(ui_command(PORT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(PAGE)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=arguments.chromium,
                args=["--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run"],
            )
            page = browser.new_page(viewport={"width": 1280, "height": 960})
            page.goto(f"{PAGE}/#/compare-runs?{chosen}")
            page.get_by_text("Comparing").first.wait_for(timeout=60_000)
            page.wait_for_timeout(3000)
            for name in ("Visualizations", "Parameters"):
                page.get_by_text(name, exact=True).first.click()
            panel = page.get_by_role("button", name="Close")
            if panel.count():
                panel.first.click()
            page.wait_for_timeout(1500)
            page.screenshot(path=arguments.out)
            browser.close()
    finally:
        server.terminate()
    print(f"{arguments.out}: {len(runs)} runs")


if __name__ == "__main__":
    main()
