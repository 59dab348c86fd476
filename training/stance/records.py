"""The few records that travel between the parts of stance; all are immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Edit(NamedTuple):
    """A stretch whose length a repair changed: its span in the repaired and in the raw text."""

    start: int
    end: int
    raw_start: int
    raw_end: int


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known of an article besides its text; every field may be unknown.

    Attributes:
        date: as given, ISO 8601 where it comes from an HTML page.
        language: ISO 639-1 code of the text's language; None where it is too short to tell.
    """

    title: str | None = None
    source: str | None = None
    date: str | None = None
    url: str | None = None
    language: str | None = None


UNKNOWN = Meta()


@dataclass(frozen=True, slots=True)
class Article:
    """One article, its text repaired and freed of markup.

    Attributes:
        id: unique within one run; a file's path below the folder it was found in, or a row's ``id``.
        text: what the offsets of its sentences point into.
        place: ``file`` or ``file:line``, for messages.
        edits: the way from offsets in ``text`` back to the text as it was read.
    """

    id: str
    text: str
    place: str
    edits: tuple[Edit, ...] = ()
    meta: Meta = UNKNOWN


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: ``text == article.text[start:end]``, offsets counted in characters.

    Attributes:
        article: the article's id.
        meta: the article's.
    """

    article: str
    index: int
    start: int
    end: int
    text: str
    meta: Meta = UNKNOWN


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated sentence.

    Attributes:
        group: the article it comes from; rows of one group never stand on both sides of a split.
        labels: axis name to the labels given; exactly one on a single-label axis, in taxonomy order.
        place: ``file:line``, for messages.
        position: its place in the article, from 0, where the row says so.
    """

    id: str
    text: str
    group: str
    labels: Mapping[str, tuple[str, ...]]
    place: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class WordWeight:
    """One word of a sentence: ``text == sentence.text[start:end]``.

    Attributes:
        weight: above 0 where the word speaks for the label, in log-odds before calibration; see
            :meth:`stance.classifiers.Classifier.explain`.
    """

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What every word of a sentence, in order, did for one label."""

    label: str
    words: tuple[WordWeight, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """One sentence as a model tagged it.

    Attributes:
        labels: axis name to the labels assigned, in taxonomy order; none on a single-label axis means
            that the best label stayed below the confidence asked for.
        probabilities: axis name to label to calibrated probability; they sum to 1 on a
            single-label axis only.
        explanations: axis name to one explanation a label assigned, or of the best label where a
            single-label axis has none; None where none were asked for.
    """

    sentence: Sentence
    labels: Mapping[str, tuple[str, ...]]
    probabilities: Mapping[str, Mapping[str, float]]
    explanations: Mapping[str, tuple[Explanation, ...]] | None = None
