"""Train one recipe on one set of rows, and predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from benchmarks.recipes.ideas import Recipe
from benchmarks.recipes.network import (
    DEVICE,
    ENCODER,
    Network,
    autocast,
    batches,
    collate,
    collate_states,
    describe,
    frozen_states,
    pretrain_contrastive,
    pretrain_masked,
)
from torch import Tensor, nn
from torch.nn import functional

from stance.batching import in_batches, probabilities
from stance.classifiers.transformer import _tokenizer
from stance.encoder import locate
from stance.finetune import seed_everything
from stance.taxonomy import FloatArray, Taxonomy

TOKENIZER = _tokenizer(locate(ENCODER, None) / "tokenizer.json", 128)


@dataclass(frozen=True, slots=True)
class Rows:
    """Sentences to learn from.

    Attributes:
        hard: settled labels, 0/1 floats (rows, labels), one table an axis.
        votes: the mean of the annotations, likewise.
        groups: the article of every row.
    """

    texts: Sequence[str]
    hard: Sequence[Tensor]
    votes: Sequence[Tensor]
    groups: Sequence[str]

    def pick(self, rows: Sequence[int]) -> Rows:
        """Return some of the rows."""
        index = list(rows)
        return Rows(
            [self.texts[row] for row in index],
            [table[index] for table in self.hard],
            [table[index] for table in self.votes],
            [self.groups[row] for row in index],
        )


def fit(taxonomy: Taxonomy, rows: Rows, recipe: Recipe, seed: int) -> Network:
    """Train a network by a recipe."""
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    soft = _teach(taxonomy, rows, recipe, seed) if recipe.teachers else None
    seed_everything(seed)
    encodings = TOKENIZER.encode_batch(list(rows.texts))
    network = Network(taxonomy, recipe).to(DEVICE)
    if recipe.mlm:
        pretrain_masked(network, encodings, recipe.mlm, seed)
    if recipe.contrastive:
        pretrain_contrastive(network, encodings, rows.hard, recipe.contrastive, seed)
    if recipe.descriptions:
        describe(network, TOKENIZER, taxonomy)
    targets = rows.votes if recipe.votes else rows.hard
    if soft is not None:
        targets = [0.5 * hard + 0.5 * taught for hard, taught in zip(targets, soft, strict=True)]
    disputed = [
        row
        for row in range(len(rows.texts))
        if any(((table[row] > 0) & (table[row] < 1)).any() for table in rows.votes)
    ]
    easy = sorted(set(range(len(rows.texts))) - set(disputed))
    states = frozen_states(network, encodings) if recipe.frozen > 0 else None
    loss_of = _Loss(taxonomy, targets, recipe)
    optimizer = _optimizer(network, recipe)
    lengths = [len(each) for each in encodings]
    steps = recipe.epochs * -(-len(lengths) // recipe.batch)
    step = 0
    averaged: dict[str, Tensor] | None = None
    for epoch in range(recipe.epochs):
        network.train()
        started = recipe.curriculum and 3 * epoch < recipe.epochs
        mine = easy if started else list(range(len(lengths)))
        for batch in batches(lengths, mine, recipe.batch, seed * 1000 + epoch):
            _set_rate(optimizer, step, steps)
            optimizer.zero_grad(set_to_none=True)
            pair = collate(encodings, batch) if states is None else collate_states(states, batch)
            loss_of.backward(network, pair, batch)
            nn.utils.clip_grad_norm_([each for each in network.parameters() if each.requires_grad], 1.0)
            optimizer.step()
            step += 1
            if recipe.average and 3 * step >= 2 * steps:
                averaged = _averaged(averaged, network)
    if averaged:
        network.load_state_dict(averaged)
    return network


def _averaged(sofar: dict[str, Tensor] | None, network: Network) -> dict[str, Tensor]:
    state = network.state_dict()
    if sofar is None:
        return {key: value.detach().clone() for key, value in state.items()}
    for key, value in state.items():
        if value.is_floating_point():
            sofar[key].lerp_(value, 0.02)
    return sofar


def _teach(taxonomy: Taxonomy, rows: Rows, recipe: Recipe, seed: int) -> list[Tensor]:
    """Return what models that never saw a row's article say of it."""
    names = sorted(set(rows.groups))
    np.random.default_rng(seed).shuffle(names)
    part = {name: number % recipe.teachers for number, name in enumerate(names)}
    taught = [torch.zeros_like(table) for table in rows.hard]
    for number in range(recipe.teachers):
        inside = [row for row, group in enumerate(rows.groups) if part[group] != number]
        outside = [row for row, group in enumerate(rows.groups) if part[group] == number]
        teacher = fit(taxonomy, rows.pick(inside), replace(recipe, teachers=0), seed + 7919 * (number + 1))
        said = predict(teacher, taxonomy, [rows.texts[row] for row in outside])
        for table, values in zip(taught, said.values(), strict=True):
            table[outside] = torch.from_numpy(values).float()
    return taught


class _Loss:
    def __init__(self, taxonomy: Taxonomy, targets: Sequence[Tensor], recipe: Recipe) -> None:
        self._axes = list(taxonomy.axes.values())
        self._recipe = recipe
        self._targets, self._weights = [], []
        for axis, table in zip(self._axes, targets, strict=True):
            positive = table.sum(0).clamp(min=1)
            if axis.single:
                weight = (positive.mean() / positive) ** recipe.balance
                spread = recipe.smoothing / table.shape[1]
            else:
                weight = ((len(table) - positive).clamp(min=1) / positive) ** recipe.balance
                spread = recipe.smoothing / 2
            self._targets.append((table * (1 - recipe.smoothing) + spread).to(DEVICE))
            self._weights.append(weight.to(DEVICE))

    def backward(self, network: Network, pair: tuple[Tensor, Tensor], batch: Sequence[int]) -> None:
        """Add the gradients of one batch."""
        if self._recipe.rdrop:
            first, second = self._logits(network, pair), self._logits(network, pair)
            loss = (self._sum(first, batch) + self._sum(second, batch)) / 2
            loss = loss + self._recipe.rdrop * self._apart(first, second)
            loss.backward()  # type: ignore[no-untyped-call]
            return
        self._sum(self._logits(network, pair), batch).backward()  # type: ignore[no-untyped-call]
        if self._recipe.adversarial:
            table = network.encoder.embeddings.word_embeddings.weight
            step = self._recipe.adversarial * table.grad / (table.grad.norm() + 1e-12)
            table.data.add_(step)
            self._sum(self._logits(network, pair), batch).backward()  # type: ignore[no-untyped-call]
            table.data.sub_(step)

    @staticmethod
    def _logits(network: Network, pair: tuple[Tensor, Tensor]) -> list[Tensor]:
        with autocast():
            found: list[Tensor] = network(pair)
        return found

    def _sum(self, logits: Sequence[Tensor], batch: Sequence[int]) -> Tensor:
        total = torch.zeros((), device=DEVICE)
        for axis, scores, table, weight in zip(self._axes, logits, self._targets, self._weights, strict=True):
            target = table[list(batch)]
            if axis.single:
                rows = -(weight * target * scores.log_softmax(1)).sum(1)
                total = total + rows.sum() / (weight * target).sum()
            else:
                share = self._recipe.topics_weight
                total = total + share * functional.binary_cross_entropy_with_logits(
                    scores, target, pos_weight=weight
                )
        return total

    def _apart(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
        total = torch.zeros((), device=DEVICE)
        for axis, one, other in zip(self._axes, first, second, strict=True):
            if axis.single:
                p, q = one.log_softmax(1), other.log_softmax(1)
                total = total + ((p.exp() - q.exp()) * (p - q)).sum(1).mean() / 2
            else:
                total = total + ((one.sigmoid() - other.sigmoid()) * (one - other)).mean() / 2
        return total


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    groups = []
    layers = len(network.encoder.encoder.layer)
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("encoder."):
            parts = name.split(".")
            depth = layers - 1 - int(parts[3]) if parts[1] == "encoder" else layers
            rate = recipe.lr * recipe.layer_decay**depth
        else:
            rate = recipe.head_lr
        decay = recipe.decay if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, fused=True)


def _set_rate(optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
    rising = max(1, round(steps * 0.1))
    factor = (step + 1) / rising if step < rising else max(0.0, (steps - step) / max(1, steps - rising))
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def predict(network: Network, taxonomy: Taxonomy, texts: Sequence[str]) -> Mapping[str, FloatArray]:
    """Return axis to uncalibrated probabilities (rows, labels)."""
    network.eval()

    def run(ids: np.ndarray, mask: np.ndarray) -> list[FloatArray]:
        pair = torch.from_numpy(ids).to(DEVICE), torch.from_numpy(mask).to(DEVICE)
        with torch.inference_mode(), autocast():
            return [each.cpu().numpy() for each in network(pair)]

    logits = in_batches(TOKENIZER.encode_batch(list(texts)), run)
    return {
        name: probabilities(scores, axis)
        for (name, axis), scores in zip(taxonomy.axes.items(), logits, strict=True)
    }
