"""Sentence rows as ``stance predict`` writes them, read back from JSON Lines, CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.errors import UserError, all_at_once, at
from stance.files import read_text
from stance.formats import FORMULA, json_rows

PROBABILITIES = "_probabilities"


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row's fields and where it stands.

    Attributes:
        place: file and line, or file and row number in Parquet.
        values: field to value; ``<axis>_probabilities`` maps labels to numbers whatever the format was.
    """

    place: str
    values: Mapping[str, Any]


def read_rows(paths: Sequence[Path]) -> list[PlacedRow]:
    """Read sentence rows from files, and from folders of parts (recursively, in name order).

    Raises:
        UserError: a path is missing, of an unknown kind, malformed, or holds no row.
    """
    rows = [row for path in paths for file in _files(path) for row in _read(file)]
    if not rows:
        raise UserError(f"{', '.join(map(str, paths))}: no row in it; give what stance predict wrote")
    return rows


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if path.suffix.lower() not in ROW_READERS and path.exists():
            raise UserError(
                f"{path}: cannot read '{path.suffix}' files; give one of {', '.join(ROW_READERS)}"
            )
        return [path]
    # What stance predict wrote into a folder holds more than sentences.
    if (path / "manifest.json").is_file() and (path / "sentences").is_dir():
        path /= "sentences"
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in ROW_READERS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise UserError(f"{path}: no {', '.join(ROW_READERS)} file in this folder; check the path")
    return found


def _read(path: Path) -> Iterator[PlacedRow]:
    if not path.exists():
        raise UserError(f"{path}: no such file or folder; check the path")
    reader = ROW_READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path}: cannot read '{path.suffix}' files; give one of {', '.join(ROW_READERS)}")
    return reader(path)


def _read_jsonl(path: Path) -> Iterator[PlacedRow]:
    problems: list[str] = []
    rows = [
        PlacedRow(at(path, number), values)
        for number, values in json_rows(read_text(path), str(path), problems)
    ]
    if problems:
        raise all_at_once(str(path), problems)
    yield from rows


def _read_csv(path: Path) -> Iterator[PlacedRow]:
    # A quoted sentence may be longer than the module's default of 128 KiB.
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(read_text(path).removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for values in reader:
            place = at(path, reader.line_num)
            if None in values or None in values.values():
                raise UserError(f"{place}: not as many cells as the header has; mend this line")
            unguarded = {key: _unguarded(value) for key, value in values.items()}
            yield PlacedRow(place, _nested(unguarded, place))
    except csv.Error as error:
        raise UserError(f"{at(path, reader.line_num)}: not valid CSV ({error}); mend this line") from None


def _read_parquet(path: Path) -> Iterator[PlacedRow]:
    from pyarrow import ArrowException, parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as table:
            for batch in table.iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    place = f"{path}, row {number}"
                    yield PlacedRow(place, _nested(_unpaired(values), place))
    except (ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be read as Parquet ({reason}); write it again") from None


ROW_READERS: dict[str, Callable[[Path], Iterator[PlacedRow]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _unguarded(cell: str) -> str:
    """Take off the apostrophe that keeps a spreadsheet from running a text as a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _unpaired(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn Parquet's maps, which come as pairs, into mappings."""
    return {
        key: dict(value) if key.endswith(PROBABILITIES) and isinstance(value, list) else value
        for key, value in values.items()
    }


def _nested(values: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Gather the columns ``<axis>_probabilities_<label>`` in one mapping; an empty cell is null."""
    row: dict[str, Any] = {}
    for key, value in values.items():
        axis, mark, label = key.partition(f"{PROBABILITIES}_")
        if mark and axis in values:
            row.setdefault(f"{axis}{PROBABILITIES}", {})[label] = _number(value, key, place)
        else:
            row[key] = None if value == "" else value
    return row


def _number(value: Any, key: str, place: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UserError(f"{place}: '{key}' is no number ({value!r}); tag the article again") from None
