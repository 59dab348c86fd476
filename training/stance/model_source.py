"""Models out of MLflow: fetched once, then a folder like any other. Imports mlflow only to fetch."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.errors import MissingExtraError, UserError
from stance.model_cache import cached, keep
from stance.tagger import MANIFEST_FILE

DEFAULT_STORE = "sqlite:///mlflow.db"
FINGERPRINT_TAG = "model_fingerprint"
_SCHEMES = ("models:/", "runs:/")
_SQLITE = "sqlite:///"


def store_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or the SQLite file of the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE


def model_folder(given: Path) -> Path:
    """Return the folder of a model that the user named.

    Args:
        given: a folder, or MLflow's name of a model: ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``,
            ``runs:/ID``, ``runs:/ID/NAME``.

    Raises:
        UserError: MLflow has no such model, or its store cannot be reached.
        MissingExtraError: it is MLflow's name, and mlflow is not installed.
    """
    name = given.as_posix()
    return _fetched(name) if name.startswith(_SCHEMES) else given


@dataclass(frozen=True, slots=True)
class _Found:
    """What MLflow says of a model: where its files are and, where it was registered, its fingerprint."""

    uri: str
    fingerprint: str | None


def _fetched(name: str) -> Path:
    # Read when mlflow is imported. A user's own choice stays.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Its own five tries take minutes to say that nobody answers.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    try:
        import mlflow
    except ImportError as error:
        raise MissingExtraError(error.name or "mlflow", "train", f"the model {name}") from None
    warnings.filterwarnings("ignore", module=r"mlflow\.")
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    store = store_uri()
    if store.startswith(_SQLITE) and not Path(store.removeprefix(_SQLITE)).exists():
        raise UserError(f"{name}: there is no MLflow store {store} to find it in; set MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(store)
    try:
        found = _find(mlflow.MlflowClient(), name)
        if found.fingerprint and (folder := cached(found.fingerprint)):
            return folder
        with tempfile.TemporaryDirectory() as place:
            mlflow.artifacts.download_artifacts(artifact_uri=found.uri, dst_path=place)
            return keep(_model_in(Path(place), name))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")
        raise UserError(
            f"{name}: cannot be fetched from the MLflow store {store} ({reason}); check the name and "
            "MLFLOW_TRACKING_URI"
        ) from error


def _find(client: Any, name: str) -> _Found:
    scheme, _, rest = name.partition(":/")
    first, _, last = rest.partition("/")
    if scheme == "runs":
        return _of_run(client, name, first, last)
    version = None
    if "@" in rest:
        version = client.get_model_version_by_alias(*rest.split("@", 1))
    elif last.isdigit():
        version = client.get_model_version(first, last)
    return _Found(name, version.tags.get(FINGERPRINT_TAG) if version else None)


def _of_run(client: Any, name: str, run: str, artifact: str) -> _Found:
    """Find a run's model; a training logs one, which is taken where none is named."""
    outputs = client.get_run(run).outputs
    models = [client.get_logged_model(each.model_id) for each in (outputs.model_outputs if outputs else [])]
    chosen = [each for each in models if artifact in {"", each.name}]
    if not chosen:
        return _Found(name, None)  # logged as a plain artifact; MLflow says if it is not there
    uri = f"models:/{chosen[-1].model_id}"
    versions = client.search_model_versions(f"run_id = '{run}'")
    tags = [each.tags.get(FINGERPRINT_TAG) for each in versions if each.source == uri]
    return _Found(uri, next(iter(tags), None))


def _model_in(place: Path, name: str) -> Path:
    """Return the model folder in what was fetched: MLflow wraps it in one of its own."""
    manifests = sorted(place.rglob(MANIFEST_FILE))
    if not manifests:
        raise UserError(f"{name}: holds no model that stance trained; name another")
    return manifests[0].parent
