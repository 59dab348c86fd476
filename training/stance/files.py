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


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a JSON-serialisable value in canonical form."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


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
    if not path.parent.is_dir():
        raise UserError(f"{path}: the folder {path.parent} does not exist; create it first")
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file to write to")
    try:
        yield partial
        # mkstemp-like permissions would make results private to one user; keep the umask's.
        partial.replace(path)
    except PermissionError as error:
        raise UserError(f"{path}: no permission to write here; choose another place") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of ``folder`` on success and vanishes otherwise.

    Raises:
        UserError: the parent folder cannot be made or written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise UserError(f"{folder}: cannot write here ({error.strerror}); choose another place") from error
    try:
        # mkdtemp makes a private folder; a model is as public as its neighbours.
        partial.chmod(0o777 & ~_umask())
        yield partial
        _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _swap(new: Path, old: Path) -> None:
    """Put ``new`` where ``old`` is; rename cannot replace a folder that holds files."""
    if not old.exists():
        new.rename(old)
        return
    retired = new.with_name(new.name + ".old")
    old.rename(retired)
    new.rename(old)
    shutil.rmtree(retired)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
