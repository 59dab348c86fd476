from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stance.calibrate import BoolArray, IntArray
from stance.counts import Counts
from stance.intervals import difference_interval, score_interval, standard_error, student, units

TRIALS = 1000
RIGHT = 0.7


def answers(truth: IntArray, right: BoolArray) -> BoolArray:
    given: BoolArray = np.eye(2, dtype=bool)[np.where(right, truth, 1 - truth)]
    return given


@pytest.mark.parametrize(("articles", "sentences"), [(5, 17), (20, 15), (80, 5), (126, 1)])
@pytest.mark.parametrize("spread", [1e6, 10.0])
def test_intervals_hold_the_truth_as_often_as_they_say(articles: int, sentences: int, spread: float) -> None:
    """On articles whose sentences err together, 93 to 97% of intervals hold the score and the difference."""
    generator = np.random.default_rng([articles, int(spread)])
    member = np.repeat(np.arange(articles), sentences)
    held = np.zeros(3)
    for _ in range(TRIALS):
        truth = generator.integers(0, 2, len(member))
        skill = generator.beta(RIGHT * spread, (1 - RIGHT) * spread, articles)[member]
        a, b = (
            Counts.of(
                np.eye(2, dtype=np.int64)[truth],
                answers(truth, generator.random(len(member)) < skill),
                member,
                articles,
            )
            for _ in range(2)
        )
        point, left_out = ([each.total().scores(), each.left_out().scores()] for each in (a, b))
        # With two labels alike in size and in errors, macro-F1 is nearly the accuracy.
        for at, name in enumerate(("accuracy", "macro_f1")):
            low, high = score_interval(float(point[0][name][0]), point[1][name], articles)
            held[at] += low <= RIGHT <= high
        apart = [there[name] - here[name] for here, there in zip(point, left_out, strict=True)]
        low, high = difference_interval(float(apart[0][0]), apart[1])
        held[2] += low <= 0 <= high
    assert (held / TRIALS >= 0.93).all()
    assert (held / TRIALS <= 0.97).all()


def test_the_standard_error_of_a_mean_is_the_textbooks() -> None:
    """Leaving out each value of a sample gives the standard error of its mean, and t is Student's."""
    sample = np.random.default_rng(1).normal(size=30)
    left_out = (sample.sum() - sample) / 29
    assert standard_error(float(sample.mean()), left_out) == pytest.approx(stats.sem(sample))
    low, high = difference_interval(float(sample.mean()), left_out)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 29, sample.mean(), stats.sem(sample)))
    assert student(30) == pytest.approx(stats.t.ppf(0.975, 29))


def test_a_single_article_is_taken_by_its_sentences() -> None:
    """One article cannot be left out: its sentences stand for themselves."""
    member, count = units(["a", "a", "a"])
    assert (member.tolist(), count) == ([0, 1, 2], 3)
    member, count = units(["b", "a", "b"])
    assert (member.tolist(), count) == ([1, 0, 1], 2)


@pytest.mark.parametrize("articles", [2, 5, 80])
def test_a_faultless_model_is_not_called_certain(articles: int) -> None:
    """Where every article is right the interval reaches down to what 0 of n articles allow for."""
    low, high = score_interval(1.0, np.ones(articles), articles)
    assert high == 1
    assert 1 - low == pytest.approx(stats.beta.ppf(0.975, 1, articles))
    assert score_interval(0.0, np.zeros(articles), articles) == pytest.approx((0, 1 - low))


def test_what_one_article_alone_shows_is_called_unknown() -> None:
    """A label that occurs in one article only can have any score in others."""
    assert score_interval(0.6, np.array([0.0, 0.6, 0.6]), 1) == (0, 1)


def test_intervals_stay_between_nought_and_one() -> None:
    """A score near its end has a lopsided interval, none beyond it."""
    left_out = np.array([1.0, 0.96, 0.97, 0.97])
    low, high = score_interval(0.975, left_out, 4)
    assert 0 < low < 0.975 < high < 1
    assert 0.975 - low > high - 0.975
