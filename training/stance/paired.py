"""Is one model better than another? Paired, on the same rows, with whole articles as the unit of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.counts import Counts
from stance.errors import StanceError
from stance.evaluate import headline
from stance.intervals import LEVEL, Interval, difference_interval, standard_error, student, units
from stance.taxonomy import FloatArray, Taxonomy

PERMUTATIONS = 5000
_POWER = 0.8
# So many swaps at a time bound the memory where every sentence stands alone.
_MOST_COINS = 5_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """How far model B is from model A in one metric.

    Attributes:
        interval: 95%, by leaving out each article for both models alike.
        p_value: how often articles that swap their models at random give so large a difference.
        detectable: the smallest difference that these rows could tell from none in four of five tries.
    """

    axis: str
    metric: str
    a: float
    b: float
    interval: Interval
    p_value: float
    detectable: float

    @property
    def value(self) -> float:
        """The difference, B minus A; positive where B is better."""
        return self.b - self.a

    @property
    def significant(self) -> bool:
        """Whether interval and permutation test agree that there is a difference."""
        low, high = self.interval
        return (low > 0 or high < 0) and self.p_value < 1 - LEVEL


Decisions = Mapping[str, BoolArray]


def differences(
    taxonomy: Taxonomy,
    gold: Mapping[str, IntArray],
    a: Decisions,
    b: Decisions,
    groups: Sequence[str],
    seed: int = 0,
) -> list[Difference]:
    """Compare two models' decisions, one difference an axis and metric.

    The interval is a jackknife over articles with Student's t; the test is approximate randomisation (Noreen
    1989; Dror et al., "The Hitchhiker's Guide to Testing Statistical Significance in NLP", ACL 2018) whose
    unit is the article too, since sentences of one article err together.

    Args:
        taxonomy: gives kinds and label order.
        gold: axis to 0/1 labels (rows, labels).
        a: axis to given labels (rows, labels).
        b: likewise, of the same rows.
        groups: the article of every row.
        seed: of the permutations.

    Raises:
        StanceError: the models answer for different axes or numbers of rows.
    """
    for name, table in gold.items():
        if a[name].shape != table.shape or b[name].shape != table.shape:
            raise StanceError(f"axis '{name}': the two models' answers are not of the same rows and labels")
    found = []
    for name, table in gold.items():
        metrics = headline(single=taxonomy.axes[name].single)
        spread = _left_out(table, a[name], b[name], groups)
        chance = _by_chance(table, a[name], b[name], groups, seed)
        found += [_difference(name, metric, *spread, chance[metric]) for metric in metrics]
    return found


_Scores = dict[str, FloatArray]


def _left_out(
    gold: IntArray, a: BoolArray, b: BoolArray, groups: Sequence[str]
) -> tuple[tuple[_Scores, _Scores], tuple[_Scores, _Scores]]:
    """Return both models' scores on all articles, and without each of them."""
    member, articles = units(groups)
    first, second = (Counts.of(gold, answers, member, articles) for answers in (a, b))
    return (
        (first.total().scores(), second.total().scores()),
        (first.left_out().scores(), second.left_out().scores()),
    )


def _by_chance(gold: IntArray, a: BoolArray, b: BoolArray, groups: Sequence[str], seed: int) -> _Scores:
    """Return the differences of models that swap articles at random: metric to (permutations,)."""
    _, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    articles = int(member.max()) + 1
    # Both models' articles stand below each other; one side takes what the other leaves.
    numbers = np.r_[member, member + articles]
    both = Counts.of(np.vstack([gold, gold]), np.vstack([a, b]), numbers, 2 * articles)
    generator = np.random.default_rng(seed)
    block = max(1, _MOST_COINS // articles)
    parts = [
        _swapped(both, generator.random((min(block, PERMUTATIONS - start), articles)) < 0.5)
        for start in range(0, PERMUTATIONS, block)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _swapped(both: Counts, coins: BoolArray) -> _Scores:
    swap = coins.astype(float)
    one = both.weighed(np.hstack([1 - swap, swap])).scores()
    other = both.weighed(np.hstack([swap, 1 - swap])).scores()
    return {name: other[name] - one[name] for name in one}


def _difference(
    axis: str,
    metric: str,
    points: tuple[_Scores, _Scores],
    left_out: tuple[_Scores, _Scores],
    chance: FloatArray,
) -> Difference:
    first, second = (float(scores[metric][0]) for scores in points)
    apart, without = second - first, left_out[1][metric] - left_out[0][metric]
    as_large = int((np.abs(chance) >= abs(apart) - 1e-12).sum())
    error = standard_error(apart, without)
    reach = student(len(without)) + student(len(without), _POWER) if error else 0.0
    return Difference(
        axis,
        metric,
        first,
        second,
        difference_interval(apart, without),
        p_value=(1 + as_large) / (1 + len(chance)),
        detectable=reach * error,
    )


def verdict(found: Sequence[Difference], a: str, b: str, rows: int) -> str:
    """Return in plain words, a sentence an axis, which of the models named ``a`` and ``b`` is better."""
    headline: dict[str, Difference] = {}
    for each in found:
        headline.setdefault(each.axis, each)
    return "; ".join(_sentence(each, a, b, rows) for each in headline.values()) + "."


def _sentence(each: Difference, a: str, b: str, rows: int) -> str:
    points = f"{100 * abs(each.value):.1f} points of {each.metric.replace('_', '-').replace('f1', 'F1')}"
    low, high = sorted((100 * end if each.value > 0 else -100 * end) for end in each.interval)
    ahead = f"{b if each.value > 0 else a} is {{}} on {each.axis} by {points}, 95% {low:.1f} to {high:.1f}"
    if each.significant:
        return f"{ahead.format('better')}, p {_p(each.p_value)}"
    if low > 0:
        # Few articles can swap in few ways, so that even the largest difference may come by chance.
        return f"{ahead.format('ahead')}, but so few articles leave room for chance, p {_p(each.p_value)}"
    none = f"on {each.axis} no difference can be told with {rows} sentences"
    if each.interval == (0, 0):
        return f"{none}: both score alike on each article"
    least = f"the smallest that this set can show is about {100 * each.detectable:.1f}"
    return f"{none} (found {points}; {least})"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
