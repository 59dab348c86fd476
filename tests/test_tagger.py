from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conftest import ARTICLE, Silent
from stance import classifiers
from stance.config import load_config
from stance.errors import DamagedModelError, UserError
from stance.records import Article
from stance.rows import article_rows, sentence_row
from stance.tagger import Tagger, best_model
from stance.train import NoTracker, run

FAMILIES = classifiers.names()


@pytest.mark.parametrize("name", FAMILIES)
def test_one_changed_byte_in_any_file_is_noticed(name: str, models: Path, tmp_path: Path) -> None:
    """No damaged model ever predicts, whichever of its files was touched."""
    folder = tmp_path / name
    shutil.copytree(models / name, folder)
    files = sorted(folder.iterdir())
    assert len(files) >= 8
    for path in files:
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        with pytest.raises(DamagedModelError, match=path.name):
            Tagger.load(folder)
        path.write_bytes(whole)
    Tagger.load(folder)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """A wrong --model is told apart from a damaged one."""
    with pytest.raises(UserError, match="no such model folder"):
        Tagger.load(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"no manifest.json"):
        Tagger.load(tmp_path)


def test_the_best_model_is_the_one_with_the_highest_score(models: Path, tmp_path: Path) -> None:
    """Without --model the cross-validated score decides; with no model there is an error."""
    scores = {
        name: json.loads((models / name / "manifest.json").read_text(encoding="utf-8"))["scores"]["score"]
        for name in FAMILIES
    }
    assert best_model(models).name == max(scores, key=lambda name: scores[name])
    with pytest.raises(UserError, match="no trained model"):
        best_model(tmp_path)


def test_models_scored_on_other_rows_are_not_ranked(models: Path, configs: Path, tmp_path: Path) -> None:
    """A score on other rows says nothing of which model is better: the user has to choose."""
    shutil.copytree(models / "tfidf", tmp_path / "tfidf")
    run(
        load_config(configs / "tfidf.yaml", ["name=other", "scored_folds=2"]), tmp_path, NoTracker(), Silent()
    )
    with pytest.raises(UserError, match="choose with --model"):
        best_model(tmp_path)


def test_rows_hold_every_documented_field(models: Path) -> None:
    """A sentence row names its place, labels, probabilities and model; an article row sums them up."""
    tagger = Tagger.load(models / "tfidf")
    tagged = list(tagger.tag([Article("x", ARTICLE, "x.txt"), Article("y", "They met.", "y.txt")]))
    row = sentence_row(tagged[0], tagger.taxonomy, tagger.name, tagger.fingerprint)
    assert list(row) == [
        "article", "title", "source", "date", "url", "language",
        "index", "start", "end", "text", "framing", "framing_probabilities",
        "topics", "topics_probabilities", "model", "fingerprint",
    ]  # fmt: skip
    assert row["framing"] == max(row["framing_probabilities"], key=row["framing_probabilities"].get)
    first, second = article_rows(tagged, tagger.taxonomy, tagger.name, tagger.fingerprint)
    framings = [each.labels["framing"][0] for each in tagged[:3]]
    assert first["sentences"] == 3
    assert second["article"] == "y"
    assert first["framing_index"] == pytest.approx(
        (framings.count("hawkish") - framings.count("conciliatory")) / 3, abs=1e-4
    )
    assert sum(first["framing_shares"].values()) == pytest.approx(1, abs=1e-3)
    assert all(first["topics_sentences"][topic] for topic in first["topics"])


def test_unsure_sentences_get_no_framing_and_do_not_count(models: Path) -> None:
    """A row below the confidence asked for says unsure, keeps its probabilities, and leaves the index."""
    tagger = Tagger.load(models / "tfidf")
    articles = [Article("x", ARTICLE, "x.txt")]
    plain = list(tagger.tag(articles))
    best = sorted(max(each.probabilities["framing"].values()) for each in plain)
    tagged = list(tagger.tag(articles, min_confidence=(best[0] + best[1]) / 2))
    assert sum(not each.labels["framing"] for each in tagged) == 1
    assert [each.labels["topics"] for each in tagged] == [each.labels["topics"] for each in plain]
    identity = (tagger.taxonomy, tagger.name, tagger.fingerprint)
    rows = [sentence_row(each, *identity) for each in tagged]
    (unsure,) = (row for row in rows if row["framing"] == "unsure")
    assert max(unsure["framing_probabilities"].values()) == pytest.approx(best[0], abs=1e-4)
    (article,) = article_rows(tagged, *identity)
    assert (article["framing_unsure"], sum(article["framing_shares"].values())) == (1, 1)
    (nothing,) = article_rows(tagger.tag(articles, min_confidence=1.0), *identity)
    assert (nothing["framing_unsure"], nothing["framing_index"]) == (3, None)


def test_the_card_states_scores_and_limits(models: Path) -> None:
    """Whoever finds a model folder reads how good it is, weakest label first, and what it is not for."""
    for name in FAMILIES:
        card = (models / name / "README.md").read_text(encoding="utf-8")
        scores = json.loads((models / name / "manifest.json").read_text(encoding="utf-8"))["scores"]
        assert f"{scores['framing']['macro_f1']:.2f}" in card
        assert "What it is not for" in card
        kept = scores["framing"]["coverage"][3]
        assert f"| {kept['confidence']:.2f} | 70% | {kept['accuracy']:.2f} | {kept['macro_f1']:.2f} |" in card
        weakest = min(scores["framing"]["per_label"].items(), key=lambda item: item[1]["f1"])[0]
        assert card.index(f"| {weakest} |") == min(
            card.index(f"| {label} |") for label in ("conciliatory", "hawkish", "neutral")
        )
