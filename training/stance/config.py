"""Training configurations: YAML and overrides in, one frozen and fully checked object out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stance import classifiers
from stance.errors import UserError, all_at_once, at
from stance.yamlfile import parse, read_yaml

CONFIGS = Path("configs")


class TrainConfig(BaseModel):
    """What one training run is made of; ``docs/configuration.md`` explains every key.

    Attributes:
        files: names or patterns of the files in the labels folder to train on.
        folds: cross-validation folds; with no more articles than this, each is left out once.
        scored_folds: how many of the folds to train and score; all of them where it is absent.
        inner_folds: folds inside each training side whose held-out predictions temperatures and
            thresholds are fitted on; 1 holds out one dev part and trains only once.
        params: the family's own settings, an instance of its ``Params``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    family: str
    labels: Path = Path("labels/news")
    files: tuple[str, ...] = Field(default=("*.jsonl",), min_length=1)
    seed: int = Field(default=13, ge=0, lt=2**32)
    folds: int = Field(default=5, ge=2)
    scored_folds: int | None = Field(default=None, ge=1)
    inner_folds: int = Field(default=4, ge=1)
    params: Any = None

    @field_validator("family")
    @classmethod
    def _known_family(cls, family: str) -> str:
        if family not in classifiers.names():
            raise ValueError(f"unknown family, use one of {', '.join(classifiers.names())}")
        return family

    @model_validator(mode="after")
    def _no_more_scored_than_folds(self) -> TrainConfig:
        if self.scored_folds is not None and self.scored_folds > self.folds:
            raise ValueError(f"scored_folds {self.scored_folds} is more than folds {self.folds}")
        return self

    def resolved(self) -> dict[str, Any]:
        """Return every setting, defaults included, as plain JSON values."""
        value: dict[str, Any] = self.model_dump(mode="json", exclude={"params"})
        value["params"] = self.params.model_dump(mode="json")
        return value


def find_configs(names: Sequence[str], folder: Path = CONFIGS) -> list[Path]:
    """Turn names (``tfidf``) and paths into config paths; no name means every one in ``folder``.

    Raises:
        UserError: a name has no file, or there is no config at all.
    """
    known = sorted(folder.glob("*.yaml"))
    if not names:
        if not known:
            raise UserError(f"{folder}: no .yaml file here; run from the project folder or name a config")
        return known
    found = []
    for name in names:
        path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
        if not path.is_file():
            have = ", ".join(each.stem for each in known) or "none"
            raise UserError(f"{path}: no such config; the names in {folder}/ are: {have}")
        found.append(path)
    return found


def load_config(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    labels: Path | None = None,
    seed: int | None = None,
) -> TrainConfig:
    """Read a config and apply ``key=value`` overrides, whose values are YAML.

    Raises:
        UserError: the file or an override is wrong; all problems are named at once.
    """
    value, lines = read_yaml(path)
    for override in overrides:
        _apply(value, override)
    if labels is not None:
        value["labels"] = labels
    if seed is not None:
        value["seed"] = seed
    given = value.pop("params", None)
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise UserError(
            f"{at(path, lines.get(('params',)))}: 'params' holds keys and values; found {given!r}"
        )
    config, problems = parse(TrainConfig, value, path, lines)
    family = value.get("family")
    params: BaseModel | None = None
    if isinstance(family, str) and family in classifiers.names():
        below = {keys[1:]: line for keys, line in lines.items() if keys[0] == "params" and keys[1:]}
        params, wrong = parse(classifiers.get(family).Params, given, path, below)
        problems += wrong
    if config is None or params is None or problems:
        raise all_at_once(str(path), problems)
    return config.model_copy(update={"params": params})


def _apply(value: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {override}: expected key=value, for instance --set params.epochs=5")
    try:
        parsed = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UserError(f"--set {override}: the value is not valid YAML; quote it") from None
    *parents, last = key.strip().split(".")
    for parent in parents:
        inner = value.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise UserError(f"--set {override}: '{parent}' holds no keys; check the name")
        value = inner
    value[last] = parsed


def restore(value: Mapping[str, Any], place: Path) -> TrainConfig:
    """Rebuild a config from :meth:`TrainConfig.resolved`.

    Raises:
        UserError: the value is not one that training wrote.
    """
    rest = dict(value)
    given = rest.pop("params", {})
    config, problems = parse(TrainConfig, rest, place, {})
    if config is None:
        raise all_at_once(str(place), problems)
    params, problems = parse(classifiers.get(config.family).Params, given, place, {})
    if params is None:
        raise all_at_once(str(place), problems)
    return config.model_copy(update={"params": params})
