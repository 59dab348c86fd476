"""Words that made it so, on the terminal: marked in the sentence, and listed for who sees no colour."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from stance.records import Explanation, WordWeight

_LISTED = 4
# Shares of the sentence's largest weight.
_STRONG, _SOME = 0.5, 0.2

LEGEND = (
    "underlined words speak for the label listed first, the bold ones most; numbers are log-odds, "
    "below 0 against the label"
)


@dataclass(frozen=True, slots=True)
class Marking:
    """Styles of words that speak for a label and of those that speak against it."""

    towards: str
    against: str


def marked(text: str, explanation: Explanation, marking: Marking) -> Text:
    """Return the sentence: words for the label underlined, strong ones bold, weak ones left plain."""
    shown = Text(text)
    largest = max((abs(word.weight) for word in explanation.words), default=0.0)
    for word in explanation.words:
        share = abs(word.weight) / largest if largest else 0.0
        if share < _SOME:
            continue
        style = f"{marking.towards} underline" if word.weight > 0 else marking.against
        shown.stylize(f"{style} bold" if share >= _STRONG else style, word.start, word.end)
    return shown


def top_words(explanation: Explanation) -> Text:
    """Return the label and its weightiest words with their weights, on one line."""
    ranked = sorted(explanation.words, key=lambda word: -abs(word.weight))[:_LISTED]
    listed = ", ".join(_listed(word) for word in ranked if round(word.weight, 2)) or "no word matters"
    return Text(f"{explanation.label}: {listed}", style="dim")


def _listed(word: WordWeight) -> str:
    # A weight that wraps to the next line would seem to belong to the next word.
    return f"{word.text}\u00a0{word.weight:+.2f}"
