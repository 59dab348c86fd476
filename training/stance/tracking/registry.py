"""The registered model: its versions, which of them is the champion, and why."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.model import ModelInfo

from stance.comparison import compare_shared
from stance.errors import StanceError, UserError
from stance.tagger import Tagger
from stance.tracking.store import Store, mlflow_errors, open_store

REGISTERED = "stance"
CHAMPION = "champion"
LOADER = "stance.pyfunc"
PROMOTED = "promoted"
_ADVICE = "check MLFLOW_TRACKING_URI and what is named"
_VERSION = re.compile(rf"(?:models:/{REGISTERED}/)?(\d{{1,5}})")
_RUN = re.compile(r"(?:runs:/)?([0-9a-f]{6,32})(?:/.*)?")


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model version that was made champion by hand.

    Attributes:
        version: what it is called, for people.
        before: the same of the version that was champion; None if there was none.
        verdict: how the two compare, in plain words.
    """

    version: str
    before: str | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Succession:
    """Whether a new version takes over from the champion, and why."""

    better: bool
    reason: str


def model_folder(spec: str) -> Path:
    """Return the model folder of a model in MLflow, copied to where it lasts as long as this process.

    :meth:`stance.tagger.Tagger.load` verifies its bytes.

    Args:
        spec: ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``runs:/ID``, or a run's id or the
            beginning of one, six characters or more.

    Raises:
        UserError: nothing, or more than one thing, has this name, or it is no model of stance.
        StanceError: MLflow failed.
    """
    store = open_store()
    with mlflow_errors(f"{spec}: {_ADVICE}"):
        return _fetched(spec if spec.startswith("models:/") else _source(version_of(store, spec)))


def _fetched(uri: str) -> Path:
    target = tempfile.mkdtemp(prefix="stance-model-")
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    root = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=target))
    flavor = Model.load(root).flavors.get("python_function", {})
    if flavor.get("loader_module") != LOADER:
        raise UserError(f"{uri}: not a model that stance train logged; name one that is")
    return root / str(flavor["data"])


def version_of(store: Store, spec: str) -> ModelVersion:
    """Find a model version by its number, or by the run that made it.

    Args:
        store: holds them.
        spec: a number, ``runs:/ID``, a run's id, or the beginning of one, six characters or more.

    Raises:
        UserError: nothing, or more than one run, has this name, or the run has no model.
        StanceError: MLflow failed.
    """
    with mlflow_errors(f"{spec}: {_ADVICE}"):
        versions = store.client.search_model_versions(f"name = '{REGISTERED}'")
        if number := _VERSION.fullmatch(spec):
            return _numbered(versions, number[1])
        named = _RUN.fullmatch(spec)
        if named is None:
            raise UserError(
                f"{spec}: neither a version number nor a run's id (six hexadecimal digits or more); "
                "stance ui shows both"
            )
        run = _run_id(store, named[1])
    made = [each for each in versions if each.run_id == run]
    if not made:
        raise UserError(f"{spec}: the run {run[:8]} has no model; only a finished training has one")
    return max(made, key=lambda each: int(each.version))


def _numbered(versions: list[ModelVersion], number: str) -> ModelVersion:
    for each in versions:
        if str(each.version) == number:
            return each
    have = ", ".join(sorted((str(each.version) for each in versions), key=int)) or "none"
    raise UserError(f"version {number}: there is no such version of '{REGISTERED}'; there are: {have}")


def _run_id(store: Store, beginning: str) -> str:
    found = store.client.search_runs(
        [store.experiment], filter_string=f"attributes.run_id LIKE '{beginning}%'", max_results=3
    )
    ids = [str(run.info.run_id) for run in found]
    if not ids:
        raise UserError(f"{beginning}: no run has an id that begins so; stance ui shows them")
    if len(ids) > 1:
        raise UserError(f"{beginning}: {', '.join(ids)} begin so; write more of the one you mean")
    return ids[0]


def champion_of(store: Store) -> ModelVersion | None:
    """Return the version that the alias stands on."""
    try:
        return store.client.get_model_version_by_alias(REGISTERED, CHAMPION)
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise


def register(store: Store, info: ModelInfo, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
    """Make a version of the registered model; mlflow.register_model would print to the terminal."""
    try:
        store.client.create_registered_model(REGISTERED)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = store.client.create_model_version(
        REGISTERED, source=info.model_uri, run_id=run_id, model_id=info.model_id
    )
    for key, value in tags.items():
        store.client.set_model_version_tag(REGISTERED, made.version, key, value)
    return store.client.get_model_version(REGISTERED, made.version)


def succession(champion: ModelVersion | None, new: ModelVersion) -> Succession:
    """Tell whether a new version is to be champion.

    Scores compare only where both were cross-validated on the same rows. A model of newer rows
    under the same taxonomy takes over; one of another taxonomy answers another question.
    """
    if champion is None:
        return Succession(better=True, reason="it is the first")
    old = f"version {champion.version}"
    if not _same("taxonomy_fingerprint", champion, new):
        return Succession(better=False, reason=f"{old} stays: the new model has another taxonomy")
    if not _same("labels_fingerprint", champion, new):
        return Succession(better=True, reason=f"{old} was trained on other rows")
    if not _same("scored_rows", champion, new):
        return Succession(better=False, reason=f"{old} stays: it was scored on other rows")
    scores = float(champion.tags["score"]), float(new.tags["score"])
    better = scores[1] >= scores[0]
    word = "at least as good as" if better else "below"
    return Succession(better, f"score {scores[1]:.3f} is {word} the {scores[0]:.3f} of {old}")


def _same(tag: str, first: ModelVersion, second: ModelVersion) -> bool:
    return first.tags.get(tag) == second.tags.get(tag)


def verdict(champion: ModelVersion | None, new: ModelVersion, folder: Path | None = None) -> str:
    """Tell in plain words how a version compares with the champion, on rows held out from both.

    Args:
        champion: of this moment.
        new: the other version.
        folder: the model folder of ``new``, where it is at hand; else it is fetched.
    """
    if champion is None:
        return "There was no champion to compare it with."
    if champion.version == new.version:
        return "It was the champion already."
    try:
        with mlflow_errors("its model folder cannot be fetched"):
            old = Tagger.load(_fetched(_source(champion)))
            tagger = Tagger.load(folder or _fetched(_source(new)))
        names = (f"{old.name} (version {champion.version})", f"{tagger.name} (version {new.version})")
        found = compare_shared(old, tagger, names)
    except StanceError as error:
        return f"Not compared with version {champion.version}, the champion until then: {error}."
    rows = f"{found.rows} sentences of {found.articles} articles held out from both"
    return f"Against version {champion.version}, the champion until then, on {rows}: {found.verdict}"


def crown(store: Store, version: ModelVersion, reason: str, words: str) -> None:
    """Move the alias to a version, and write on it when and why.

    Args:
        store: holds the registered model.
        version: the champion to be.
        reason: why.
        words: the verdict.
    """
    today = date.today().isoformat()  # noqa: DTZ011 - the user's own calendar day
    store.client.set_model_version_tag(REGISTERED, version.version, PROMOTED, f"{today}: {reason}")
    describe(store, version, f"Champion since {today}: {reason}. {words}")
    store.client.set_registered_model_alias(REGISTERED, CHAMPION, version.version)


def describe(store: Store, version: ModelVersion, text: str) -> None:
    """Write a version's description."""
    store.client.update_model_version(REGISTERED, version.version, description=text)


def promote(spec: str, why: str | None, *, force: bool = False) -> Promotion:
    """Make a version champion by hand.

    Args:
        spec: see :func:`version_of`.
        why: is written on the version.
        force: also where the champion has another taxonomy; needs ``why``.

    Raises:
        UserError: there is no such version, or it has another taxonomy than the champion.
        StanceError: MLflow failed.
    """
    if force and not why:
        raise UserError("--force: say with --why why a model of another taxonomy is to be champion")
    store = open_store()
    version = version_of(store, spec)
    with mlflow_errors(_ADVICE):
        champion = champion_of(store)
        if champion is not None and not force and not _same("taxonomy_fingerprint", champion, version):
            raise UserError(
                f"{spec}: version {version.version} has another taxonomy than version {champion.version}, "
                "the champion: its tags mean something else; if that is wanted, give --force and --why"
            )
        words = verdict(champion, version)
        crown(store, version, (why or "promoted by hand, no reason given").rstrip("."), words)
    return Promotion(_called(version), None if champion is None else _called(champion), words)


def _called(version: ModelVersion) -> str:
    return f"version {version.version} (run {str(version.run_id)[:8]})"


def _source(version: ModelVersion) -> str:
    return f"models:/{REGISTERED}/{version.version}"
