"""Turn an fp32 ONNX graph into one whose weights are, and whose matrix products run in, 8-bit integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Encoding

from stance.batching import pad
from stance.taxonomy import FloatArray

if TYPE_CHECKING:
    import onnx

_LARGEST = 127
# Activations are shifted to unsigned bytes: these times signed weights is what processors are quickest at.
_MIDDLE = 128
_ALL = 255
# The least value of x * Phi(x), GELU, is -0.16997.
_GELU_LOW = 0.17
_LEAST = 1e-8
# Tables of fewer rows than this, positions for one, are not worth it.
_ROWS = 5000
# onnxruntime's own operators.
_DOMAIN = "com.microsoft"


def quantize(source: Path, target: Path, sample: Sequence[Encoding]) -> None:
    """Write the int8 form of a graph.

    Every column of weights has a scale of its own, and so has every token's activations, found as they
    come. One scale for all activations of a batch, as onnxruntime's dynamic quantisation has it, changes
    too many labels: the few large ones leave the others no room. It would also make a sentence depend on
    those beside it. A scale a block of 32 is nearer still, and takes twice the time.

    A few channels are ten times as large as the others and would leave these few steps: as in SmoothQuant
    (Xiao et al., ICML 2023), half of the difference is moved into the weights. What comes out of a GELU is
    more even, and never below -0.17: there the bytes count from that value, in steps half as wide. Word
    embeddings are kept in bytes too, a scale a word, which makes the file a quarter of the size and quick to
    load.

    Args:
        source: an fp32 graph with the inputs ``input_ids`` and ``attention_mask``.
        target: the file to write.
        sample: some sentences of the kind that it will read, at least one; they tell how large channels are.
    """
    import onnx
    from onnx import helper

    model = onnx.load(source)
    products = _products(model.graph)
    rewriter = _Rewriter(model.graph, products, _channel_sizes(model, list(products), sample))
    nodes = [new for node in model.graph.node for new in rewriter.instead_of(node)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    if all(each.domain != _DOMAIN for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    onnx.save(model, target)


def _products(graph: onnx.GraphProto) -> dict[str, list[str]]:
    """Return activations to the weights, serving nothing else, that they are multiplied by."""
    weights = {each.name for each in graph.initializer if len(each.dims) == 2}
    uses = [name for node in graph.node for name in node.input]
    found: dict[str, list[str]] = {}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and uses.count(node.input[1]) == 1:
            found.setdefault(node.input[0], []).append(node.input[1])
    return found


def _channel_sizes(
    model: onnx.ModelProto, names: Sequence[str], sample: Sequence[Encoding]
) -> dict[str, FloatArray]:
    """Return activations to the largest absolute value, in the sample, of each of their channels."""
    import onnx
    import onnxruntime
    from onnx import helper

    if not names:
        return {}
    telling = onnx.ModelProto()
    telling.CopyFrom(model)
    kind = onnx.TensorProto.FLOAT
    telling.graph.output.extend(helper.make_tensor_value_info(name, kind, None) for name in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        telling.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    ids, mask = pad(sample)
    found = session.run(list(names), {"input_ids": ids, "attention_mask": mask})
    return {name: np.abs(each[mask > 0]).max(axis=0) for name, each in zip(names, found, strict=True)}


class _Rewriter:
    """Gives the nodes to stand in place of each; weights are replaced in the graph as they come.

    Args:
        products: see :func:`_products`.
        sizes: see :func:`_channel_sizes`.
    """

    def __init__(
        self,
        graph: onnx.GraphProto,
        products: Mapping[str, Sequence[str]],
        sizes: Mapping[str, FloatArray],
    ) -> None:
        self._graph = graph
        self._products = products
        self._weights = {each.name: each for each in graph.initializer}
        self._uses = [name for node in graph.node for name in node.input]
        self._makers = {name: node for node in graph.node for name in node.output}
        self._moved = {name: self._to_move(name, sizes[name]) for name in products}
        self._tokens: set[str] = set()
        self._constant("int8.one", np.float32(1))
        self._constant("int8.middle", np.uint8(_MIDDLE))
        self._constant("int8.step", np.float32(1 / _LARGEST))
        self._constant("int8.least", np.float32(_LEAST))
        self._constant("int8.zero", np.uint8(0))
        self._constant("int8.low", np.float32(_GELU_LOW))
        self._constant("int8.finer", np.float32(1 / _ALL))

    def _constant(self, name: str, value: np.ndarray | np.generic) -> None:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))

    def _array(self, name: str) -> np.ndarray:
        from onnx import numpy_helper

        return np.asarray(numpy_helper.to_array(self._weights[name]))

    def _to_move(self, name: str, sizes: FloatArray) -> np.ndarray:
        """Return what each channel is divided by, and its weights are multiplied by; 1 in the mean."""
        weights = np.max([np.abs(self._array(each)).max(axis=1) for each in self._products[name]], axis=0)
        shares = np.sqrt((sizes + _LEAST) / (weights + _LEAST))
        return np.asarray(shares / np.exp(np.log(shares).mean()), dtype=np.float32)

    def instead_of(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the node itself, unless it multiplies by, or looks up, weights that serve nothing else."""
        if node.op_type == "Gather":
            return self._looked_up(node)
        if node.op_type != "MatMul" or node.input[1] not in self._products.get(node.input[0], ()):
            return [node]
        gelu = self._out_of_gelu(node.input[0])
        self._store(node.input[1], None if gelu else self._moved[node.input[0]])
        return [*self._in_bytes(node.input[0], gelu=gelu), *self._product(node, gelu=gelu)]

    def _looked_up(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return nodes that look rows up in a table of bytes and scale them; small tables stay."""
        from onnx import TensorProto, helper

        (name, rows), (output,) = node.input, node.output
        table = self._weights.get(name)
        if table is None or len(table.dims) != 2 or table.dims[0] < _ROWS or self._uses.count(name) > 1:
            return [node]
        full = self._array(name)
        scale = np.maximum(np.abs(full).max(axis=1, keepdims=True) / _LARGEST, _LEAST).astype(np.float32)
        self._graph.initializer.remove(table)
        self._constant(f"{name}.int8", np.round(full / scale).astype(np.int8))
        self._constant(f"{name}.scale", scale)
        return [
            helper.make_node("Gather", [f"{name}.int8", rows], [f"{output}.int8"]),
            helper.make_node("Gather", [f"{name}.scale", rows], [f"{output}.scale"]),
            helper.make_node("Cast", [f"{output}.int8"], [f"{output}.unscaled"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{output}.unscaled", f"{output}.scale"], [output]),
        ]

    def _out_of_gelu(self, name: str) -> bool:
        """Tell whether activations are the products and sums that GELU makes of an error function."""
        maker = self._makers.get(name)
        if maker is None or maker.op_type not in {"Mul", "Add", "Erf"}:
            return False
        return maker.op_type == "Erf" or any(self._out_of_gelu(each) for each in maker.input)

    def _store(self, name: str, moved: np.ndarray | None) -> None:
        """Keep weights in bytes; without ``moved`` they meet a GELU, and what its shift adds is kept too."""
        full = self._array(name) if moved is None else self._array(name) * moved[:, None]
        scale = np.maximum(np.abs(full).max(axis=0) / _LARGEST, _LEAST).astype(np.float32)
        whole = np.round(full / scale).astype(np.int8)
        self._graph.initializer.remove(self._weights[name])
        self._constant(f"{name}.int8", whole)
        self._constant(f"{name}.scale", scale)
        if moved is None:
            self._constant(f"{name}.shift", -_GELU_LOW * scale * whole.sum(axis=0, dtype=np.float32))

    def _in_bytes(self, name: str, *, gelu: bool) -> list[onnx.NodeProto]:
        """Return nodes that turn activations (batch, tokens, width) to bytes, once for all that use them."""
        from onnx import helper

        if name in self._tokens:
            return []
        self._tokens.add(name)
        node = helper.make_node
        even, size = f"{name}.even", f"{name}.size"
        step, zero = ("int8.finer", "int8.zero") if gelu else ("int8.step", "int8.middle")
        if gelu:
            size, start = even, [node("Add", [name, "int8.low"], [even])]
        else:
            self._constant(f"{name}.moved", 1 / self._moved[name])
            start = [node("Mul", [name, f"{name}.moved"], [even]), node("Abs", [even], [size])]
        return [
            *start,
            node("ReduceMax", [size], [f"{name}.largest"], axes=[-1], keepdims=1),
            node("Mul", [f"{name}.largest", step], [f"{name}.raw"]),
            node("Max", [f"{name}.raw", "int8.least"], [f"{name}.scale"]),
            node("Div", [even, f"{name}.scale"], [f"{name}.steps"]),
            node("QuantizeLinear", [f"{name}.steps", "int8.one", zero], [f"{name}.int8"]),
        ]

    @staticmethod
    def _product(node: onnx.NodeProto, *, gelu: bool) -> list[onnx.NodeProto]:
        from onnx import helper

        (name, weights), (output,) = node.input, node.output
        zero = "int8.zero" if gelu else "int8.middle"
        inputs = [f"{name}.int8", f"{weights}.int8", "int8.one", f"{weights}.scale", zero]
        scaled = f"{output}.scaled" if gelu else output
        nodes = [
            helper.make_node("MatMulIntegerToFloat", inputs, [f"{output}.unscaled"], domain=_DOMAIN),
            helper.make_node("Mul", [f"{output}.unscaled", f"{name}.scale"], [scaled]),
        ]
        if gelu:
            nodes.append(helper.make_node("Add", [scaled, f"{weights}.shift"], [output]))
        return nodes
