"""``stance labels``: check annotated sentences, and prepare new ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.console import out, say
from stance.errors import UserError

if TYPE_CHECKING:
    from stance.dataset import LabelledData

labels_app = typer.Typer(help="Check annotated sentences, and prepare new ones.", no_args_is_help=True)

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Labels folder.")]
FilesOption = Annotated[
    list[str] | None, typer.Option("--file", metavar="NAME", help="Only this file of the folder; repeatable.")
]
NEWS = Path("labels/news")


@labels_app.command("check")
def labels_check(folder: FolderArgument = NEWS, files: FilesOption = None) -> None:
    """Check every row of a labels folder and count what it holds."""
    from stance.audit import problems
    from stance.errors import all_at_once
    from stance.render import counts_table

    data = _labelled(folder, files)
    if found := problems(data):
        raise all_at_once(str(folder), found)
    out.print(counts_table(data))


@labels_app.command("stats")
def labels_stats(
    folder: FolderArgument = NEWS,
    files: FilesOption = None,
    html: Annotated[Path | None, typer.Option(help="Also write one self-contained page here.")] = None,
) -> None:
    """Print what a labels folder is made of."""
    from stance.files import whole_file
    from stance.render import counts_table, file_table
    from stance.stats import read_meta
    from stance.stats_page import page

    data = _labelled(folder, files)
    meta = read_meta(folder)
    out.print(file_table(data))
    out.print(counts_table(data))
    if html:
        with whole_file(html) as partial:
            partial.write_text(page(data, meta), encoding="utf-8")
        say(f"page written to {html}")


@labels_app.command("agreement")
def labels_agreement(folder: FolderArgument = NEWS, files: FilesOption = None) -> None:
    """Print Krippendorff's alpha between the independent annotations."""
    from stance.render import agreement_tables

    data = _labelled(folder, files)
    rows = sum(len(notes) > 1 for notes in data.annotations.values())
    if not rows:
        raise UserError(f"{folder}: no row carries two annotations; see docs/labels.md")
    out.print(f"{rows} sentences with two or more annotations", highlight=False)
    out.print(agreement_tables(data))


def _labelled(folder: Path, files: list[str] | None) -> LabelledData:
    from stance.dataset import ALL_ROWS, load_folder

    return load_folder(folder, files or ALL_ROWS)


@labels_app.command("new")
def labels_new(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Articles to label.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The .jsonl to write.")],
    taxonomy: Annotated[Path, typer.Option(help="Taxonomy whose axes the rows get.")] = Path(
        "labels/news/taxonomy.yaml"
    ),
) -> None:
    """Cut articles into sentences, as rows ready to be labelled."""
    from stance.drafting import draft
    from stance.formats import write_jsonl
    from stance.inputs import InputOptions, read_articles
    from stance.taxonomy import Taxonomy

    axes = Taxonomy.load(taxonomy)
    if output.suffix != ".jsonl":
        raise UserError(f"{output}: labels are JSON Lines; name a .jsonl file")
    if output.exists():
        raise UserError(f"{output}: exists and may hold labels; name a new file")
    rows = list(draft(read_articles(paths, InputOptions(), sys.stdin.buffer), axes))
    write_jsonl(rows, output)
    say(f"{len(rows)} sentences to label written to {output}; what labels mean: see the codebook")
