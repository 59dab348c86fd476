"""The tables of an evaluation; builds rich renderables and prints nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stance.evaluate import AxisReport
from stance.render import axis_table, label_style
from stance.scoring import Evaluation, Mistake
from stance.taxonomy import Axis

# Of the coverage curve, the point that the one line names.
_SHOWN_SHARE = 0.7


def evaluation_tables(found: Evaluation) -> RenderableType:
    """Return scores, calibration, confusion and the surest errors, axis by axis."""
    report = found.report
    title = (
        f"{found.tagger.name} on {found.data}: {report.n} sentences, {report.groups} groups, 95% intervals"
    )
    parts: list[RenderableType] = [Text(title, style="bold")]
    for name, scores in report.axes.items():
        axis = found.tagger.taxonomy.axes[name]
        parts += [axis_table(name, scores), *_lines(scores)]
        if scores.confusion is not None:
            parts.append(_confusion(axis, scores.confusion))
        parts += _errors(name, axis, found.errors[name])
    return Group(*parts)


def _lines(scores: AxisReport) -> list[RenderableType]:
    lines = [f"calibration: expected calibration error {scores.ece:.3f}, Brier score {scores.brier:.3f}"]
    lines += [
        f"coverage: the surest {each.share:.0%} alone (--min-confidence {each.confidence:.2f}) have "
        f"accuracy {each.accuracy:.2f}, macro-F1 {each.macro_f1:.2f}"
        for each in scores.coverage or ()
        if each.share == _SHOWN_SHARE
    ]
    return [Text(line) for line in lines]


def _confusion(axis: Axis, counts: Sequence[Sequence[int]]) -> Table:
    table = Table(title="annotated (rows) and given (columns)", title_justify="left", title_style="")
    table.add_column("")
    for label in axis.names:
        table.add_column(label, justify="right")
    for gold, (label, row) in enumerate(zip(axis.names, counts, strict=True)):
        cells = [Text(str(count), style="bold" if given == gold else "") for given, count in enumerate(row)]
        table.add_row(label, *cells)
    return table


def _errors(name: str, axis: Axis, mistakes: Sequence[Mistake]) -> list[RenderableType]:
    if not mistakes:
        return []
    table = Table(title=f"{name}: the surest errors first", title_justify="left", title_style="")
    table.add_column("annotated")
    table.add_column("given")
    table.add_column("probability", justify="right")
    table.add_column("sentence", ratio=1)
    for each in mistakes:
        erred = Text(f"{each.label} {each.probability:.2f}", style=label_style(axis, each.label))
        labels = (", ".join(side) or "none" for side in (each.gold, each.given))
        table.add_row(*labels, erred, Text(each.text))
    return [table]
