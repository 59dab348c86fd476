"""Run an ONNX graph on every core: batches of like length under a token budget, order restored."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Encoding

from stance.batching import pad
from stance.errors import DamagedModelError
from stance.taxonomy import FloatArray

if TYPE_CHECKING:
    import onnxruntime

# Padded tokens a batch: enough to keep a core's matrix products busy, few enough to stay in its cache.
TOKEN_BUDGET = 384
_MOST_SENTENCES = 64
_PROBE_ROUNDS = 3
_PROCESSOR = Path("/proc/cpuinfo")
_VNNI = re.compile(r"\b(avx512_vnni|avx_vnni|amx_int8)\b")


def token_batches(lengths: Sequence[int], budget: int = TOKEN_BUDGET) -> Iterator[list[int]]:
    """Yield the numbers of sentences, shortest first; a batch's padded size stays within ``budget``.

    A sentence longer than the budget comes alone.
    """
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) == _MOST_SENTENCES or (len(batch) + 1) * lengths[number] > budget):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def cores() -> int:
    """Return how many cores this process may use: those it is bound to, ``OMP_NUM_THREADS`` at most."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Clusters and users tell numerical libraries their share so; "4,2" speaks of nested threads.
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(bound, max(1, int(wanted))) if wanted.isdigit() else bound


class Runtime:
    """One graph, run single-threaded by as many threads as there are cores.

    A batch on one core loses nothing to waiting for the others, and sentences of other lengths run beside
    it; a session may be run by several threads at once.
    """

    def __init__(self, path: Path) -> None:
        self._session = _session(path)
        self._threads = cores()
        self.outputs = {each.name: each.shape[-1] for each in self._session.get_outputs()}

    def run(self, encodings: Sequence[Encoding]) -> list[FloatArray]:
        """Return logits, shape (texts, labels), one array an output; the order of the texts is kept.

        Args:
            encodings: tokenised sentences, at least one.
        """
        batches = list(token_batches([len(each) for each in encodings]))
        if len(batches) == 1 or self._threads == 1:
            parts = [self._run(encodings, batch) for batch in batches]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                # The longest batches go first, so that no core is left with one at the end.
                turned = list(pool.map(lambda batch: self._run(encodings, batch), reversed(batches)))
            parts = turned[::-1]
        back = np.argsort([number for batch in batches for number in batch])
        return [np.concatenate(arrays).astype(np.float64)[back] for arrays in zip(*parts, strict=True)]

    def _run(self, encodings: Sequence[Encoding], batch: Sequence[int]) -> Sequence[FloatArray]:
        ids, mask = pad([encodings[number] for number in batch])
        found: Sequence[FloatArray] = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return found


def multiplies_bytes() -> bool:
    """Tell whether Linux says that the processor sums 8-bit products in one step (VNNI).

    Such a processor is several times quicker at int8 than at fp32, and gets no sum wrong.
    """
    try:
        return bool(_VNNI.search(_PROCESSOR.read_text(encoding="utf-8")))
    except OSError:
        return False


def seconds_for(runtime: Runtime, probe: Sequence[Encoding]) -> float:
    """Return how long a few sentences take, the best of three tries after one that warms up."""
    runtime.run(probe)
    rounds = []
    for _ in range(_PROBE_ROUNDS):
        started = time.perf_counter()
        runtime.run(probe)
        rounds.append(time.perf_counter() - started)
    return min(rounds)


def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # onnxruntime's errors share no public base class.
    except Exception as error:
        raise DamagedModelError(f"{path}: onnxruntime cannot load it; train the model again") from error
