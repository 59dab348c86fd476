"""The MLflow store that trainings and models are recorded in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from stance.errors import StanceError, UserError
from stance.model_source import store_uri

EXPERIMENT = "stance"
_SQLITE = "sqlite:///"
_ARTIFACTS = "mlartifacts"


def ui_command(port: int) -> list[str]:
    """Return the command that serves the MLflow UI on :func:`store_uri`."""
    where = ["--backend-store-uri", store_uri(), "--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "mlflow", "server", *where]


@dataclass(frozen=True, slots=True)
class Store:
    """An open store, and the id of stance's experiment in it."""

    client: MlflowClient
    experiment: str


def create_store() -> Store:
    """Open the store, and make what is missing of it.

    Raises:
        StanceError: it cannot be opened.
    """
    uri = store_uri()
    try:
        mlflow.set_tracking_uri(uri)
        client = MlflowClient()
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return Store(client, str(found.experiment_id))
        # An absolute place, so that a process in another folder finds the models.
        place = Path(_ARTIFACTS).resolve().as_uri() if uri.startswith("sqlite:") else None
        return Store(client, str(client.create_experiment(EXPERIMENT, artifact_location=place)))
    except (MlflowException, OSError) as error:
        raise StanceError(
            f"{uri}: the MLflow store cannot be opened ({first_line(error)}); "
            "check MLFLOW_TRACKING_URI or train with --no-track"
        ) from error


def open_store() -> Store:
    """Open the store of earlier trainings.

    Raises:
        UserError: there is none; looking into it would make an empty one.
        StanceError: it cannot be opened.
    """
    uri = store_uri()
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).is_file():
        raise UserError(f"{uri}: no MLflow store here; go to where it is or set MLFLOW_TRACKING_URI")
    return create_store()


@contextmanager
def mlflow_errors(advice: str) -> Iterator[None]:
    """Turn what MLflow raises inside into one sentence that ends with ``advice``.

    Raises:
        StanceError: MLflow failed.
    """
    try:
        yield
    except (MlflowException, OSError) as error:
        raise StanceError(f"{store_uri()}: MLflow failed ({first_line(error)}); {advice}") from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
