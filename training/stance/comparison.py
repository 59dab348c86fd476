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
from stance.heldout import HeldOut, shared
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


def compare_models(
    folders: Sequence[Path], data: Path | None, places: Sequence[str] | None = None
) -> list[Comparison]:
    """Compare every further model with the first.

    Args:
        folders: two or more model folders.
        data: labelled rows, a file or a labels folder; None takes the rows that all models were
            cross-validated on.
        places: what to call each model where names are alike or something is wrong; its folder by default.

    Raises:
        UserError: fewer than two models, models of different taxonomies, or no common rows.
    """
    if len(folders) < 2:
        raise UserError("stance compare needs two models or more; name their folders or MLflow runs")
    places = [str(folder) for folder in folders] if places is None else places
    taggers = [Tagger.load(folder) for folder in folders]
    for tagger, place in zip(taggers[1:], places[1:], strict=True):
        _check_taxonomy(taggers[0], places[0], tagger, place)
        if data is None and tagger.manifest["scored"]["rows"] != taggers[0].manifest["scored"]["rows"]:
            raise UserError(
                f"{place} and {places[0]} were cross-validated on different rows; "
                "name rows that neither was trained on with --data"
            )
    names = _names(taggers, places)
    rows, sheets = _held_out(taggers, names) if data is None else _answered(taggers, names, data)
    return [_compared(rows, sheets[0], sheet) for sheet in sheets[1:]]


def compare_shared(a: Tagger, b: Tagger, names: tuple[str, str]) -> Comparison:
    """Compare two models on the rows that both were cross-validated on, be they all or only some.

    Args:
        a: the baseline.
        b: the other one.
        names: what to call them.

    Raises:
        UserError: they have different taxonomies or share no row.
    """
    _check_taxonomy(a, names[0], b, names[1])
    rows, (first, second) = _held_out([a, b], names)
    if not rows.groups:
        raise UserError(
            "no row was held out from both; compare with --data on rows that neither was trained on"
        )
    return _compared(rows, first, second)


def _check_taxonomy(first: Tagger, first_place: str, other: Tagger, place: str) -> None:
    if other.taxonomy.fingerprint != first.taxonomy.fingerprint:
        raise UserError(f"{place}: has another taxonomy than {first_place}; they do not compare")


def _held_out(taggers: Sequence[Tagger], names: Sequence[str]) -> tuple[_Rows, list[_Sheet]]:
    first = taggers[0]
    tests = shared([HeldOut.load(tagger.folder, tagger.taxonomy) for tagger in taggers])
    sheets = [_Sheet(name, test.decided) for name, test in zip(names, tests, strict=True)]
    where = "articles held out in cross-validation"
    texts = _texts(first, tests[0].ids)
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


def _answered(taggers: Sequence[Tagger], names: Sequence[str], path: Path) -> tuple[_Rows, list[_Sheet]]:
    taxonomy = taggers[0].taxonomy
    data = load_rows(path, taxonomy)
    texts = [each.text for each in data.examples]
    notes = [
        f"{name}: {known} of {len(texts)} sentences were trained on, so its scores here are too high"
        for tagger, name in zip(taggers, names, strict=True)
        if (known := trained_on(tagger, data))
    ]
    sheets = [_Sheet(name, tagger.predict(texts)[1]) for tagger, name in zip(taggers, names, strict=True)]
    return _Rows(taxonomy, texts, data.groups, gold_of(data), str(path), notes), sheets


def _names(taggers: Sequence[Tagger], places: Sequence[str]) -> list[str]:
    names = [each.name for each in taggers]
    return [name if names.count(name) == 1 else place for name, place in zip(names, places, strict=True)]


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
