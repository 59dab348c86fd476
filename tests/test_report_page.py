"""The report in a browser: what a reader sees and does, with every request but the page itself refused."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from report_rows import NASTY, SOURCES, TOPICS, other_taxonomy, row, rows, write
from stance.counts import Counts
from stance.intervals import score_interval, units
from stance.report.axes import find_axes
from stance.report.columns import columns
from stance.report.page import page as page_text
from stance.report.reading import read_rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

Rows = Sequence[Mapping[str, Any]]
Open = Callable[[Rows], "Page"]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a report on rows; no console error and no request may come of it."""
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


def count(values: Rows, **fields: Any) -> int:
    return sum(
        all(want in each[key] if key == "topics" else each[key] == want for key, want in fields.items())
        for each in values
    )


def test_the_page_opens_and_counts_what_the_rows_say(show: Open) -> None:
    """Sentences, articles, model and the share of every framing, unsure among them, are those of the rows."""
    values = rows()
    tab = show(values)
    assert status(tab) == "240 of 240 sentences, in 24 of 24 articles"
    expected = {
        label: f"{count(values, framing=label)} of 240"
        for label in ("conciliatory", "hawkish", "neutral", "unsure")
    }
    assert shares(tab) == expected
    assert "tiny 0123456789ab" in tab.locator("#provenance").inner_text()
    sure = [value["framing"] for value in values if value["framing"] != "unsure"]
    index = np.mean([{"conciliatory": -1, "hawkish": 1, "neutral": 0}[label] for label in sure])
    assert float(tab.locator(".index .big").inner_text().replace("−", "-")) == pytest.approx(index, abs=0.005)
    assert f"{count(values, framing='unsure')} of 240" in tab.locator("#help").inner_text()


def test_filters_change_every_figure_and_add_up(show: Open) -> None:
    """Topic, source and dates narrow each other down; clearing brings everything back."""
    values = rows()
    tab = show(values)
    choose(tab, "topics", "space")
    space = [value for value in values if "space" in value["topics"]]
    assert status(tab).startswith(f"{len(space)} of 240 sentences")
    assert shares(tab)["hawkish"] == f"{count(space, framing='hawkish')} of {len(space)}"
    choose(tab, "source", SOURCES[2])
    lake = [value for value in space if value["source"] == SOURCES[2]]
    assert status(tab).startswith(f"{len(lake)} of 240 sentences")
    hits = count(lake, topics="farming")
    farming = tab.locator("[data-shares='topics'] .point", has_text="farming")
    assert farming.locator("text").last.text_content() == str(hits)
    tab.locator("#from").fill("2025-04-01")
    tab.locator("#to").fill("2025-08-31")
    dated = [value for value in lake if "2025-04-01" <= value["date"] <= "2025-08-31"]
    assert status(tab).startswith(f"{len(dated)} of 240 sentences")
    assert 0 < len(dated) < len(lake)
    tab.get_by_role("button", name="Clear filters").click()
    assert status(tab).startswith("240 of 240")


def test_an_empty_result_says_so_and_leads_back(show: Open) -> None:
    """Nothing found is said in words, without empty charts, and one button undoes it."""
    tab = show(rows(6))
    tab.locator("#search").fill("no such words anywhere")
    tab.get_by_text("None of 60 sentences passes every filter together.").wait_for()
    assert status(tab) == "0 of 60 sentences, in 0 of 6 articles"
    assert not tab.locator("#figures").is_visible()
    tab.locator("#empty button").click()
    assert status(tab).startswith("60 of 60")
    assert tab.locator("#figures").is_visible()


def test_search_finds_all_words_and_phrases(show: Open) -> None:
    """Words may stand in any order and case, a quoted phrase must stand together; matches are marked."""
    values = rows()
    tab = show(values)
    tab.locator("#search").fill("MAGNETS sentence")
    hits = [value for value in values if "magnets" in value["text"]]
    tab.get_by_text(f"{len(hits)} of 240 sentences match").wait_for()
    assert set(tab.locator("#sentence-list mark").all_inner_texts()) == {"magnets", "Sentence"}
    tab.locator("#search").fill('"magnets of"')
    tab.get_by_text("0 of 240 sentences, in").wait_for()
    tab.locator("#search").fill('"of magnets and"')
    tab.get_by_text(f"{len(hits)} of 240 sentences match").wait_for()


def test_the_reader_colours_each_sentence_by_its_label(show: Open) -> None:
    """Every sentence of the open article has its framing's colour, shape and name, and its topics."""
    kinds = ("hawkish", "neutral", "conciliatory", "unsure", "hawkish")
    own = [row(1, at, kind, list(TOPICS[:at]), f"The {at}th news.") for at, kind in enumerate(kinds)]
    tab = show([*rows(1, 3), *own])
    tab.locator("#articles button", has_text="Article number 1").click()
    lines = tab.locator("#article li.line").all()
    assert [line.get_attribute("data-label") for line in lines] == [value["framing"] for value in own]
    for line, value in zip(lines, own, strict=True):
        assert line.locator(".chip").all_inner_texts() == value["topics"]
        assert value["text"] in line.inner_text()
    inks = {
        value["framing"]: line.locator(".ink").evaluate(
            "ink => [getComputedStyle(ink).backgroundColor, getComputedStyle(ink).textDecorationStyle, "
            "getComputedStyle(ink).textDecorationLine]"
        )
        for line, value in zip(lines, own, strict=True)
    }
    assert len({json.dumps(ink) for ink in inks.values()}) == len(inks) == 4
    glyphs = {
        value["framing"]: line.locator(".glyph").first.inner_text()
        for line, value in zip(lines, own, strict=True)
    }
    assert glyphs["hawkish"] == "▲"
    assert glyphs["conciliatory"] == "▼"


def test_probabilities_show_on_hover_and_on_focus(show: Open) -> None:
    """A sentence's probabilities come with the pointer and with the keyboard; Escape puts them away."""
    unsure = row(0, 0, "unsure", ["space"], "Nobody can say what this is.")
    tab = show([unsure, row(0, 1, "hawkish", [], "The port was closed in anger.")])
    lines = tab.locator("#article li.line")
    lines.nth(1).hover()
    assert "hawkish\n0.80" in tab.locator("#tip").inner_text().replace("▲", "").replace(" ", "")
    lines.nth(0).focus()
    text = tab.locator("#tip").inner_text()
    assert "unsure" in text
    assert "0.36" in text
    assert "0.90" in text
    assert lines.nth(0).get_attribute("aria-describedby") == "tip"
    tab.keyboard.press("Escape")
    assert tab.locator("#tip").count() == 0


def test_everything_can_be_done_from_the_keyboard(show: Open) -> None:
    """Tab reaches filters and reader, Enter and Space choose, arrows move within a list."""
    values = rows(6, 8)
    tab = show(values)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the figures"
    tab.locator("#search").focus()
    tab.locator("details[data-filter='framing'] summary").focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    assert status(tab).startswith(f"{count(values, framing='conciliatory')} of 48")
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.textContent").startswith("framing: conciliatory")
    tab.locator("#clear").focus()
    tab.keyboard.press("Enter")
    assert status(tab).startswith("48 of 48")
    tab.locator("#articles button").first.focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    second = tab.locator("#articles button").nth(1)
    assert second.get_attribute("aria-current") == "true"
    tab.locator("#article li.line").first.focus()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.dataset.row") == tab.locator("#article li").nth(
        1
    ).get_attribute("data-row")
    assert tab.locator("#tip").count() == 1
    # Only the sentence last visited is a stop of Tab: an article of a hundred is not a hundred stops.
    assert tab.locator("#article li[tabindex='0']").count() == 1


def test_the_clearest_sentences_lead_to_their_article(show: Open) -> None:
    """The most hawkish sentence is the most probable one; its link opens the article at it."""
    values = rows(8, 6)
    tab = show(values)
    best = max(
        (value for value in values if value["framing"] == "hawkish"),
        key=lambda value: value["framing_probabilities"]["hawkish"],
    )
    first = tab.locator("[data-label='hawkish'] .sentence-item").first
    assert best["text"] in first.inner_text()
    first.get_by_role("button").click()
    assert best["text"] in tab.evaluate("document.activeElement.textContent")
    assert tab.locator("#article h3").inner_text() == best["title"]


@pytest.mark.parametrize("key", ["click", "Enter"])
def test_a_table_is_full_the_moment_it_opens(show: Open, key: str) -> None:
    """By pointer or key, no one sees an empty box: the rows stand before the event is over."""
    tab = show(rows(12, 5))
    tab.evaluate(
        "window.seen = []; new MutationObserver(() => seen.push("
        "document.querySelectorAll('#time tbody tr').length)).observe("
        "document.querySelector('#time details'), {attributes: true, attributeFilter: ['open']})"
    )
    summary = tab.locator("#time summary")
    if key == "click":
        summary.click()
    else:
        summary.press(key)
    assert tab.evaluate("seen") == [10]


def test_one_menu_is_open_at_a_time(show: Open) -> None:
    """Opening a menu closes the one that was open, at once."""
    tab = show(rows(6, 5))
    for name in ("source", "topics", "framing"):
        tab.locator(f"details[data-filter='{name}'] summary").click()
        shown = tab.locator("details.menu[open]").evaluate_all("all => all.map(each => each.dataset.filter)")
        assert shown == [name]


def test_figures_over_time_have_a_table_that_says_the_same(show: Open) -> None:
    """Each month's index and counts stand in a table, and the chart has a title and a description."""
    values = rows(60, 5)
    tab = show(values)
    tab.locator("#time summary").click()
    table = {
        line.locator("th").inner_text(): line.locator("td").all_inner_texts()
        for line in tab.locator("#time tbody tr").all()
    }
    weights = {"conciliatory": -1, "hawkish": 1, "neutral": 0}
    for month in ("2025-01", "2025-07", "2025-10"):
        own = [value for value in values if value["date"].startswith(month) and value["framing"] in weights]
        mean = float(table[month][0].replace("−", "-"))
        assert mean == pytest.approx(np.mean([weights[value["framing"]] for value in own]), abs=0.0051)
        assert int(table[month][2]) == len(own)
        assert int(table[month][3]) == len({value["article"] for value in own})
    chart = tab.locator("#time svg.chart")
    assert chart.locator("title").first.text_content() == "framing index by month"
    assert "95% intervals: 2025-01" in str(chart.locator("desc").text_content())
    tab.locator("#measure").select_option("framing:1")
    assert chart.locator("title").first.text_content() == "share hawkish by month"


@pytest.mark.parametrize("articles", [1, 3, 20, 120])
def test_intervals_are_those_of_the_evaluation(show: Open, articles: int) -> None:
    """The page leaves out articles as stance.evaluate does, with few articles and with many."""
    values = rows(articles, 12, seed=4)
    tab = show(values)
    hits = np.array([[value["framing"] == "hawkish"] for value in values])
    counts = Counts.of(hits.astype(int), hits, *units([value["article"] for value in values]))
    share, left_out = (each.true[:, 0] / each.rows for each in (counts.total(), counts.left_out()))
    low, high = score_interval(float(share[0]), left_out, len(counts.rows))
    found = tab.evaluate(
        "JSON.parse(document.querySelector('[data-axis=framing] tr[data-label=hawkish] td.faint').textContent"
        ".replace(/(\\d+)% to (\\d+)%/, '[$1,$2]'))"
    )
    assert found == pytest.approx([low * 100, high * 100], abs=0.51)


def test_text_of_an_article_is_never_markup(show: Open) -> None:
    """Elements and scripts in titles, sources and sentences are shown as text."""
    tab = show(rows(3, 4))
    assert tab.locator("img, b").count() == 0
    tab.locator("#articles button").last.click()
    tab.locator("#articles button", has_text="</script>").click()
    assert tab.locator("#article h3").text_content() == NASTY
    choose(tab, "source", SOURCES[2])
    assert status(tab).startswith("4 of 12")


def test_rows_without_dates_and_sources_say_what_is_missing(show: Open) -> None:
    """Where rows carry no date or source, the page says so and shows the rest."""
    values = [{**value, "date": None, "source": None, "title": None} for value in rows(4, 5)]
    tab = show(values)
    assert "carry no date and no source" in tab.locator("#figures .notice").first.inner_text()
    assert tab.locator("#from").count() == 0
    assert tab.locator("#articles button").nth(1).inner_text().startswith("Sentence 0 of article 1")


def test_any_taxonomy_gives_a_report(show: Open) -> None:
    """Without known weights no index is shown, but all labels; further axes have their filters and charts."""
    values = [other_taxonomy(value) for value in rows(6, 8)]
    tab = show(values)
    assert tab.locator(".index .big").count() == 0
    assert "No index is shown for mood" in tab.locator("#help").inner_text()
    assert shares(tab)["cross"] == f"{count(values, mood='cross')} of 48"
    assert tab.locator(".clearest [data-label]").count() == 3
    choose(tab, "tense", "past")
    assert status(tab).startswith(f"{count(values, tense='past')} of 48")
    assert tab.locator("[data-by='places']").count() == 1
    assert tab.locator("[data-axis='tense'] tr[data-label='past']").count() == 1


def test_topics_alone_give_a_report(show: Open) -> None:
    """A taxonomy without a single-label axis colours nothing, and still filters, counts and reads."""
    values = [{key: item for key, item in value.items() if "framing" not in key} for value in rows(4, 6)]
    tab = show(values)
    choose(tab, "topics", "farming")
    assert status(tab).startswith(f"{count(values, topics='farming')} of 24")
    assert tab.locator("#measure option").first.inner_text() == "share on tariffs"
    assert tab.locator("#article li.line").count() == 6


def test_dark_and_narrow_screens_and_paper_are_served(show: Open) -> None:
    """Dark mode has a dark page; 400 pixels need no sideways scrolling; paper shows no controls."""
    tab = show(rows())
    choose(tab, "topics", "space")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(ground)
    tab.emulate_media(color_scheme="dark")
    assert tab.evaluate(ground) != light
    tab.set_viewport_size({"width": 400, "height": 800})
    tab.wait_for_function("document.documentElement.scrollWidth <= 400")
    tab.emulate_media(media="print")
    assert not tab.locator("#search").is_visible()
    assert tab.locator("#article li.line").first.is_visible()
    assert tab.get_by_text("Filters: topics: space").is_visible()
    assert tab.evaluate(ground) == "rgb(255, 255, 255)"


def test_fifty_thousand_sentences_stay_quick(show: Open) -> None:
    """A large report opens, filters and searches within seconds; the bound allows a slow machine."""
    values = [
        row(
            at // 20,
            at % 20,
            ("hawkish", "neutral", "conciliatory")[at % 3],
            ["space"] if at % 4 else [],
            f"Sentence {at} of many.",
        )
        for at in range(50_000)
    ]
    bound = 3 * (1 + os.getloadavg()[0])
    begun = time.perf_counter()
    tab = show(values)
    tab.locator("#sentence-list li").first.wait_for()
    opened = time.perf_counter()
    choose(tab, "framing", "hawkish")
    assert status(tab).startswith("16,667 of 50,000")
    filtered = time.perf_counter()
    tab.locator("#search").fill("49998")
    tab.get_by_text("1 of 50,000 sentences match").wait_for()
    searched = time.perf_counter()
    assert filtered - opened < bound
    assert searched - filtered < bound
    assert opened - begun < 3 * bound
