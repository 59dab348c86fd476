"""A stream of articles out of files of every kind: nothing is held in memory but the article at hand."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from stance.decoding import mended, unicode_encoding
from stance.errors import UserError, at
from stance.extract import MAX_CHARACTERS, RawArticle, extract_all, too_long
from stance.formats import json_object
from stance.records import Article
from stance.sources import TABLES, Opened, Source, opened, read_errors, seekable, sources_of

COLUMNS = ("text", "id", "title", "source", "date", "url")
_META = COLUMNS[2:]
_DELIMITERS = ",;\t|"
# Markup, escapes and other fields may outweigh the text of an article by this much.
_OVERHEAD = 8
_SLACK = 1 << 20
_BATCH = 500


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read.

    Attributes:
        stdin_format: what ``-`` holds, as a suffix without its dot.
        columns: one of :data:`COLUMNS` to the name it has in tables, where that is another.
        max_characters: an article longer than this is refused.
        skip: the output, left out of folders and globs.
    """

    stdin_format: str = "txt"
    columns: Mapping[str, str] = field(default_factory=dict)
    max_characters: int = MAX_CHARACTERS
    skip: Path | None = None

    def column(self, name: str) -> str:
        """Return what a column is called in tables."""
        return self.columns.get(name, name)


def parse_columns(given: str) -> dict[str, str]:
    """Read ``text=body,date=published``.

    Raises:
        UserError: it is malformed, or names a column that articles do not have.
    """
    pairs = [pair.partition("=") for pair in given.split(",") if pair.strip()]
    columns = {name.strip(): value.strip() for name, _, value in pairs}
    wrong = [name for name, value in columns.items() if name not in COLUMNS or not value]
    if wrong or len(columns) != len(pairs):
        raise UserError(
            f"--columns {given}: write it as text=NAME,date=NAME; the columns are {', '.join(COLUMNS)}"
        )
    return columns


def sources(paths: Sequence[Path], options: InputOptions) -> Iterator[Source]:
    """Yield what all arguments name, in order; see :func:`stance.sources.sources_of`."""
    for path in paths:
        yield from sources_of(path, options.stdin_format, options.skip)


def read_articles(paths: Sequence[Path], options: InputOptions, stdin: BinaryIO) -> Iterator[Article]:
    """Yield every article, strictly: see :func:`read_raw` and :func:`stance.extract.extract_all`."""
    return extract_all(read_raw(paths, options, stdin), options.max_characters)


def read_raw(paths: Sequence[Path], options: InputOptions, stdin: BinaryIO) -> Iterator[RawArticle]:
    """Yield articles unparsed; one that cannot be read comes with its ``problem``.

    Ids are made unique: an id that an earlier file used already gives way to the article's place,
    and an id that its own file used already is a problem.

    Raises:
        UserError: a path is missing or of an unknown kind, or a table lacks a column.
    """
    seen = _Seen()
    before = 0
    for source in sources(paths, options):
        for raw in _read(source, options, stdin):
            yield _with_own_id(raw, source, seen, before)
        before += source.size()


def check_tables(paths: Sequence[Path], options: InputOptions) -> None:
    """Look at the first row of every table, so that a wrong column is told before any long work.

    Raises:
        UserError: see :func:`read_raw`.
    """
    for source in sources(paths, options):
        if source.path is not None and source.format in TABLES:
            next(_read(source, options, io.BytesIO()), None)


class _Seen:
    """Remembers ids at eight bytes each, as sorted hashes; a million articles take 16 MB.

    Two ids of 64-bit hashes collide once in some ten billion runs of a million articles.
    """

    _FRESH = 1 << 15

    def __init__(self) -> None:
        self._old = np.empty(0, dtype=np.uint64)
        self._fresh: set[int] = set()

    def add(self, key: str) -> bool:
        """Remember a key; return whether it was known."""
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        value = int.from_bytes(digest, "little")
        at_most = int(np.searchsorted(self._old, np.uint64(value)))
        known = value in self._fresh or (at_most < len(self._old) and int(self._old[at_most]) == value)
        if not known:
            self._fresh.add(value)
        if len(self._fresh) >= self._FRESH:
            fresh = np.fromiter(self._fresh, dtype=np.uint64, count=len(self._fresh))
            self._old = np.sort(np.concatenate([self._old, fresh]))
            self._fresh = set()
        return known


def _with_own_id(raw: RawArticle, source: Source, seen: _Seen, before: int) -> RawArticle:
    name, problem = raw.id, raw.problem
    if problem is None:
        if seen.add(f"{source.place}\0{raw.id}"):
            problem = "this article is given twice; name it once"
            if source.format in TABLES:
                problem = f"the id '{raw.id}' stands in this file already; change one"
        elif seen.add(raw.id):
            name = raw.place
    return RawArticle(name, raw.place, raw.format, raw.content, raw.meta, before + raw.offset, problem)


def _read(source: Source, options: InputOptions, stdin: BinaryIO) -> Iterator[RawArticle]:
    """Yield one source's articles; damage ends it with a problem that stands for the rest of it."""
    readers = {".jsonl": _jsonl_rows, ".csv": _csv_rows, ".parquet": _parquet_rows}
    read = readers.get(source.format, _whole)
    place, some = source.place, False
    try:
        with opened(source, stdin) as handle:
            for raw in read(source, handle, options):
                place, some = raw.place, True
                yield raw
    except read_errors() as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        where = "cannot be read" if place == source.place else "cannot be read from here on"
        yield RawArticle(source.name, place, problem=f"{where} ({_one_line(reason)}); check or mend the file")
        return
    if not some:
        yield RawArticle(source.name, source.place, problem="is empty; there is nothing to tag")


def _one_line(reason: str) -> str:
    return " ".join(reason.split()).rstrip(".")


def _whole(source: Source, handle: Opened, options: InputOptions) -> Iterator[RawArticle]:
    limit = options.max_characters * _OVERHEAD + _SLACK
    content = handle.stream.read(limit + 1)
    form = ".html" if source.format == ".htm" else source.format
    problem = too_long(options.max_characters) if len(content) > limit else None
    yield RawArticle(
        source.name, source.place, form, b"" if problem else content, offset=source.size(), problem=problem
    )


def _lines(handle: Opened) -> io.TextIOWrapper:
    """Return a table's text; bytes that are not UTF-8 come through to be mended row by row."""
    stream = handle.stream
    if not isinstance(stream, io.BufferedReader):
        stream = io.BufferedReader(stream)  # type: ignore[type-var]  # it reads like a raw file
    encoding = unicode_encoding(stream.peek(4096)[:4096])
    if encoding is None:
        raise ValueError("it holds binary data, not text")
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    return io.TextIOWrapper(
        stream, encoding=encoding.replace("utf-8-sig", "utf-8"), errors=errors, newline=""
    )


def _jsonl_rows(source: Source, handle: Opened, options: InputOptions) -> Iterator[RawArticle]:
    limit = options.max_characters * _OVERHEAD + _SLACK
    lines = _lines(handle)
    checked = False
    number = 0
    while line := lines.readline(limit):
        number += 1
        place = at(source.place, number)
        if len(line) == limit:
            while line and not line.endswith("\n"):
                line = lines.readline(limit)
            yield RawArticle(f"{source.name}:{number}", place, problem=too_long(options.max_characters))
            continue
        if not (line := line.strip().removeprefix("\ufeff").strip()):
            continue
        try:
            row = json_object(mended(line))
        except ValueError as error:
            yield RawArticle(f"{source.name}:{number}", place, offset=handle.offset, problem=str(error))
            continue
        if not checked:
            _check_columns(place, row, ["text"], options)
            checked = True
        yield _row(source, number, row, options, handle.offset)


def _csv_rows(source: Source, handle: Opened, options: InputOptions) -> Iterator[RawArticle]:
    # A quote that is never closed swallows the rest of the file; the limit keeps that small.
    csv.field_size_limit(options.max_characters * _OVERHEAD + _SLACK)
    lines = _lines(handle)
    first = lines.readline(_SLACK).removeprefix("\ufeff")
    if not first.strip():
        return
    delimiter = max(
        _DELIMITERS, key=lambda sign: (options.column("text") in _cells(first, sign), first.count(sign))
    )
    reader = csv.reader(lines, delimiter=delimiter)
    header = [name.strip() for name in _cells(mended(first), delimiter)]
    _check_columns(source.place, header, ["text", *options.columns], options)
    number = 2
    try:
        for cells in reader:
            if cells:
                yield _csv_row(source, number, header, cells, options, handle.offset)
            number = reader.line_num + 2
    except csv.Error as error:
        reason = f"not valid CSV ({error}), so the file is not read further; mend the quotes here"
        yield RawArticle(f"{source.name}:{number}", at(source.place, number), problem=reason)


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))


def _csv_row(
    source: Source, number: int, header: list[str], cells: list[str], options: InputOptions, offset: int
) -> RawArticle:
    place = at(source.place, number)
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells under a header of {len(header)}; mend this row"
        return RawArticle(f"{source.name}:{number}", place, offset=offset, problem=problem)
    try:
        row = {name: mended(cell) for name, cell in zip(header, cells, strict=True)}
    except ValueError as error:
        return RawArticle(f"{source.name}:{number}", place, offset=offset, problem=str(error))
    return _row(source, number, row, options, offset)


def _parquet_rows(source: Source, handle: Opened, options: InputOptions) -> Iterator[RawArticle]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(seekable(handle, source)) as file:
        names = file.schema_arrow.names
        _check_columns(source.place, names, ["text", *options.columns], options)
        wanted = [options.column(name) for name in COLUMNS if options.column(name) in names]
        number, size, total = 0, source.size(), file.metadata.num_rows or 1
        for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
            for row in batch.to_pylist():
                number += 1
                yield _row(source, number, row, options, size * number // total)


def _check_columns(place: str, names: Iterable[str], wanted: Iterable[str], options: InputOptions) -> None:
    names = list(names)
    for column in wanted:
        if options.column(column) not in names:
            there = ", ".join(f"'{name}'" for name in names[:20]) or "none"
            raise UserError(
                f"{place}: no column '{options.column(column)}' for an article's {column}; the columns are "
                f"{there}; name the right one with --columns {column}=NAME"
            )


def _row(
    source: Source, number: int, row: Mapping[str, Any], options: InputOptions, offset: int
) -> RawArticle:
    """Return the article of a table's row; ``number`` counts lines in text, rows in Parquet, from 1."""
    place, name = at(source.place, number), f"{source.name}:{number}"
    text, key = row.get(options.column("text")), row.get(options.column("id"))
    problem = None
    if not isinstance(text, str) or not text.strip():
        problem = f"'{options.column('text')}' is missing or empty; give the article's text"
    elif isinstance(key, bool) or not isinstance(key, str | int | None):
        problem = f"'{options.column('id')}' is neither text nor a whole number; mend it"
    elif key is not None and key != "":
        name = str(key)
    if problem:
        return RawArticle(name, place, offset=offset, problem=problem)
    meta = {column: _carried(row.get(options.column(column))) for column in _META}
    return RawArticle(
        name,
        place,
        content=str(text),
        meta={key: value for key, value in meta.items() if value},
        offset=offset,
    )


def _carried(value: Any) -> str:
    """Return a value of a row as text: what is no text already, in its JSON or ISO 8601 form."""
    if value is None or isinstance(value, str):
        return (value or "").strip()
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return json.dumps(value, ensure_ascii=False, default=str)
