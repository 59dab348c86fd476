"""What goes out, as ``docs/output.md`` describes it: one row a tagged sentence, or one an article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any, Literal

from stance.formats import Field, Layout
from stance.records import Explanation, Meta, Tagged
from stance.taxonomy import UNSURE, Axis, Taxonomy

SCHEMA_VERSION = 2
RowKind = Literal["sentences", "articles"]
_DIGITS = 4
_META = ("title", "source", "date", "url", "language")


def sentence_row(tagged: Tagged, taxonomy: Taxonomy, model: str, fingerprint: str) -> dict[str, Any]:
    """Return a sentence row."""
    sentence = tagged.sentence
    row: dict[str, Any] = {
        "article": sentence.article,
        **_meta(sentence.meta),
        "index": sentence.index,
        "start": sentence.start,
        "end": sentence.end,
        "text": sentence.text,
    }
    for name, axis in taxonomy.axes.items():
        labels = tagged.labels[name]
        row[name] = (labels or (UNSURE,))[0] if axis.single else list(labels)
        row[f"{name}_probabilities"] = {
            label: round(value, _DIGITS) for label, value in tagged.probabilities[name].items()
        }
        if tagged.explanations is not None:
            row[f"{name}_explanation"] = [_explanation(each) for each in tagged.explanations[name]]
    return {**row, "model": model, "fingerprint": fingerprint}


def article_rows(
    tagged: Iterable[Tagged], taxonomy: Taxonomy, model: str, fingerprint: str
) -> Iterator[dict[str, Any]]:
    """Yield one row an article; the sentences of an article must come together.

    A single-label axis gives the number of unsure sentences, the labels' shares of the others and, where
    the taxonomy weighs its labels, an index: the others' mean weight, None where all are unsure. A
    multi-label axis gives the labels found, most frequent first, and in how many sentences each was.
    """
    for article, group in groupby(tagged, key=lambda each: each.sentence.article):
        members = list(group)
        meta = _meta(members[0].sentence.meta)
        row: dict[str, Any] = {"article": article, **meta, "sentences": len(members)}
        for name, axis in taxonomy.axes.items():
            row |= _axis_summary(name, axis, members)
        yield {**row, "model": model, "fingerprint": fingerprint}


def layout(
    kind: RowKind, taxonomy: Taxonomy, model: str, fingerprint: str, *, explained: bool = False
) -> Layout:
    """Return the columns of a kind of rows, and what a Parquet file says of them."""
    fields = [Field(name, "text") for name in ("article", *_META)]
    if kind == "sentences":
        fields += [Field(name, "integer") for name in ("index", "start", "end")] + [Field("text", "text")]
    else:
        fields.append(Field("sentences", "integer"))
    for name, axis in taxonomy.axes.items():
        fields += (
            _sentence_fields(name, axis, explained) if kind == "sentences" else _article_fields(name, axis)
        )
    fields += [Field("model", "text"), Field("fingerprint", "text")]
    facts = {
        "stance_schema": str(SCHEMA_VERSION),
        "stance_rows": kind,
        "stance_taxonomy": taxonomy.name,
        "stance_model": model,
        "stance_fingerprint": fingerprint,
    }
    return Layout(tuple(fields), facts)


def _sentence_fields(name: str, axis: Axis, explained: bool) -> list[Field]:
    fields = [
        Field(name, "text" if axis.single else "labels"),
        Field(f"{name}_probabilities", "numbers", axis.names),
    ]
    return [*fields, Field(f"{name}_explanation", "explanations")] if explained else fields


def _article_fields(name: str, axis: Axis) -> list[Field]:
    if not axis.single:
        return [Field(name, "labels"), Field(f"{name}_sentences", "integers", axis.names)]
    fields = [Field(f"{name}_shares", "numbers", axis.names), Field(f"{name}_unsure", "integer")]
    return fields if axis.index is None else [*fields, Field(f"{name}_index", "number")]


def _explanation(explanation: Explanation) -> dict[str, Any]:
    words = [{**asdict(word), "weight": round(word.weight, _DIGITS)} for word in explanation.words]
    return {"label": explanation.label, "words": words}


def _meta(meta: Meta) -> dict[str, str | None]:
    return {name: getattr(meta, name) for name in _META}


def _axis_summary(name: str, axis: Axis, members: list[Tagged]) -> dict[str, Any]:
    counts = Counter(label for each in members for label in each.labels[name])
    if axis.single:
        sure = counts.total()
        shares = {label: round(counts[label] / max(1, sure), _DIGITS) for label in axis.names}
        summary: dict[str, Any] = {f"{name}_shares": shares, f"{name}_unsure": len(members) - sure}
        if axis.index is not None:
            weight = sum(axis.index.get(label, 0.0) * count for label, count in counts.items())
            summary[f"{name}_index"] = round(weight / sure, _DIGITS) if sure else None
        return summary
    found = sorted(counts, key=lambda label: (-counts[label], axis.names.index(label)))
    return {name: found, f"{name}_sentences": {label: counts[label] for label in axis.names}}
