"""``stance report``: one page that shows what tagged sentences say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stance.console import say
from stance.errors import UserError


def report(
    tags: Annotated[
        list[Path],
        typer.Argument(
            metavar="TAGS...",
            help="Sentence rows of stance predict: .jsonl, .csv, .parquet, or folders of them.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .html page to write.")],
    model: Annotated[
        Path | None, typer.Option(help="Model that tagged the rows: gives the index weights.")
    ] = None,
    taxonomy: Annotated[
        Path | None, typer.Option(help="Taxonomy file instead, e.g. labels/news/taxonomy.yaml.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
) -> None:
    """Write one self-contained page that shows what tagged sentences say."""
    from stance.files import check_file, whole_file
    from stance.model_source import model_folder
    from stance.report.axes import check_tagged_by, find_axes, load_taxonomy
    from stance.report.columns import columns
    from stance.report.page import page
    from stance.report.reading import read_rows

    if output.suffix.lower() not in {".html", ".htm"}:
        raise UserError(f"{output}: the report is a web page; name a .html file")
    check_file(output)
    model = model_folder(model) if model else None
    known, origin = load_taxonomy(model, taxonomy)
    rows = read_rows(tags)
    if model:
        check_tagged_by(model, rows)
    data = columns(rows, find_axes(rows, known, origin))
    data["files"] = [path.resolve().name for path in tags]
    axes = " and ".join(axis["name"].replace("_", " ") for axis in data["axes"])
    text = page(data, title or axes[0].upper() + axes[1:])
    with whole_file(output) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
    say(f"report on {len(rows)} sentences of {len(data['articles']['id'])} articles written to {output}")
