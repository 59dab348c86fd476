from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import ROWS, Silent
from stance.classifiers.transformer import Family, TransformerParams
from stance.dataset import as_dataset, load_folder
from stance.errors import UserError

pytest.importorskip("torch", reason="needs the train extra")
TEXTS = [row[1] for row in ROWS[:5]]


def trained(encoder: Path, labels: Path, **settings: object) -> Family:
    data = load_folder(labels)
    given = {"encoder": str(encoder), "epochs": 2, "lr": 0.003, "batch_size": 8, "bf16": False, **settings}
    family = Family(data.taxonomy, TransformerParams.model_validate(given), seed=3)
    family.fit(as_dataset(data), None, Silent())
    return family


def test_frozen_layers_keep_their_weights_and_the_others_learn(encoder: Path, labels: Path) -> None:
    """frozen_layers: 1 leaves embeddings and the first layer as they were pretrained."""
    from safetensors.torch import load_file

    network = trained(encoder, labels, frozen_layers=1)._network
    before, after = load_file(encoder / "model.safetensors"), network.encoder.state_dict()
    same = {name for name in before if bool((before[name] == after[name].cpu()).all())}
    frozen = {name for name in before if name.startswith(("embeddings.", "encoder.layer.0."))}
    assert frozen <= same
    assert not {name for name in same if name.startswith("encoder.layer.1.") and name.endswith("weight")}


def test_states_kept_from_frozen_layers_give_what_the_whole_network_gives(
    encoder: Path, labels: Path
) -> None:
    """Training on states computed once is training on the same network: the logits are equal."""
    import torch

    from stance.network import collate_states, frozen_states

    family = trained(encoder, labels, frozen_layers=1)
    network, encodings = family._network, family._encode(TEXTS)
    states = frozen_states(network, encodings, bf16=False)
    with torch.no_grad():
        cut = network.above(*collate_states(states))
    whole = family.predict_proba(TEXTS)["framing"]
    assert np.allclose(torch.softmax(cut[0], 1).numpy(), whole, atol=1e-5)


def test_more_frozen_layers_than_there_are_is_a_mistake(encoder: Path, labels: Path) -> None:
    """An encoder of two layers can have one frozen; the message names the limit."""
    with pytest.raises(UserError, match="has 2 layers; freeze 1 at most"):
        trained(encoder, labels, frozen_layers=2)
