"""Files that are written whole or not at all, and their checksums."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stance.errors import UserError


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def text_key(text: str) -> str:
    """Return sixteen hexadecimal digits that stand for a text without telling it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a JSON-serialisable value in canonical form."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_text(path: Path) -> str:
    """Read a UTF-8 text file that the user named.

    Raises:
        UserError: it is missing, a folder, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a readable file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text; save it as UTF-8") from None


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON in the key order it has."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it into place on success, delete it otherwise.

    Raises:
        UserError: the folder of ``path`` does not exist or cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    check_file(path)
    try:
        yield partial
        # Without this a power cut can leave the new name with nothing behind it.
        with partial.open("rb") as handle:
            os.fsync(handle.fileno())
        partial.replace(path)
    except PermissionError as error:
        raise UserError(f"{path}: no permission to write here; choose another place") from error
    finally:
        partial.unlink(missing_ok=True)


def check_file(path: Path) -> None:
    """Make sure, before any long work, that a file can be put at ``path``.

    Raises:
        UserError: its folder does not exist, or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise UserError(f"{path}: the folder {path.parent} does not exist; create it first")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a file to write to")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of ``folder`` on success and vanishes otherwise.

    Raises:
        UserError: the parent folder cannot be made or written.
    """
    check_folder(folder)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        # mkdtemp makes a private folder; a model is as public as its neighbours.
        partial.chmod(0o777 & ~_umask())
        yield partial
        _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Make sure, before any long work, that ``folder`` can be written or replaced.

    Raises:
        UserError: it is a file, or its parent cannot be made or written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.parent):
            pass
    except OSError as error:
        raise UserError(f"{folder}: cannot write here ({error.strerror}); choose another place") from error
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file where a folder is to be written; move it away")


def _swap(new: Path, old: Path) -> None:
    """Put ``new`` where ``old`` is; rename cannot replace a folder that holds files."""
    if not old.exists():
        new.rename(old)
        return
    retired = new.with_name(new.name + ".old")
    old.rename(retired)
    try:
        new.rename(old)
    except BaseException:
        retired.rename(old)
        raise
    shutil.rmtree(retired)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
