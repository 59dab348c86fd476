from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT
from stance.config import find_configs, load_config, restore
from stance.errors import UserError

GOOD = "name: mine\nfamily: tfidf\nparams:\n  C: 2.0\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_loads_and_names_its_command(path: Path) -> None:
    """The first line of a config is the command that runs it, and the config is valid."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# stance train configs/{path.name}"
    assert load_config(path).name == path.stem


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    """--set, --labels and --seed change what the file says, nested keys and lists included."""
    path = write(tmp_path, GOOD)
    config = load_config(path, ["params.C=0.5", "params.word_ngrams=[1, 3]"], labels=Path("x"), seed=99)
    assert (config.params.C, config.params.word_ngrams) == (0.5, (1, 3))
    assert (config.labels, config.seed) == (Path("x"), 99)


def test_all_mistakes_are_shown_at_once_with_their_lines(tmp_path: Path) -> None:
    """Unknown keys and wrong values of both levels come in one error, with line and suggestion."""
    path = write(tmp_path, "name: mine\nfamily: tfidf\nsede: 3\nfolds: 1\nparams:\n  c: 1\n  min_df: 0\n")
    with pytest.raises(UserError) as caught:
        load_config(path)
    message = str(caught.value)
    assert "4 problems" in message
    assert "mine.yaml:3: unknown key 'sede'; did you mean 'seed'?" in message
    assert "mine.yaml:4: folds" in message
    assert "mine.yaml:6: unknown key 'c'" in message
    assert "mine.yaml:7: min_df" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: mine\nfamily: bayes\n", "use one of tfidf, transformer"),
        ("name: ../mine\nfamily: tfidf\n", "mine.yaml:1: name"),
        ("family: tfidf\n", "the key 'name' is missing"),
        ("name: [\n", "not valid YAML"),
        ("- a\n", "expected 'key: value'"),
        ("name: mine\nfamily: tfidf\nparams:\n  word_ngrams: [3, 1]\n", "must be ascending"),
        ("name: a\nname: b\nfamily: tfidf\n", "mine.yaml:2: 'name' already stands on line 1"),
    ],
)
def test_a_wrong_config_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """A config that cannot work is refused before anything is trained."""
    with pytest.raises(UserError, match=r"mine\.yaml") as caught:
        load_config(write(tmp_path, text))
    assert expected in str(caught.value)


@pytest.mark.parametrize("override", ["seed", "=3", "seed=[", "name.first=x"])
def test_a_malformed_override_is_refused(tmp_path: Path, override: str) -> None:
    """--set takes key=value with a YAML value, and says so."""
    with pytest.raises(UserError, match="--set"):
        load_config(write(tmp_path, GOOD), [override])


def test_a_resolved_config_restores_to_an_equal_one(tmp_path: Path) -> None:
    """What a model folder keeps is everything that training was told."""
    config = load_config(write(tmp_path, GOOD))
    assert restore(config.resolved(), tmp_path) == config


def test_names_stand_for_the_configs_folder(tmp_path: Path) -> None:
    """A bare name is a file in configs/; no name is all of them; a wrong one lists what there is."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(GOOD, encoding="utf-8")
    assert [path.stem for path in find_configs([], tmp_path)] == ["one", "two"]
    assert find_configs(["two"], tmp_path) == [tmp_path / "two.yaml"]
    with pytest.raises(UserError, match="one, two"):
        find_configs(["three"], tmp_path)
