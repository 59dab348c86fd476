"""The axes of tagged rows: from the model's taxonomy where it is given, else from the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stance.errors import UserError
from stance.report.reading import PROBABILITIES, PlacedRow
from stance.taxonomy import Taxonomy

UNSURE = "unsure"
_POLES = {"conciliatory": -1.0, "hawkish": 1.0}
_SUM_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class ReportAxis:
    """An axis as the page shows it.

    Attributes:
        single: whether a sentence carries exactly one of its labels.
        labels: in the order of the page's columns.
        weights: the weight of each label in the index; None where no index is known to make sense.
        weights_from: where the weights come from, in words for the reader; None without weights.
    """

    name: str
    single: bool
    labels: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    weights_from: str | None = None


def find_axes(rows: Sequence[PlacedRow], taxonomy: Taxonomy | None, origin: str = "") -> list[ReportAxis]:
    """Return the axes that the first row carries, in its order.

    Weights for an index are taken from ``taxonomy``. Without one, an axis that has the labels
    ``conciliatory`` and ``hawkish`` gets those of labels/news, and any other axis none: what its
    labels are worth cannot be guessed.

    Args:
        rows: at least one.
        taxonomy: of the model that tagged the rows, if known.
        origin: the file that the taxonomy was read from, for messages and the page.

    Raises:
        UserError: the rows carry no axis, or not the axes and labels of the taxonomy.
    """
    first = rows[0].values
    names = [key for key in first if isinstance(first.get(f"{key}{PROBABILITIES}"), Mapping)]
    if not names:
        why = (
            "one row an article; predict without --summary"
            if "sentences" in first
            else "no sentence row of stance predict: it has no probabilities"
        )
        raise UserError(f"{rows[0].place}: {why}")
    if taxonomy is not None:
        _check(rows[0], names, taxonomy, origin)
        return [_from_taxonomy(name, taxonomy, origin) for name in names]
    return [_from_rows(name, rows) for name in names]


def load_taxonomy(model: Path | None, taxonomy: Path | None) -> tuple[Taxonomy | None, str]:
    """Return the taxonomy of a model folder or a file, and where it came from.

    Raises:
        UserError: both are given, or the file is missing or wrong.
    """
    if model and taxonomy:
        raise UserError("--model and --taxonomy both name a taxonomy; give one of them")
    if model is not None:
        from stance.tagger import read_manifest

        read_manifest(model)
        taxonomy = model / "taxonomy.yaml"
    if taxonomy is None:
        return None, ""
    return Taxonomy.load(taxonomy), str(taxonomy)


def check_tagged_by(model: Path, rows: Sequence[PlacedRow]) -> None:
    """Make sure that every row was tagged by the model in a folder.

    Raises:
        UserError: a row carries another fingerprint.
    """
    from stance.tagger import read_manifest

    fingerprint = str(read_manifest(model)["fingerprint"])
    for row in rows:
        stated = row.values.get("fingerprint")
        if not stated or not fingerprint.startswith(str(stated)):
            raise UserError(
                f"{row.place}: tagged by {row.values.get('model')} {stated}, not by {model}; "
                "name the model that tagged it, or give --taxonomy"
            )


def _check(row: PlacedRow, names: Sequence[str], taxonomy: Taxonomy, origin: str) -> None:
    for name in names:
        given = set(row.values[f"{name}{PROBABILITIES}"])
        if name not in taxonomy.axes or given != set(taxonomy.axes[name].names):
            raise UserError(
                f"{row.place}: '{name}' and its labels are not those of {origin}; "
                "give the taxonomy of the model that tagged these rows"
            )


def _from_taxonomy(name: str, taxonomy: Taxonomy, origin: str) -> ReportAxis:
    axis = taxonomy.axes[name]
    if axis.index is None:
        return ReportAxis(name, axis.single, axis.names)
    weights = tuple(axis.index.get(label, 0.0) for label in axis.names)
    return ReportAxis(name, axis.single, axis.names, weights, "/".join(Path(origin).parts[-2:]))


def _from_rows(name: str, rows: Sequence[PlacedRow]) -> ReportAxis:
    labels = tuple(rows[0].values[f"{name}{PROBABILITIES}"])
    if not _is_single(name, rows, set(labels)):
        return ReportAxis(name, single=False, labels=labels)
    if not set(_POLES) <= set(labels):
        return ReportAxis(name, single=True, labels=labels)
    weights = tuple(_POLES.get(label, 0.0) for label in labels)
    return ReportAxis(
        name, single=True, labels=labels, weights=weights, weights_from="the labels' names, as in labels/news"
    )


def _is_single(name: str, rows: Sequence[PlacedRow], labels: set[str]) -> bool:
    """Tell kinds apart: JSON writes one label as text; in CSV probabilities that always sum to 1 tell."""
    if any(isinstance(row.values.get(name), list) for row in rows):
        return False
    if any(row.values.get(name) not in labels | {UNSURE} for row in rows):
        return False
    return all(_sums_to_one(row.values.get(f"{name}{PROBABILITIES}")) for row in rows)


def _sums_to_one(probabilities: object) -> bool:
    if not isinstance(probabilities, Mapping):
        return False
    return abs(sum(probabilities.values()) - 1) <= _SUM_TOLERANCE
