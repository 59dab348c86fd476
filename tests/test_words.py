from __future__ import annotations

import pytest

from stance.words import owners, without_each, words

NASTY = 'The "U.S." — İstanbul said\u00a0so (twice), e.g. in Chinese-built… talks—which ended.'


def test_words_leave_punctuation_at_their_edges() -> None:
    """Quotes, brackets and full stops are no part of a word, the dots of an abbreviation are."""
    found = [NASTY[start:end] for start, end in words(NASTY)]
    assert found[:6] == ["The", "U.S.", "—", "İstanbul", "said", "so"]
    assert found[6:] == ["twice", "e.g.", "in", "Chinese-built", "talks", "which", "ended"]


@pytest.mark.parametrize("text", [NASTY, "", "  ", "—", "...", "x", " one  two "])
def test_every_character_but_spaces_belongs_to_a_word(text: str) -> None:
    """Whatever an n-gram covers, some word answers for it."""
    found = owners(text)
    assert len(found) == len(text)
    assert all((number < 0) == character.isspace() for number, character in zip(found, text, strict=True))
    for number, (start, end) in enumerate(words(text)):
        assert set(found[start:end]) == {number}


def test_a_sentence_without_each_of_its_words() -> None:
    """Every word is taken out once, and nothing else."""
    assert list(without_each("They met, twice.")) == [" met, twice.", "They , twice.", "They met, ."]
    assert list(without_each("")) == []
