"""Score a saved model on labelled rows."""

from __future__ import annotations

from stance.crossval import gold_of
from stance.dataset import LabelledData
from stance.evaluate import Report, report
from stance.tagger import Tagger


def score_model(tagger: Tagger, data: LabelledData) -> Report:
    """Predict every row and score the axes that the data carries; intervals resample its groups."""
    probabilities, decided = tagger.predict([example.text for example in data.examples])
    return report(data.taxonomy, gold_of(data), decided, probabilities, data.groups)
