"""Put models side by side: the same rows, their answers, and how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.crossval import gold_of
from stance.dataset import load_folder
from stance.errors import StanceError, UserError
from stance.heldout import HeldOut
from stance.paired import Difference, differences, verdict
from stance.scoring import load_rows, trained_on
from stance.tagger import Tagger
from stance.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same rows.

    Attributes:
        names: of A, the baseline, and B.
        rows: how many sentences, of ``articles`` articles.
        where: what the rows are, for people.
        only: axis to the sentences that A alone gets right, and those that B alone does.
        notes: what a reader of the result must know.
    """

    names: tuple[str, str]
    rows: int
    articles: int
    where: str
    differences: Sequence[Difference]
    only: Mapping[str, tuple[Sequence[str], Sequence[str]]]
    notes: Sequence[str] = field(default=())

    @property
    def verdict(self) -> str:
        """Which is better, in plain words."""
        return verdict(self.differences, *self.names, self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        value: dict[str, Any] = {
            "a": self.names[0],
            "b": self.names[1],
            "n": self.rows,
            "articles": self.articles,
            "verdict": self.verdict,
        }
        for each in self.differences:
            value.setdefault(each.axis, {})[each.metric] = {
                "a": round(each.a, 6),
                "b": round(each.b, 6),
                "difference": round(each.value, 6),
                "interval": [round(end, 6) for end in each.interval],
                "p_value": round(each.p_value, 6),
                "significant": each.significant,
                "detectable": round(each.detectable, 6),
            }
        for axis, (a, b) in self.only.items():
            value[axis]["only_a_right"], value[axis]["only_b_right"] = len(a), len(b)
        return value


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One model's answers to rows that all models answered."""

    name: str
    decided: Mapping[str, BoolArray]


@dataclass(frozen=True, slots=True)
class _Rows:
    taxonomy: Taxonomy
    texts: Sequence[str]
    groups: Sequence[str]
    gold: Mapping[str, IntArray]
    where: str
    notes: Sequence[str]


def compare_models(folders: Sequence[Path], data: Path | None) -> list[Comparison]:
    """Compare every further model with the first.

    Args:
        folders: two or more model folders.
        data: labelled rows, a file or a labels folder; None takes the rows that all models were
            cross-validated on.

    Raises:
        UserError: fewer than two models, models of different taxonomies, or no common rows.
    """
    if len(folders) < 2:
        raise UserError("stance compare needs two models or more; name their folders")
    taggers = [Tagger.load(folder) for folder in folders]
    taxonomy = taggers[0].taxonomy
    for tagger in taggers[1:]:
        if tagger.taxonomy.fingerprint != taxonomy.fingerprint:
            raise UserError(f"{tagger.folder}: has another taxonomy than {folders[0]}; they do not compare")
    rows, sheets = _held_out(taggers) if data is None else _answered(taggers, data)
    return [_compared(rows, sheets[0], sheet) for sheet in sheets[1:]]


def _held_out(taggers: Sequence[Tagger]) -> tuple[_Rows, list[_Sheet]]:
    first = taggers[0]
    for tagger in taggers[1:]:
        if tagger.manifest["scored"]["rows"] != first.manifest["scored"]["rows"]:
            raise UserError(
                f"{tagger.folder} and {first.folder} were cross-validated on different rows; "
                "name rows that neither was trained on with --data"
            )
    tests = [HeldOut.load(tagger.folder, tagger.taxonomy) for tagger in taggers]
    ids = list(tests[0].ids)
    orders = [np.array([list(test.ids).index(key) for key in ids]) for test in tests]
    sheets = [
        _Sheet(_label(tagger, taggers), {name: table[order] for name, table in test.decided.items()})
        for tagger, test, order in zip(taggers, tests, orders, strict=True)
    ]
    texts = _texts(first, ids)
    where = "articles held out in cross-validation"
    return _Rows(first.taxonomy, texts, tests[0].groups, tests[0].gold, where, ()), sheets


def _texts(tagger: Tagger, ids: Sequence[str]) -> list[str]:
    """Return the sentences of held-out rows where the labels are at hand unchanged, else their ids."""
    try:
        data = load_folder(Path(tagger.config.labels), tagger.config.files)
    except StanceError:
        return list(ids)
    if data.fingerprint != tagger.manifest["labels"]["fingerprint"]:
        return list(ids)
    texts = {each.id: each.text for each in data.examples}
    return [texts[key] for key in ids]


def _answered(taggers: Sequence[Tagger], path: Path) -> tuple[_Rows, list[_Sheet]]:
    taxonomy = taggers[0].taxonomy
    data = load_rows(path, taxonomy)
    texts = [each.text for each in data.examples]
    notes = [
        f"{tagger.name}: {known} of {len(texts)} sentences were trained on, so its scores here are too high"
        for tagger in taggers
        if (known := trained_on(tagger, data))
    ]
    sheets = [_Sheet(_label(tagger, taggers), tagger.predict(texts)[1]) for tagger in taggers]
    return _Rows(taxonomy, texts, data.groups, gold_of(data), str(path), notes), sheets


def _label(tagger: Tagger, taggers: Sequence[Tagger]) -> str:
    names = [each.name for each in taggers]
    return tagger.name if names.count(tagger.name) == 1 else str(tagger.folder)


def _compared(rows: _Rows, a: _Sheet, b: _Sheet) -> Comparison:
    found = differences(rows.taxonomy, rows.gold, a.decided, b.decided, rows.groups)
    only = {}
    for name, gold in rows.gold.items():
        right = [(sheet.decided[name] == (gold > 0)).all(axis=1) for sheet in (a, b)]
        only[name] = (
            [rows.texts[row] for row in np.flatnonzero(right[0] & ~right[1]).tolist()],
            [rows.texts[row] for row in np.flatnonzero(right[1] & ~right[0]).tolist()],
        )
    return Comparison(
        (a.name, b.name), len(rows.groups), len(set(rows.groups)), rows.where, found, only, rows.notes
    )
