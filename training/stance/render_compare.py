"""The table of a comparison; builds rich renderables and prints nothing."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stance.comparison import Comparison


def comparison_table(found: Comparison, wins: int) -> RenderableType:
    """Return scores, differences, the verdict, and up to ``wins`` sentences that either alone gets right."""
    a, b = found.names
    title = f"{b} against {a}: {found.rows} sentences of {found.articles} articles ({found.where})"
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in ("axis", "metric", a, b, "difference", "95%", "p", f"only {a} right", f"only {b} right"):
        table.add_column(column, justify="left" if column in {"axis", "metric"} else "right")
    seen: set[str] = set()
    for each in found.differences:
        low, high = each.interval
        first = each.axis not in seen
        seen.add(each.axis)
        table.add_row(
            each.axis if first else "",
            each.metric.replace("_", "-").replace("f1", "F1"),
            f"{each.a:.3f}",
            f"{each.b:.3f}",
            f"{each.value:+.3f}",
            f"{low:+.3f} to {high:+.3f}",
            f"{each.p_value:.4f}",
            *(str(len(side)) if first else "" for side in found.only[each.axis]),
            style="bold" if each.significant else "",
        )
    parts: list[RenderableType] = [table, Text(found.verdict, style="bold")]
    for axis, sides in found.only.items() if wins else ():
        for name, sentences in zip(found.names, sides, strict=True):
            if sentences:
                parts.append(Text(f"\n{axis}, only {name} right, {len(sentences)} sentences:", style="dim"))
                parts += [Text(f"  {text}") for text in sentences[:wins]]
    return Group(*parts)
