"""The report in a browser: what a reader sees and does, with every request but the page itself refused."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest

from report_browser import Open, choose, count, shares, status
from report_rows import NASTY, SOURCES, TOPICS, row, rows


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


def test_one_menu_is_open_at_a_time(show: Open) -> None:
    """Opening a menu closes the one that was open, at once."""
    tab = show(rows(6, 5))
    for name in ("source", "topics", "framing"):
        tab.locator(f"details[data-filter='{name}'] summary").click()
        shown = tab.locator("details.menu[open]").evaluate_all("all => all.map(each => each.dataset.filter)")
        assert shown == [name]


def test_text_of_an_article_is_never_markup(show: Open) -> None:
    """Elements and scripts in titles, sources and sentences are shown as text."""
    tab = show(rows(3, 4))
    assert tab.locator("img, b").count() == 0
    tab.locator("#articles button").last.click()
    tab.locator("#articles button", has_text="</script>").click()
    assert tab.locator("#article h3").text_content() == NASTY
    choose(tab, "source", SOURCES[2])
    assert status(tab).startswith("4 of 12")


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
