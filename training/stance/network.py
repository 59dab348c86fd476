"""The network of a transformer: one pretrained encoder, mean-pooled, with one linear head an axis."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel
from transformers.utils import logging as transformers_logging

from stance.batching import by_length, pad
from stance.errors import StanceError, UserError
from stance.taxonomy import Taxonomy

if TYPE_CHECKING:
    from stance.classifiers.transformer import TransformerParams

transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]

# Encoders that are embeddings followed by a plain stack of layers, and so can be cut between two.
_STACKS = ("bert", "roberta", "xlm-roberta", "camembert")
_FROZEN_BATCH = 64


def layers(encoder: Any) -> nn.ModuleList:
    """Return the stack of an encoder whose type is among those that can be cut."""
    stack: nn.ModuleList = encoder.encoder.layer
    return stack


class Network(nn.Module):
    """Mean-pooled encoder states, dropout, one linear head an axis.

    Args:
        encoder: pretrained.
        sizes: axis to number of labels.
        dropout: before the heads.
        frozen: so many of the lowest layers, and the embeddings below them, keep their weights.
    """

    def __init__(self, encoder: PreTrainedModel, sizes: dict[str, int], dropout: float, frozen: int) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.frozen = frozen
        self.dropout = nn.Dropout(dropout)
        width = encoder.config.hidden_size
        # Prefixed, because an axis may be named like an attribute of the module.
        self.heads = nn.ModuleDict({f"axis_{name}": nn.Linear(width, size) for name, size in sizes.items()})
        if frozen:
            for module in (encoder.embeddings, *layers(encoder)[:frozen]):
                module.requires_grad_(requires_grad=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """Return logits, shape (batch, labels), one tensor an axis in taxonomy order."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self._logits(states, attention_mask)

    def above(self, states: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """Return what :meth:`forward` does, from the states that the frozen layers gave.

        Args:
            states: see :func:`frozen_states`, padded to (batch, tokens, width).
            attention_mask: 1 for tokens, 0 for padding, shape (batch, tokens).
        """
        return self._logits(self._through(states, attention_mask, self.frozen, None), attention_mask)

    def below(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the states that the frozen layers give, shape (batch, tokens, width)."""
        return self._through(self.encoder.embeddings(input_ids=input_ids), attention_mask, 0, self.frozen)

    def _through(self, states: Tensor, mask: Tensor, first: int, last: int | None) -> Tensor:
        away = (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        for layer in layers(self.encoder)[first:last]:
            states = layer(states, away)
        return states

    def _logits(self, states: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        pooled = self.dropout((states * mask).sum(1) / mask.sum(1).clamp(min=1.0))
        return tuple(head(pooled) for head in self.heads.values())


def build(folder: Path, taxonomy: Taxonomy, params: TransformerParams) -> Network:
    """Load the pretrained encoder and put fresh heads on it.

    Raises:
        UserError: layers are to be frozen that the encoder does not have.
        StanceError: the folder holds no encoder that transformers can load from safetensors.
    """
    try:
        encoder = AutoModel.from_pretrained(
            folder,
            dtype=torch.float32,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            # On a processor the fused attention is quick forward, but slow to differentiate.
            attn_implementation="sdpa" if torch.cuda.is_available() else "eager",
        )
    except (OSError, ValueError) as error:
        raise StanceError(f"{folder}: no encoder can be loaded ({str(error).splitlines()[0]})") from error
    if params.frozen_layers:
        _check_stack(encoder, folder, params.frozen_layers)
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = params.encoder_dropout
    sizes = {name: len(axis.names) for name, axis in taxonomy.axes.items()}
    return Network(encoder, sizes, params.dropout, params.frozen_layers)


def _check_stack(encoder: PreTrainedModel, folder: Path, frozen: int) -> None:
    kind = encoder.config.model_type
    if kind not in _STACKS:
        raise UserError(
            f"params.frozen_layers: works with encoders of type {', '.join(_STACKS)}; {folder} is of type "
            f"'{kind}': set it to 0"
        )
    count = len(layers(encoder))
    if frozen >= count:
        raise UserError(f"params.frozen_layers: {folder} has {count} layers; freeze {count - 1} at most")


def frozen_states(network: Network, encodings: Sequence[Encoding], *, bf16: bool) -> list[Tensor]:
    """Return what the frozen layers make of every sentence, (tokens, width) each.

    Frozen layers give the same states in every epoch, so these are computed once; they take 2 bytes a
    number with ``bf16``, and 4 without.
    """
    network.eval()
    device = next(network.parameters()).device
    kind = torch.bfloat16 if bf16 else torch.float32
    found: list[Tensor] = [torch.empty(0)] * len(encodings)
    for batch in by_length(encodings, _FROZEN_BATCH):
        ids, mask = (tensor.to(device) for tensor in collate([encodings[row] for row in batch]))
        with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            states = network.below(ids, mask).to(kind)
        for row, each in zip(batch, states, strict=True):
            found[row] = each[: len(encodings[row])].clone()
    return found


def collate(encodings: Sequence[Encoding]) -> tuple[Tensor, Tensor]:
    """Return padded token ids and attention mask, shape (batch, tokens)."""
    ids, mask = pad(encodings)
    return torch.from_numpy(ids), torch.from_numpy(mask)


def collate_states(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return padded states in float32, shape (batch, tokens, width), and their attention mask."""
    padded = nn.utils.rnn.pad_sequence(list(states), batch_first=True).float()
    lengths = torch.tensor([len(each) for each in states], device=padded.device)
    places = torch.arange(padded.shape[1], device=padded.device)
    return padded, (places[None] < lengths[:, None]).long()


def export(network: Network, tokenizer: Tokenizer, taxonomy: Taxonomy, weights: Path, onnx: Path) -> None:
    """Write the weights as safetensors and the whole network as an fp32 ONNX graph."""
    network.eval().cpu()
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, weights)
    ids, mask = collate(tokenizer.encode_batch(["A first sentence.", "A second, somewhat longer sentence."]))
    axes = list(taxonomy.axes)
    free = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but its graphs are smaller, run faster here than those of
        # its successor, and are checked against torch right after; torch is pinned to one version.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (ids, mask),
            str(onnx),
            input_names=["input_ids", "attention_mask"],
            output_names=axes,
            dynamic_axes={"input_ids": free, "attention_mask": free, **{name: {0: "batch"} for name in axes}},
            opset_version=17,
            dynamo=False,
        )
