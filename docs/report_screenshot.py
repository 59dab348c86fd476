"""Take the screenshot of the report in headless Chromium.

    python docs/report_screenshot.py [--model models/tfidf] [--chromium /usr/bin/chromium]

Tags the five articles of labels/news, writes the report as a user would, and saves docs/report.png: its
top beside its article reader. Needs a trained model and a Chromium that is installed already.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
ARTICLES = ROOT / "labels" / "news" / "articles"
SIZE = {"width": 1180, "height": 1190}


def write_report(model: Path, folder: Path) -> Path:
    """Tag the articles and return the report on them."""
    tags, report = folder / "tags.jsonl", folder / "report.html"
    stance = [sys.executable, "-m", "stance"]
    subprocess.run([*stance, "predict", ARTICLES, "--model", model, "-o", tags], check=True)
    subprocess.run([*stance, "report", tags, "--model", model, "-o", report], check=True)
    return report


def show_reader(page: Page) -> None:
    """Scroll to the reader and show the probabilities of a sentence."""
    page.locator("#articles button").nth(2).click()
    page.evaluate("document.getElementById('reader').scrollIntoView()")
    page.locator("#article li.line").nth(3).hover()


def main() -> None:
    """Write the report, open it, and save what it shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "tfidf")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "report.png")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = write_report(arguments.model, Path(folder))
        browser = playwright.chromium.launch(
            executable_path=arguments.chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(report.as_uri())
        page.locator("#sentence-list li").first.wait_for()
        halves = [Path(folder) / name for name in ("top.png", "reader.png")]
        page.screenshot(path=halves[0])
        show_reader(page)
        page.screenshot(path=halves[1])
        # The browser puts the halves side by side, so that no image library is needed.
        page.set_viewport_size({"width": 2 * SIZE["width"] + 1, "height": SIZE["height"]})
        images = "".join(f"<img src='{half.as_uri()}'>" for half in halves)
        both = Path(folder) / "both.html"
        style = "body { margin: 0; display: flex; gap: 1px; background: #b9bec6 }"
        both.write_text(f"<style>{style}</style>{images}", encoding="utf-8")
        page.goto(both.as_uri())
        page.screenshot(path=arguments.out)
        browser.close()
    print(f"{arguments.out}: the report on {len(list(ARTICLES.iterdir()))} articles")


if __name__ == "__main__":
    main()
