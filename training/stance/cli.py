"""The command line: with its cli_ modules, all that prints or exits. Heavy imports wait inside commands."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.text import Text

from stance import __version__
from stance.cli_compare import compare
from stance.cli_evaluate import evaluate
from stance.cli_labels import labels_app
from stance.cli_mlflow import promote
from stance.cli_predict import predict
from stance.cli_report import report
from stance.console import MODELS, err, out, say
from stance.errors import MissingExtraError, StanceError, UserError

if TYPE_CHECKING:
    from stance.config import TrainConfig
    from stance.train import Tracker

app = typer.Typer(
    name="stance",
    help="Tag every sentence of news articles with topics and framing; train on your own labels.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(labels_app, name="labels")
app.command()(compare)
app.command()(promote)
app.command()(report)


def main() -> NoReturn:
    """Run the command line; every error that stance knows becomes one sentence and an exit code."""
    # Loading makes many objects and no garbage: a sixth of a short command went into looking for some.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    try:
        # Without standalone mode an early exit comes back as a return value.
        code = app(standalone_mode=False)
    except StanceError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of our output is gone (| head); what it wanted, it has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if hasattr(error, "format_message"):  # the parser's own usage errors
            _fail(error.format_message().rstrip(".") + "; see --help", 2)
        if os.environ.get("STANCE_DEBUG"):
            raise
        kind = type(error).__name__
        _fail(f"a fault of stance itself ({kind}: {error}); rerun with STANCE_DEBUG=1 and report it", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _interrupted(number: int, _frame: object) -> NoReturn:
    """End as an exception, so that runs are marked and temporary files go."""
    err.print("stance: interrupted", highlight=False)
    sys.exit(128 + number)


def _fail(message: str, code: int) -> NoReturn:
    err.print(Text(f"stance: {message}", style="red" if err.is_terminal else ""), soft_wrap=True)
    sys.exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"stance {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _stance(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def train(
    configs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|CONFIG.yaml]...", help="Configs to train; none means every one in configs/."
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels folder to train on instead of the config's.")
    ] = None,
    models: Annotated[Path, typer.Option("--out", help="Folder that models are written to.")] = MODELS,
    seed: Annotated[int | None, typer.Option(help="Seed instead of the config's.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Override one setting, e.g. params.epochs=5; repeatable."
        ),
    ] = None,
    track: Annotated[bool, typer.Option("--track/--no-track", help="Record the training in MLflow.")] = True,
) -> None:
    """Cross-validate, train and save models; record them in MLflow."""
    from stance.config import find_configs, load_config
    from stance.train import prepare

    paths = find_configs(configs or [])
    loaded = [load_config(path, settings or (), labels=labels, seed=seed) for path in paths]
    names = [config.name for config in loaded]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two configs share the name '{repeated[0]}'; give each its own")
    for config in loaded:
        prepare(config, models)
    tracker = _tracker(track)
    for config in loaded:
        _train_one(config, models, tracker)
    _say_next(models / names[-1], track)


def _tracker(wanted: bool) -> Tracker:
    from stance.train import NoTracker

    if not wanted:
        return NoTracker()
    try:
        from stance.tracking.runs import MlflowTracker
    except ImportError as error:
        raise MissingExtraError(error.name or "mlflow", "train", "training") from None
    return MlflowTracker()


def _train_one(config: TrainConfig, models: Path, tracker: Tracker) -> None:
    from stance.progress import TrainingProgress
    from stance.render import report_tables
    from stance.train import run

    try:
        with TrainingProgress(err, config.name) as watcher:
            result, lines = run(config, models, tracker, watcher)
    except SystemExit:
        say("finished folds are kept: the same command goes on with the first unfinished one")
        raise
    articles = len(set(result.problem.groups))
    parts = f"{len(result.outcomes)} of {config.folds} folds of whole articles"
    way = "leaving one article out" if articles <= config.folds else parts
    title = (
        f"{config.name}: cross-validated, {way}: "
        f"{result.report.n} sentences of {result.report.groups} articles, "
        f"{result.seconds:.0f} s"
    )
    out.print(report_tables(result.report, title))
    for line in [*lines, f"model written to {result.folder}"]:
        say(line)


def _say_next(folder: Path, tracked: bool) -> None:
    compare = "   compare runs: stance ui" if tracked else ""
    say(f"next: stance predict ARTICLE.txt --model {folder}{compare}")


app.command()(predict)
app.command()(evaluate)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 5000,
) -> None:
    """Open the MLflow UI on the store that trainings are recorded in."""
    import subprocess

    try:
        from stance.model_source import store_uri
        from stance.tracking.store import ui_command
    except ImportError as error:
        raise MissingExtraError(error.name or "mlflow", "train", "the MLflow UI") from None
    if store_uri().startswith("http"):
        say(f"the runs are on a server: open {store_uri()} in a browser")
        return
    say(f"MLflow on {store_uri()}: open http://127.0.0.1:{port} in a browser; Ctrl-C ends it")
    code = subprocess.run(ui_command(port), check=False).returncode  # noqa: S603 - our own command
    if code not in {0, -signal.SIGINT, 130}:
        raise StanceError(f"the MLflow UI ended with code {code}; see its messages above")
