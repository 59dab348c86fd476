"""Turn an fp32 ONNX graph into one whose matrix products run in 8-bit integers."""

from __future__ import annotations

import logging
from pathlib import Path

_BLOCK = 32


def quantize(source: Path, target: Path) -> None:
    """Write the int8 form of a graph.

    Every 32 weights, and every 32 activations of a token, share a scale of their own. One scale for all
    activations of a batch, as onnxruntime's dynamic quantisation has it, is quicker but changes too
    many labels: the few large activations leave the others no room.

    Args:
        source: an fp32 graph.
        target: the file to write.
    """
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        DefaultWeightOnlyQuantConfig,
        MatMulNBitsQuantizer,
    )

    # It tells of every node that it leaves alone.
    logging.getLogger("onnxruntime.quantization").setLevel(logging.WARNING)
    form = DefaultWeightOnlyQuantConfig(block_size=_BLOCK, is_symmetric=True, accuracy_level=4, bits=8)
    quantizer = MatMulNBitsQuantizer(onnx.load(source), algo_config=form)
    quantizer.process()
    quantizer.model.save_model_to_file(str(target), use_external_data_format=False)
