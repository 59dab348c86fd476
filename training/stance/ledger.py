"""The books of a run into a folder: what it is a run of, which shards are done, and what came of it.

``manifest.json`` is written when a run begins and again when it is complete. In between, every shard that
is done has a receipt in ``progress/``, written after its parts.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stance.errors import StanceError, UserError
from stance.files import sha256, whole_file, write_json
from stance.formats import Row, write_jsonl
from stance.inputs import InputOptions
from stance.rows import SCHEMA_VERSION
from stance.sources import sources_of

MANIFEST_FILE = "manifest.json"
ERRORS_FILE = "errors.jsonl"
RECEIPTS = "progress"


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder; the system lets go of it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once are the user's to avoid
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: another run is writing here; wait for it, or name another") from None
        yield
    finally:
        os.close(handle)


def describe_inputs(paths: Sequence[Path], options: InputOptions) -> list[dict[str, Any]]:
    """Say what the inputs are by every file's name, size and content, and by no time."""
    described = []
    for path in paths:
        files = size = 0
        digest = hashlib.sha256()
        for source in sources_of(path, options.stdin_format, options.skip):
            try:
                content = sha256(Path(source.place))
            except OSError as error:
                content = f"unreadable: {error.strerror}"
            digest.update(json.dumps([source.place, source.size(), content]).encode())
            files += 1
            size += source.size()
        described.append({"path": str(path), "files": files, "bytes": size, "sha256": digest.hexdigest()})
    return described


def open_manifest(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the folder's manifest, a new one where the run begins.

    Args:
        folder: the output.
        identity: what decides the output's bytes: stance, model, fingerprint, inputs, settings.

    Raises:
        UserError: the folder holds something else or another run.
    """
    path = folder / MANIFEST_FILE
    if not path.exists():
        if any(not each.name.startswith(".") for each in folder.iterdir()):
            raise UserError(
                f"{folder}: holds files that no run of this kind wrote; name a new or empty folder"
            )
        manifest = {"schema": SCHEMA_VERSION, "complete": False, "run": dict(identity)}
        _write(path, manifest)
        return manifest
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        difference = _difference(manifest["run"], identity)
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: not a manifest of this kind of run; name a new or empty folder") from None
    if difference:
        raise UserError(
            f"{folder}: holds another run: {difference}; name a new folder, or repeat the command "
            "that began it"
        )
    return dict(manifest)


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Say in words what keeps a run from being continued."""
    if (old["model"], old["fingerprint"]) != (new["model"], new["fingerprint"]):
        return f"its model is {old['model']} {old['fingerprint']}, not {new['model']} {new['fingerprint']}"
    given = [[each["path"] for each in run["inputs"]] for run in (old, new)]
    if given[0] != given[1]:
        return f"its inputs are {' '.join(given[0])}, not {' '.join(given[1])}"
    for before, now in zip(old["inputs"], new["inputs"], strict=True):
        if before != now:
            return f"its input {before['path']} has changed since"
    for name, value in new["settings"].items():
        if old["settings"][name] != value:
            return f"its --{name} is {_shown(old['settings'][name])}, not {_shown(value)}"
    if old["stance"] != new["stance"]:
        return f"stance {old['stance']} began it, and this is stance {new['stance']}"
    return None


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return "both" if len(value) > 1 else str(value[0])
    return str(value)


def read_receipt(folder: Path, number: int) -> dict[str, Any] | None:
    """Return a shard's receipt; None if the shard has to be tagged."""
    path = _receipt_path(folder, number)
    try:
        receipt = json.loads(path.read_text(encoding="utf-8"))
        intact = all(sha256(folder / part["path"]) == part["sha256"] for part in receipt["parts"])
    except (OSError, ValueError):
        return None
    return dict(receipt) if intact else None


def _receipt_path(folder: Path, number: int) -> Path:
    return folder / RECEIPTS / f"{number:05}.json"


def write_receipt(folder: Path, number: int, receipt: Mapping[str, Any]) -> None:
    """Record that a shard is done; its parts must lie in place."""
    _write(_receipt_path(folder, number), receipt)


def finish(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the receipts into ``errors.jsonl`` and the manifest, one receipt in memory at a time."""
    paths = sorted((folder / RECEIPTS).glob("*.json"), key=lambda path: int(path.stem))
    parts: list[Mapping[str, Any]] = []
    totals: Counter[str] = Counter()
    languages: Counter[str] = Counter()

    def errors() -> Iterator[Row]:
        for path in paths:
            receipt = json.loads(path.read_text(encoding="utf-8"))
            parts.extend(receipt["parts"])
            languages.update(receipt["languages"])
            totals.update({name: receipt[name] for name in ("articles", "failed", "sentences")})
            yield from receipt["errors"]

    write_jsonl(errors(), folder / ERRORS_FILE)
    whole = {
        **manifest,
        "complete": True,
        "articles": totals["articles"],
        "failed": totals["failed"],
        "sentences": totals["sentences"],
        "languages": dict(sorted(languages.items())),
        "errors": {"path": ERRORS_FILE, "rows": totals["failed"], "sha256": sha256(folder / ERRORS_FILE)},
        "parts": parts,
    }
    _write(folder / MANIFEST_FILE, whole)
    shutil.rmtree(folder / RECEIPTS)
    return whole


def verify(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Make sure that a complete run still lies as it was written, and clear what a kill left of its end.

    Raises:
        StanceError: a part is missing or changed.
    """
    shutil.rmtree(folder / RECEIPTS, ignore_errors=True)
    for part in [manifest["errors"], *manifest["parts"]]:
        path = folder / part["path"]
        if not path.is_file() or sha256(path) != part["sha256"]:
            raise StanceError(
                f"{path}: missing or changed since the run that is complete; run into a new folder"
            )


def _write(path: Path, value: Any) -> None:
    with whole_file(path) as partial:
        write_json(partial, value)
