from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT, TAXONOMY
from stance.errors import UserError
from stance.taxonomy import Taxonomy


def read(tmp_path: Path, text: str) -> Taxonomy:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(text, encoding="utf-8")
    return Taxonomy.load(path)


def test_a_saved_taxonomy_loads_equal(tmp_path: Path) -> None:
    """What a model folder keeps of its label set is the label set."""
    taxonomy = read(tmp_path, TAXONOMY)
    taxonomy.save(tmp_path / "copy.yaml")
    assert Taxonomy.load(tmp_path / "copy.yaml") == taxonomy


def test_labels_keep_the_order_of_the_file(tmp_path: Path) -> None:
    """Columns follow the taxonomy, whatever order labels are given in."""
    topics = read(tmp_path, TAXONOMY).axes["topics"]
    assert topics.names == ("tariffs", "farming", "space")
    assert topics.order(["space", "tariffs", "space"]) == ("tariffs", "space")
    assert topics.encode([["space"], []]).tolist() == [[0, 0, 1], [0, 0, 0]]
    assert topics.decode([True, False, True]) == ("tariffs", "space")


def test_the_fingerprint_follows_labels_and_not_wording(tmp_path: Path) -> None:
    """A reworded definition keeps models comparable; another label order does not."""
    taxonomy = read(tmp_path, TAXONOMY)
    reworded = read(tmp_path, TAXONOMY.replace("farm goods", "goods of farms"))
    swapped = read(
        tmp_path, TAXONOMY.replace("tariffs: duties, farming: farm goods", "farming: f, tariffs: d")
    )
    assert taxonomy.fingerprint == reworded.fingerprint
    assert taxonomy.fingerprint != swapped.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind: single", "kind: one", "taxonomy.yaml:4: axes.framing.kind"),
        ("hawkish: 1}", "angry: 1}", "index names angry"),
        ("neutral: neither", "unsure: neither", "rename this label"),
        ("  topics:", "  text:", "'text' is a field of every row"),
        ("tariffs: duties", "Big Tariffs: duties", "no valid name"),
        ("description: what it is about", "descripton: x", "did you mean 'description'"),
        ("    kind: multi\n", "    kind: multi\n    kind: single\n", "already stands on line"),
    ],
)
def test_a_wrong_taxonomy_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """A mistake in taxonomy.yaml is told with file, line and key."""
    assert old in TAXONOMY
    with pytest.raises(UserError, match=r"taxonomy\.yaml") as caught:
        read(tmp_path, TAXONOMY.replace(old, new))
    assert expected in str(caught.value)


def test_the_news_taxonomy_holds_the_labels_of_its_codebook() -> None:
    """Every label of taxonomy.yaml has its row in codebook.md, in the same order."""
    folder = ROOT / "labels" / "news"
    book = (folder / "codebook.md").read_text(encoding="utf-8")
    for axis in Taxonomy.load(folder / "taxonomy.yaml").axes.values():
        places = [book.index(f"| `{label}` |") for label in axis.names]
        assert places == sorted(places)
