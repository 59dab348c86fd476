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


def test_few_rows_are_passed_over_until_min_steps_are_made(encoder: Path, labels: Path) -> None:
    """A small label set learns from as many batches as were asked for, a large one makes its epochs."""
    import math

    data = as_dataset(load_folder(labels))
    steps = math.ceil(len(data) / 8)

    class Counting(Silent):
        last = 0

        def progress(self, done: int, total: int, loss: float | None) -> None:
            self.last = done

    for asked, epochs in ((0, 2), (2 * steps, 2), (5 * steps - 1, 5)):
        log = Counting()
        settings = {"encoder": str(encoder), "epochs": 2, "batch_size": 8, "bf16": False, "min_steps": asked}
        taxonomy = load_folder(labels).taxonomy
        Family(taxonomy, TransformerParams.model_validate(settings), seed=3).fit(data, None, log)
        assert log.last == epochs * steps


def test_two_passes_without_dropout_are_one(encoder: Path, labels: Path) -> None:
    """R-Drop punishes what dropout makes of a sentence: where nothing is dropped it changes nothing."""
    still = {"dropout": 0.0, "encoder_dropout": 0.0}
    plain = trained(encoder, labels, **still).predict_proba(TEXTS)
    twice = trained(encoder, labels, **still, rdrop=4.0).predict_proba(TEXTS)
    assert all(np.allclose(plain[axis], twice[axis], atol=1e-3) for axis in plain)


def test_rdrop_brings_two_passes_nearer(encoder: Path, labels: Path) -> None:
    """Its divergence is nought between equal passes, positive between others, and the same both ways."""
    import torch

    from stance.finetune import _apart

    one, other = torch.tensor([[2.0, -1.0, 0.5]]), torch.tensor([[0.0, 1.0, 0.5]])
    for axis in load_folder(labels).taxonomy.axes.values():
        assert _apart(one, one, axis) == 0
        assert _apart(one, other, axis) > 0
        assert _apart(one, other, axis) == pytest.approx(float(_apart(other, one, axis)))


def test_averaged_weights_are_the_running_mean_of_the_last_steps() -> None:
    """Steps before the averaged share leave no trace; the mean, not the last step, is what remains."""
    import torch

    from stance.finetune import _KEPT, _Mean

    weight = torch.nn.Parameter(torch.tensor([0.0]))
    mean = _Mean([weight], first=1)
    for step, value in enumerate((100.0, 1.0, 2.0), start=1):
        weight.data.fill_(value)
        mean.add(step)
    mean.take()
    assert weight.item() == pytest.approx(_KEPT * 1.0 + (1 - _KEPT) * 2.0)


def test_no_averaging_keeps_the_last_weights() -> None:
    """With averaged_share 0 the mean takes in no step and changes nothing."""
    import torch

    from stance.finetune import _Mean

    weight = torch.nn.Parameter(torch.tensor([7.0]))
    mean = _Mean([weight], first=2)
    mean.add(1)
    mean.add(2)
    mean.take()
    assert weight.item() == 7.0
