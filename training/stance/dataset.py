"""A labels folder: ``taxonomy.yaml`` and annotated rows in ``*.jsonl``, every row checked on load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.errors import MissingExtraError, UserError, all_at_once, at
from stance.files import fingerprint, read_text
from stance.formats import json_rows
from stance.records import Example
from stance.taxonomy import TAXONOMY_FILE, Axis, Taxonomy

if TYPE_CHECKING:
    from datasets import Dataset

META_SUFFIX = ".meta.jsonl"
ALL_ROWS = ("*.jsonl",)


@dataclass(frozen=True, slots=True)
class LabelledData:
    """Annotated sentences and the taxonomy that they follow.

    Attributes:
        axes: the axes that every row carries; all of the taxonomy's in a labels folder.
        annotations: a row's id to its independent annotations, before adjudication.
    """

    name: str
    taxonomy: Taxonomy
    examples: tuple[Example, ...]
    axes: tuple[str, ...]
    annotations: Mapping[str, tuple[Mapping[str, tuple[str, ...]], ...]]

    @property
    def fingerprint(self) -> str:
        """Identifies the taxonomy and every row's id, text, group and labels."""
        rows = [
            [example.id, example.text, example.group, {axis: example.labels[axis] for axis in self.axes}]
            for example in self.examples
        ]
        return fingerprint([self.taxonomy.fingerprint, rows])

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of every row."""
        return tuple(example.group for example in self.examples)


def load_folder(folder: Path, files: Sequence[str] = ALL_ROWS) -> LabelledData:
    """Read a labels folder.

    Args:
        folder: holds ``taxonomy.yaml`` and rows.
        files: names or patterns of the files whose rows are wanted. Files ``*.meta.jsonl`` describe
            articles and hold no rows.

    Raises:
        UserError: the folder, its taxonomy or any row is wrong; all problems are named at once.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such labels folder; see docs/labels.md for what it holds")
    taxonomy = Taxonomy.load(folder / TAXONOMY_FILE)
    found = row_files(folder, files)
    if not found:
        raise UserError(f"{folder}: no file {' or '.join(files)} with annotated rows; see docs/labels.md")
    return _load(folder.name, taxonomy, found, required=tuple(taxonomy.axes))


def row_files(folder: Path, files: Sequence[str] = ALL_ROWS) -> list[Path]:
    """Return the files of a labels folder that hold rows, in name order; see :func:`load_folder`."""
    return sorted(
        path
        for path in folder.iterdir()
        if any(fnmatch(path.name, pattern) for pattern in files) and not path.name.endswith(META_SUFFIX)
    )


def load_file(path: Path, taxonomy: Taxonomy) -> LabelledData:
    """Read annotated rows to evaluate on; an axis that no row carries is left out.

    Raises:
        UserError: the file is missing or any row is wrong; all problems are named at once.
    """
    return _load(path.stem, taxonomy, [path], required=None)


def _load(
    name: str, taxonomy: Taxonomy, files: Sequence[Path], required: tuple[str, ...] | None
) -> LabelledData:
    problems: list[str] = []
    rows = [(path, number, row) for path in files for number, row in _rows(path, problems)]
    carried = tuple(axis for axis in taxonomy.axes if any(axis in row for _, _, row in rows))
    axes = carried if required is None else required
    examples: list[Example] = []
    annotations: dict[str, Any] = {}
    seen_ids: dict[str, str] = {}
    seen_texts: dict[str, str] = {}
    for path, number, row in rows:
        place = at(path, number)
        wrong = _problems(row, taxonomy, axes)
        example = None if wrong else _example(row, taxonomy, axes, place)
        if example:
            wrong += _repeats(example, seen_ids, seen_texts)
        if example and not wrong:
            examples.append(example)
            annotations[example.id] = _annotations(row, taxonomy, axes)
        problems += [f"{place}: {problem}" for problem in wrong]
    if not rows and not problems:
        problems.append(f"{files[0]}: holds no rows; add annotated sentences")
    elif not axes:
        problems.append(f"{files[0]}: no row carries any of the axes {', '.join(taxonomy.axes)}; add labels")
    if problems:
        raise all_at_once(str(files[0].parent if len(files) > 1 else files[0]), problems)
    return LabelledData(name, taxonomy, tuple(examples), axes, annotations)


def _rows(path: Path, problems: list[str]) -> list[tuple[int, dict[str, Any]]]:
    return list(json_rows(read_text(path), str(path), problems))


def _problems(row: Mapping[str, Any], taxonomy: Taxonomy, axes: Sequence[str]) -> list[str]:
    """Return what is wrong with one row, apart from its neighbours."""
    wrong = []
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        wrong.append("'text' is missing or empty; give the sentence")
    names = [
        field
        for field in ("id", "article", "group")
        if not isinstance(row.get(field, ""), str | int) or isinstance(row.get(field), bool)
    ]
    wrong += [f"'{field}' must be text or a number; mend it" for field in names]
    if not isinstance(row.get("position", 0), int) or isinstance(row.get("position"), bool):
        wrong.append("'position' must be a whole number, from 0; mend it")
    for name in axes:
        wrong += _label_problems(name, taxonomy.axes[name], row)
    notes = row.get("annotations", [])
    if not isinstance(notes, list) or not all(isinstance(note, dict) for note in notes):
        return [*wrong, "'annotations' must be a list of objects with a label an axis"]
    for note in notes:
        for name in axes:
            wrong += [
                f"in 'annotations': {problem}" for problem in _label_problems(name, taxonomy.axes[name], note)
            ]
    return wrong


def _label_problems(name: str, axis: Axis, row: Mapping[str, Any]) -> list[str]:
    if name not in row:
        return [f"'{name}' is missing; add it"]
    value = row[name]
    if axis.single:
        if isinstance(value, str) and value in axis.labels:
            return []
        return [f"unknown {name} label {value!r}; use one of {', '.join(axis.names)}"]
    if not isinstance(value, list):
        return [f"'{name}' must be a list of labels, [] for none"]
    unknown = [label for label in value if label not in axis.names]
    return [f"unknown {name} label {label!r}; use labels of {', '.join(axis.names)}" for label in unknown]


def _example(row: Mapping[str, Any], taxonomy: Taxonomy, axes: Sequence[str], place: str) -> Example:
    key = str(row.get("id", Path(place).name))
    group = str(row.get("article", row.get("group", key)))
    return Example(key, row["text"], group, _labels(row, taxonomy, axes), place, row.get("position"))


def _labels(row: Mapping[str, Any], taxonomy: Taxonomy, axes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {
        name: taxonomy.axes[name].order([row[name]] if taxonomy.axes[name].single else row[name])
        for name in axes
    }


def _annotations(row: Mapping[str, Any], taxonomy: Taxonomy, axes: Sequence[str]) -> Any:
    return tuple(_labels(note, taxonomy, axes) for note in row.get("annotations", ()))


def _repeats(example: Example, ids: dict[str, str], texts: dict[str, str]) -> list[str]:
    """A repeated id is always wrong; a repeated text is, within one article."""
    wrong = []
    if (first := ids.setdefault(example.id, example.place)) != example.place:
        wrong.append(f"the id {example.id!r} already stands at {first}; give each row its own")
    key = f"{example.group}\n{example.text}"
    if (first := texts.setdefault(key, example.place)) != example.place:
        wrong.append(f"the same sentence of the same article already stands at {first}; remove one")
    return wrong


def as_dataset(data: LabelledData) -> Dataset:
    """Return the rows as a ``datasets.Dataset`` whose fingerprint is the data's own.

    Columns: ``id``, ``text``, ``group``, and one per axis: a ``ClassLabel`` on a single-label axis, a
    list of them on a multi-label one, both numbered in taxonomy order.

    Raises:
        MissingExtraError: ``datasets`` is not installed.
    """
    try:
        from datasets import ClassLabel, Dataset, DatasetInfo, Features, List, Value
    except ImportError:
        raise MissingExtraError("datasets", "train", "training") from None

    columns: dict[str, Any] = {
        "id": [example.id for example in data.examples],
        "text": [example.text for example in data.examples],
        "group": [example.group for example in data.examples],
    }
    features: dict[str, Any] = dict.fromkeys(columns, Value("string"))
    for name in data.axes:
        axis = data.taxonomy.axes[name]
        numbers = [[axis.names.index(label) for label in example.labels[name]] for example in data.examples]
        columns[name] = [row[0] for row in numbers] if axis.single else numbers
        label = ClassLabel(names=list(axis.names))
        features[name] = label if axis.single else List(label)
    table = Dataset.from_dict(columns, features=Features(features))
    info = DatasetInfo(dataset_name=data.name, features=Features(features))
    return Dataset(table.data, info=info, fingerprint=data.fingerprint[:16])
