"""Where articles come from: files, folders, globs and standard input, compressed or not."""

from __future__ import annotations

import glob
import gzip
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stance.errors import UserError

STDIN = "-"
FORMATS = (".txt", ".md", ".html", ".htm", ".jsonl", ".csv", ".parquet")
COMPRESSIONS = (".gz", ".zst")
TABLES = frozenset((".jsonl", ".csv", ".parquet"))
_MAGIC = "*?["


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read articles from, or standard input.

    Attributes:
        path: None for standard input.
        name: what its articles are called by: the path below the folder given, without suffixes.
        format: one of :data:`FORMATS`.
        compression: one of :data:`COMPRESSIONS`, or empty.
    """

    path: Path | None
    name: str
    format: str
    compression: str = ""

    @property
    def place(self) -> str:
        """The source as messages name it."""
        return "standard input" if self.path is None else str(self.path)

    def size(self) -> int:
        """Return its bytes as they lie on disk; 0 for standard input."""
        return 0 if self.path is None else self.path.stat().st_size


def sources_of(path: Path, stdin_format: str = "txt", skip: Path | None = None) -> Iterator[Source]:
    """Yield what one argument names, in an order that is the same on every machine.

    Args:
        path: a file, a folder (read recursively), a glob pattern, or ``-``.
        stdin_format: a suffix without its dot, ``jsonl.gz`` for one, which says what ``-`` holds.
        skip: a file or folder to leave out of folders and globs: the output.

    Raises:
        UserError: there is nothing there, or it is of an unknown kind.
    """
    if str(path) == STDIN:
        yield _stdin(stdin_format)
    elif _is_folder(path):
        yield from _found(_walk(path), path, path, skip)
    elif path.exists() or not _is_pattern(path):
        yield _file(path, path.name)
    else:
        names = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        files = (Path(name) for name in names if Path(name).is_file())
        yield from _found(files, _fixed_part(path), path, skip)


def _stdin(stdin_format: str) -> Source:
    kind = _kind(f".{stdin_format}")
    if kind is None or f".{stdin_format}" != "".join(kind):
        known = ", ".join(suffix[1:] for suffix in FORMATS)
        raise UserError(
            f"--stdin-format {stdin_format}: unknown format; use one of {known}, or one with .gz or .zst"
        )
    return Source(None, "stdin", *kind)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a pasted sentence is too long for a name
        raise UserError(
            f"{str(path)[:60]}...: no such file or folder ({error.strerror}); check the path"
        ) from None


def _is_pattern(path: Path) -> bool:
    return any(sign in str(path) for sign in _MAGIC)


def _fixed_part(pattern: Path) -> Path:
    """Return the folder above the first part of a pattern that holds a wildcard."""
    fixed = Path()
    for part in pattern.parts[:-1]:
        if any(sign in part for sign in _MAGIC):
            break
        fixed /= part
    return fixed


def _walk(folder: Path) -> Iterator[Path]:
    """Yield a folder's files in name order, one level's names in memory at a time."""
    with os.scandir(folder) as entries:
        listed = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    for name, is_folder in listed:
        if is_folder:
            yield from _walk(folder / name)
        else:
            yield folder / name


def _found(files: Iterator[Path], base: Path, given: Path, skip: Path | None) -> Iterator[Source]:
    left_out = skip.resolve() if skip else None
    none = True
    for file in files:
        if _kind(file.name) is None or (left_out and _lies_in(file.resolve(), left_out)):
            continue
        none = False
        yield _file(file, file.relative_to(base).as_posix())
    if none:
        raise UserError(f"{given}: no {', '.join(FORMATS)} file there; check the path")


def _lies_in(file: Path, place: Path) -> bool:
    return file == place or place in file.parents


def _file(path: Path, name: str) -> Source:
    kind = _kind(path.name)
    try:
        exists = path.exists()
    except OSError:
        exists = False
    if not exists:
        raise UserError(f"{path}: no such file or folder; check the path")
    if kind is None:
        known = ", ".join(FORMATS)
        raise UserError(
            f"{path}: cannot read '{path.suffix}' files; give one of {known}, also as .gz or .zst"
        )
    return Source(path, name[: -len("".join(kind))], *kind)


def _kind(name: str) -> tuple[str, str] | None:
    """Return format and compression by a file's name; None for a file that is no article."""
    lowered = name.lower()
    compression = next((suffix for suffix in COMPRESSIONS if lowered.endswith(suffix)), "")
    form = next((suffix for suffix in FORMATS if lowered.removesuffix(compression).endswith(suffix)), None)
    return None if form is None else (form, compression)


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that is open: ``stream`` gives its bytes unpacked."""

    stream: BinaryIO
    _packed: BinaryIO
    _countable: bool

    @property
    def offset(self) -> int:
        """How many bytes of the file on disk were read so far; 0 for standard input."""
        return self._packed.tell() if self._countable else 0


@contextmanager
def opened(source: Source, stdin: BinaryIO) -> Iterator[Opened]:
    """Open a source for reading; see :func:`read_errors` for what reading may raise."""
    if source.path is None:
        yield Opened(_unpacked(stdin, source.compression), stdin, _countable=False)
        return
    with source.path.open("rb") as packed, _unpacked(packed, source.compression) as stream:
        yield Opened(stream, packed, _countable=True)


def _unpacked(packed: BinaryIO, compression: str) -> BinaryIO:
    if compression == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=packed))
    if compression == ".zst":
        import zstandard

        # Archives that grew by appending hold many frames.
        reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True, closefd=False)
        return io.BufferedReader(reader)
    return packed


def seekable(opened_source: Opened, source: Source) -> BinaryIO:
    """Return a stream that can be searched, as Parquet needs it: packed bytes go through a temporary file."""
    if source.path is not None and not source.compression:
        return opened_source.stream
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - its reader closes it
    shutil.copyfileobj(opened_source.stream, copy)
    copy.seek(0)
    return copy


def read_errors() -> tuple[type[Exception], ...]:
    """Return what a damaged or unreadable file may raise while it is read."""
    errors: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, ValueError)
    if "zstandard" in sys.modules:
        errors += (sys.modules["zstandard"].ZstdError,)
    return errors
