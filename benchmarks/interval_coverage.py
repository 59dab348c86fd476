"""How often a 95% interval holds the true score, when sentences of one article err together.

    python benchmarks/interval_coverage.py [--trials 2000]

Simulates two models whose accuracy differs from article to article (beta-distributed) on articles whose
labels differ too (Dirichlet), and counts how often the intervals of accuracy, of macro-F1 and of the
difference between the two models' macro-F1 hold the true value: the percentiles of a bootstrap of whole
articles beside ours. Articles of "5 x 17" have 17 sentences each; a tilde says that they have between a
third and twice as many.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.counts import Counts
from stance.intervals import LEVEL, Interval, difference_interval, score_interval
from stance.taxonomy import FloatArray

RIGHT = 0.7
LABELS = np.array([0.25, 0.2, 0.55])
RESAMPLES = 300
SPREADS = {"articles alike": 1e6, "articles differ": 20.0}
SETTINGS = ((5, 17, False), (5, 17, True), (10, 15, True), (20, 15, False), (80, 15, True), (126, 1, False))
SCORES = ("accuracy", "macro_f1")
_FAR = 20_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What the articles of a simulation are.

    Attributes:
        spread: how alike articles are: the sum of the beta's parameters.
        uneven: whether they differ in length.
    """

    articles: int
    sentences: int
    spread: float
    uneven: bool = False

    @property
    def name(self) -> str:
        """In a table."""
        return f"{self.articles} x {'~' if self.uneven else ''}{self.sentences}"


def draw(setting: Setting, generator: np.random.Generator) -> tuple[Counts, Counts]:
    """Return the counts of two models on newly drawn articles, article by article."""
    count, size = setting.articles, setting.sentences
    sizes = generator.integers(max(1, size // 3), 2 * size, count) if setting.uneven else np.full(count, size)
    member = np.repeat(np.arange(count), sizes)
    mix = generator.dirichlet(LABELS * setting.spread, count).cumsum(axis=1)
    truth = np.minimum((generator.random(len(member))[:, None] > mix[member]).sum(axis=1), 2)
    skill = generator.beta(RIGHT * setting.spread, (1 - RIGHT) * setting.spread, count)
    gold: IntArray = np.eye(3, dtype=np.int64)[truth]
    first, second = (_answers(truth, skill[member], generator) for _ in range(2))
    return Counts.of(gold, first, member, count), Counts.of(gold, second, member, count)


def _answers(truth: IntArray, skill: FloatArray, generator: np.random.Generator) -> BoolArray:
    wrong = (truth + generator.integers(1, 3, len(truth))) % 3
    given: BoolArray = np.eye(3, dtype=bool)[np.where(generator.random(len(truth)) < skill, truth, wrong)]
    return given


def intervals(
    a: Counts, b: Counts, generator: np.random.Generator
) -> Iterator[tuple[str, Interval, Interval]]:
    """Yield the bootstrap's interval and ours, of each score and of its difference."""
    articles = len(a.rows)
    weights = generator.multinomial(articles, np.full(articles, 1 / articles), RESAMPLES).astype(float)
    point = [each.total().scores() for each in (a, b)]
    left_out = [each.left_out().scores() for each in (a, b)]
    drawn = [each.weighed(weights).scores() for each in (a, b)]
    for name in SCORES:
        ours = score_interval(float(point[0][name][0]), left_out[0][name], articles)
        yield name, _percentiles(drawn[0][name]), ours
        if name == "accuracy":
            continue
        ours = difference_interval(
            float(point[1][name][0] - point[0][name][0]), left_out[1][name] - left_out[0][name]
        )
        yield f"difference in {name}", _percentiles(drawn[1][name] - drawn[0][name]), ours


def _percentiles(values: FloatArray) -> Interval:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def coverage(setting: Setting, trials: int, seed: int = 0) -> dict[str, tuple[float, float, float, float]]:
    """Return score to how often the bootstrap's interval holds, its mean width, and the same of ours."""
    generator = np.random.default_rng([seed, setting.articles, setting.sentences, int(setting.spread)])
    far = Setting(_FAR, setting.sentences, setting.spread, setting.uneven)
    endless = draw(far, np.random.default_rng(99))[0].total().scores()
    found: dict[str, FloatArray] = {}
    for _ in range(trials):
        for name, *both in intervals(*draw(setting, generator), generator):
            true = 0.0 if name.startswith("difference") else float(endless[name][0])
            row = [part for low, high in both for part in (low <= true <= high, high - low)]
            found[name] = found.get(name, np.zeros(4)) + np.array(row, dtype=float)
    return {name: tuple((total / trials).tolist()) for name, total in found.items()}


def main() -> None:
    """Print one line a setting and score, both ways side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    print("| articles x sentences | | interval of | cluster bootstrap: holds, width | stance: holds, width |")
    print("|---|---|---|---|---|")
    for articles, sentences, uneven in SETTINGS:
        for title, spread in SPREADS.items():
            setting = Setting(articles, sentences, spread, uneven)
            for name, (plain, wide, ours, width) in coverage(setting, trials).items():
                start = f"| {setting.name} | {title} | {name.replace('macro_f1', 'macro-F1')}"
                print(f"{start} | {plain:.1%}, {wide:.3f} | {ours:.1%}, {width:.3f} |")


if __name__ == "__main__":
    main()
