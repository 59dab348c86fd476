"""What a reader does with a report in a browser, and what is then seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report_rows import write
from stance.report.axes import find_axes
from stance.report.columns import columns
from stance.report.page import page as page_text
from stance.report.reading import read_rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

Rows = Sequence[Mapping[str, Any]]
Open = Callable[[Rows], "Page"]


@contextmanager
def opener(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Give a function that opens a report on rows; no console error and no request may come of it."""
    heard: list[str] = []
    asked: list[str] = []
    opened: list[Page] = []

    def guard(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    def open_report(values: Rows, **options: Any) -> Page:
        found = read_rows([write(tmp_path / "tags.jsonl", values)])
        target = tmp_path / "report.html"
        target.write_text(page_text(columns(found, find_axes(found, None)), "A report"), encoding="utf-8")
        tab = browser.new_page(viewport={"width": 1280, "height": 900}, **options)
        tab.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.route(lambda url: not url.startswith("file:"), guard)
        tab.goto(target.as_uri())
        opened.append(tab)
        return tab

    yield open_report
    for tab in opened:
        tab.close()
    assert not heard
    assert not asked


def status(tab: Page) -> str:
    return tab.locator("#status").inner_text()


def shares(tab: Page) -> dict[str, str]:
    lines = tab.locator(".shares").first.locator("tbody tr").all()
    return {str(line.get_attribute("data-label")): line.locator("td").last.inner_text() for line in lines}


def choose(tab: Page, menu: str, label: str) -> None:
    box = tab.locator(f"details[data-filter='{menu}']")
    box.locator("summary").click()
    box.get_by_text(label, exact=True).click()
    tab.keyboard.press("Escape")


def wait_until(tab: Page, condition: str) -> None:
    # Playwright's own wait looks again from inside the page, where the page's policy forbids it to.
    end = time.monotonic() + 20
    while not tab.evaluate(condition):
        assert time.monotonic() < end, f"never came true: {condition}"
        tab.wait_for_timeout(20)


def count(values: Rows, **fields: Any) -> int:
    return sum(
        all(want in each[key] if key == "topics" else each[key] == want for key, want in fields.items())
        for each in values
    )
