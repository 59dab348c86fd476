"""Cut an article into sentences with exact offsets, leaving out page furniture."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nupunkt

from stance.records import Article, Sentence

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?"
_CLOCK = r"\d{1,2}[:.]\d{2}(?:\s*[ap]\.?m\.?)?(?:\s*\(?[A-Z]{2,4}\)?)?"
_DATE = rf"(?:{_DAY},?\s+)?(?:{_MONTH}\s+\d{{1,2}},?\s+\d{{4}}|\d{{1,2}}\s+{_MONTH},?\s+\d{{4}})"
_CAPITALISED = r"[A-Z][\w.'’-]+"

# Whole lines that news pages carry around an article. A line must match entirely: a heading of
# the article itself is labelled like a sentence.
_FURNITURE = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"[-−+]?\d{1,2}(?:\.\d)?\s*°?\s*[CF]", 0),
        (rf"(?:(?:published|updated|posted|last updated)(?: on)?:?\s*)?{_DATE}"
         rf"(?:\s*(?:,|at|-|\||–)?\s*{_CLOCK})?", re.IGNORECASE),
        (r"(?:latest|related|more|top|breaking|trending|recommended|popular)\s+"
         r"(?:news|stories|articles|headlines|posts|videos|topics|reading|coverage)", re.IGNORECASE),
        (r"(?:most (?:read|viewed|popular)|trending(?: now)?|recommended(?: for you)?|editors?['’]s? picks?"
         r"|more (?:from|on) .{1,40}|also read:?.{0,120}|read (?:more|also|next):?.{0,120}"
         r"|you may also like|see also:?.{0,120})", re.IGNORECASE),
        (r"(?:advertisement|advertising|sponsored(?: content)?|story continues below(?: advertisement)?"
         r"|article continues below(?: advertisement)?|share(?: this)?(?: (?:article|story|on .{1,20}))?"
         r"|print(?: this)?(?: (?:article|story))?|comments?(?: \(\d+\))?|\d+ comments?|leave a (?:comment|reply)"
         r"|follow us(?: on .{1,40})?|sign up (?:for|to) .{1,80}|subscribe(?: (?:now|to|for) .{0,80})?"
         r"|log in|sign in|cookie (?:policy|settings)|terms of (?:use|service)|privacy policy"
         r"|skip to (?:main )?content|back to top|loading\.{0,3}|min(?:ute)?s? read|\d+ min(?:ute)?s? read"
         r"|listen to (?:this )?article.{0,40}|home|menu|search)", re.IGNORECASE),
        (rf"(?:by|By|BY)\s+{_CAPITALISED}(?:\s+{_CAPITALISED}){{1,3}}"
         rf"(?:(?:,| and|, and)\s+{_CAPITALISED}(?:\s+{_CAPITALISED}){{1,3}}){{0,3}}", 0),
        (r"(?:photo|image|picture|credit|source)s?(?: credit)?\s*:\s*.{1,80}", re.IGNORECASE),
        (r"(?:©|\(c\)|copyright\b).{0,120}|.{0,60}all rights reserved\.?", re.IGNORECASE),
        (r"(?:https?://|www\.)\S+", re.IGNORECASE),
    )
)  # fmt: skip
_MAX_LABEL_WORDS = 3
_ENDS_SENTENCE = re.compile(r"[.!?…:;][\"'”’)]*$")


def sentences(article: Article) -> list[Sentence]:
    """Return an article's sentences in order.

    Lines are paragraphs; a sentence never crosses one (hard wraps were undone on reading). Sentence
    ends are found by nupunkt (Bommarito et al. 2025, after Kiss and Strunk 2006).
    """
    found: list[Sentence] = []
    for start, end in _paragraphs(article.text):
        for left, right in nupunkt.sent_spans(article.text[start:end]):
            span = _trimmed(article.text, start + left, start + right)
            text = article.text[slice(*span)]
            if any(character.isalpha() for character in text):
                found.append(Sentence(article.id, len(found), *span, text, article.meta))
    return found


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the lines that are no furniture, block by block."""
    block: list[tuple[int, int]] = []
    position = 0
    for line in text.split("\n"):
        if line.strip():
            block.append((position, position + len(line)))
        else:
            yield from _without_furniture(text, block)
            block = []
        position += len(line) + 1
    yield from _without_furniture(text, block)


def _without_furniture(text: str, block: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Drop furniture lines, and with them the bare words that stand in the same block.

    A page's weather corner reads "-1.6 C / Korea / Monday, January 26, 2026": the place name is
    furniture because of its neighbours.
    """
    lines = [text[start:end].strip() for start, end in block]
    furniture = [is_furniture(line) for line in lines]
    spoilt = any(furniture)
    for span, line, drop in zip(block, lines, furniture, strict=True):
        bare = len(line.split()) <= _MAX_LABEL_WORDS and not _ENDS_SENTENCE.search(line)
        if not drop and not (spoilt and bare):
            yield span


def is_furniture(line: str) -> bool:
    """Tell whether a whole line is one that news pages carry around an article."""
    return any(pattern.fullmatch(line) for pattern in _FURNITURE)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
