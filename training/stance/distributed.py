"""Tag shards on Ray: an actor a core, each with the model loaded once. The driver reads, and writes.

Shards cannot be read by the workers: ids are unique over all inputs, and an article in the middle of a packed
file is found only by unpacking what lies before it. Reading takes little time next to tagging.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stance import __version__
from stance.batch import BatchOptions, Engine, Shard, ShardResult, tag_shard
from stance.cascade import Cascade, Limits
from stance.classifiers import Precision
from stance.errors import MissingExtraError, StanceError, UserError
from stance.extract import RawArticle
from stance.model_cache import cached, keep
from stance.runtime import cores
from stance.tagger import Tagger

# A worker finds its next shard waiting when it is done with one; more would only fill the driver's memory.
SHARDS_A_WORKER = 2
# Deaths of workers that a shard is tried again after, and starts that may fail in a row.
MOST_DEATHS = 3


@dataclass(frozen=True, slots=True)
class _Model:
    """What a worker needs to load the driver's model.

    Attributes:
        folder: the model folder, where all workers run on the driver's machine; else None.
        files: else its files' names, and references to their bytes in Ray's object store.
        stance: the driver's version.
        first: the model that a cascade asks first, and ``limits`` how sure that one must be.
    """

    folder: Path | None
    files: Mapping[str, Any]
    fingerprint: str
    precision: Precision
    stance: str
    first: _Model | None = None
    limits: Limits | None = None


@contextmanager
def ray_engine(address: str | None = None, workers: int | None = None) -> Iterator[Engine]:
    """Connect to Ray; yield an engine for :func:`stance.batch.run`; let go of Ray at the end.

    Args:
        address: of a cluster that runs, ``HOST:PORT`` or ``auto``; None starts one on this machine and ends
            it afterwards.
        workers: how many, a core each; None takes every core of the machine or cluster.

    Raises:
        MissingExtraError: Ray is not installed.
        UserError: no cluster answers at the address.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtraError("ray", "ray", "--engine ray")
    if address and address.startswith("ray://"):
        raise UserError(
            f"--address {address}: is for Ray Client, which is not supported; run the command on a machine "
            "of the cluster with --address auto"
        )
    import ray

    _connect(address, workers)
    try:
        resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
        count = workers or max(1, int(resources.get("CPU", 0)))

        def engine(tagger: Tagger, shards: Iterable[Shard], options: BatchOptions) -> Iterator[ShardResult]:
            model = _model(tagger, shared=address is None)
            return _Crew(model, options, count).results(shards)

        yield engine
    finally:
        ray.shutdown()


def _connect(address: str | None, workers: int | None) -> None:
    # Read when ray is first imported. A user's own choice stays.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    # Ray puts a handler of its own here, which would end without our message.
    ours = signal.getsignal(signal.SIGTERM)
    options: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": "critical",
        # What numerical libraries, and stance.runtime.cores, take for the cores they may use.
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}},
    }
    if address is None:
        options |= {"num_cpus": workers or cores(), "include_dashboard": False}
    try:
        ray.init(address=address or "local", **options)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError, OSError) as error:
        if address is None:
            raise StanceError(f"Ray cannot be started here ({_reason(error)}); use --engine local") from error
        raise UserError(
            f"--address {address}: no Ray cluster answers there ({_reason(error)}); start one with: "
            "ray start --head"
        ) from error
    finally:
        with suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGTERM, ours)


def _model(tagger: Tagger, *, shared: bool) -> _Model:
    import ray

    files = {}
    if not shared:
        for path in sorted(tagger.folder.iterdir()):
            files[path.name] = ray.put(path.read_bytes())
    folder = tagger.folder.resolve() if shared else None
    fingerprint = str(tagger.manifest["fingerprint"])[:12]
    model = _Model(folder, files, fingerprint, tagger.classifier.precision, __version__)
    if isinstance(tagger, Cascade):
        return replace(model, first=_model(tagger.first, shared=shared), limits=tagger.limits)
    return model


class Worker:
    """Lives in a process of its own, as a Ray actor."""

    def __init__(self) -> None:
        self._tagger: Tagger | None = None

    def load(self, model: _Model) -> None:
        """Load the model; a machine that lacks it gets its files from the object store, once.

        Raises:
            StanceError: another version of stance is installed here, or the model is damaged.
        """
        if model.stance != __version__:
            raise StanceError(
                f"a worker has stance {__version__}, and this is stance {model.stance}; install the same "
                "version on every machine of the cluster"
            )
        self._tagger = self._loaded(model)

    def _loaded(self, model: _Model) -> Tagger:
        folder = model.folder or cached(model.fingerprint) or self._fetched(model)
        tagger = Tagger.load(folder, model.precision)
        if model.first is None:
            return tagger
        return Cascade.of(tagger, self._loaded(model.first), model.limits)

    @staticmethod
    def _fetched(model: _Model) -> Path:
        import ray

        with tempfile.TemporaryDirectory() as name:
            for file, reference in model.files.items():
                (Path(name) / file).write_bytes(ray.get(reference))
            return keep(Path(name))

    def tag(self, number: int, articles: Sequence[RawArticle], options: BatchOptions) -> ShardResult:
        """Tag a shard; see :func:`stance.batch.tag_shard`."""
        if self._tagger is None:
            raise StanceError("a worker was asked to tag before it loaded a model; report this")
        return tag_shard(self._tagger, Shard(number, articles), options)


@dataclass(slots=True)
class _Job:
    """A shard on its way; ``articles`` is a reference to an object that outlives any worker."""

    number: int
    articles: Any
    deaths: int = 0


@dataclass(slots=True, eq=False)
class _Hand:
    """One worker as the driver sees it."""

    actor: Any
    alive: bool = True


class _Crew:
    """Hands shards to workers, a few at a time, and does those of a dead worker again."""

    def __init__(self, model: _Model, options: BatchOptions, workers: int) -> None:
        import ray

        self._ray = ray
        self._model = ray.put(model)
        self._options = ray.put(options)
        self._workers = workers
        self._start = ray.remote(Worker).options(num_cpus=1, max_restarts=0).remote
        self._shards: Iterator[Shard] = iter(())
        self._all_out = False
        self._again: deque[_Job] = deque()
        self._pending: dict[Any, tuple[_Hand, _Job | None]] = {}
        self._idle: list[_Hand] = []
        self._failed_starts = 0

    def results(self, shards: Iterable[Shard]) -> Iterator[ShardResult]:
        """Yield what shards come to, in the order that workers finish them.

        Raises:
            StanceError: workers cannot start, or die again and again over the same shard.
        """
        self._shards = iter(shards)
        first = self._next()
        if first is None:
            return
        self._again.append(first)
        for _ in range(self._workers):
            self._hire()
        while self._again or not self._all_out or any(job for _, job in self._pending.values()):
            (done, *_), _ = self._ray.wait(list(self._pending), num_returns=1)
            hand, job = self._pending.pop(done)
            result = self._outcome(done, hand, job)
            # Given out before the result is written, so that no worker waits for the driver's disk.
            while self._idle and (following := self._next()):
                self._give(self._idle.pop(0), following)
            if result is not None:
                yield result

    def _next(self) -> _Job | None:
        if self._again:
            return self._again.popleft()
        shard = next(self._shards, None)
        if shard is None:
            self._all_out = True
            return None
        return _Job(shard.number, self._ray.put(list(shard.articles)))

    def _hire(self) -> None:
        hand = _Hand(self._start())
        self._pending[hand.actor.load.remote(self._model)] = (hand, None)

    def _give(self, hand: _Hand, job: _Job) -> None:
        self._pending[hand.actor.tag.remote(job.number, job.articles, self._options)] = (hand, job)

    def _outcome(self, done: Any, hand: _Hand, job: _Job | None) -> ShardResult | None:
        """Take in what a call came to; None unless it is a shard's result."""
        errors = self._ray.exceptions
        try:
            result: ShardResult | None = self._ray.get(done)
        except errors.RayTaskError as error:
            if isinstance(error.cause, StanceError):
                raise error.cause from None
            raise StanceError(f"a Ray worker failed ({_reason(error.cause)}); report this") from error
        except errors.RayError as error:
            self._lost(hand, job, error)
            return None
        if job is None:
            self._failed_starts = 0
        if hand.alive:
            self._idle += [hand] * (SHARDS_A_WORKER if job is None else 1)
        return result

    def _lost(self, hand: _Hand, job: _Job | None, error: Exception) -> None:
        """Replace a worker that died; its shards go back, one by one as their calls fail."""
        if job is None:
            self._failed_starts += 1
            if self._failed_starts > MOST_DEATHS:
                raise StanceError(
                    f"Ray workers do not start ({_reason(error)}); check that every machine has stance and "
                    "memory for the model"
                ) from error
        else:
            job.deaths += 1
            if job.deaths == MOST_DEATHS:
                raise StanceError(
                    f"{MOST_DEATHS} workers died over part {job.number:05} ({_reason(error)}); give them "
                    "more memory, or use a smaller --shard-size in a new folder"
                ) from error
            self._again.append(job)
        if hand.alive:
            hand.alive = False
            self._idle = [each for each in self._idle if each is not hand]
            # It may be out of reach, not dead.
            with suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.kill(hand.actor)
            self._hire()


def _reason(error: BaseException | None) -> str:
    """Return the first line of an error without its full stop."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".:")
