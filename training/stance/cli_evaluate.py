"""``stance evaluate``: how good is a model, and where does it err?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stance.console import out, say
from stance.errors import UserError


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder, or models:/... or runs:/...")],
    data: Annotated[
        Path,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Labelled rows: .jsonl with text, a field an axis, maybe id, group; or a labels folder.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write one self-contained page here.")] = None,
    errors: Annotated[int, typer.Option(min=0, help="Show so many of the surest errors of each axis.")] = 5,
) -> None:
    """Score a model on labelled sentences that it was not trained on."""
    from stance.files import check_file, whole_file
    from stance.formats import json_line
    from stance.model_source import model_folder
    from stance.render_evaluation import evaluation_tables
    from stance.report.evaluation import evaluation_page
    from stance.scoring import evaluate_model
    from stance.tagger import Tagger

    if html:
        if html.suffix.lower() not in {".html", ".htm"}:
            raise UserError(f"{html}: the page is a web page; name a .html file")
        check_file(html)
    found = evaluate_model(Tagger.load(model_folder(model)), data, errors)
    if found.known:
        say(f"{found.known} of {found.report.n} sentences were trained on: scores on them are too high")
    if html:
        with whole_file(html) as partial:
            partial.write_text(evaluation_page(found), encoding="utf-8", newline="\n")
        say(f"page written to {html}")
    if as_json:
        sys.stdout.write(json_line(found.as_json()))
    else:
        out.print(evaluation_tables(found))
