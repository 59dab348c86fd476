"""The report's figures in a browser: their tables, their intervals, and where they are shown."""

from __future__ import annotations

import numpy as np
import pytest

from report_browser import Open, choose, count, shares, status, wait_until
from report_rows import other_taxonomy, rows
from stance.counts import Counts
from stance.intervals import score_interval, units


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


def test_an_open_table_stays_open_and_up_to_date(show: Open) -> None:
    """A filter changes the figures of an open table; printing it keeps it, and draws charts for paper."""
    values = rows(24, 10)
    tab = show(values)
    tab.locator("#time summary").click()
    choose(tab, "topics", "space")
    shown = [int(cell) for cell in tab.locator("#time tbody td:nth-of-type(3)").all_inner_texts()]
    sure = [value for value in values if "space" in value["topics"] and value["framing"] != "unsure"]
    assert sum(shown) == len(sure)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    assert tab.locator("#time tbody tr").first.is_visible()
    assert tab.evaluate("document.querySelector('#time svg').width.baseVal.value") <= 680
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate("document.querySelector('#time svg').width.baseVal.value") > 680


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
    wait_until(tab, "document.querySelector('#time svg').width.baseVal.value <= 400")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
    tab.emulate_media(media="print")
    assert not tab.locator("#search").is_visible()
    assert tab.locator("#article li.line").first.is_visible()
    assert tab.get_by_text("Filters: topics: space").is_visible()
    assert tab.evaluate(ground) == "rgb(255, 255, 255)"
