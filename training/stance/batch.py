"""Tag any number of articles into a folder: shard by shard, to be killed and continued at any moment.

The input is cut into shards of so many articles. A shard is tagged on its own, so its part is the same
whichever shards were tagged before it in the same process; it is written under a temporary name and
renamed; its receipt comes last. A shard with a receipt whose parts are intact is never tagged again.
At the end the receipts become ``manifest.json`` and ``errors.jsonl``, and go.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from stance import __version__
from stance.errors import ArticleError, UserError
from stance.extract import RawArticle, extract
from stance.files import sha256
from stance.formats import WRITERS, Layout, Row
from stance.inputs import InputOptions, read_raw
from stance.ledger import (
    RECEIPTS,
    describe_inputs,
    finish,
    open_manifest,
    read_receipt,
    sole_use,
    verify,
    write_receipt,
)
from stance.records import Article, Tagged
from stance.rows import RowKind, article_rows, layout, sentence_row
from stance.tagger import Tagger

SHARD_SIZE = 500
NO_SENTENCE = "no sentence found in it; check that it holds an article's text"
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
        min_confidence: below it a sentence gets no label on a single-label axis.
        explain: whether sentence rows carry what their words did for their labels.
    """

    inputs: InputOptions
    kinds: tuple[RowKind, ...] = ("sentences",)
    suffix: str = ".parquet"
    shard_size: int = SHARD_SIZE
    min_confidence: float = 0.0
    explain: bool = False


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
        for each in tagger.tag(desk.articles(), options.min_confidence, explain=options.explain):
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
    with sole_use(folder):
        inputs = describe_inputs(paths, options.inputs)
        watcher.plan(sum(each["bytes"] for each in inputs))
        identity = _identity(inputs, tagger, options)
        manifest = open_manifest(folder, identity)
        if not manifest.get("complete"):
            _tag(paths, folder, tagger, options, watcher, engine)
            manifest = finish(folder, manifest)
        else:
            verify(folder, manifest)
    return Summary(manifest["articles"], manifest["failed"], manifest["sentences"], manifest["languages"])


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
            "min-confidence": options.min_confidence,
            "precision": tagger.precision,
            "explain": options.explain,
            "max-characters": options.inputs.max_characters,
            "columns": dict(sorted(options.inputs.columns.items())),
        },
    }


def _tag(
    paths: Sequence[Path],
    folder: Path,
    tagger: Tagger,
    options: BatchOptions,
    watcher: Watcher,
    engine: Engine,
) -> None:
    """Tag every shard that has no receipt."""
    identity = (tagger.taxonomy, tagger.name, tagger.fingerprint)
    layouts = {kind: layout(kind, *identity, explained=options.explain) for kind in options.kinds}
    for name in ("", RECEIPTS, *options.kinds):
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
        receipt = read_receipt(folder, number)
        if receipt is None:
            yield Shard(number, _watched(members, watcher))
        else:
            watcher.passed_over(len(members), receipt["failed"], members[-1].offset)
        number += 1


def _watched(members: Sequence[RawArticle], watcher: Watcher) -> Iterator[RawArticle]:
    for raw in members:
        watcher.begin(raw.offset)
        yield raw


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
    write_receipt(folder, result.number, receipt)
