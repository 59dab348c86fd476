"""Trainings on the shipped labels; run with -m slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT, SHARED, Silent
from stance.config import load_config
from stance.dataset import load_file
from stance.scoring import score_model
from stance.tagger import Tagger
from stance.train import NoTracker, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
LABELS = ROOT / "labels" / "news"


@pytest.mark.parametrize("family", ["tfidf", "transformer"])
def test_the_five_articles_alone_train_both_families(family: str, tmp_path: Path) -> None:
    """The gold sentences train each family by leaving one article out, better than guessing."""
    overrides = ['files=["articles.jsonl"]', "scored_folds=null"]
    config = load_config(ROOT / "configs" / f"{family}.yaml", overrides, labels=LABELS)
    result, _ = run(config, tmp_path, NoTracker(), Silent())
    assert len(result.outcomes) == 5
    assert result.report.n == 84
    assert result.report.axes["framing"].scores["macro_f1"] > 0.3


@pytest.mark.parametrize(
    ("family", "framing", "topics"), [("tfidf", 0.72, 0.72), ("transformer", 0.78, 0.78)]
)
def test_the_whole_corpus_reaches_its_scores(
    family: str, framing: float, topics: float, tmp_path: Path
) -> None:
    """The default recipes keep, within noise, the scores that docs/results.md states."""
    config = load_config(ROOT / "configs" / f"{family}.yaml", labels=LABELS)
    result, _ = run(config, tmp_path, NoTracker(), Silent())
    assert result.report.axes["framing"].scores["macro_f1"] > framing
    assert result.report.axes["topics"].scores["micro_f1"] > topics
    path = SHARED / "devset" / "news_dev.jsonl"
    if path.exists():
        tagger = Tagger.load(result.folder)
        report = score_model(tagger, load_file(path, tagger.taxonomy))
        assert report.axes["framing"].scores["macro_f1"] > framing - 0.10
        assert report.axes["topics"].scores["micro_f1"] > topics - 0.02
