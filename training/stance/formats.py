"""Tagged rows out: one writer a suffix. And JSON Lines in, with the line of every fault."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stance.errors import UserError, at
from stance.files import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
_ROW_GROUP = 8192
# A spreadsheet takes a cell that begins so for a formula, and may run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the rows that go out.

    Attributes:
        kind: ``labels`` is a list of texts; ``integers`` and ``numbers`` map ``keys`` to values;
            ``explanations`` is a list of labels with the weights of words.
    """

    name: str
    kind: Literal["text", "integer", "number", "labels", "integers", "numbers", "explanations"]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file of rows looks like.

    Attributes:
        fields: its columns, in order.
        facts: what Parquet files say of themselves in their metadata.
    """

    fields: tuple[Field, ...]
    facts: Mapping[str, str]


Writer = Callable[[Iterable[Row], Path, Layout], int]


def json_rows(text: str, place: str, problems: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line numbers, from 1, and JSON objects; a line that is none is added to ``problems``."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json_object(line)
        except ValueError as error:
            problems.append(f"{at(place, number)}: {error}")


def json_object(line: str) -> dict[str, Any]:
    """Return the JSON object that a line holds.

    Raises:
        ValueError: it holds none; the message is a reason.
    """
    try:
        row = json.loads(line)
        # Half a surrogate pair is no character: nothing could write it out again.
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a surrogate pair; mend or remove this line") from None
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "a number too long or values nested too deeply")
        raise ValueError(f"not valid JSON ({reason}); mend or remove this line") from None
    if not isinstance(row, dict):
        raise ValueError("expected a JSON object in braces; mend this line")  # noqa: TRY004 - a reason, not a bug
    return row


def json_line(row: Row) -> str:
    """Return a row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def write_jsonl(rows: Iterable[Row], path: Path, _layout: Layout | None = None) -> int:
    """Write one JSON object a line and return how many; the file appears only when it is complete."""
    count = 0
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as handle:
        for row in rows:
            handle.write(json_line(row))
            count += 1
    return count


def write_csv(rows: Iterable[Row], path: Path, layout: Layout) -> int:
    """Write CSV with a header.

    Nested fields become ``outer_inner`` columns, lists join with ``;``, explanations are JSON.
    Text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV
    Injection"); numbers stay as they are.
    """
    count = 0
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        # Unquoted, a lone carriage return in a title would end the row.
        writer = csv.writer(handle, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow([name for field in layout.fields for name in _csv_names(field)])
        for row in rows:
            writer.writerow([cell for field in layout.fields for cell in _csv_cells(field, row[field.name])])
            count += 1
    return count


def _csv_names(field: Field) -> list[str]:
    return [f"{field.name}_{key}" for key in field.keys] if field.keys else [field.name]


def _csv_cells(field: Field, value: Any) -> list[Any]:
    if field.keys:
        return [value[key] for key in field.keys]
    if field.kind == "labels":
        return [";".join(value)]
    if field.kind == "explanations":
        return [json.dumps(value, ensure_ascii=False, separators=(",", ":"))]
    if field.kind == "text" and value is not None and value.startswith(FORMULA):
        return [f"'{value}"]
    return [value]


def write_parquet(rows: Iterable[Row], path: Path, layout: Layout) -> int:
    """Write Parquet, zstd-compressed, a row group for every 8,192 rows; the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet

    schema = pa.schema([(field.name, _arrow_type(field)) for field in layout.fields], dict(layout.facts))
    count, waiting = 0, iter(rows)
    with (
        whole_file(path) as partial,
        pyarrow.parquet.ParquetWriter(partial, schema, compression="zstd") as writer,
    ):
        while group := list(islice(waiting, _ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    return count


def _arrow_type(field: Field) -> pa.DataType:
    import pyarrow as pa

    word = pa.struct(
        [("start", pa.int32()), ("end", pa.int32()), ("text", pa.string()), ("weight", pa.float64())]
    )
    inner = {
        "text": pa.string(),
        "integer": pa.int32(),
        "integers": pa.int32(),
        "number": pa.float64(),
        "numbers": pa.float64(),
        "labels": pa.list_(pa.string()),
        "explanations": pa.list_(pa.struct([("label", pa.string()), ("words", pa.list_(word))])),
    }[field.kind]
    return pa.struct([(key, inner) for key in field.keys]) if field.keys else inner


WRITERS: dict[str, Writer] = {".jsonl": write_jsonl, ".csv": write_csv, ".parquet": write_parquet}


def writer_for(path: Path) -> Writer:
    """Return the writer of a path's suffix.

    Raises:
        UserError: no writer knows the suffix.
    """
    try:
        return WRITERS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(WRITERS)
        raise UserError(
            f"{path}: cannot write '{path.suffix}' files; use {known}, or a name without suffix for a folder"
        ) from None
