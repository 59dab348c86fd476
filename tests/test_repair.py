from __future__ import annotations

import pytest

from stance.repair import raw_span, repair


@pytest.mark.parametrize(
    ("raw", "repaired"),
    [
        ("$771bn (Β£580bn) last year", "$771bn (£580bn) last year"),
        ("worth β‚¬5m", "worth €5m"),
        ("itâ€™s Â£5", "it’s £5"),
        ("“quoted” — and ‘so’", "“quoted” — and ‘so’"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        ("\ufeffStart", "Start"),
        ("Βeta is Greek", "Βeta is Greek"),
    ],
)
def test_encoding_damage_is_mended_and_nothing_else(raw: str, repaired: str) -> None:
    """Mojibake and line ends are repaired; the publisher's typography stays."""
    assert repair(raw)[0] == repaired


def test_offsets_lead_back_to_the_raw_text() -> None:
    """The raw span of every word of a repaired text holds that word, damage included."""
    raw = "\ufeffIt cost Β£5 and itâ€™s Β£6 more.\r\nThe rest."
    text, edits = repair(raw)
    for word in ("It", "£5", "it’s", "£6", "more.", "The", "rest."):
        start = text.index(word)
        left, right = raw_span(edits, start, start + len(word))
        assert repair(raw[left:right])[0] == word


WRAPPED = """\
The administration said on Monday that it would
delay the tariffs for ninety days while envoys
from both of the countries meet.

Beijing agreed."""


def test_hard_wraps_become_spaces() -> None:
    """A sentence that a mail program broke into lines is one sentence again, offsets unmoved."""
    text, edits = repair(WRAPPED)
    assert text == WRAPPED.replace("would\n", "would ").replace("envoys\n", "envoys ")
    assert not edits


def test_lines_that_are_paragraphs_stay_lines() -> None:
    """Headings and one-line paragraphs are not joined to what follows."""
    raw = "A heading\nA paragraph of one line that says a little more than that.\nAnother heading"
    assert repair(raw)[0] == raw


def test_a_long_line_is_repaired_in_linear_time() -> None:
    """A whole article on one line, with damage, takes no time worth mentioning."""
    raw = "The Â£ rose and itâ€™s worth more. " * 5000
    text, edits = repair(raw)
    assert text == "The £ rose and it’s worth more. " * 5000
    left, right = raw_span(edits, len(text) - 6, len(text) - 1)
    assert raw[left:right] == "more."
