"""Is one model better than another? Paired, on the same rows, with whole articles as the unit of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stance.calibrate import BoolArray, IntArray
from stance.errors import StanceError
from stance.evaluate import LEVEL, RESAMPLES, Interval, headline, interval, metrics, resampling_weights
from stance.taxonomy import FloatArray, Taxonomy

PERMUTATIONS = 5000


@dataclass(frozen=True, slots=True)
class Difference:
    """How far model B is from model A in one metric.

    Attributes:
        interval: 95%, by resampling articles for both models alike.
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

    The interval is a paired cluster bootstrap; the test is approximate randomisation (Noreen 1989; Dror et
    al., "The Hitchhiker's Guide to Testing Statistical Significance in NLP", ACL 2018) whose unit is the
    article, since sentences of one article err together.

    Args:
        taxonomy: gives kinds and label order.
        gold: axis to 0/1 labels (rows, labels).
        a: axis to given labels (rows, labels).
        b: likewise, of the same rows.
        groups: the article of every row.
        seed: of resampling and permutation.

    Raises:
        StanceError: the models answer for different axes or numbers of rows.
    """
    for name, table in gold.items():
        if a[name].shape != table.shape or b[name].shape != table.shape:
            raise StanceError(f"axis '{name}': the two models' answers are not of the same rows and labels")
    weights = resampling_weights(groups, RESAMPLES, seed)
    swaps = _swaps(groups, PERMUTATIONS, seed)
    return [
        each
        for name in gold
        for each in _axis_differences(
            name, taxonomy.axes[name].single, (gold[name], a[name], b[name]), weights, swaps
        )
    ]


def _axis_differences(
    name: str,
    single: bool,
    tables: tuple[IntArray, BoolArray, BoolArray],
    weights: FloatArray,
    swaps: BoolArray,
) -> list[Difference]:
    gold, a, b = tables
    ones = np.ones((1, len(gold)))
    points = metrics(gold, a, ones), metrics(gold, b, ones)
    spread = metrics(gold, a, weights), metrics(gold, b, weights)
    swapped = _swapped_metrics(gold, a, b, swaps)
    found = []
    for metric in headline(single=single):
        first, second = (float(point[metric][0]) for point in points)
        apart = spread[1][metric] - spread[0][metric]
        chance = np.abs(swapped[1][metric] - swapped[0][metric])
        as_large = int((chance >= abs(second - first) - 1e-12).sum())
        p_value = (1 + as_large) / (1 + len(swaps))
        # 1.96 + 0.84 standard errors: 80% power at the 5% level.
        detectable = 2.8 * float(apart.std())
        found.append(Difference(name, metric, first, second, interval(apart), p_value, detectable))
    return found


def _swaps(groups: Sequence[str], permutations: int, seed: int) -> BoolArray:
    """Return which rows swap their two answers, shape (permutations, rows); articles swap as a whole."""
    _, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    coins = np.random.default_rng(seed).random((permutations, int(member.max()) + 1)) < 0.5
    swapped: BoolArray = coins[:, member]
    return swapped


def _swapped_metrics(
    gold: IntArray, a: BoolArray, b: BoolArray, swaps: BoolArray
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return both models' metrics, one value a permutation.

    A swapped row counts with B's answer on A's side: stacking both answers and weighing each row by
    where it fell gives all permutations in a few matrix products.
    """
    twice, answers = np.vstack([gold, gold]), np.vstack([a, b])
    stay = np.hstack([~swaps, swaps]).astype(float)
    return metrics(twice, answers, stay), metrics(twice, answers, 1 - stay)


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
    return (
        f"on {each.axis} no difference can be told with {rows} sentences (found {points}; the smallest "
        f"that this set can show is about {100 * each.detectable:.1f})"
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
