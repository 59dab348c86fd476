from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from stance.runtime import TOKEN_BUDGET, token_batches


def test_batches_hold_every_sentence_once_within_the_budget() -> None:
    """No sentence is lost or doubled, and no batch computes more padded tokens than the budget."""
    draw = random.Random(4)
    lengths = [draw.randint(3, 128) for _ in range(500)]
    batches = list(token_batches(lengths))
    assert sorted(number for batch in batches for number in batch) == list(range(500))
    assert all(len(batch) * max(lengths[number] for number in batch) <= TOKEN_BUDGET for batch in batches)


def test_a_sentence_beyond_the_budget_comes_alone() -> None:
    """A very long sentence is run, not dropped."""
    assert list(token_batches([5, 4000, 6])) == [[0, 2], [1]]


def test_order_is_restored_whatever_the_lengths(models: Path) -> None:
    """Sentences sorted by length for speed come back in the order they were given."""
    from stance.tagger import Tagger

    classifier = Tagger.load(models / "transformer").classifier
    texts = [f"word {'and more ' * (number % 17)}{number}." for number in range(90)]
    together = classifier.predict_proba(texts)["framing"]
    alone = np.concatenate([classifier.predict_proba([text])["framing"] for text in texts])
    assert np.allclose(together, alone, atol=0.02)


def test_the_int8_form_is_there_only_if_it_passed(models: Path) -> None:
    """The manifest says how near the lighter form came, and the folder holds it only where it was kept."""
    manifest = json.loads((models / "transformer" / "manifest.json").read_text(encoding="utf-8"))
    light = manifest["light"]
    assert set(light["agreement"]) == {"framing", "topics"}
    assert light["kept"] == (min(light["agreement"].values()) >= 0.99) or light["macro_f1_loss"]
    assert (models / "transformer" / "model.int8.onnx").is_file() == light["kept"]
    assert json.loads((models / "tfidf" / "manifest.json").read_text(encoding="utf-8"))["light"] is None


def test_the_int8_form_predicts_nearly_alike(models: Path, tmp_path: Path) -> None:
    """Quantising changes probabilities little, even of a tiny network."""
    from stance.quantize import quantize
    from stance.runtime import Runtime

    pytest.importorskip("onnx", reason="needs the train extra")
    model = models / "transformer"
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    encodings = tokenizer.encode_batch(["They met.", "Officials accused the rival of more."])
    quantize(model / "model.onnx", tmp_path / "light.onnx", encodings)
    full, light = (Runtime(path).run(encodings) for path in (model / "model.onnx", tmp_path / "light.onnx"))
    assert max(np.abs(one - other).max() for one, other in zip(full, light, strict=True)) < 0.2
    assert (tmp_path / "light.onnx").stat().st_size < (model / "model.onnx").stat().st_size


@pytest.mark.parametrize(
    ("flags", "found"),
    [("fma avx2 avx512_vnni", True), ("fma avx2 avx_vnni", True), ("fma avx2 avx512f", False), (None, False)],
)
def test_a_processor_that_multiplies_bytes_is_known_by_its_flags(
    flags: str | None, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With VNNI int8 is taken unseen; without it, or where nothing tells, the two forms are tried."""
    from stance import runtime

    told = tmp_path / "cpuinfo"
    if flags is not None:
        told.write_text(f"processor\t: 0\nflags\t\t: {flags}\n", encoding="utf-8")
    monkeypatch.setattr(runtime, "_PROCESSOR", told)
    assert runtime.multiplies_bytes() == found


def test_word_embeddings_are_kept_in_bytes(tmp_path: Path) -> None:
    """A large table is looked up in bytes, each row within half a step of what it was; a small one stays."""
    onnx = pytest.importorskip("onnx", reason="needs the train extra")
    import onnxruntime

    from stance.quantize import quantize

    draw = np.random.default_rng(5)
    large, small = draw.normal(size=(6000, 8)).astype("f4"), draw.normal(size=(4, 8)).astype("f4")
    make = onnx.helper
    nodes = [
        make.make_node("Gather", ["large", "ids"], ["words"]),
        make.make_node("Gather", ["small", "places"], ["where"]),
    ]
    ids = [make.make_tensor_value_info(name, onnx.TensorProto.INT64, ["n"]) for name in ("ids", "places")]
    outs = [
        make.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 8]) for name in ("words", "where")
    ]
    tables = [
        onnx.numpy_helper.from_array(table, name) for name, table in (("large", large), ("small", small))
    ]
    graph = make.make_graph(nodes, "lookup", ids, outs, tables)
    onnx.save(
        make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8),
        tmp_path / "full.onnx",
    )
    quantize(tmp_path / "full.onnx", tmp_path / "light.onnx", [])
    session = onnxruntime.InferenceSession(tmp_path / "light.onnx", providers=["CPUExecutionProvider"])
    words, where = session.run(None, {"ids": np.array([0, 5999]), "places": np.array([3])})
    steps = np.abs(large[[0, 5999]]).max(axis=1, keepdims=True) / 127
    assert (np.abs(words - large[[0, 5999]]) <= 0.51 * steps).all()
    assert (where == small[[3]]).all()
