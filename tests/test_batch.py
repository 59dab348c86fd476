"""Runs into a folder: killed, continued, refused, counted."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow.parquet
import pytest

from conftest import ARTICLE, ROOT, Stance
from stance.batch import BatchOptions, Shard, ShardResult, Summary, run, tag_shard
from stance.errors import UserError
from stance.extract import RawArticle
from stance.inputs import InputOptions
from stance.records import Article, Tagged
from stance.segment import sentences
from stance.tagger import Tagger
from stance.taxonomy import Taxonomy

BAD = (0, 7, 23)


class Quiet:
    """A watcher that keeps nothing."""

    def plan(self, size: int) -> None:
        """Ignore."""

    def begin(self, offset: int) -> None:
        """Ignore."""

    def passed_over(self, articles: int, failed: int, offset: int) -> None:
        """Ignore."""

    def failed(self, articles: int) -> None:
        """Ignore."""


def fake_tagger(taxonomy: Taxonomy) -> Tagger:
    """Return a tagger that needs no model: the first label, as certain as can be."""

    def tag(
        articles: Iterable[Article], min_confidence: float = 0.0, *, explain: bool = False
    ) -> Iterator[Tagged]:
        for article in articles:
            for sentence in sentences(article):
                labels = {name: axis.names[:1] for name, axis in taxonomy.axes.items()}
                odds = {name: dict.fromkeys(axis.names, 0.5) for name, axis in taxonomy.axes.items()}
                yield Tagged(sentence, labels, odds)

    names = {"name": "fake", "fingerprint": "0" * 12, "precision": "fp32"}
    return cast("Tagger", SimpleNamespace(taxonomy=taxonomy, tag=tag, **names))


@pytest.fixture
def tagger(labels: Path) -> Tagger:
    """Return the fake tagger."""
    return fake_tagger(Taxonomy.load(labels / "taxonomy.yaml"))


def write_news(path: Path, count: int) -> None:
    """Write articles of two sentences, a few of them bad."""
    with path.open("w", encoding="utf-8") as handle:
        for number in range(count):
            text = "" if number in BAD else f"They met on day {number}. The envoys left town."
            handle.write(json.dumps({"id": f"n{number}", "text": text, "title": f"Day {number}"}) + "\n")


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


SLOW_RUN = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_batch import Quiet, fake_tagger, options
from stance import batch
from stance.taxonomy import Taxonomy

def slowly(tagger, shards, options):
    for shard in shards:
        time.sleep(0.02)
        yield batch.tag_shard(tagger, shard, options)

tagger = fake_tagger(Taxonomy.load(Path({taxonomy!r})))

class Telling(Quiet):
    def failed(self, articles):
        print("a shard is done", flush=True)

batch.run([Path("news.jsonl")], Path("out"), tagger, options(), Telling(), slowly)
"""


def options(**changes: Any) -> BatchOptions:
    """Return the options of the runs here."""
    return BatchOptions(InputOptions(), ("sentences", "articles"), **{"shard_size": 5, **changes})


def test_ten_kills_change_no_byte(labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL at ten random moments, the same run again: the folder is the undisturbed one to the byte."""
    monkeypatch.chdir(tmp_path)
    write_news(tmp_path / "news.jsonl", 600)
    taxonomy = labels / "taxonomy.yaml"
    tagger = fake_tagger(Taxonomy.load(taxonomy))
    run([Path("news.jsonl")], Path("whole"), tagger, options(), Quiet())
    program = SLOW_RUN.format(tests=str(ROOT / "tests"), taxonomy=str(taxonomy))
    chance = random.Random(5)
    progressed = set()
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(chance.uniform(0, 0.25))
            child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL
        progressed.add(len(list(Path("out").rglob("part-*.parquet"))))
    assert len(progressed) > 3
    run([Path("news.jsonl")], Path("out"), tagger, options(), Quiet())
    assert tree(Path("out")) == tree(Path("whole"))
    rows = pyarrow.parquet.read_table("out/sentences").to_pylist()
    expected = [f"n{number}" for number in range(600) if number not in BAD for _ in range(2)]
    assert [row["article"] for row in rows] == expected


def test_a_finished_shard_is_not_tagged_again_unless_it_is_damaged(
    tagger: Tagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run goes on where it stopped; a part that was cut short since is tagged anew."""
    monkeypatch.chdir(tmp_path)
    write_news(tmp_path / "news.jsonl", 30)
    tagged: list[int] = []

    def stopping(after: int) -> Any:
        def engine(tagger: Tagger, shards: Iterable[Shard], options: BatchOptions) -> Iterator[ShardResult]:
            for count, shard in enumerate(shards):
                if count == after:
                    raise KeyboardInterrupt
                tagged.append(shard.number)
                yield tag_shard(tagger, shard, options)

        return engine

    with pytest.raises(KeyboardInterrupt):
        run([Path("news.jsonl")], Path("out"), tagger, options(), Quiet(), stopping(3))
    assert not list(Path("out").rglob(".*"))
    Path("out/sentences/part-00001.parquet").write_bytes(b"PAR1")
    run([Path("news.jsonl")], Path("out"), tagger, options(), Quiet(), stopping(99))
    assert tagged == [0, 1, 2, 1, 3, 4, 5]
    run([Path("news.jsonl")], Path("out"), tagger, options(), Quiet(), stopping(0))
    assert len(tagged) == 7


def test_results_may_come_in_any_order(tagger: Tagger, tmp_path: Path) -> None:
    """An engine that finishes late shards first gives the same folder."""
    write_news(tmp_path / "news.jsonl", 30)

    def backwards(tagger: Tagger, shards: Iterable[Shard], options: BatchOptions) -> Iterator[ShardResult]:
        yield from reversed([tag_shard(tagger, shard, options) for shard in shards])

    run([tmp_path / "news.jsonl"], tmp_path / "one", tagger, options(), Quiet())
    run([tmp_path / "news.jsonl"], tmp_path / "two", tagger, options(), Quiet(), backwards)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_another_run_is_refused_in_words(tagger: Tagger, tmp_path: Path) -> None:
    """Other settings, a changed input and a foreign folder are each named, and nothing is touched."""
    news = tmp_path / "news.jsonl"
    write_news(news, 10)
    out = tmp_path / "out"
    run([news], out, tagger, options(), Quiet())
    before = tree(out)
    other = cast("Tagger", SimpleNamespace(**{**vars(tagger), "fingerprint": "1" * 12}))
    for paths, model, wanted, expected in (
        ([news], tagger, options(shard_size=6), "its --shard-size is 5, not 6"),
        ([news], tagger, options(suffix=".csv"), "its --format is parquet, not csv"),
        ([news], other, options(), "its model is fake 000000000000, not fake 111111111111"),
        ([news, tmp_path / "b.txt"], tagger, options(), "its inputs are"),
    ):
        (tmp_path / "b.txt").write_text("They met.", encoding="utf-8")
        with pytest.raises(UserError, match=expected):
            run(paths, out, model, wanted, Quiet())
    write_news(news, 11)
    with pytest.raises(UserError, match=r"news.jsonl has changed"):
        run([news], out, tagger, options(), Quiet())
    assert tree(out) == before
    with pytest.raises(UserError, match="name a new or empty folder"):
        run([news], tmp_path, tagger, options(), Quiet())
    with pytest.raises(UserError, match="standard input cannot be"):
        run([Path("-")], tmp_path / "new", tagger, options(), Quiet())


def test_bad_articles_are_listed_and_stop_nothing(stance: Stance, models: Path, tmp_path: Path) -> None:
    """Each bad article stands in errors.jsonl with place and reason; exit code and last line count them."""
    rows = [
        '{"text": "They met. They left."}',
        '{"text": ""}',
        "{",
        '{"text": "---"}',
        '{"text": "' + "a " * 99 + '"}',
    ]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "in" / "b.txt").write_bytes(b"\x7fELF\0\1\2")
    (tmp_path / "in" / "c.jsonl.gz").write_bytes(gzip.compress(b'{"text": "They met."}\n' * 400)[:-30])
    words = ("predict", "in", "--model", models / "tfidf", "-o", "out", "--max-characters", "150")
    done = stance(*words, code=3)
    errors = [json.loads(line) for line in (tmp_path / "out/errors.jsonl").read_text().splitlines()]
    assert [error["place"] for error in errors[:5]] == [
        "in/a.jsonl:2", "in/a.jsonl:3", "in/a.jsonl:4", "in/a.jsonl:5", "in/b.txt"
    ]  # fmt: skip
    for error, reason in zip(
        errors,
        ["missing or empty", "not valid JSON", "no sentence", "longer than 150", "binary"],
        strict=False,
    ):
        assert reason in error["reason"]
    assert any("cannot be read" in error["reason"] for error in errors[5:])
    assert done.stderr.splitlines()[-1].endswith(f"{len(errors)} articles failed, see out/errors.jsonl")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))
    assert manifest["failed"] == len(errors)
    assert stance(*words, code=3).stderr.splitlines()[-1] == done.stderr.splitlines()[-1]


def test_an_interrupt_leaves_whole_parts_and_says_how_to_go_on(models: Path, tmp_path: Path) -> None:
    """Ctrl-C ends with code 130, nothing partial, and the way to continue."""
    text = " ".join([ARTICLE] * 40)
    with (tmp_path / "news.jsonl").open("w", encoding="utf-8") as handle:
        handle.writelines(json.dumps({"text": text}) + "\n" for _ in range(400))
    command = [sys.executable, "-m", "stance", "predict", "news.jsonl", "-o", "out", "--shard-size", "1"]
    with subprocess.Popen(
        [*command, "--model", models / "tfidf"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ,
    ) as child:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "out").glob("progress/*.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        told = child.communicate(timeout=60)[1]
    assert child.returncode == 130
    assert "the same command goes on" in told
    assert not list((tmp_path / "out").rglob(".*"))


PEAK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_batch import Quiet, fake_tagger, options
from stance.batch import run
from stance.taxonomy import Taxonomy

tagger = fake_tagger(Taxonomy.load(Path({taxonomy!r})))
run([Path(sys.argv[1])], Path(sys.argv[2]), tagger, options(shard_size=100), Quiet())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_stays_flat(labels: Path, tmp_path: Path) -> None:
    """Ten times the articles take at most a tenth more memory."""
    program = PEAK.format(tests=str(ROOT / "tests"), taxonomy=str(labels / "taxonomy.yaml"))
    peaks = []
    for count in (1000, 10000):
        write_news(tmp_path / f"{count}.jsonl", count)
        words: Sequence[str] = (sys.executable, "-c", program, f"{count}.jsonl", f"out{count}")
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.1 * peaks[0]


def test_a_shard_is_a_function_of_its_articles(tagger: Tagger) -> None:
    """The same articles give the same result wherever they are tagged, in input order."""
    raws = [
        RawArticle("a", "a:1", content="They met."),
        RawArticle("b", "a:2"),
        RawArticle("c", "a:3", content="1"),
    ]
    result = tag_shard(tagger, Shard(4, raws), options())
    assert result == tag_shard(tagger, Shard(4, list(raws)), options())
    assert [error["article"] for error in result.errors] == ["b", "c"]
    assert result.sentences == len(result.rows["sentences"]) == 1
    assert Summary(2, 0, 4, {"de": 1, "en": 1, "unknown": 1}).not_english == 1
