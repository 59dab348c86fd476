"""The table of a comparison; builds rich renderables and prints nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stance.comparison import Comparison
from stance.paired import Difference


def comparison_table(found: Comparison, wins: int) -> RenderableType:
    """Return scores, differences, the verdict, and up to ``wins`` sentences that either alone gets right."""
    a, b = found.names
    title = f"B, {b}, against A, {a}: {found.rows} sentences of {found.articles} articles ({found.where})"
    return Group(
        Text(title, style="bold"),
        _table(found),
        Text(found.verdict, style="bold"),
        *_won(found, wins),
    )


def _table(found: Comparison) -> Table:
    table = Table()
    # The title says which model is A: a long name must not push the figures out of the window.
    for name in ("axis", "metric", "A", "B", "B - A", "95%", "p"):
        table.add_column(name, justify="left" if name in {"axis", "metric"} else "right", no_wrap=True)
    before = ""
    for each in found.differences:
        table.add_row(*_cells(each, each.axis if each.axis != before else ""), style=_style(each))
        before = each.axis
    return table


def _cells(each: Difference, axis: str) -> tuple[str, ...]:
    low, high = each.interval
    return (
        axis,
        each.metric.replace("_", "-").replace("f1", "F1"),
        f"{each.a:.3f}",
        f"{each.b:.3f}",
        f"{each.value:+.3f}",
        f"{low:+.3f} to {high:+.3f}",
        f"{each.p_value:.3f}" if each.p_value >= 0.001 else "<.001",
    )


def _style(each: Difference) -> str:
    return "bold" if each.significant else ""


def _won(found: Comparison, wins: int) -> Iterator[Text]:
    for axis, sides in found.only.items():
        for name, sentences in zip(found.names, sides, strict=True):
            count = f"{len(sentences)} sentence{'s' * (len(sentences) != 1)}"
            yield Text(f"\n{axis}, only {name} right: {count}", style="dim")
            yield from (Text(f"  {text}") for text in sentences[:wins])
