"""The make-up of a labels folder as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from stance import stats
from stance.dataset import LabelledData

# Blue, orange, grey and their like stay apart for colour-blind readers.
_COLOURS = ("#2a6f97", "#e07a1f", "#b8bec8", "#6a4c93", "#3a7d44", "#c44569")
_MOST_VOICES = 40

_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2430 }}
h1 {{ font-size: 1.5rem }} h2 {{ font-size: 1.1rem; margin-top: 2.2rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #e4e7ec; vertical-align: top }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }}
.bar {{ display: flex; height: .9rem; min-width: 14rem; border-radius: 2px; overflow: hidden; background: #f2f4f7 }}
.bar i {{ display: block }}
.key span {{ display: inline-block; margin-right: 1rem }} .key b {{ display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem }}
.grid {{ overflow-x: auto; font-size: .8rem }} .grid td {{ text-align: right }} .grid th {{ white-space: nowrap }}
</style>
"""


def page(data: LabelledData, meta: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page; it loads nothing from anywhere."""
    title = f"{data.name}: {len(data.examples)} sentences of {len(set(data.groups))} articles"
    parts = [_HEAD.format(title=escape(title)), f"<h1>{escape(title)}</h1>", _files(data)]
    parts += [_balance(data, name) for name in data.axes]
    single = [name for name in data.axes if data.taxonomy.axes[name].single]
    for axis in single:
        for field, heading in (("date", "year"), ("voice", "voice")):
            parts.append(_by_field(data, meta, axis, field, heading))
    parts += [_together(data), *(_words(data, name) for name in data.axes)]
    return "\n".join(parts) + "\n</html>\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int) -> str:
    """Return a table; ``numbers`` columns after the first are right-aligned."""

    def cells(values: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if 0 < at <= numbers else ''}>{value}</{tag}>"
            for at, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><tr>{cells(head, 'th')}</tr>{body}</table>"


def _files(data: LabelledData) -> str:
    rows = [
        (escape(each.name), str(each.sentences), str(each.articles), f"{each.words:.1f}",
         f"{each.type_token:.3f}", f"{each.distinct_2:.3f}")
        for each in stats.by_file(data)
    ]  # fmt: skip
    head = ("file", "sentences", "articles", "words a sentence", "type-token ratio", "distinct-2")
    note = "<p>Diversity is the mean over samples of whole articles, as long as the shortest file.</p>"
    return "<h2>Files</h2>" + _table(head, rows, 5) + note


def _balance(data: LabelledData, axis: str) -> str:
    total = len(data.examples)
    rows = [
        (escape(label), str(count), f"{count / total:.1%}", _bar([(count / total, _COLOURS[0])]))
        for label, count in stats.counts(data)[axis].items()
    ]
    return f"<h2>{escape(axis)}</h2>" + _table(("label", "sentences", "share", ""), rows, 2)


def _bar(parts: Sequence[tuple[float, str]]) -> str:
    return (
        '<div class="bar">'
        + "".join(f'<i style="width:{share:.2%};background:{colour}"></i>' for share, colour in parts)
        + "</div>"
    )


def _by_field(
    data: LabelledData, meta: Mapping[str, Mapping[str, Any]], axis: str, field: str, heading: str
) -> str:
    labels = data.taxonomy.axes[axis].names
    colours = {label: _COLOURS[at % len(_COLOURS)] for at, label in enumerate(labels)}
    found = stats.balance_by(data, meta, field, axis)
    largest = sorted(found, key=lambda value: -sum(found[value].values()))[:_MOST_VOICES]
    rows = []
    for value in sorted(largest):
        total = sum(found[value].values())
        shares = [(found[value].get(label, 0) / total, colours[label]) for label in labels]
        rows.append((escape(value), str(total), _bar(shares)))
    key = "".join(
        f'<span><b style="background:{colours[label]}"></b>{escape(label)}</span>' for label in labels
    )
    more = (
        f"<p>{len(found) - len(largest)} smaller ones are not shown.</p>" if len(found) > len(largest) else ""
    )
    return (
        f"<h2>{escape(axis)} by {heading}</h2><p class=key>{key}</p>"
        + _table((heading, "sentences", ""), rows, 1)
        + more
    )


def _together(data: LabelledData) -> str:
    labels = [label for name in data.axes for label in data.taxonomy.axes[name].names]
    both = stats.co_occurrence(data)
    rows = [
        (escape(one), *(str(both.get((one, other), "")) for other in labels))
        for one in labels
    ]  # fmt: skip
    head = ("", *(escape(label) for label in labels))
    return f"<h2>Labels together</h2><div class=grid>{_table(head, rows, len(labels))}</div>"


def _words(data: LabelledData, axis: str) -> str:
    rows = [
        (escape(label), escape(", ".join(words)))
        for label, words in stats.characteristic_words(data, axis).items()
    ]
    return f"<h2>Most characteristic words: {escape(axis)}</h2>" + _table(("label", "words"), rows, 0)
