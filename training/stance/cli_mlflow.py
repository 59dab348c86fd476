"""``stance promote``, and models in MLflow by their names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from stance.console import out, say
from stance.errors import MissingExtraError

_RUN = re.compile(r"[0-9a-f]{6,32}")


def promote(
    model: Annotated[
        str,
        typer.Argument(metavar="RUN|VERSION", help="A run's id, its beginning, or a version number."),
    ],
    why: Annotated[str | None, typer.Option(help="The reason; it is written on the version.")] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Despite another taxonomy than the champion's; give a reason too."),
    ] = False,
) -> None:
    """Make a model in MLflow the champion, and write on it why."""
    try:
        from stance.tracking import registry
    except ImportError as error:
        raise MissingExtraError(error.name or "mlflow", "train", "the model registry") from None
    done = registry.promote(model, why, force=force)
    before = f"the champion was {done.before}" if done.before else "there was no champion"
    out.print(f"{before}; now it is {done.version}", highlight=False, markup=False, soft_wrap=True)
    say(done.verdict)


def local_folder(spec: str) -> Path:
    """Return the model folder that a user named by its path or by its name in MLflow.

    Raises:
        UserError: MLflow has no such model, or more than one.
        MissingExtraError: it is one in MLflow, which is not installed.
    """
    from stance import model_source

    if not _RUN.fullmatch(spec) or Path(spec).is_dir():
        return model_source.model_folder(Path(spec))
    try:
        from stance.tracking.registry import model_folder
    except ImportError as error:
        raise MissingExtraError(error.name or "mlflow", "train", "a model in MLflow") from None
    return model_folder(spec)
