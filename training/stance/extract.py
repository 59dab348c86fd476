"""From one article as it was read to its text: decoded, freed of markup, mended, its language flagged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stance.decoding import decode
from stance.errors import ArticleError, all_at_once
from stance.language import detect
from stance.records import Article, Meta
from stance.repair import repair

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_CHARACTERS = 1_000_000
_FRONT_MATTER = re.compile(r"(?P<name>\w+):[ \t]*(?P<quote>[\"']?)(?P<value>.*?)(?P=quote)[ \t]*")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawArticle:
    """One article as it lies in a file: cheap to read, skip and send to another process.

    Attributes:
        id: unique within one run.
        place: ``file`` or ``file:line``, for messages.
        format: ``.txt``, ``.md``, ``.html`` (then ``content`` is a file's bytes), or ``row`` (a text).
        meta: what the row says of it: field of :class:`stance.records.Meta` to value.
        offset: how many bytes of the inputs had been read when it was.
        problem: why it cannot be tagged, known already on reading; else None.
    """

    id: str
    place: str
    format: str = "row"
    content: bytes | str = ""
    meta: Mapping[str, str] = field(default_factory=dict)
    offset: int = 0
    problem: str | None = None


def extract(raw: RawArticle, max_characters: int = MAX_CHARACTERS) -> Article:
    """Return an article's text and what is known of it.

    Raises:
        ArticleError: it is empty, binary, in an unknown encoding, without text or too long.
    """
    if raw.problem is not None:
        raise ArticleError(raw.place, raw.problem)
    text, meta = raw.content, dict(raw.meta)
    if isinstance(text, bytes):
        try:
            text = _decode_page(text) if raw.format == ".html" else decode(text)
        except ValueError as error:
            raise ArticleError(raw.place, str(error)) from None
    if not text.strip().strip("\ufeff").strip():
        raise ArticleError(raw.place, "is empty; there is nothing to tag")
    if raw.format == ".md":
        text, found = _markdown(text)
        meta |= found
    elif raw.format == ".html":
        text, found = _html(text, raw.place)
        meta |= found
    if not text.strip():
        raise ArticleError(raw.place, "no article text found in it; check that it is an article's page")
    if len(text) > max_characters:
        raise ArticleError(raw.place, too_long(max_characters))
    fixed, edits = repair(text)
    return Article(raw.id, fixed, raw.place, edits, Meta(**meta, language=detect(fixed)))


def too_long(limit: int) -> str:
    """Return the reason that an article is refused for its length."""
    return f"is longer than {limit:,} characters; cut it, or raise --max-characters"


def extract_all(raws: Iterator[RawArticle], max_characters: int = MAX_CHARACTERS) -> Iterator[Article]:
    """Yield every article's text; after the first one that fails, only look for others that do.

    Raises:
        UserError: at the end, every problem found, the first twenty in words.
    """
    problems: list[str] = []
    for raw in raws:
        try:
            article = extract(raw, max_characters)
        except ArticleError as error:
            problems.append(str(error))
            continue
        if not problems:
            yield article
    if problems:
        raise all_at_once("the articles", problems)


def _decode_page(data: bytes) -> str:
    """Decode a page as its own declaration says, where it says so and is right."""
    declared = _CHARSET.search(data[:4096])
    if declared:
        try:
            return data.decode(declared.group(1).decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(data)


def _markdown(text: str) -> tuple[str, dict[str, str]]:
    from markdown_it import MarkdownIt

    body = text.removeprefix("\ufeff").replace("\r\n", "\n")
    meta: dict[str, str] = {}
    if body.startswith("---\n") and "\n---\n" in body[3:]:
        end = body.index("\n---\n", 3)
        meta = _front_matter(body[4:end].split("\n"))
        body = body[end + 5 :]
    blocks = [
        "".join(_plain(child) for child in token.children or [])
        for token in MarkdownIt("commonmark").enable("table").parse(body)
        if token.type == "inline"
    ]
    return "\n\n".join(blocks), meta


def _front_matter(lines: Sequence[str]) -> dict[str, str]:
    """Return the fields that stand on one line each; anything richer is not an article's title or date."""
    found = (_FRONT_MATTER.fullmatch(line) for line in lines)
    values = {match["name"].lower(): match["value"].strip() for match in found if match}
    return {name: values[name] for name in ("title", "source", "date", "url") if values.get(name)}


def _plain(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    return "" if token.type == "html_inline" else token.content


def _html(text: str, place: str) -> tuple[str, dict[str, str]]:
    from trafilatura import bare_extraction

    try:
        # Without the extensive search a date comes from the page's metadata and is never guessed
        # from the text.
        page: Any = bare_extraction(
            text,
            include_comments=False,
            include_tables=False,
            with_metadata=True,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except Exception as error:  # noqa: BLE001 - see below
        # Pages of any make go through three parsers; what breaks one of them is that page's fault.
        raise ArticleError(
            place, f"cannot be taken apart as HTML ({type(error).__name__}); mend it"
        ) from None
    if page is None:
        return "", {}
    found = {"title": page.title, "source": page.sitename, "date": page.date, "url": page.url}
    return page.text or "", {name: str(value) for name, value in found.items() if value}
