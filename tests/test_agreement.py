from __future__ import annotations

import re

import pytest

from conftest import ROOT
from stance.agreement import alpha, by_axis, by_label
from stance.dataset import load_folder


def test_alpha_agrees_with_the_published_example() -> None:
    """The nominal example of three coders and gaps in the literature gives 0.691."""
    coders = ["*****3412113 3*3".replace(" ", ""), "1*213343*******", "**21344*21 133*4".replace(" ", "")]
    units = [[row[at] for row in coders if row[at] != "*"] for at in range(15)]
    assert alpha(units) == pytest.approx(0.691, abs=0.0005)


def test_alpha_of_full_and_of_no_agreement() -> None:
    """Full agreement is 1, systematic disagreement below chance."""
    assert alpha([["a", "a"], ["b", "b"]]) == 1
    assert alpha([["a", "b"], ["b", "a"]]) < 0
    assert alpha([["a", "a"], ["a"]]) == 1


def test_the_data_card_states_the_agreement_of_the_rows() -> None:
    """The alphas in the news data card are the ones that the annotations give."""
    data = load_folder(ROOT / "labels" / "news")
    card = (ROOT / "labels" / "news" / "README.md").read_text(encoding="utf-8")
    axes, labels = by_axis(data), by_label(data)
    stated = dict(re.findall(r"^\| \**(\w+)\** \| \**(-?[\d.]+)\** \|", card, re.MULTILINE))
    for name, value in {**axes, **labels["framing"], **labels["topics"]}.items():
        assert float(stated[name]) == pytest.approx(value, abs=0.0051), name
