"""How often a 95% interval holds the true score, when sentences of one article err together.

    python benchmarks/interval_coverage.py

Simulates a model whose accuracy differs from article to article (beta-distributed), scores samples of
articles with the plain cluster bootstrap and with ours, and counts how often the interval holds the
true accuracy.
"""

from __future__ import annotations

import numpy as np

from stance.evaluate import LEVEL, resampling_weights

TRUE = 0.7
TRIALS = 600
RESAMPLES = 400
SPREADS = {"articles alike": 1e6, "articles differ": 20.0}


def coverage(articles: int, sentences: int, spread: float, *, plain: bool) -> tuple[float, float]:
    """Return the share of intervals that hold the true accuracy of 0.7, and their mean width."""
    generator = np.random.default_rng(articles * 1000 + sentences)
    groups = [str(number) for number in range(articles) for _ in range(sentences)]
    held, width = 0, 0.0
    for trial in range(TRIALS):
        skill = generator.beta(TRUE * spread, (1 - TRUE) * spread, articles)
        right = (generator.random((articles, sentences)) < skill[:, None]).astype(float)
        if not plain:
            weights = resampling_weights(groups, RESAMPLES, trial)
            values = weights @ right.ravel() / weights.sum(1)
        else:
            drawn = generator.multinomial(articles, np.full(articles, 1 / articles), RESAMPLES)
            values = drawn @ right.mean(1) / articles
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        held += low <= TRUE <= high
        width += high - low
    return held / TRIALS, width / TRIALS


def main() -> None:
    """Print one line a setting, both ways side by side."""
    print("| articles x sentences | | cluster bootstrap: holds, width | stance: holds, width |")
    print("|---|---|---|---|")
    for articles, sentences in ((5, 17), (20, 15), (80, 15), (126, 1)):
        for name, spread in SPREADS.items():
            plain = coverage(articles, sentences, spread, plain=True)
            ours = coverage(articles, sentences, spread, plain=False)
            print(
                f"| {articles} x {sentences} | {name} | {plain[0]:.1%}, {plain[1]:.3f} "
                f"| {ours[0]:.1%}, {ours[1]:.3f} |"
            )


if __name__ == "__main__":
    main()
