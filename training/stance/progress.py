"""Progress for people: of a training, and of tagging."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class TrainingProgress:
    """See :class:`stance.crossval.Watcher`; two bars on a terminal, a line a fold elsewhere."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._fits = self._done = 0
        self._stage = ""
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[loss]}"),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._all: TaskID | None = None
        self._one: TaskID | None = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def plan(self, fits: int) -> None:
        """See :class:`stance.crossval.Watcher`."""
        self._fits = fits
        self._all = self._bars.add_task(f"{self._name}: fits", total=fits, loss="")
        self._one = self._bars.add_task("", total=1, loss="")

    def fit(self, title: str) -> Self:
        """See :class:`stance.crossval.Watcher`."""
        if (stage := title.partition(":")[0]) != self._stage:
            self._stage = stage
            self._say(stage)
        self._move(self._done)
        self._done += 1
        if self._one is not None:
            self._bars.reset(self._one, description=f"  {title}", total=1, loss="")
        return self

    def skip(self, fits: int, title: str) -> None:
        """See :class:`stance.crossval.Watcher`."""
        self._done += fits
        self._say(title)
        self._move(self._done)

    def metric(self, name: str, value: float, step: int) -> None:
        """See :class:`stance.classifiers.FitLog`; curves go to the tracker, not to the terminal."""

    def progress(self, done: int, total: int, loss: float | None) -> None:
        """See :class:`stance.classifiers.FitLog`."""
        if self._one is not None and self._all is not None:
            shown = "" if loss is None else f"loss {loss:.3f}"
            self._bars.update(self._one, completed=done, total=total, loss=shown)
            self._move(self._done - 1 + done / total)

    def _move(self, done: float) -> None:
        if self._all is not None:
            self._bars.update(self._all, completed=done)

    def _say(self, title: str) -> None:
        if not self._console.is_terminal:
            seconds = time.monotonic() - self._started
            line = f"{self._name}: {title} ({self._done} of {self._fits} fits done, {seconds:.0f} s)"
            self._console.print(line, highlight=False, markup=False)


class TaggingProgress:
    """See :class:`stance.batch.Watcher`; one bar on a terminal, nothing elsewhere.

    The bar and the time left go by bytes of input read, as nobody knows how many articles a file holds
    before it is read.

    Attributes:
        done: articles begun, those of an earlier run included.
    """

    def __init__(self, console: Console) -> None:
        self.done = 0
        self._failures = 0
        self._passed_over = 0
        self._started = time.monotonic()
        self._bar = Progress(
            TextColumn("tagging"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            # The default of 30 s is shorter than a shard of long articles.
            speed_estimate_period=300,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def plan(self, size: int) -> None:
        """See :class:`stance.batch.Watcher`."""
        self._task = self._bar.add_task("", total=size or None, told="")

    def begin(self, offset: int) -> None:
        """See :class:`stance.batch.Watcher`."""
        self.done += 1
        self._tell(offset)

    def passed_over(self, articles: int, failed: int, offset: int) -> None:
        """See :class:`stance.batch.Watcher`."""
        self.done += articles
        self._passed_over += articles
        self._failures += failed
        if self._task is not None:
            # Begun anew, or the speed of passing over would promise too early an end.
            self._bar.reset(self._task, completed=offset)
        self._started = time.monotonic()

    def failed(self, articles: int) -> None:
        """See :class:`stance.batch.Watcher`."""
        self._failures += articles

    def _tell(self, offset: int) -> None:
        if self._task is not None:
            rate = (self.done - self._passed_over) / max(time.monotonic() - self._started, 1e-3)
            told = f"{self.done:,} articles  {rate:,.1f}/s  {self._failures:,} failed"
            self._bar.update(self._task, completed=offset, told=told)
