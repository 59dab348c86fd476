"""Turn an fp32 ONNX graph into one whose matrix products and embeddings are 8-bit integers."""

from __future__ import annotations

import logging
from pathlib import Path


def quantize(source: Path, target: Path) -> None:
    """Write the int8 form of a graph.

    Weights become 8-bit once, channel by channel; activations do so at run time, from the range of each
    batch (dynamic quantisation). Weights keep to 7 bits, so that processors without a wide 8-bit product
    cannot overflow and every machine computes the same.

    Args:
        source: an fp32 graph.
        target: the file to write.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # It advises a preparation that makes no difference to graphs of this kind.
    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul", "Gather"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
