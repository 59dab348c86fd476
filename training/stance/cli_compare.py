"""``stance compare``: is one model better than another?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stance.cli_mlflow import local_folder
from stance.console import out, say


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="A B...", help="Model folders or models in MLflow (runs:/ID, ID); A is the baseline."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled rows; default: the articles held out from both in cross-validation."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    wins: Annotated[int, typer.Option(min=0, help="Show so many sentences that only one gets right.")] = 3,
) -> None:
    """Tell in plain words which model is better, on the same rows, and what the rows cannot show."""
    from stance.comparison import compare_models
    from stance.formats import json_line
    from stance.render_compare import comparison_table

    folders = [local_folder(spec) for spec in models]
    for found in compare_models(folders, data, models):
        if as_json:
            sys.stdout.write(json_line(found.as_json()))
        else:
            out.print(comparison_table(found, wins))
        for note in found.notes:
            say(note)
