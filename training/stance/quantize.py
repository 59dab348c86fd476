"""Turn an fp32 ONNX graph into one whose matrix products run in 8-bit integers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

_LARGEST = 127
# Activations are shifted to unsigned bytes: these times signed weights is what processors are quickest at.
_MIDDLE = 128
_LEAST = 1e-8
# onnxruntime's own operators.
_DOMAIN = "com.microsoft"


def quantize(source: Path, target: Path) -> None:
    """Write the int8 form of a graph.

    Every column of weights has a scale of its own, and so has every token's activations, found as they
    come. One scale for all activations of a batch, as onnxruntime's dynamic quantisation has it, changes
    too many labels: the few large ones leave the others no room. It would also make a sentence depend on
    those beside it. A scale a block of 32 is nearer still, and takes twice the time.

    Args:
        source: an fp32 graph.
        target: the file to write.
    """
    import onnx
    from onnx import helper

    model = onnx.load(source)
    rewriter = _Rewriter(model.graph)
    nodes = [new for node in model.graph.node for new in rewriter.instead_of(node)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    if all(each.domain != _DOMAIN for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    onnx.save(model, target)


class _Rewriter:
    """Gives the nodes to stand in place of each; weights are replaced in the graph as they come."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._weights = {each.name: each for each in graph.initializer}
        self._tokens: set[str] = set()
        self._uses = [name for node in graph.node for name in node.input]
        self._constant("int8.one", np.float32(1))
        self._constant("int8.middle", np.uint8(_MIDDLE))
        self._constant("int8.step", np.float32(1 / _LARGEST))
        self._constant("int8.least", np.float32(_LEAST))

    def _constant(self, name: str, value: np.ndarray | np.generic) -> None:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))

    def instead_of(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the node itself, unless it multiplies by weights that serve nothing else."""
        weights = node.op_type == "MatMul" and self._weights.get(node.input[1])
        if not weights or len(weights.dims) != 2 or self._uses.count(weights.name) > 1:
            return [node]
        self._store(weights)
        return [*self._in_bytes(node.input[0]), *self._product(node)]

    def _store(self, weights: onnx.TensorProto) -> None:
        from onnx import numpy_helper

        full = numpy_helper.to_array(weights)
        scale = np.maximum(np.abs(full).max(axis=0) / _LARGEST, _LEAST).astype(np.float32)
        self._graph.initializer.remove(weights)
        self._constant(f"{weights.name}.int8", np.round(full / scale).astype(np.int8))
        self._constant(f"{weights.name}.scale", scale)

    def _in_bytes(self, name: str) -> list[onnx.NodeProto]:
        """Return nodes that turn activations (batch, tokens, width) to bytes, once for all that use them."""
        from onnx import helper

        if name in self._tokens:
            return []
        self._tokens.add(name)
        node = helper.make_node
        return [
            node("Abs", [name], [f"{name}.size"]),
            node("ReduceMax", [f"{name}.size"], [f"{name}.largest"], axes=[-1], keepdims=1),
            node("Mul", [f"{name}.largest", "int8.step"], [f"{name}.raw"]),
            node("Max", [f"{name}.raw", "int8.least"], [f"{name}.scale"]),
            node("Div", [name, f"{name}.scale"], [f"{name}.steps"]),
            node("QuantizeLinear", [f"{name}.steps", "int8.one", "int8.middle"], [f"{name}.int8"]),
        ]

    @staticmethod
    def _product(node: onnx.NodeProto) -> list[onnx.NodeProto]:
        from onnx import helper

        (name, weights), (output,) = node.input, node.output
        inputs = [f"{name}.int8", f"{weights}.int8", "int8.one", f"{weights}.scale", "int8.middle"]
        return [
            helper.make_node("MatMulIntegerToFloat", inputs, [f"{output}.unscaled"], domain=_DOMAIN),
            helper.make_node("Mul", [f"{output}.unscaled", f"{name}.scale"], [output]),
        ]
