"""Which language an article is in: flagged so that its tags can be set aside, never translated or guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# The commonest function words of English make up about two fifths of any English text.
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        """
        the of and to in a is that for on was with as it by at from be are has have an its this said not will
        were or had but his her their he she they we you i which would who been more than no after
        """,
    )
)
_WORD = re.compile(r"[^\W\d_]+")
_LOOKED_AT = 4000
ENOUGH_WORDS = 30
_ENOUGH_CHARACTERS = 60
_SURELY_ENGLISH = 0.3
_SURE = 0.9


def english_share(words: Sequence[str]) -> float:
    """Return which share of lower-case words, at least one, are function words of English."""
    return sum(word in _ENGLISH for word in words) / len(words)


def detect(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language, or None where it is too short or mixed to tell.

    Plain English is recognised by its function words. Anything else is asked of py3langid (Lui and
    Baldwin, "langid.py: An Off-the-shelf Language Identification Tool", ACL 2012), whose model takes
    0.2 s to load: tagging one English article does not wait for it.
    """
    start = text[:_LOOKED_AT]
    words = _WORD.findall(start.lower())
    if len(words) >= ENOUGH_WORDS and english_share(words) >= _SURELY_ENGLISH:
        return "en"
    # Chinese and Japanese put no spaces between words, so letters are counted there.
    if len(words) < ENOUGH_WORDS and sum(map(len, words)) < _ENOUGH_CHARACTERS:
        return None
    code, probability = _identifier().classify(start)
    return str(code) if probability >= _SURE else None


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # Languages without a code of two letters are mostly neighbours of one that has one, as Wu is of
    # Chinese, and would only take probability from it.
    identifier.set_languages([code for code in identifier.labels if len(code) == 2])
    return identifier
