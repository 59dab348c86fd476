"""How fast stance tags, and in how much memory, beside the transformers pipeline with the same weights.

    python benchmarks/throughput.py [--models models] [--out docs/throughput] [--quick]

Articles are made from labels/news/written.jsonl: sentences are drawn with a fixed seed, and in each one
word is put in the place of another, so that hardly any sentence comes twice and lengths stay those of
news; they are not good English. TF-IDF is surer of them than of news that it never saw, as it was trained
on the sentences that they come from: the cascade's speed is therefore taken with the share that it answers
of held-out rows, and its loss on those rows. The slope over the number of articles is TF-IDF's, since the
transformer would take an hour; what it shows, reading, writing and memory, is the same code. Every
measurement is a process of its own, and one line of OUT.jsonl; lines that are there are not measured
again. Beside other work the pipeline's threads wait for each other and its ratios mean nothing: a line
tells the load that it began under, and the table warns. Writes OUT.md, and the tables into
docs/cluster.md; ``--quick`` takes tiny sizes, to see that all works, and writes nothing but OUT.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

CORPUS = Path("labels/news/written.jsonl")
PAGE = Path("docs/cluster.md")
SENTENCES_AN_ARTICLE = 20
BATCH = 32  # of the pipeline
ROUNDS = 3  # a shared machine gives and takes a fifth from minute to minute
SPEEDS = ("pipeline", "fp32", "int8", "cascade", "tfidf")
# TF-IDF is done with the others' sentences before a clock can tell; and words are worked out but once.
LONGER = {"tfidf": 10}
BUSY = 0.5  # load average from which the pipeline's own speed is not to be trusted
COLD = ("transformer", "tfidf")
WORKERS = (1, 2)
Point = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: sentences for speed, articles for the slope and for Ray, cold starts."""

    sentences: int
    articles: Sequence[int]
    ray: int
    starts: int


FULL = Sizes(4000, (1_000, 10_000, 100_000), 4_000, 10)
QUICK = Sizes(64, (4, 8), 8, 2)


def made(seed: int) -> Iterator[str]:
    """Yield sentences without end; the same seed gives the same ones."""
    draw = random.Random(seed)
    corpus = [json.loads(line)["text"] for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    words = sorted({word for text in corpus for word in text.split() if word.isalpha() and word.islower()})
    while True:
        text = draw.choice(corpus).split()
        places = [place for place, word in enumerate(text) if word.isalpha() and word.islower()]
        if places:
            text[draw.choice(places)] = draw.choice(words)
        yield " ".join(text)


def write_articles(path: Path, count: int, seed: int = 7, repeated: float = 0.0) -> None:
    """Write articles as JSON Lines; ``repeated`` is the share of sentences out of a stock of a hundred."""
    fresh, draw = made(seed), random.Random(seed)
    stock = [next(fresh) for _ in range(100)]
    with path.open("w", encoding="utf-8") as handle:
        for number in range(count):
            texts = [
                draw.choice(stock) if draw.random() < repeated else next(fresh)
                for _ in range(SENTENCES_AN_ARTICLE)
            ]
            handle.write(json.dumps({"id": f"a{number}", "text": "\n\n".join(texts)}) + "\n")


def speed(kind: str, models: Path, count: int) -> Point:
    """Measure sentences a second, without loading, in this process: the best of three rounds."""
    stream = made(11)
    texts = [next(stream) for _ in range(count)]
    extra: Point = {}
    if kind == "pipeline":
        run = pipeline(models / "transformer")
    elif kind == "cascade":
        run, extra = cascade(models)
    else:
        run = ours(kind, models)
    run(texts[:BATCH])
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run(texts)
        rounds.append(time.perf_counter() - started)
    return {"per_second": round(count / min(rounds), 2), **extra}


def cascade(models: Path) -> tuple[Callable[[Sequence[str]], object], Point]:
    """Return a run of TF-IDF over all texts and of the transformer over the share it leaves; its loss."""
    from stance.cascade import Cascade
    from stance.tagger import Tagger

    full, first = Tagger.load(models / "transformer"), Tagger.load(models / "tfidf")
    loss = Cascade.of(full, first).loss()

    def run(texts: Sequence[str]) -> object:
        left = random.Random(19).sample(texts, round(len(texts) * (1 - loss.answered)))
        return first.predict(texts), full.predict(left)

    lost = {name: round(100 * value, 3) for name, value in loss.lost.items()}
    return run, {"answered": round(loss.answered, 3), "lost": lost}


def ours(kind: str, models: Path) -> Callable[[Sequence[str]], object]:
    """Return stance's prediction, calibration and decisions included."""
    from stance.tagger import Tagger

    if kind == "tfidf":
        return Tagger.load(models / "tfidf").predict
    return Tagger.load(models / "transformer", "int8" if kind == "int8" else "fp32").predict


def pipeline(model: Path) -> Callable[[Sequence[str]], object]:
    """Return transformers' text-classification pipeline: our encoder and framing head, on the CPU.

    The n-grams beside our network have no place in it; our own figures include them.
    """
    import torch
    from safetensors.torch import load_file
    from torch import nn
    from transformers import (
        AutoConfig,
        AutoModel,
        PreTrainedModel,
        PreTrainedTokenizerFast,
        TextClassificationPipeline,
    )
    from transformers.modeling_outputs import SequenceClassifierOutput
    from transformers.utils import logging

    from stance.classifiers.transformer import Family
    from stance.encoder import locate
    from stance.tagger import Tagger

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    tagger = Tagger.load(model, "fp32")
    params: Any = tagger.config.params
    config = AutoConfig.from_pretrained(locate(params.encoder, params.revision))
    config.id2label = dict(enumerate(tagger.taxonomy.axes["framing"].names))

    class Framing(PreTrainedModel):  # type: ignore[no-untyped-call]
        """The encoder, mean-pooled, with the framing head, as transformers wants a classifier."""

        config_class = type(config)

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.encoder = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
            self.head = nn.Linear(config.hidden_size, config.num_labels)

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any
        ) -> SequenceClassifierOutput:
            """Return logits, shape (batch, labels)."""
            found = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(found.dtype)
            return SequenceClassifierOutput(logits=self.head((found * mask).sum(1) / mask.sum(1)))

    network = Framing(config)
    weights = {
        name.replace("heads.axis_framing", "head"): value
        for name, value in load_file(model / "model.safetensors").items()
        if not name.startswith("heads.") or "axis_framing" in name
    }
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if missing or unexpected:
        raise SystemExit(f"the weights do not fit the network: {missing} {unexpected}")
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(model / "tokenizer.json"), pad_token="[PAD]", model_max_length=params.max_tokens
    )
    network.eval()  # type: ignore[no-untyped-call]
    pipe = TextClassificationPipeline(  # type: ignore[no-untyped-call]
        model=network, tokenizer=tokenizer, device="cpu"
    )

    def run(texts: Sequence[str]) -> list[Any]:
        found = pipe(list(texts), batch_size=BATCH, truncation=True, top_k=None)
        return list(found)

    alone = params.model_copy(update={"lexical_weight": 0.0})
    _same(run, Family.load(model, tagger.taxonomy, alone, "fp32"), config.id2label.values())
    return run


def _same(run: Callable[[Sequence[str]], list[Any]], network: Any, labels: Iterable[str]) -> None:
    """Make sure that both compute the same network: a comparison with another would say nothing."""
    stream = made(13)
    texts = [next(stream) for _ in range(8)]
    raw = network.predict_proba(texts)["framing"]
    for row, found in zip(raw, run(texts), strict=True):
        scores = {each["label"]: each["score"] for each in found}
        for label, value in zip(labels, row.tolist(), strict=True):
            if abs(scores[label] - value) > 1e-3:
                raise SystemExit("the pipeline computes something else than stance; report this")


def command(model: Path, *words: str) -> float:
    """Return the seconds that a ``stance predict`` takes from start to end."""
    started = time.perf_counter()
    whole = [sys.executable, "-m", "stance", "predict", *words, "--model", str(model)]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - started


def cold(kind: str, models: Path, starts: int) -> Point:
    """Measure one article in a fresh process, again and again."""
    with tempfile.TemporaryDirectory() as name:
        article = Path(name) / "one.txt"
        stream = made(17)
        article.write_text("\n\n".join(next(stream) for _ in range(SENTENCES_AN_ARTICLE)), encoding="utf-8")
        seconds = [command(models / kind, str(article)) for _ in range(starts)]
    return {"seconds": round(statistics.median(seconds), 3)}


def bulk(model: Path, articles: int, *words: str, repeated: float = 0.0) -> Point:
    """Measure a run into a folder, the reading of the input included."""
    with tempfile.TemporaryDirectory() as name:
        news = Path(name) / "news.jsonl"
        write_articles(news, articles, repeated=repeated)
        seconds = command(model, str(news), "-o", f"{name}/out/", *words)
    return {"seconds": round(seconds, 2), "articles": articles}


def plan(models: Path, sizes: Sizes) -> dict[str, Callable[[], Point]]:
    """Return what is measured, by name; each runs in a process of its own."""
    todo: dict[str, Callable[[], Point]] = {}
    light = (models / "transformer" / "model.int8.onnx").is_file()
    for kind in SPEEDS:
        if kind != "int8" or light:
            todo[f"speed {kind}"] = partial(speed, kind, models, sizes.sentences * LONGER.get(kind, 1))
    for kind in COLD:
        todo[f"cold {kind}"] = partial(cold, kind, models, sizes.starts)
    for count in sizes.articles:
        todo[f"folder {count} tfidf"] = partial(bulk, models / "tfidf", count)
    todo["folder"] = partial(bulk, models / "transformer", sizes.articles[0])
    todo["half repeated"] = partial(bulk, models / "transformer", sizes.articles[0], repeated=0.5)
    for workers in WORKERS:
        words = ("--engine", "ray", "--workers", str(workers), "--shard-size", str(max(1, sizes.ray // 16)))
        todo[f"ray {workers}"] = partial(bulk, models / "transformer", sizes.ray, *words)
    return todo


def measured(name: str, run: Callable[[], Point]) -> Point:
    """Measure, and add the peak memory: of the command where one was run, else of this process."""
    load = round(os.getloadavg()[0], 2)
    point = run()
    who = resource.RUSAGE_SELF if name.startswith("speed") else resource.RUSAGE_CHILDREN
    # Kilobytes on Linux. Of children, the largest: Ray's workers are not among them.
    return {"name": name, **point, "load": load, "peak_mb": round(resource.getrusage(who).ru_maxrss / 1024)}


def table(points: dict[str, Point]) -> str:
    """Return the Markdown table of what was measured."""
    base = points.get("speed pipeline", {}).get("per_second")
    lines = ["| measured | | peak memory |", "|---|---|---|"]
    for name, point in points.items():
        if "per_second" in point:
            ratio = f", {point['per_second'] / base:.1f} times the pipeline" if base else ""
            said = f"{point['per_second']:,.0f} sentences a second{ratio}{_of_cascade(point)}"
        elif "articles" in point:
            said = f"{point['articles']:,} articles in {point['seconds']:,.1f} s"
        else:
            said = f"{point['seconds']:.2f} s for one article"
        memory = "" if name.startswith("ray") else f"{point['peak_mb']:,} MB"
        lines.append(f"| {name} | {said} | {memory} |")
    return "\n".join(lines) + "\n"


def _of_cascade(point: Point) -> str:
    if "lost" not in point:
        return ""
    lost = ", ".join(f"{name} {value:.2f}" for name, value in point["lost"].items())
    return f"; TF-IDF answers {point['answered']:.0%}; points of macro-F1 lost: {lost}"


def targets(points: dict[str, Point]) -> str:
    """Return the Markdown table of what was aimed at, for what has been measured."""
    lines = ["| aim | measured | met |", "|---|---|---|"]
    for text, reach, aim, most in _aims(points):
        met = reach <= aim if most else reach >= aim
        sign = "at most" if most else "at least"
        lines.append(f"| {text}: {sign} {aim:g} | {reach:.3g} | {'yes' if met else 'no'} |")
    first = points.get("speed pipeline", {}).get("load", 0)
    if first > BUSY:
        lines += ["", f"The machine was busy (load {first}) when the pipeline ran: measure again."]
    return "\n".join(lines) + "\n"


def _aims(points: dict[str, Point]) -> Iterator[tuple[str, float, float, bool]]:
    """Yield what is aimed at, what was reached, the aim, and whether it is an upper bound."""
    for kind, aim in (("int8", 7), ("cascade", 25), ("tfidf", 100)):
        for reach in _ratio(points, f"speed {kind}", "speed pipeline", "per_second"):
            yield f"{kind}, times the pipeline", reach, aim, False
    if "speed cascade" in points:
        yield "cascade, points lost", max(points["speed cascade"]["lost"].values()), 0.5, True
    for kind, seconds in (("transformer", 0.6), ("tfidf", 1.5)):
        if point := points.get(f"cold {kind}"):
            yield f"cold start of {kind}, s", point["seconds"], seconds, True
            yield f"cold start of {kind}, MB", point["peak_mb"], 350, True
    yield from _slopes(points)


def _slopes(points: dict[str, Point]) -> Iterator[tuple[str, float, float, bool]]:
    for reach in _ratio(points, "folder 100000 tfidf", "folder 10000 tfidf", "peak_mb"):
        yield "memory of 100,000 articles to that of 10,000", reach, 1.1, True
    for reach in _ratio(points, "folder 100000 tfidf", "folder 10000 tfidf", "seconds"):
        yield "time of 100,000 articles to ten times that of 10,000", reach / 10, 1.1, True
    for reach in _ratio(points, "ray 1", "ray 2", "seconds"):
        yield "two Ray workers, times one", reach, 1.7, False


def _ratio(points: dict[str, Point], one: str, other: str, key: str) -> Iterator[float]:
    """Yield the ratio of two points; nothing where one is not measured."""
    if one in points and other in points:
        yield points[one][key] / points[other][key]


def fill(page: Path, text: str) -> None:
    """Put the table between its marks on a page."""
    whole = page.read_text(encoding="utf-8")
    block = re.compile(r"(<!-- results: throughput -->\n).*?(<!-- end -->)", re.DOTALL)
    page.write_text(block.sub(lambda found: found[1] + text + found[2], whole), encoding="utf-8")


def main() -> None:
    """Measure what is missing; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--out", type=Path, default=Path("docs/throughput"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--one", help="measure this alone, and print it")
    given = parser.parse_args()
    todo = plan(given.models, QUICK if given.quick else FULL)
    if given.one:
        print(json.dumps(measured(given.one, todo[given.one])))
        return
    book = given.out.with_suffix(".jsonl")
    lines = book.read_text(encoding="utf-8").splitlines() if book.exists() else []
    points = {point["name"]: point for point in map(json.loads, lines)}
    for name in todo:
        if name in points:
            continue
        words = [sys.executable, __file__, "--models", str(given.models), "--one", name]
        done = subprocess.run(  # noqa: S603 - our own command
            words + ["--quick"] * given.quick, stdout=subprocess.PIPE, text=True, check=True
        )
        points[name] = json.loads(done.stdout.splitlines()[-1])
        print(points[name])
        with book.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(points[name]) + "\n")
    text = f"{table(points)}\n{targets(points)}"
    note = f"Made by benchmarks/throughput.py on {os.cpu_count()} cores; its head says of what.\n\n"
    given.out.with_suffix(".md").write_text(f"# Throughput\n\n{note}{text}", encoding="utf-8")
    if not given.quick:
        fill(PAGE, text)


if __name__ == "__main__":
    main()
