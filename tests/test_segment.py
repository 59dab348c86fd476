from __future__ import annotations

import pytest

from conftest import ARTICLE
from stance.records import Article
from stance.segment import sentences


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(Article("x", text, "x.txt"))]


def test_sentences_stand_at_their_offsets() -> None:
    """Cutting the article at a sentence's offsets gives the sentence."""
    found = sentences(Article("x", ARTICLE, "x.txt"))
    assert [ARTICLE[each.start : each.end] for each in found] == [each.text for each in found]
    assert [each.index for each in found] == [0, 1, 2]


def test_headings_stay_and_furniture_goes() -> None:
    """A date line and a link heading are no sentences; the article's own heading is one."""
    assert texts(ARTICLE) == [
        "Capitals agree to lift duties on tea",
        "Ministers welcomed the truce on Sunday.",
        "Officials accused the rival of dumping steel in the U.S. market.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "-1.6 C", "Monday, January 26, 2026", "26 January 2026, 14:05 GMT",
        "Updated: Jan. 3, 2024 at 5:00 pm",
        "Latest news", "Related news", "Related stories", "Most read", "Read more: Xi in Rome",
        "Advertisement", "Share this article", "By Maria Lopez", "By Ann Lee and Bo Chen",
        "Photo: Agency", "© 2025 Some Paper",
        "All rights reserved.", "https://example.org/a", "3 min read", "Comments (12)",
    ],
)  # fmt: skip
def test_page_furniture_is_dropped(line: str) -> None:
    """A line that a news page carries around its article is not tagged."""
    assert texts(f"{line}\n\nMinisters met on Sunday.") == ["Ministers met on Sunday."]


@pytest.mark.parametrize(
    "line",
    [
        "Trade tensions between US-China",
        "By March the ministers had agreed on wheat.",
        "Key agreements to expire on November 10",
        "News of the deal lifted shares",
        "Share prices fell",
        "Monday, January 26, 2026, was the deadline.",
    ],
)
def test_lines_that_look_like_furniture_stay(line: str) -> None:
    """Only whole furniture lines go; a heading that begins like one is the article's."""
    assert line in texts(f"{line}\n\nMinisters met on Sunday.")


def test_a_bare_word_goes_with_the_furniture_around_it() -> None:
    """The place name of a weather corner is furniture, the same word elsewhere is not."""
    assert texts("-1.6 C\nKorea\nMonday, January 26, 2026\n\nThey met.") == ["They met."]
    assert texts("Korea\n\nThey met.") == ["Korea", "They met."]


def test_rules_and_bullets_are_no_sentences() -> None:
    """A line without a letter gives nothing to tag."""
    assert texts("* * *\n\n—\n\n2025\n\nThey met.") == ["They met."]
