"""Train a network of :mod:`stance.network` on all axes jointly, and predict with it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Encoding
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from stance.batching import IdArray, in_batches, probabilities
from stance.calibrate import best_temperature
from stance.errors import StanceError
from stance.network import Network, collate, collate_states, frozen_states
from stance.taxonomy import Axis, FloatArray, Taxonomy

if TYPE_CHECKING:
    from stance.classifiers import FitLog
    from stance.classifiers.transformer import TransformerParams

_BATCHES_A_BUCKET = 20
# Share of the running mean of the weights that each step keeps.
_KEPT = 0.98


@dataclass(frozen=True, slots=True)
class Rows:
    """Tokenised sentences and their targets: label numbers (n,) or 0/1 floats (n, labels) an axis."""

    encodings: Sequence[Encoding]
    targets: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.encodings)


def seed_everything(seed: int) -> None:
    """Seed every generator that training draws from, and ask torch for deterministic kernels."""
    random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # Filling fresh memory guards code that reads it unset; ours does not, and it costs time in every step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def train(
    network: Network,
    taxonomy: Taxonomy,
    rows: Rows,
    dev: Rows | None,
    params: TransformerParams,
    seed: int,
    log: FitLog,
) -> None:
    """Fit the network in place.

    AdamW with bias correction, linear warm-up and decay to nought, clipped gradients. The schedule is always
    followed to its end (Mosbach et al., "On the Stability of Fine-tuning BERT", ICLR 2021): weights from
    the middle of it, where the rate is still high, are worse than their dev loss says. ``dev`` only
    gives a curve, of the weights as they are before averaging.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device)
    loss_of = _Loss(network, taxonomy, rows, params, device)
    generator = random.Random(seed)
    steps, epochs = -(-len(rows) // params.batch_size), params.passes(len(rows))
    total = steps * epochs
    optimizer = _optimizer(network, params)
    learning = [each for each in network.parameters() if each.requires_grad]
    schedule = _schedule(optimizer, total, params.warmup)
    mean = _Mean(learning, first=round(total * (1 - params.averaged_share)))
    for epoch in range(1, epochs + 1):
        network.train()
        losses = []
        for number, batch in enumerate(_buckets(rows, params.batch_size, generator), start=1):
            loss = loss_of(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learning, params.clip_norm)
            optimizer.step()
            schedule.step()
            mean.add((epoch - 1) * steps + number)
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise StanceError(
                    f"training diverged in epoch {epoch} (loss {losses[-1]}); lower params.lr and head_lr"
                )
            log.progress((epoch - 1) * steps + number, total, float(np.mean(losses[-20:])))
        log.metric("train/loss", float(np.mean(losses)), epoch)
        if dev is not None:
            log.metric("dev/loss", _dev_loss(network, taxonomy, dev), epoch)
    mean.take()


class _Mean:
    """A running mean of the weights over the last steps.

    Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018, with an
    exponential mean for the equal one, since the rate still falls while it is taken.
    """

    def __init__(self, weights: Sequence[nn.Parameter], first: int) -> None:
        self._weights = list(weights)
        self._first = first
        self._mean: list[Tensor] = []
        self._update: Any = get_ema_multi_avg_fn(_KEPT)  # type: ignore[no-untyped-call]

    def add(self, step: int) -> None:
        """Take in the weights after a step, counted from 1; steps up to ``first`` do not count."""
        if step <= self._first:
            return
        now = [each.detach() for each in self._weights]
        if self._mean:
            self._update(self._mean, now, step - self._first)
        else:
            self._mean = [each.clone() for each in now]

    def take(self) -> None:
        """Put the mean in place of the last weights; without one, leave them."""
        for weight, value in zip(self._weights, self._mean, strict=False):
            weight.data.copy_(value)


def computes_bf16(device: torch.device) -> bool:
    """Tell whether matrix products in bfloat16 run in hardware; emulated ones are slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))


class _Loss:
    """The sum over axes of cross-entropy (single-label) and binary cross-entropy (multi-label).

    Rare framings weigh more, by the square root of the inverse frequency: the full inverse makes a
    handful of rows shout. A topic's positives are weighed the same way. With R-Drop (Liang et al.,
    "R-Drop: Regularized Dropout for Neural Networks", NeurIPS 2021) every sentence passes twice under
    different dropout, and what the two passes say may not lie far apart.
    """

    def __init__(
        self,
        network: Network,
        taxonomy: Taxonomy,
        rows: Rows,
        params: TransformerParams,
        device: torch.device,
    ) -> None:
        self._network = network
        self._axes = taxonomy.axes
        self._rows = rows
        self._device = device
        self._rdrop = params.rdrop
        self._bf16 = params.bf16 and computes_bf16(device)
        self._states = frozen_states(network, rows.encodings, bf16=self._bf16) if network.frozen else None
        self._shares = {
            name: 1.0 if axis.single else params.multi_label_weight for name, axis in taxonomy.axes.items()
        }
        self._weights = {
            name: _label_weights(rows.targets[name], axis, balanced=params.balanced).to(device)
            for name, axis in taxonomy.axes.items()
        }

    def __call__(self, batch: Sequence[int]) -> Tensor:
        """Return the loss of one batch of row numbers."""
        rows = [*batch, *batch] if self._rdrop else list(batch)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16):
            logits = self._logits(rows)
        total = torch.zeros((), device=self._device)
        for (name, axis), scores in zip(self._axes.items(), logits, strict=True):
            target = self._rows.targets[name][rows].to(self._device)
            weight = self._weights[name]
            if axis.single:
                loss = functional.cross_entropy(scores.float(), target, weight=weight)
            else:
                loss = functional.binary_cross_entropy_with_logits(scores.float(), target, pos_weight=weight)
            total = total + self._shares[name] * loss
            if self._rdrop:
                one, other = scores.float().chunk(2)
                total = total + self._rdrop * _apart(one, other, axis)
        return total

    def _logits(self, batch: Sequence[int]) -> tuple[Tensor, ...]:
        if self._states is not None:
            return self._network.above(*collate_states([self._states[row] for row in batch]))
        ids, mask = collate([self._rows.encodings[row] for row in batch])
        logits: tuple[Tensor, ...] = self._network(ids.to(self._device), mask.to(self._device))
        return logits


def _apart(one: Tensor, other: Tensor, axis: Axis) -> Tensor:
    """Return the symmetric Kullback-Leibler divergence of two passes, a mean over rows or cells."""
    if axis.single:
        p, q = one.log_softmax(1), other.log_softmax(1)
        return ((p.exp() - q.exp()) * (p - q)).sum(1).mean() / 2
    return ((one.sigmoid() - other.sigmoid()) * (one - other)).mean() / 2


def _label_weights(target: Tensor, axis: Axis, *, balanced: bool) -> Tensor:
    if axis.single:
        counts = torch.bincount(target, minlength=len(axis.names)).clamp(min=1).float()
        weights = (counts.mean() / counts).sqrt()
    else:
        positive = target.sum(0).clamp(min=1)
        weights = ((len(target) - positive).clamp(min=1) / positive).sqrt()
    return weights if balanced else torch.ones_like(weights)


def _dev_loss(network: Network, taxonomy: Taxonomy, rows: Rows) -> float:
    """Return the sum over axes of the log loss at its best temperature.

    Temperatures are fitted after training, so an epoch that is right but too sure of itself must not
    lose against a worse one that is modest.
    """
    logits = predict(network, rows.encodings)
    total = 0.0
    for (name, axis), scores in zip(taxonomy.axes.items(), logits, strict=True):
        target = rows.targets[name].cpu().numpy()
        gold = np.eye(len(axis.names), dtype=np.int64)[target] if axis.single else target.astype(np.int64)
        total += best_temperature(probabilities(scores, axis), gold, axis)[1]
    return total


def _buckets(rows: Rows, batch_size: int, generator: random.Random) -> Iterator[list[int]]:
    """Yield shuffled batches of sentences of like length, so that little padding is computed."""
    order = list(range(len(rows)))
    generator.shuffle(order)
    batches = []
    size = batch_size * _BATCHES_A_BUCKET
    for start in range(0, len(order), size):
        bucket = sorted(order[start : start + size], key=lambda number: len(rows.encodings[number]))
        batches += [bucket[at : at + batch_size] for at in range(0, len(bucket), batch_size)]
    generator.shuffle(batches)
    yield from batches


def _optimizer(network: Network, params: TransformerParams) -> torch.optim.Optimizer:
    """Heads learn faster than the pretrained encoder; biases and norms are not decayed."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = params.head_lr if name.startswith("heads.") else params.lr
        decay = params.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": each, "lr": rate, "weight_decay": decay} for (rate, decay), each in groups.items()],
        fused=True,
    )


def _schedule(optimizer: torch.optim.Optimizer, steps: int, warmup: float) -> Any:
    rising = max(1, round(steps * warmup))

    def factor(step: int) -> float:
        return (step + 1) / rising if step < rising else max(0.0, (steps - step) / max(1, steps - rising))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def predict(network: Network, encodings: Sequence[Encoding]) -> list[FloatArray]:
    """Return logits, shape (texts, labels), one array an axis in taxonomy order."""
    network.eval()
    device = next(network.parameters()).device

    def run(ids: IdArray, mask: IdArray) -> list[FloatArray]:
        with torch.inference_mode():
            logits = network(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
        return [scores.cpu().numpy() for scores in logits]

    return in_batches(encodings, run)
