"""YAML read into pydantic models, with every error shown at its line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from stance.errors import UserError, at
from stance.files import read_text

Model = TypeVar("Model", bound=BaseModel)
Lines = dict[tuple[str, ...], int]


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read a YAML mapping and the line of every key in it.

    Returns:
        The mapping, and a table from a key's path (``("params", "epochs")``) to its line, from 1.

    Raises:
        UserError: the file is missing, is not UTF-8, is not YAML, repeats a key or is no mapping.
    """
    text = read_text(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise UserError(f"{at(path, line)}: not valid YAML: {error.problem}; mend this line") from None
    except yaml.YAMLError:
        raise UserError(f"{path}: not valid YAML; it holds characters that YAML forbids") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: a value cannot be read ({error}); mend it") from None
    if not isinstance(value, dict) or not isinstance(node, yaml.MappingNode):
        raise UserError(f"{path}: expected 'key: value' lines; see docs/configuration.md")
    lines: Lines = {}
    _collect_lines(node, (), lines, path)
    return value, lines


def _collect_lines(node: yaml.Node, prefix: tuple[str, ...], lines: Lines, path: Path) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        place = (*prefix, str(key.value))
        line = key.start_mark.line + 1
        if place in lines:
            raise UserError(
                f"{at(path, line)}: '{'.'.join(place)}' already stands on line {lines[place]}; keep one"
            )
        lines[place] = line
        _collect_lines(value, place, lines, path)


def problems_of(error: ValidationError, model: type[BaseModel], path: Path, lines: Lines) -> list[str]:
    """Word each of pydantic's complaints as one sentence that names file, line and key."""
    return [_word(item, model, path, lines) for item in error.errors(include_url=False)]


def _word(item: Any, model: type[BaseModel], path: Path, lines: Lines) -> str:
    keys = tuple(str(part) for part in item["loc"])
    line = next((lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in lines), None)
    name = ".".join(keys)
    if item["type"] == "extra_forbidden":
        return f"{at(path, line)}: unknown key '{name}'{_suggestion(keys[-1], _known_keys(model, keys[:-1]))}"
    if item["type"] == "missing":
        return f"{at(path, line)}: the key '{name}' is missing; add it"
    name = name or "the file"
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{at(path, line)}: {name}: {message[:1].lower()}{message[1:]} (found {item['input']!r})"


def _known_keys(model: type[BaseModel], keys: Sequence[str]) -> list[str]:
    """Return the keys that stand beside ``keys``: follow fields, and the values of mappings."""
    kind: Any = model
    for key in keys:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[key].annotation
        else:
            kind = get_args(kind)[-1]
    return list(kind.model_fields)


def _suggestion(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known keys: {', '.join(known)}"


def parse(model: type[Model], value: Any, path: Path, lines: Lines) -> tuple[Model | None, list[str]]:
    """Validate ``value``; return the model or None, and every problem found."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, problems_of(error, model, path, lines)
