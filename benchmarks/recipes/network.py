"""The network of a recipe, and what is done to its weights before training."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from benchmarks.recipes.ideas import Recipe
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from stance.batching import by_length, pad
from stance.encoder import DEFAULT_ENCODER, locate
from stance.taxonomy import Taxonomy

Pair = tuple[Tensor, Tensor]
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# A local folder takes the place of the packaged encoder where that is not installed.
ENCODER = os.environ.get("STANCE_ENCODER", DEFAULT_ENCODER)
MASK_TOKEN, FIRST_WORD = 103, 999


class Network(nn.Module):
    """An encoder, a pooling, one linear head an axis."""

    def __init__(self, taxonomy: Taxonomy, recipe: Recipe) -> None:
        super().__init__()
        self.encoder: Any = AutoModel.from_pretrained(
            locate(ENCODER, None), dtype=torch.float32, attn_implementation="eager"
        )
        for module in self.encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = recipe.dropout
        self.pooling = recipe.pooling
        self.frozen = max(0, recipe.frozen)
        self.dropout = nn.Dropout(0.1)
        width = self.encoder.config.hidden_size
        self.query = nn.Linear(width, 1)
        self.heads = nn.ModuleList(nn.Linear(width, len(axis.names)) for axis in taxonomy.axes.values())
        freeze(self, recipe.frozen)
        layers = self.encoder.encoder.layer
        for layer in layers[len(layers) - recipe.reinitialised :]:
            restart(layer, self.encoder.config.initializer_range)

    def below(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the states that the frozen part gives, shape (batch, tokens, width)."""
        states: Tensor = self.encoder.embeddings(input_ids=ids)
        away = _away(mask)
        for layer in self.encoder.encoder.layer[: self.frozen]:
            states = layer(states, away)
        return states

    def pooled(self, pair: Pair) -> Tensor:
        """Return one vector a sentence, shape (batch, width), from ids or from states of :meth:`below`."""
        first, mask = pair
        states: Tensor = first.float() if first.is_floating_point() else self.below(first, mask)
        away = _away(mask)
        for layer in self.encoder.encoder.layer[self.frozen :]:
            states = layer(states, away)
        if self.pooling == "cls":
            first_token: Tensor = states[:, 0]
            return first_token
        away = (mask == 0).unsqueeze(-1)
        if self.pooling == "max":
            return states.masked_fill(away, -1e4).amax(1)
        if self.pooling == "attention":
            weight = self.query(states).float().masked_fill(away, -1e4).softmax(1)
            weighed: Tensor = (states * weight).sum(1)
            return weighed
        share = mask.unsqueeze(-1).to(states.dtype)
        return (states * share).sum(1) / share.sum(1)

    def forward(self, pair: Pair) -> list[Tensor]:
        """Return logits (batch, labels) in float32, one an axis."""
        pooled = self.dropout(self.pooled(pair))
        return [head(pooled).float() for head in self.heads]


def restart(layer: nn.Module, spread: float) -> None:
    """Draw a layer's weights anew, as BERT does: transformers' own function passes over what is loaded."""
    for module in layer.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=spread)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            module.reset_parameters()


def _away(mask: Tensor) -> Tensor:
    return (1.0 - mask[:, None, None, :].float()) * -1e4


def freeze(network: Network, layers: int) -> None:
    """Stop the embeddings and the lowest layers from learning; -1 stops nothing."""
    if layers < 0:
        return
    for module in [network.encoder.embeddings, *network.encoder.encoder.layer[:layers]]:
        module.requires_grad_(requires_grad=False)


def collate(encodings: Sequence[Encoding], rows: Sequence[int]) -> Pair:
    """Return ids and mask of some rows."""
    ids, mask = pad([encodings[row] for row in rows])
    return torch.from_numpy(ids).to(DEVICE), torch.from_numpy(mask).to(DEVICE)


def autocast() -> torch.autocast:
    """Return the context in which matrix products run in bfloat16."""
    return torch.autocast(DEVICE.type, dtype=torch.bfloat16)


def collate_states(states: Sequence[Tensor], rows: Sequence[int]) -> Pair:
    """Return padded states, shape (batch, tokens, width), and their mask."""
    mine = [states[row] for row in rows]
    padded = nn.utils.rnn.pad_sequence(mine, batch_first=True)
    lengths = torch.tensor([len(each) for each in mine], device=padded.device)
    places = torch.arange(padded.shape[1], device=padded.device)
    return padded, (places[None] < lengths[:, None]).long()


def frozen_states(network: Network, encodings: Sequence[Encoding]) -> list[Tensor]:
    """Return what the frozen part makes of every sentence, once for all epochs: bfloat16 (tokens, width)."""
    network.eval()
    found: list[Tensor] = [torch.zeros(0)] * len(encodings)
    for rows in by_length(encodings, 64):
        ids, mask = collate(encodings, rows)
        with torch.inference_mode(), autocast():
            states = network.below(ids, mask).to(torch.bfloat16)
        for row, each in zip(rows, states, strict=True):
            found[row] = each[: len(encodings[row])].clone()
    return found


def batches(lengths: Sequence[int], rows: Sequence[int], size: int, seed: int) -> Iterator[list[int]]:
    """Yield shuffled batches of rows of like length."""
    generator = random.Random(seed)
    order = list(rows)
    generator.shuffle(order)
    found = []
    for start in range(0, len(order), size * 20):
        bucket = sorted(order[start : start + size * 20], key=lambda row: lengths[row])
        found += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    generator.shuffle(found)
    yield from found


def describe(network: Network, tokenizer: Tokenizer, taxonomy: Taxonomy) -> None:
    """Set every head's rows to the directions of its labels' descriptions."""
    network.eval()
    for head, axis in zip(network.heads, taxonomy.axes.values(), strict=True):
        encodings = tokenizer.encode_batch([f"{name}: {text}" for name, text in axis.labels.items()])
        with torch.no_grad():
            found = network.pooled(collate(encodings, range(len(encodings))))
            found = found - found.mean(0)
            head.weight.copy_(functional.normalize(found, dim=1) * head.weight.norm(dim=1).mean())  # type: ignore[operator]


def pretrain_masked(network: Network, encodings: Sequence[Encoding], epochs: int, seed: int) -> None:
    """Train the encoder to fill 15% masked tokens; the output layer is tied to the word embeddings."""
    table = network.encoder.embeddings.word_embeddings.weight
    width = table.shape[1]
    head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width)).to(DEVICE)
    bias = nn.Parameter(torch.zeros(table.shape[0], device=DEVICE))
    parameters = [*network.encoder.parameters(), *head.parameters(), bias]
    optimizer = torch.optim.AdamW([each for each in parameters if each.requires_grad], lr=1e-4, fused=True)
    lengths = [len(each) for each in encodings]
    draw = np.random.default_rng(seed)
    network.train()
    for epoch in range(epochs):
        for rows in batches(lengths, range(len(encodings)), 32, seed + epoch):
            ids, mask = collate(encodings, rows)
            hidden = torch.from_numpy(draw.random(ids.shape) < 0.15).to(DEVICE) & (ids > FIRST_WORD)
            if not hidden.any():
                continue
            with autocast():
                states = network.encoder(
                    input_ids=ids.masked_fill(hidden, MASK_TOKEN), attention_mask=mask
                ).last_hidden_state[hidden]
                scores = functional.linear(head(states), table, bias)
            loss = functional.cross_entropy(scores.float(), ids[hidden])
            _step(optimizer, loss, parameters)


def pretrain_contrastive(
    network: Network, encodings: Sequence[Encoding], targets: Sequence[Tensor], epochs: int, seed: int
) -> None:
    """Draw together sentences of a batch by the share of labels that they have in common, on all axes."""
    labels = torch.cat([table * (1.0 if table.shape[1] > 3 else 2.0) for table in targets], 1).to(DEVICE)
    parameters = [each for each in network.encoder.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=5e-5, fused=True)
    lengths = [len(each) for each in encodings]
    network.train()
    for epoch in range(epochs):
        for rows in batches(lengths, range(len(encodings)), 64, seed + 100 + epoch):
            with autocast():
                found = network.pooled(collate(encodings, rows))
            vectors = functional.normalize(found.float(), dim=1)
            mine = labels[rows]
            both = torch.minimum(mine[:, None], mine[None]).sum(2)
            wanted = both / torch.maximum(mine[:, None], mine[None]).sum(2).clamp(min=1e-6)
            self_ = torch.eye(len(rows), dtype=torch.bool, device=DEVICE)
            wanted = wanted.pow(2).masked_fill(self_, 0)
            wanted = wanted / wanted.sum(1, keepdim=True).clamp(min=1e-6)
            scores = (vectors @ vectors.T / 0.1).masked_fill(self_, -1e4).log_softmax(1)
            _step(optimizer, -(wanted * scores).sum(1).mean(), parameters)


def _step(optimizer: torch.optim.Optimizer, loss: Tensor, parameters: Sequence[Tensor]) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
