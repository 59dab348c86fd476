"""Tagging on Ray: the local engine's bytes, also where a worker is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from conftest import Stance
from stance import runtime
from stance.distributed import ray_engine
from stance.errors import MissingExtraError, UserError
from test_batch import tree

ray_is_here = pytest.mark.skipif(find_spec("ray") is None, reason="needs the ray extra")
TEXT = "They met on day {0}. The envoys left town. Officials accused the rival of dumping steel {0} times. "


def write_news(path: Path, count: int, length: int = 1) -> None:
    with path.open("w", encoding="utf-8") as handle:
        for number in range(count):
            text = "" if number == 7 else TEXT.format(number) * length
            handle.write(json.dumps({"id": f"n{number}", "text": text}) + "\n")


def workers_below(pid: int) -> list[int]:
    """Return the processes of actors that descend from a process."""
    parent: dict[int, int] = {}
    actors = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            parent[int(folder.name)] = int(words[1])
            if (folder / "cmdline").read_bytes().startswith(b"ray::Worker"):
                actors.append(int(folder.name))
        except (OSError, ValueError):
            continue

    def descends(child: int) -> bool:
        while child > 1:
            if child == pid:
                return True
            child = parent.get(child, 0)
        return False

    return [actor for actor in actors if descends(actor)]


def parts(folder: Path) -> int:
    return len(list(folder.glob("progress/*.json")))


@ray_is_here
def test_ray_gives_the_bytes_of_the_local_engine(stance: Stance, models: Path, tmp_path: Path) -> None:
    """The same folder to the byte, bad articles included; only our own words go to the terminal."""
    write_news(tmp_path / "news.jsonl", 40)
    words = (
        "predict",
        "news.jsonl",
        "--model",
        models / "transformer",
        "--shard-size",
        "6",
        "--rows",
        "both",
    )
    stance(*words, "-o", "local", code=3)
    done = stance(*words, "-o", "far", "--engine", "ray", "--workers", "2", code=3)
    assert tree(tmp_path / "far") == tree(tmp_path / "local")
    assert done.stdout == ""
    assert done.stderr == (
        "117 sentences of 39 articles tagged in far; 1 articles failed, see far/errors.jsonl\n"
    )


@ray_is_here
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers by /proc")
def test_a_killed_worker_and_a_killed_run_change_no_byte(
    stance: Stance, models: Path, tmp_path: Path
) -> None:
    """SIGKILL of a worker: another does its shards. SIGINT of the run: the local engine can go on."""
    write_news(tmp_path / "news.jsonl", 240, length=20)
    words = ["predict", "news.jsonl", "--model", str(models / "transformer"), "--shard-size", "4"]
    stance(*words, "-o", "local", code=3)
    far = ["--engine", "ray", "--workers", "2"]
    command = [sys.executable, "-m", "stance", *words, *far, "-o"]

    def started(out: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [*command, out],
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ,
            start_new_session=True,
        )
        deadline = time.monotonic() + 300
        while not parts(tmp_path / out) and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.02)
        return child

    with started("one") as child:
        victim = workers_below(child.pid)[0]
        os.kill(victim, signal.SIGKILL)
        before = parts(tmp_path / "one")
        told = child.communicate(timeout=300)[1]
    assert before < 60
    assert child.returncode == 3, told
    assert tree(tmp_path / "one") == tree(tmp_path / "local")

    with started("two") as child:
        # As a terminal does it: the signal reaches Ray's processes too.
        os.killpg(child.pid, signal.SIGINT)
        told = child.communicate(timeout=120)[1]
    assert child.returncode == 130, told
    assert told.splitlines()[0] == "stance: interrupted"
    assert "the same command goes on" in told.splitlines()[1]
    assert len(told.splitlines()) == 2
    stance(*words, "-o", "two", code=3)
    assert tree(tmp_path / "two") == tree(tmp_path / "local")


def test_a_cluster_is_asked_for_in_the_right_place(stance: Stance, models: Path, tmp_path: Path) -> None:
    """Options of the cluster without a folder or without --engine ray are refused, not ignored."""
    (tmp_path / "a.txt").write_text("They met.", encoding="utf-8")
    words = ("predict", "a.txt", "--model", models / "tfidf")
    assert "give them with --engine ray" in stance(*words, "--workers", "2", "-o", "out", code=2).stderr
    assert "for a folder" in stance(*words, "--engine", "ray", code=2).stderr


def test_ray_missing_or_out_of_reach_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Ray the extra is named; Ray Client is refused with the way to go."""
    with pytest.raises(UserError, match="--address auto"), ray_engine("ray://head:10001"):
        pass
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"stance\[ray\]"), ray_engine():
        pass


@pytest.mark.parametrize(("given", "expected"), [("1", 1), ("1,4", 1), ("0", 1), ("9999", None), ("x", None)])
def test_threads_follow_the_cores_given(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: int | None
) -> None:
    """A worker of one core runs one thread; nonsense and more than there is change nothing."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = runtime.cores()
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert runtime.cores() == (expected or every)
