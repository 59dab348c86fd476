"""Score a saved model on labelled rows."""

from __future__ import annotations

from stance.crossval import gold_of
from stance.dataset import LabelledData
from stance.evaluate import Report, report
from stance.files import text_key
from stance.tagger import TRAINED_ON_FILE, Tagger


def trained_on(tagger: Tagger, data: LabelledData) -> int:
    """Return how many of the sentences, letter for letter, the model was trained on."""
    known = set((tagger.folder / TRAINED_ON_FILE).read_text(encoding="utf-8").split())
    return sum(text_key(example.text) in known for example in data.examples)


def score_model(tagger: Tagger, data: LabelledData) -> Report:
    """Predict every row and score the axes that the data carries; intervals resample its groups."""
    probabilities, decided = tagger.predict([example.text for example in data.examples])
    return report(data.taxonomy, gold_of(data), decided, probabilities, data.groups)
