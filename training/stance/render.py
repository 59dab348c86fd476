"""Tables and colours for the terminal; builds rich renderables and prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stance import agreement, stats
from stance.dataset import LabelledData
from stance.evaluate import AxisReport, Report
from stance.records import Tagged
from stance.render_words import Marking, marked, top_words
from stance.taxonomy import UNSURE, Axis, Taxonomy

# Blue and orange stay apart for colour-blind readers; red and green would not.
_NEGATIVE, _POSITIVE, _PLAIN = "bold deep_sky_blue1", "bold dark_orange", "default"


def report_tables(report: Report, title: str) -> RenderableType:
    """Return one table an axis: headline scores with intervals, labels weakest first."""
    return Group(Text(title, style="bold"), *(axis_table(name, axis) for name, axis in report.axes.items()))


def axis_table(name: str, axis: AxisReport) -> Table:
    """Return an axis' labels, weakest first, under its headline scores with intervals."""
    headline = "   ".join(
        f"{metric.replace('_', '-')} {value:.3f} [{axis.intervals[metric][0]:.3f}, "
        f"{axis.intervals[metric][1]:.3f}]"
        for metric, value in axis.scores.items()
    )
    table = Table(title=f"{name}   {headline}", title_justify="left", title_style="bold")
    for column in ("label (weakest first)", "precision", "recall", "F1", "95% of F1", "sentences"):
        table.add_column(column, justify="left" if column.startswith("label") else "right")
    for label, score in axis.weakest_first():
        low, high = score.f1_interval
        figures = (
            f"{score.precision:.2f}", f"{score.recall:.2f}", f"{score.f1:.2f}", f"{low:.2f}-{high:.2f}"
        )  # fmt: skip
        table.add_row(label, *(figures if score.support else "----"), str(score.support))
    return table


def tagged_tables(tagged: Iterable[Tagged], taxonomy: Taxonomy) -> Iterator[RenderableType]:
    """Yield one table an article: sentences with their labels and probabilities."""
    for article, members in groupby(tagged, key=lambda each: each.sentence.article):
        table = Table(
            title=Text(article), title_justify="left", title_style="bold", show_lines=False, padding=(0, 1)
        )
        for name in taxonomy.axes:
            table.add_column(name, no_wrap=taxonomy.axes[name].single, max_width=26)
        table.add_column("sentence", ratio=1)
        for each in members:
            cells = [_cell(each, name, axis) for name, axis in taxonomy.axes.items()]
            table.add_row(*cells, _sentence(each, taxonomy))
        yield table


def _sentence(tagged: Tagged, taxonomy: Taxonomy) -> Text:
    """Return the sentence; explained, with the words of its first label marked and all labels' listed."""
    text = tagged.sentence.text
    given = [(name, each) for name, found in (tagged.explanations or {}).items() for each in found]
    if not given:
        return Text(text)
    name, first = given[0]
    lines = [marked(text, first, _marking(taxonomy.axes[name], first.label))]
    return Text("\n").join([*lines, *(top_words(each) for _, each in given)])


def _marking(axis: Axis, label: str) -> Marking:
    """Return a label's own colour for its words, and its opposite's for those against it."""
    towards = label_style(axis, label).removeprefix("bold ")
    opposite = {_NEGATIVE: _POSITIVE, _POSITIVE: _NEGATIVE}.get(f"bold {towards}", "dim")
    return Marking(towards, opposite.removeprefix("bold "))


def _cell(tagged: Tagged, name: str, axis: Axis) -> Text:
    probabilities = tagged.probabilities[name]
    if axis.single and not tagged.labels[name]:
        best = max(probabilities, key=probabilities.__getitem__)
        return Text(f"{UNSURE}\n{best} {probabilities[best]:.2f}", style="dim italic")
    cell = Text()
    for label in tagged.labels[name]:
        if cell:
            cell.append("\n")
        cell.append(label, style=label_style(axis, label)).append(f" {probabilities[label]:.2f}", style="dim")
    return cell


def label_style(axis: Axis, label: str) -> str:
    """Return a colour for a label: by its weight in the axis' index, plain without one."""
    weight = (axis.index or {}).get(label, 0.0)
    return _NEGATIVE if weight < 0 else _POSITIVE if weight > 0 else _PLAIN


def summary_table(rows: Iterable[Mapping[str, Any]], taxonomy: Taxonomy) -> RenderableType:
    """Return one line an article: shares, index and the most frequent labels."""
    table = Table()
    table.add_column("article")
    table.add_column("sentences", justify="right")
    for name, axis in taxonomy.axes.items():
        for label in axis.names if axis.single else ():
            table.add_column(label, justify="right")
        if axis.single and axis.index is not None:
            table.add_column(f"{name} index", justify="right")
        if not axis.single:
            table.add_column(name)
    for row in rows:
        cells: list[RenderableType] = [Text(str(row["article"])), str(row["sentences"])]
        for name, axis in taxonomy.axes.items():
            cells += _summary_cells(row, name, axis)
        table.add_row(*cells)
    return table


def _summary_cells(row: Mapping[str, Any], name: str, axis: Axis) -> list[RenderableType]:
    if not axis.single:
        counts = row[f"{name}_sentences"]
        return [", ".join(f"{label} {counts[label]}" for label in row[name])]
    cells: list[RenderableType] = [f"{share:.0%}" for share in row[f"{name}_shares"].values()]
    if axis.index is not None and row[f"{name}_index"] is None:
        cells.append(Text(UNSURE, style="dim italic"))
    elif axis.index is not None:
        value = row[f"{name}_index"]
        style = _NEGATIVE if value < 0 else _POSITIVE if value > 0 else _PLAIN
        cells.append(Text(f"{value:+.2f}", style=style))
    return cells


def counts_table(data: LabelledData) -> RenderableType:
    """Return how many rows carry each label."""
    rows = len(data.examples)
    table = Table(
        title=f"{data.name}: {rows} sentences of {len(set(data.groups))} articles", title_justify="left"
    )
    table.add_column("axis")
    table.add_column("label")
    table.add_column("sentences", justify="right")
    table.add_column("share", justify="right")
    for name, labels in stats.counts(data).items():
        for label, count in labels.items():
            table.add_row(name, label, str(count), f"{count / rows:.1%}")
        table.add_section()
    return table


def agreement_tables(data: LabelledData) -> RenderableType:
    """Return Krippendorff's alpha per axis and label, the pairs' F1, and the commonest confusions."""
    pairs = agreement.pairs(data)
    table = Table(title="Krippendorff's alpha", title_justify="left")
    table.add_column("axis")
    table.add_column("label")
    ways: list[agreement.Pair | None] = [None, *(pairs if len(pairs) > 1 else ())]
    for way in ways:
        table.add_column("all" if way is None else f"{way[0] + 1} and {way[1] + 1}", justify="right")
    axes = [agreement.by_axis(data, way) for way in ways]
    labels = [agreement.by_label(data, way) for way in ways]
    for name in data.axes:
        table.add_row(name, "", *(f"{each[name]:.3f}" for each in axes), style="bold")
        for label in data.taxonomy.axes[name].names:
            table.add_row("", label, *(f"{each[name][label]:.3f}" for each in labels))
        table.add_section()
    lines = [
        f"annotators {one + 1} and {other + 1}: F1 "
        + ", ".join(f"{name} {value:.3f}" for name, value in agreement.pair_f1(data, (one, other)).items())
        for one, other in pairs
    ]
    for name, found in agreement.confusions(data).items():
        common = ", ".join(f"{one} / {other} {count}" for (one, other), count in found.most_common(3))
        lines.append(f"confused most often, {name}: {common or 'nothing'}")
    return Group(table, *(Text(line) for line in lines))


def file_table(data: LabelledData) -> RenderableType:
    """Return the make-up of every file of a labels folder."""
    table = Table(title="files; diversity on samples of whole articles of equal length", title_justify="left")
    for column in ("file", "sentences", "articles", "words a sentence", "type-token ratio", "distinct-2"):
        table.add_column(column, justify="left" if column == "file" else "right")
    for each in stats.by_file(data):
        figures = (f"{each.words:.1f}", f"{each.type_token:.3f}", f"{each.distinct_2:.3f}")
        table.add_row(each.name, str(each.sentences), str(each.articles), *figures)
    return table
