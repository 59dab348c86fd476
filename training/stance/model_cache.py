"""Models that came from elsewhere, kept on this machine: one folder a fingerprint."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from stance.errors import StanceError, UserError
from stance.tagger import read_manifest, verify_files

_DIGITS = 12


def cache_folder() -> Path:
    """Return where models are kept, by the custom of the system; ``XDG_CACHE_HOME`` moves it."""
    home = os.environ.get("XDG_CACHE_HOME")
    if not home and sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA")
    if not home:
        home = str(Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache"))
    return Path(home) / "stance" / "models"


def cached(fingerprint: str) -> Path | None:
    """Return the folder of a model that is kept whole; None if it has to be fetched.

    Args:
        fingerprint: of the model, twelve digits or more.
    """
    folder = cache_folder() / fingerprint[:_DIGITS]
    try:
        manifest = read_manifest(folder)
        verify_files(folder, manifest["files"])
    except StanceError:
        return None
    return folder if str(manifest["fingerprint"]).startswith(fingerprint) else None


def keep(model: Path) -> Path:
    """Copy a model folder into the cache and return its place there.

    Raises:
        DamagedModelError: the folder is not as training wrote it.
        UserError: it is no model folder, or the cache cannot be written.
    """
    manifest = read_manifest(model)
    verify_files(model, manifest["files"])
    fingerprint = str(manifest["fingerprint"])
    place = cache_folder() / fingerprint[:_DIGITS]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as name:
            whole = Path(name) / place.name
            shutil.copytree(model, whole)
            _put(whole, place, fingerprint)
    except OSError as error:
        raise UserError(
            f"{place}: cannot be written ({error.strerror}); point XDG_CACHE_HOME to another folder"
        ) from error
    return place


def _put(whole: Path, place: Path, fingerprint: str) -> None:
    """Move a copy into place; one that another process put there meanwhile, and may be reading, stays."""
    if place.exists() and cached(fingerprint) is None:
        place.rename(whole.with_name("damaged"))
    try:
        whole.rename(place)
    except OSError:
        if cached(fingerprint) is None:
            raise
