"""The command ``stance predict``: to the screen, a pipe, one file, or a folder of parts."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stance.classifiers import Precision
from stance.console import MODELS, err, out, say
from stance.errors import UserError

if TYPE_CHECKING:
    from stance.batch import BatchOptions, Engine
    from stance.extract import RawArticle
    from stance.inputs import InputOptions
    from stance.progress import TaggingProgress
    from stance.records import Article, Tagged
    from stance.rows import RowKind
    from stance.tagger import Tagger
    from stance.taxonomy import Taxonomy

SOME_FAILED = 3
_IN_MEMORY = 8 << 20


class Rows(StrEnum):
    """What the rows that go out stand for."""

    sentences = "sentences"
    articles = "articles"
    both = "both"


_KINDS: dict[Rows, tuple[RowKind, ...]] = {
    Rows.sentences: ("sentences",),
    Rows.articles: ("articles",),
    Rows.both: ("sentences", "articles"),
}


class Engines(StrEnum):
    """What shards are tagged on."""

    local = "local"
    ray = "ray"


class PartFormat(StrEnum):
    """What the parts in a folder are written as."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


def predict(  # noqa: PLR0913, PLR0917 - a parameter is an option
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="Articles: .txt .md .html .jsonl .csv .parquet, also .gz or .zst; folders, globs, or -.",
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder, models:/... or runs:/...; default: the best one in models/."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|FOLDER",
            help="Write one .jsonl, .csv or .parquet file, or a folder of parts that can be continued.",
        ),
    ] = None,
    rows: Annotated[
        Rows, typer.Option(help="One row a sentence, one an article, or (into a folder) both.")
    ] = Rows.sentences,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Below it a sentence is 'unsure' instead of labelled.")
    ] = 0.0,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also tell what every word of a sentence did for its labels.")
    ] = False,
    precision: Annotated[
        Precision | None, typer.Option(help="fp32 or int8; default: what is quicker on this machine.")
    ] = None,
    cascade: Annotated[
        Path | None,
        typer.Option(help="A quicker model that answers first; --model takes what it is unsure of."),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(help="What tables call text, id, title, source, date, url.", metavar="text=NAME,..."),
    ] = "",
    stdin_format: Annotated[
        str,
        typer.Option(help="What - holds: txt, md, html, jsonl, csv, parquet, jsonl.gz ...", metavar="FORMAT"),
    ] = "txt",
    max_characters: Annotated[int, typer.Option(help="Refuse articles longer than this.", min=1)] = 1_000_000,
    part_format: Annotated[
        PartFormat | None, typer.Option("--format", help="Format of a folder's parts; default: parquet.")
    ] = None,
    shard_size: Annotated[
        int | None, typer.Option(help="Articles a part of a folder; default: 500.", min=1)
    ] = None,
    engine: Annotated[
        Engines, typer.Option(help="Tag a folder's parts in this process, or on Ray.")
    ] = Engines.local,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster, HOST:PORT or auto; default: one started here.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Ray workers, a core each; default: every core.", min=1)
    ] = None,
) -> None:
    """Tag every sentence of articles with topics and framing."""
    from stance.inputs import InputOptions, check_tables, parse_columns

    if explain and rows is Rows.articles:
        raise UserError("--explain weighs the words of sentences; leave --rows articles away")
    if explain and cascade:
        raise UserError("--explain weighs the words for one model; leave --cascade away")
    if engine is Engines.local and (address or workers):
        raise UserError("--address and --workers are for a cluster: give them with --engine ray")
    target = Path(output) if output else None
    options = InputOptions(stdin_format, parse_columns(columns), max_characters, skip=target)
    if target and output and _names_folder(output):
        from stance.batch import SHARD_SIZE, BatchOptions

        kinds = _KINDS[rows]
        suffix = f".{part_format or PartFormat.parquet}"
        check_tables(paths, options)
        batch = BatchOptions(options, kinds, suffix, shard_size or SHARD_SIZE, min_confidence, explain)
        with _engine(engine, address, workers) as chosen:
            _to_folder(paths, target, _load(model, precision, cascade), batch, chosen)
        return
    if rows is Rows.both or part_format or shard_size or engine is Engines.ray:
        raise UserError(
            "--rows both, --format, --shard-size and --engine ray are for a folder: give one with -o FOLDER/"
        )
    if target:
        _check_target(target)
    check_tables(paths, options)
    kind: RowKind = "articles" if rows is Rows.articles else "sentences"
    run = _Run(_load(model, precision, cascade), paths, options, kind, min_confidence, explain)
    if target:
        _to_file(run, target)
    elif out.is_terminal:
        _to_screen(run)
    else:
        _to_pipe(run)
    run.tell()


def _names_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix


def _check_target(target: Path) -> None:
    from stance.files import check_file
    from stance.formats import writer_for

    writer_for(target)
    check_file(target)


def _load(model: Path | None, precision: Precision | None, cascade: Path | None) -> Tagger:
    from stance.model_source import model_folder
    from stance.tagger import Tagger, best_model

    folder = model_folder(model) if model else best_model(MODELS)
    tagger = Tagger.load(folder, precision)
    if model is None:
        score = tagger.manifest["scores"]["score"]
        say(f"model: {folder} (the best in {MODELS}/, cross-validated score {score:.3f})")
    if cascade is None:
        return tagger
    from stance.cascade import Cascade

    return Cascade.of(tagger, Tagger.load(model_folder(cascade)))


def _engine(engine: Engines, address: str | None, workers: int | None) -> AbstractContextManager[Engine]:
    if engine is Engines.ray:
        from stance.distributed import ray_engine

        return ray_engine(address, workers)
    from stance.batch import in_this_process

    return nullcontext(in_this_process)


class _Run:
    """Tags articles strictly: one that cannot be read fails them all. Keeps count on the way."""

    def __init__(
        self,
        tagger: Tagger,
        paths: list[Path],
        options: InputOptions,
        kind: RowKind,
        min_confidence: float,
        explain: bool,
    ) -> None:
        self.tagger = tagger
        self.kind = kind
        self.explain = explain
        self.articles = 0
        self._paths = paths
        self._options = options
        self._min_confidence = min_confidence
        self._foreign = 0
        self._silent: dict[str, str] = {}

    @property
    def identity(self) -> tuple[Taxonomy, str, str]:
        """What rows say of the model."""
        return (self.tagger.taxonomy, self.tagger.name, self.tagger.fingerprint)

    def tagged(self) -> Iterator[Tagged]:
        """Yield sentences as they are tagged.

        Raises:
            UserError: at the end, if an article could not be read or nothing was there to tag.
        """
        for each in self.tagger.tag(self._read(), self._min_confidence, explain=self.explain):
            if self._silent.pop(each.sentence.article, None):
                self.articles += 1
                self._foreign += each.sentence.meta.language not in {"en", None}
            yield each
        if not self.articles:
            from stance.batch import NO_SENTENCE

            first = next(iter(self._silent.values()))
            raise UserError(f"{first}: {NO_SENTENCE}")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of :meth:`tagged`."""
        from stance.rows import article_rows, sentence_row

        if self.kind == "articles":
            return article_rows(self.tagged(), *self.identity)
        return (sentence_row(each, *self.identity) for each in self.tagged())

    def tell(self) -> None:
        """Say what the rows do not show."""
        for place in self._silent.values():
            say(f"{place}: no sentence found in it; it has no row")
        if self._foreign:
            say(_foreign(self._foreign))

    def _read(self) -> Iterator[Article]:
        from stance.extract import extract_all
        from stance.inputs import read_raw

        raws = read_raw(self._paths, self._options, sys.stdin.buffer)
        with _progress(self._paths, self._options) as watcher:
            for article in extract_all(_watched(raws, watcher), self._options.max_characters):
                self._silent[article.id] = article.place
                yield article


def _foreign(count: int) -> str:
    return f"{count:,} articles are not in English: their tags mean little; see the field 'language'"


@contextmanager
def _progress(paths: list[Path], options: InputOptions) -> Iterator[TaggingProgress | None]:
    if not err.is_terminal:
        yield None
        return
    from stance.inputs import sources
    from stance.progress import TaggingProgress

    with TaggingProgress(err) as watcher:
        watcher.plan(sum(source.size() for source in sources(paths, options)))
        yield watcher


def _watched(raws: Iterator[RawArticle], watcher: TaggingProgress | None) -> Iterator[RawArticle]:
    for raw in raws:
        if watcher:
            watcher.begin(raw.offset)
        yield raw


def _to_file(run: _Run, target: Path) -> None:
    from stance.formats import writer_for
    from stance.rows import layout

    columns = layout(run.kind, *run.identity, explained=run.explain)
    count = writer_for(target)(run.rows(), target, columns)
    say(f"{count:,} {run.kind} of {run.articles:,} articles written to {target}")


def _to_screen(run: _Run) -> None:
    from stance.render import summary_table, tagged_tables
    from stance.render_words import LEGEND

    if run.kind == "articles":
        out.print(summary_table(list(run.rows()), run.tagger.taxonomy))
        return
    for table in tagged_tables(list(run.tagged()), run.tagger.taxonomy):
        out.print(table)
    if run.explain:
        say(LEGEND)


def _to_pipe(run: _Run) -> None:
    """Print JSON Lines once all is well: what fails halfway must not look like a result."""
    from stance.formats import json_line

    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as waiting:
        for row in run.rows():
            waiting.write(json_line(row).encode())
        waiting.seek(0)
        shutil.copyfileobj(waiting, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _to_folder(
    paths: list[Path], folder: Path, tagger: Tagger, options: BatchOptions, engine: Engine
) -> None:
    from stance.batch import run
    from stance.progress import TaggingProgress

    try:
        with TaggingProgress(err) as watcher:
            summary = run(paths, folder, tagger, options, watcher, engine)
    except SystemExit:
        say(f"finished parts are kept in {folder}: the same command goes on with the first unfinished one")
        raise
    if summary.not_english:
        say(_foreign(summary.not_english))
    failed = f"; {summary.failed:,} articles failed, see {folder / 'errors.jsonl'}" if summary.failed else ""
    say(f"{summary.sentences:,} sentences of {summary.articles:,} articles tagged in {folder}{failed}")
    if summary.failed:
        raise typer.Exit(SOME_FAILED)
