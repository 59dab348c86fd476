"""Tag any number of articles into a folder: shard by shard, to be killed and continued at any moment.

The input is cut into shards of so many articles. A shard is tagged on its own, so its part is the same
whichever shards were tagged before it in the same process; it is written under a temporary name and
renamed; its receipt comes last. A shard with a receipt whose parts are intact is never tagged again.
At the end the receipts become ``manifest.json`` and ``errors.jsonl``, and go.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from stance import __version__
from stance.errors import ArticleError, StanceError, UserError
from stance.extract import RawArticle, extract
from stance.files import sha256, whole_file, write_json
from stance.formats import WRITERS, Layout, Row, write_jsonl
from stance.inputs import InputOptions, read_raw
from stance.records import Article, Tagged
from stance.rows import SCHEMA_VERSION, RowKind, article_rows, layout, sentence_row
from stance.sources import sources_of
from stance.tagger import Tagger

MANIFEST_FILE = "manifest.json"
ERRORS_FILE = "errors.jsonl"
SHARD_SIZE = 500
NO_SENTENCE = "no sentence found in it; check that it holds an article's text"
_RECEIPTS = "progress"
_UNKNOWN_LANGUAGE = "unknown"


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive articles of the input, to be gone through once; ``number`` counts from 0."""

    number: int
    articles: Iterable[RawArticle]


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What a shard came to.

    Attributes:
        rows: kind to rows, the kinds that were asked for.
        sentences: how many were tagged.
        errors: one row an article that could not be tagged, in input order.
        languages: language code, or ``unknown``, to number of tagged articles.
    """

    number: int
    rows: Mapping[RowKind, Sequence[Row]]
    sentences: int
    errors: Sequence[Row]
    languages: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What is written, besides how inputs are read; with the inputs and the model it decides every byte.

    Attributes:
        suffix: format of the parts, one of :data:`stance.formats.WRITERS`.
        shard_size: articles a shard.
    """

    inputs: InputOptions
    kinds: tuple[RowKind, ...] = ("sentences",)
    suffix: str = ".parquet"
    shard_size: int = SHARD_SIZE


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished run came to: numbers of articles, of which ``failed`` have no row."""

    articles: int
    failed: int
    sentences: int
    languages: Mapping[str, int]

    @property
    def not_english(self) -> int:
        """Tagged articles that are in another language than English."""
        return sum(count for code, count in self.languages.items() if code not in {"en", _UNKNOWN_LANGUAGE})


class Watcher(Protocol):
    """What a run tells while it goes on."""

    def plan(self, size: int) -> None:
        """Learn how many bytes the inputs have on disk."""

    def begin(self, offset: int) -> None:
        """Hear that an article is begun, and how many bytes of the inputs lie before its end."""

    def passed_over(self, articles: int, failed: int, offset: int) -> None:
        """Hear of a shard that an earlier run did."""

    def failed(self, articles: int) -> None:
        """Hear how many articles of a finished shard could not be tagged."""


Engine = Callable[[Tagger, Iterable[Shard], BatchOptions], Iterator[ShardResult]]


def tag_shard(tagger: Tagger, shard: Shard, options: BatchOptions) -> ShardResult:
    """Tag one shard: nothing but the arguments goes in, and nothing but the result comes out."""
    identity = (tagger.taxonomy, tagger.name, tagger.fingerprint)
    desk = _Desk(shard, options)
    sentences: list[Row] = []

    def tagged() -> Iterator[Tagged]:
        for each in tagger.tag(desk.articles()):
            desk.note(each)
            if "sentences" in options.kinds:
                sentences.append(sentence_row(each, *identity))
            yield each

    articles = list(article_rows(tagged(), *identity))
    rows: dict[RowKind, Sequence[Row]] = {"sentences": sentences, "articles": articles}
    return ShardResult(
        shard.number,
        {kind: rows[kind] for kind in options.kinds},
        desk.sentences,
        desk.errors(),
        dict(sorted(desk.languages.items())),
    )


class _Desk:
    """Keeps the books of a shard: which articles are still without a sentence, and which failed."""

    def __init__(self, shard: Shard, options: BatchOptions) -> None:
        self._shard = shard
        self._limit = options.inputs.max_characters
        self._failed: dict[int, Row] = {}
        self._silent: dict[str, tuple[int, str]] = {}
        self.languages: Counter[str] = Counter()
        self.sentences = 0

    def articles(self) -> Iterator[Article]:
        """Yield the articles that can be read."""
        for position, raw in enumerate(self._shard.articles):
            try:
                article = extract(raw, self._limit)
            except ArticleError as error:
                self._failed[position] = _error(raw.id, error.place, error.reason)
                continue
            self._silent[article.id] = (position, article.place)
            yield article

    def note(self, tagged: Tagged) -> None:
        """Count a sentence, and its article with the first one."""
        self.sentences += 1
        if self._silent.pop(tagged.sentence.article, None):
            self.languages[tagged.sentence.meta.language or _UNKNOWN_LANGUAGE] += 1

    def errors(self) -> list[Row]:
        """Return one row an article without tags, in input order."""
        silent = {
            position: _error(name, place, NO_SENTENCE) for name, (position, place) in self._silent.items()
        }
        return [row for _, row in sorted((self._failed | silent).items())]


def _error(article: str, place: str, reason: str) -> dict[str, str]:
    return {"article": article, "place": place, "reason": reason}


def in_this_process(tagger: Tagger, shards: Iterable[Shard], options: BatchOptions) -> Iterator[ShardResult]:
    """Tag shards one after another: the engine used unless another is given to :func:`run`.

    An engine may tag shards anywhere and yield their results in any order.
    """
    for shard in shards:
        yield tag_shard(tagger, shard, options)


def run(
    paths: Sequence[Path],
    folder: Path,
    tagger: Tagger,
    options: BatchOptions,
    watcher: Watcher,
    engine: Engine = in_this_process,
) -> Summary:
    """Tag everything into a folder, or what an earlier run of the same left to be done.

    Args:
        paths: see :func:`stance.inputs.read_raw`; standard input is refused, as it cannot be read again.
        tagger: the model.
        options: what is read and written.
        watcher: hears of the progress.
        folder: made if it is missing; else empty, or begun by the same run.
        engine: tags the shards.

    Raises:
        UserError: the folder holds something else, another run's output, or is in use.
    """
    if any(str(path) == "-" for path in paths):
        raise UserError(
            f"{folder}: a run into a folder reads its input again when it continues, and standard input "
            "cannot be; save the input to a file first, or name one output file"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with _sole_use(folder):
        inputs = _describe(paths, options.inputs)
        watcher.plan(sum(each["bytes"] for each in inputs))
        identity = _identity(inputs, tagger, options)
        manifest = _open(folder, identity)
        if not manifest.get("complete"):
            _tag(paths, folder, tagger, options, watcher, engine)
            manifest = _finish(folder, manifest)
        else:
            _verify(folder, manifest)
            shutil.rmtree(folder / _RECEIPTS, ignore_errors=True)
    return Summary(manifest["articles"], manifest["failed"], manifest["sentences"], manifest["languages"])


@contextmanager
def _sole_use(folder: Path) -> Iterator[None]:
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


def _describe(paths: Sequence[Path], options: InputOptions) -> list[dict[str, Any]]:
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


def _identity(inputs: list[dict[str, Any]], tagger: Tagger, options: BatchOptions) -> dict[str, Any]:
    return {
        "stance": __version__,
        "model": tagger.name,
        "fingerprint": tagger.fingerprint,
        "inputs": inputs,
        "settings": {
            "rows": list(options.kinds),
            "format": options.suffix.removeprefix("."),
            "shard-size": options.shard_size,
            "max-characters": options.inputs.max_characters,
            "columns": dict(sorted(options.inputs.columns.items())),
        },
    }


def _open(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the folder's manifest, a new one where the run begins."""
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


def _tag(
    paths: Sequence[Path],
    folder: Path,
    tagger: Tagger,
    options: BatchOptions,
    watcher: Watcher,
    engine: Engine,
) -> None:
    """Tag every shard that has no receipt."""
    layouts = {kind: layout(kind, tagger.taxonomy, tagger.name, tagger.fingerprint) for kind in options.kinds}
    for name in ("", _RECEIPTS, *options.kinds):
        (folder / name).mkdir(exist_ok=True)
        for left in (folder / name).glob(".*.partial"):  # by a run that was killed
            left.unlink()
    shards = _shards(read_raw(paths, options.inputs, io.BytesIO()), folder, options, watcher)
    for result in engine(tagger, shards, options):
        _write_shard(folder, result, layouts, options.suffix)
        watcher.failed(len(result.errors))


def _shards(
    raws: Iterator[RawArticle], folder: Path, options: BatchOptions, watcher: Watcher
) -> Iterator[Shard]:
    """Cut the input into shards; those that are done are read, for their ids, and passed over."""
    number = 0
    while (first := next(raws, None)) is not None:
        members = [first, *islice(raws, options.shard_size - 1)]
        receipt = _receipt(folder, number)
        if receipt is None:
            yield Shard(number, _watched(members, watcher))
        else:
            watcher.passed_over(len(members), receipt["failed"], members[-1].offset)
        number += 1


def _watched(members: Sequence[RawArticle], watcher: Watcher) -> Iterator[RawArticle]:
    for raw in members:
        watcher.begin(raw.offset)
        yield raw


def _receipt(folder: Path, number: int) -> dict[str, Any] | None:
    """Return a shard's receipt; None if the shard has to be tagged."""
    path = _receipt_path(folder, number)
    try:
        receipt = json.loads(path.read_text(encoding="utf-8"))
        intact = all(sha256(folder / part["path"]) == part["sha256"] for part in receipt["parts"])
    except (OSError, ValueError):
        return None
    return dict(receipt) if intact else None


def _receipt_path(folder: Path, number: int) -> Path:
    return folder / _RECEIPTS / f"{number:05}.json"


def _write_shard(folder: Path, result: ShardResult, layouts: Mapping[RowKind, Layout], suffix: str) -> None:
    parts = []
    for kind, rows in result.rows.items():
        path = folder / kind / f"part-{result.number:05}{suffix}"
        WRITERS[suffix](rows, path, layouts[kind])
        parts.append({"path": f"{kind}/{path.name}", "rows": len(rows), "sha256": sha256(path)})
    receipt = {
        "parts": parts,
        "articles": sum(result.languages.values()),
        "failed": len(result.errors),
        "sentences": result.sentences,
        "languages": dict(result.languages),
        "errors": list(result.errors),
    }
    _write(_receipt_path(folder, result.number), receipt)


def _finish(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the receipts into ``errors.jsonl`` and the manifest, one receipt in memory at a time."""
    paths = sorted((folder / _RECEIPTS).glob("*.json"), key=lambda path: int(path.stem))
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
    shutil.rmtree(folder / _RECEIPTS)
    return whole


def _verify(folder: Path, manifest: Mapping[str, Any]) -> None:
    for part in [manifest["errors"], *manifest["parts"]]:
        path = folder / part["path"]
        if not path.is_file() or sha256(path) != part["sha256"]:
            raise StanceError(
                f"{path}: missing or changed since the run that is complete; run into a new folder"
            )


def _write(path: Path, value: Any) -> None:
    with whole_file(path) as partial:
        write_json(partial, value)
