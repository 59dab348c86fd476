"""What a user could pick instead of stance, on the same training rows and the same test rows.

    python -m benchmarks.peers [--dev ../shared/devset/news_dev.jsonl] [--only fasttext setfit]

Peers are trained on the training side of the first fold that the shipped configs are scored on, each with
the settings that its own documentation recommends, and tested on the fold's test side. A peer gives a topic
from a probability of one half on. A second figure is for one threshold for all topics: it is found on a
fifth of the training articles with a model of the other four fifths, and its cost is not counted.

Seconds are for training both axes; sentences a second for predicting both with all threads, in batches of
32 where there are batches. Every peer runs in a process of its own. Finished ones are kept in OUT.jsonl:
the same command goes on where it stopped. Writes OUT.jsonl and OUT.md. Install with: pip install '.[peers]'
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peers import bags, encoders, ours
from benchmarks.peers.task import Peer, Rows, Task, best_threshold, decided, load

from stance.evaluate import report
from stance.taxonomy import FloatArray

PEERS: dict[str, type[Peer]] = {
    each.key: each
    for each in (
        bags.ScikitLearn,
        bags.FastText,
        bags.SpacyBag,
        bags.SpacyEnsemble,
        encoders.Model2Vec,
        encoders.Probe,
        encoders.SetFit,
        encoders.Transformers,
        ours.StanceTfidf,
        ours.StanceTransformer,
    )
}
METRICS = {"framing": "macro_f1", "topics": "micro_f1"}
COLUMNS = ("framing", "topics", "topics tuned")
_ENOUGH_SECONDS = 3.0


class PeerFailedError(Exception):
    """A peer did not come to its end."""


def measure(kind: type[Peer], task: Task, *, tune: bool) -> dict[str, Any]:
    """Train, save, time and score one peer."""
    for module in kind.modules:
        importlib.import_module(module)
    with TemporaryDirectory() as name:
        work, model = Path(name, "work"), Path(name, "model")
        work.mkdir()
        model.mkdir()
        peer = kind(task, work)
        started = time.monotonic()
        peer.fit(task.train, list(METRICS))
        seconds = time.monotonic() - started
        peer.save(model)
        size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
        rate = _rate(peer, task.held_out.texts)
        thresholds = _thresholds(kind, task) if tune and not kind.tunes else {}
        sets = {"held out": task.held_out} | ({"dev": task.dev} if task.dev else {})
        scores = {name: _scores(peer, rows, thresholds) for name, rows in sets.items()}
    return {
        "peer": kind.key,
        "version": metadata.version(kind.packages[0]),
        "labels": list(task.labels),
        "rows": [len(task.train.texts), len(task.held_out.texts)],
        "scores": scores,
        "thresholds": thresholds,
        "seconds": round(seconds, 1),
        "rate": round(rate, 1),
        "megabytes": round(size / 1e6, 1),
        "cores": os.cpu_count(),
    }


def _rate(peer: Peer, texts: list[str]) -> float:
    """Return sentences a second, after one pass that warms up."""
    peer.decide(peer.predict(texts))
    passes, started = 0, time.monotonic()
    while (spent := time.monotonic() - started) < _ENOUGH_SECONDS:
        peer.decide(peer.predict(texts))
        passes += 1
    return passes * len(texts) / spent


def _thresholds(kind: type[Peer], task: Task) -> dict[str, float]:
    """Return one threshold for each axis that may give many labels."""
    inside, outside = task.train.fifth(task.config.seed)
    axes = [axis for axis in METRICS if not task.problem.taxonomy.axes[axis].single]
    with TemporaryDirectory() as name:
        peer = kind(task, Path(name))
        peer.fit(inside, axes)
        values = peer.predict(outside.texts)
    return {axis: best_threshold(values[axis], outside.gold[axis]) for axis in axes}


def _scores(peer: Peer, rows: Rows, thresholds: Mapping[str, float]) -> dict[str, tuple[float, float, float]]:
    """Return column to score and the ends of its interval; an axis that no row carries is left out."""
    values = peer.predict(rows.texts)
    given = peer.decide(values)
    found = {}
    for axis in rows.gold:
        found[axis] = _score(rows, axis, values[axis], given[axis])
        if axis in thresholds:
            tuned = decided(rows.taxonomy, axis, values[axis], thresholds[axis])
            found[f"{axis} tuned"] = _score(rows, axis, values[axis], tuned)
    return found


def _score(rows: Rows, axis: str, values: FloatArray, given: Any) -> tuple[float, float, float]:
    result = report(rows.taxonomy, {axis: rows.gold[axis]}, {axis: given}, {axis: values}, rows.groups)
    scored = result.axes[axis]
    low, high = scored.intervals[METRICS[axis]]
    return scored.scores[METRICS[axis]], low, high


def missing(kind: type[Peer]) -> str:
    """Return one sentence about packages that are not installed; empty where all are there."""
    for package in kind.packages:
        try:
            metadata.version(package)
        except metadata.PackageNotFoundError:
            return (
                f"{kind.title} was skipped: it needs the package '{package}', which is not installed; "
                "run: pip install '.[peers]'"
            )
    return ""


def alone(kind: type[Peer], arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure one peer in a process of its own.

    Raises:
        PeerFailedError: the process failed; it has said why.
    """
    with TemporaryDirectory() as name:
        answer = Path(name) / "answer.json"
        command = [sys.executable, "-m", "benchmarks.peers", "--only", kind.key, "--answer", str(answer)]
        command += ["--labels", str(arguments.labels), "--rows", str(arguments.rows)]
        command += ["--dev", str(arguments.dev)] if arguments.dev else []
        command += ["--untuned"] if arguments.untuned else []
        # Offline: all that is compared lies on this machine, and nobody's download is to be timed.
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
        ended = subprocess.run(command, check=False, stdout=sys.stderr, env=environment)  # noqa: S603 - our own command
        if ended.returncode:
            raise PeerFailedError
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def table(rows: list[dict[str, Any]], notes: list[str]) -> str:
    """Return the rows as Markdown, then what was skipped."""
    sets = list(dict.fromkeys(name for row in rows for name in row["scores"]))
    heads = [f"{_HEADS[column]}, {name}" for name in sets for column in COLUMNS]
    heads = ["", *heads, "training, s", "sentences a second", "model, MB"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        cells = [f"{PEERS[row['peer']].title} ({row['version']})"]
        cells += [_cell(row["scores"].get(name, {}).get(column)) for name in sets for column in COLUMNS]
        cells += [f"{row['seconds']:,.0f}", f"{row['rate']:,.0f}", f"{row['megabytes']:,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, *(f"\n{note}" for note in notes)]) + "\n"


_HEADS = {
    "framing": "framing macro-F1",
    "topics": "topics micro-F1",
    "topics tuned": "topics micro-F1 with one tuned threshold",
}


def _cell(score: list[float] | None) -> str:
    if score is None:
        return "-"
    value, low, high = score
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--labels", type=Path, default=Path("labels/news"))
    parser.add_argument("--out", type=Path, default=Path("docs/peers"))
    parser.add_argument("--dev", type=Path, help="further labelled rows to score on, never trained on")
    parser.add_argument("--only", nargs="+", choices=PEERS, metavar="NAME", help=", ".join(PEERS))
    parser.add_argument("--rows", type=int, default=0, help="train on about so many rows; writes nothing")
    parser.add_argument("--untuned", action="store_true", help="leave the tuned threshold out")
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def compare(arguments: argparse.Namespace) -> None:
    """Measure what is missing, and write or print the table."""
    task = load(arguments.labels, arguments.dev, arguments.rows)
    store = arguments.out.with_suffix(".jsonl")
    kept = store.exists() and not arguments.rows
    done = [json.loads(line) for line in store.read_text(encoding="utf-8").splitlines()] if kept else []
    found = {row["peer"]: row for row in done if _comparable(row, task)}
    notes = []
    for key, kind in PEERS.items():
        if key in found or key not in (arguments.only or PEERS):
            continue
        if note := missing(kind):
            notes.append(note)
            print(note, file=sys.stderr)
            continue
        try:
            found[key] = alone(kind, arguments)
        except PeerFailedError:
            notes.append(f"{kind.title} failed; the messages of the run say why.")
            continue
        if not arguments.rows:
            store.write_text("".join(json.dumps(row) + "\n" for row in found.values()), encoding="utf-8")
    text = table([found[key] for key in PEERS if key in found], notes)
    if not arguments.rows:
        arguments.out.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text, end="")


def _comparable(row: Mapping[str, Any], task: Task) -> bool:
    """Tell whether a finished row is of these labels and has every score that is asked for."""
    labels, dev = row["labels"]
    return bool(labels == task.labels[0] and task.labels[1] in ("", dev))


def main() -> None:
    """Compare, or measure the one peer that this process was started for."""
    arguments = parsed()
    if arguments.answer is None:
        compare(arguments)
        return
    (key,) = arguments.only
    task = load(arguments.labels, arguments.dev, arguments.rows)
    arguments.answer.write_text(
        json.dumps(measure(PEERS[key], task, tune=not arguments.untuned)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
