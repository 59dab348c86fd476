"""Articles in, tagged rows out: one reader a suffix, one writer a suffix."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from stance.errors import UserError, all_at_once, at
from stance.files import whole_file
from stance.records import Article
from stance.repair import repair

if TYPE_CHECKING:
    from markdown_it.token import Token

Reader = Callable[[str, str, str], Iterator[Article]]
Row = Mapping[str, Any]
STDIN = "-"


def read_articles(
    paths: Sequence[Path], *, stdin: BinaryIO, stdin_format: str = "txt", skip: Path | None = None
) -> list[Article]:
    """Read every article named by files, folders and ``-``.

    Args:
        paths: files, folders (read recursively, in name order) or ``-`` for standard input.
        stdin: where ``-`` reads from.
        stdin_format: one of ``txt``, ``md``, ``html``, ``jsonl``.
        skip: a file to leave out of folders: the output of an earlier run.

    Raises:
        UserError: a path is missing, empty, binary, of an unknown kind or malformed.
    """
    articles: list[Article] = []
    for path in paths:
        if str(path) == STDIN:
            articles += _parse(stdin.read(), "standard input", "stdin", f".{stdin_format}")
        elif _is_folder(path):
            for file in _files_below(path, skip):
                articles += _read_file(file, file.relative_to(path).with_suffix("").as_posix())
        else:
            articles += _read_file(path, path.stem)
    return _with_unique_ids(articles)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a pasted sentence is too long for a name
        raise UserError(
            f"{str(path)[:60]}...: no such file or folder ({error.strerror}); check the path"
        ) from None


def _files_below(folder: Path, skip: Path | None) -> list[Path]:
    left_out = skip.resolve() if skip else None
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in READERS
        and file.is_file()
        and file.resolve() != left_out
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not files:
        raise UserError(f"{folder}: no {', '.join(READERS)} file in this folder; check the path")
    return files


def _read_file(path: Path, name: str) -> Iterator[Article]:
    if path.suffix.lower() not in READERS and path.exists():
        raise UserError(f"{path}: cannot read '{path.suffix}' files; give one of {', '.join(READERS)}")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file or folder; check the path") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    return _parse(data, str(path), name, path.suffix.lower())


def _parse(data: bytes, place: str, name: str, suffix: str) -> Iterator[Article]:
    if b"\0" in data:
        raise UserError(f"{place}: holds binary data, not text; give a text, HTML or JSON Lines file")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{place}: not UTF-8 text (byte {error.start + 1}); convert it to UTF-8 first"
        ) from None
    if not text.strip().strip("\ufeff").strip():
        raise UserError(f"{place}: is empty; there is nothing to tag")
    return READERS[suffix](text, place, name)


def _article(name: str, raw: str, place: str) -> Article:
    text, edits = repair(raw)
    return Article(name, text, place, edits)


def _read_text(text: str, place: str, name: str) -> Iterator[Article]:
    yield _article(name, text, place)


def _read_markdown(text: str, place: str, name: str) -> Iterator[Article]:
    from markdown_it import MarkdownIt

    body = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if body.startswith("---\n") and "\n---\n" in body[3:]:
        body = body[body.index("\n---\n", 3) + 5 :]
    blocks = [
        "".join(_plain(child) for child in token.children or [])
        for token in MarkdownIt("commonmark").enable("table").parse(body)
        if token.type == "inline"
    ]
    yield from _extracted("\n\n".join(blocks), place, name)


def _plain(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    return "" if token.type == "html_inline" else token.content


def _read_html(text: str, place: str, name: str) -> Iterator[Article]:
    import trafilatura

    article = trafilatura.extract(text, include_comments=False, include_tables=False)
    yield from _extracted(article or "", place, name)


def _extracted(text: str, place: str, name: str) -> Iterator[Article]:
    if not text.strip():
        raise UserError(f"{place}: no article text found in it; check that it is an article's page")
    yield _article(name, text, place)


def _read_jsonl(text: str, place: str, name: str) -> Iterator[Article]:
    articles: list[Article] = []
    problems: list[str] = []
    lines: dict[str, int] = {}
    for number, row in json_rows(text, place, problems):
        body, key = row.get("text"), row.get("id", f"{name}:{number}")
        if not isinstance(body, str) or not body.strip():
            problems.append(f"{at(place, number)}: 'text' is missing or empty; give the article's text")
        elif not isinstance(key, str | int) or isinstance(key, bool):
            problems.append(f"{at(place, number)}: 'id' is neither text nor a number; mend it")
        elif (first := lines.setdefault(str(key), number)) != number:
            problems.append(f"{at(place, number)}: the id '{key}' already stands on line {first}; change one")
        else:
            articles.append(_article(str(key), body, at(place, number)))
    if problems:
        raise all_at_once(place, problems)
    yield from articles


def json_rows(text: str, place: str, problems: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line numbers, from 1, and JSON objects; a line that is none is added to ``problems``."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            # Half a surrogate pair is no character: nothing could write it out again.
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            problems.append(f"{at(place, number)}: holds half of a surrogate pair; mend or remove this line")
            continue
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "a number too long or values nested too deeply")
            problems.append(f"{at(place, number)}: not valid JSON ({reason}); mend or remove this line")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            problems.append(f"{at(place, number)}: expected a JSON object in braces; mend this line")


READERS: dict[str, Reader] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".jsonl": _read_jsonl,
}


def _with_unique_ids(articles: list[Article]) -> list[Article]:
    """Fall back to the place where two files share a name; refuse an article given twice."""
    counts = Counter(article.id for article in articles)
    renamed = [
        article if counts[article.id] == 1 else replace(article, id=article.place) for article in articles
    ]
    places: set[str] = set()
    for article in renamed:
        if article.id in places:
            raise UserError(f"{article.place}: this article is given twice; name it once")
        places.add(article.id)
    return renamed


def write_jsonl(rows: Iterable[Row], path: Path) -> None:
    """Write one JSON object a line; the file appears only when it is complete."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as handle:
        handle.writelines(json_line(row) for row in rows)


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """Write CSV with a header: nested fields become ``outer_inner`` columns, lists join with ``;``."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            flat = _flat(row)
            if writer is None:
                writer = csv.DictWriter(handle, fieldnames=list(flat), lineterminator="\n")
                writer.writeheader()
            writer.writerow(flat)


WRITERS: dict[str, Callable[[Iterable[Row], Path], None]] = {".jsonl": write_jsonl, ".csv": write_csv}


def writer_for(path: Path) -> Callable[[Iterable[Row], Path], None]:
    """Return the writer of a path's suffix.

    Raises:
        UserError: no writer knows the suffix.
    """
    try:
        return WRITERS[path.suffix.lower()]
    except KeyError:
        raise UserError(f"{path}: cannot write '{path.suffix}' files; use {' or '.join(WRITERS)}") from None


def json_line(row: Row) -> str:
    """Return a row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def _flat(row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}_{inner}": item for inner, item in value.items()}
        elif isinstance(value, list | tuple):
            flat[key] = ";".join(map(str, value))
        else:
            flat[key] = value
    return flat
