"""Which features and penalties help TF-IDF: grouped cross-validation, one change at a time.

    python benchmarks/tfidf_features.py [--folds 3] [--out docs/tfidf-features] [--fomc FOLDER]

Each variant is a set of n-gram vectorisers and a linear model, scored on whole held-out articles: framing
macro-F1, and topics micro-F1 at the one threshold that is best for all topics on the test side, which is
the same favour for every variant. FOMC is the mean weighted F1 of its three splits. Writes OUT.md.
"""

from __future__ import annotations

import argparse
import json
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from stance.calibrate import IntArray
from stance.crossval import Problem
from stance.dataset import load_folder
from stance.split import grouped_folds
from stance.taxonomy import FloatArray

WORD = re.compile(r"[a-z0-9%$']+")
ENDING = re.compile(r"(ings?|ed|es|s|ly|ments?|ions?|ations?)$")
NEGATIONS = frozenset(
    ["not", "no", "never", "without", "nor", "neither", "cannot", "refused", "failed", "denied", "unless"]
)
SPLITS = ("5768", "78516", "944601")
CUTS = np.linspace(0.80, 0.94, 15)


def word(low: int = 1, high: int = 2) -> TfidfVectorizer:
    """Return a vectoriser of word n-grams."""
    return TfidfVectorizer(ngram_range=(low, high), sublinear_tf=True, dtype=np.float32)


def char(low: int = 2, high: int = 5, analyzer: str = "char_wb", min_df: int = 1) -> TfidfVectorizer:
    """Return a vectoriser of character n-grams."""
    return TfidfVectorizer(
        analyzer=analyzer, ngram_range=(low, high), min_df=min_df, sublinear_tf=True, dtype=np.float32
    )


def own(terms: Callable[[str], list[str]], min_df: int = 1) -> TfidfVectorizer:
    """Return a vectoriser of terms that a function finds."""
    return TfidfVectorizer(analyzer=terms, min_df=min_df, sublinear_tf=True, dtype=np.float32)


def skips(text: str) -> list[str]:
    """Return pairs of words with one or two words between them."""
    words = WORD.findall(text.lower())
    return [f"{words[i]}_{words[j]}" for i in range(len(words)) for j in range(i + 2, min(i + 4, len(words)))]


def stems(text: str) -> list[str]:
    """Return words and pairs of words without their endings."""
    words = [ENDING.sub("", each) if len(each) > 5 else each for each in WORD.findall(text.lower())]
    return words + [f"{one} {other}" for one, other in pairwise(words)]


def negated(text: str) -> list[str]:
    """Return the words that stand within four words of a negation."""
    found, left = [], 0
    for each in WORD.findall(text.lower()):
        if each in NEGATIONS or each.endswith("n't"):
            left = 4
        elif left:
            found.append(f"not_{each}")
            left -= 1
    return found


@dataclass(frozen=True, slots=True)
class Variant:
    """Vectorisers, and the linear model on them.

    Attributes:
        ratios: features weighed by naive-Bayes log-count ratios (Wang and Manning, "Baselines and
            Bigrams", ACL 2012).
    """

    vectorizers: Callable[[], list[TfidfVectorizer]] = lambda: [word(), char()]
    C: float = 10.0
    balanced: bool = True
    svm: bool = False
    ratios: bool = False

    def model(self) -> Any:
        """Return an untrained linear model."""
        weight = "balanced" if self.balanced else None
        if self.svm:
            return LinearSVC(C=self.C, class_weight=weight)
        return LogisticRegression(C=self.C, class_weight=weight, max_iter=300)

    def margins(self, train: csr_matrix, target: IntArray, test: csr_matrix) -> FloatArray:
        """Return how far each test row is on the side of a label, shape (rows,)."""
        if self.ratios:
            counts = [np.asarray(train[target == side].sum(0)).ravel() + 1 for side in (1, 0)]
            weight = diags(np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum()))
            train, test = csr_matrix(train @ weight), csr_matrix(test @ weight)
        values: FloatArray = self.model().fit(train, target).decision_function(test)
        return values

    def one_label(self, train: csr_matrix, target: IntArray, test: csr_matrix) -> IntArray:
        """Return the label number of each test row."""
        if self.ratios:
            sides = [self.margins(train, (target == label).astype(int), test) for label in range(3)]
            best: IntArray = np.stack(sides, 1).argmax(1)
            return best
        found: IntArray = self.model().fit(train, target).predict(test)
        return found


VARIANTS = {
    "shipped: words 1-2, characters 2-5, C 10": Variant(),
    "C 3": Variant(C=3),
    "C 30": Variant(C=30),
    "no class weights": Variant(balanced=False),
    "words only, 1-3": Variant(lambda: [word(1, 3)]),
    "characters 3-6": Variant(lambda: [word(), char(3, 6)]),
    "characters 3-6 across words": Variant(lambda: [word(), char(3, 6, "char", 2)]),
    "words 1-3, characters 2-6": Variant(lambda: [word(1, 3), char(2, 6)]),
    "words counted twice": Variant(lambda: [word(), word(), char()]),
    "stems beside words": Variant(lambda: [word(), own(stems), char()]),
    "pairs with a gap": Variant(lambda: [word(), char(), own(skips, 2)]),
    "negated words": Variant(lambda: [word(), char(), own(negated, 2)]),
    "naive-Bayes ratios, C 1": Variant(C=1, ratios=True),
    "support vector machine, C 0.3": Variant(C=0.3, svm=True),
    "support vector machine, C 1": Variant(C=1, svm=True),
}


def matrices(variant: Variant, train: Sequence[str], test: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
    """Return features of both sides, fitted on the first."""
    vectorizers = variant.vectorizers()
    return (
        hstack([each.fit_transform(train) for each in vectorizers], format="csr"),
        hstack([each.transform(test) for each in vectorizers], format="csr"),
    )


def news(variant: Variant, problem: Problem, folds: int) -> tuple[float, float]:
    """Return framing macro-F1 and topics micro-F1, means over folds."""
    texts = [each.text for each in problem.data.examples]
    framing, topics = problem.gold["framing"].argmax(1), problem.gold["topics"]
    scores = []
    for fold in grouped_folds(problem.groups, 5, 13)[:folds]:
        inside, outside = list(fold.train), list(fold.test)
        train, test = matrices(variant, [texts[row] for row in inside], [texts[row] for row in outside])
        given = variant.one_label(train, framing[inside], test)
        values = np.stack([variant.margins(train, column, test) for column in topics[inside].T], 1)
        micro = max(
            f1_score(topics[outside], values > np.quantile(values, cut), average="micro") for cut in CUTS
        )
        scores.append((f1_score(framing[outside], given, average="macro"), micro))
    return mean(one for one, _ in scores), mean(other for _, other in scores)


def fomc(variant: Variant, folder: Path) -> float:
    """Return weighted F1, the mean of the three splits."""
    found = []
    for split in SPLITS:
        sides = [
            [json.loads(line) for line in (folder / f"{side}-{split}.jsonl").read_text().splitlines()]
            for side in ("train", "test")
        ]
        train, test = matrices(variant, *([row["text"] for row in side] for side in sides))
        gold = [np.unique([row["framing"] for row in side], return_inverse=True)[1] for side in sides]
        found.append(f1_score(gold[1], variant.one_label(train, gold[0], test), average="weighted"))
    return float(mean(found))


def main() -> None:
    """Score every variant, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("docs/tfidf-features"))
    parser.add_argument("--fomc", type=Path, default=Path("../shared/benchmarks/fomc"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    problem = Problem.of(load_folder(Path("labels/news")))
    lines = ["| variant | framing macro-F1 | topics micro-F1 | FOMC weighted F1 |", "|---|---|---|---|"]
    for name, variant in VARIANTS.items():
        framing, topics = news(variant, problem, arguments.folds)
        policy = f"{fomc(variant, arguments.fomc):.3f}" if arguments.fomc.is_dir() else ""
        lines.append(f"| {name} | {framing:.3f} | {topics:.3f} | {policy} |")
        print(lines[-1], flush=True)
    arguments.out.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
