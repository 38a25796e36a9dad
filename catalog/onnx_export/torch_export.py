"""From a torch module to a bare ONNX network at the opset its row records; torch is imported inside the function."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import onnx

from catalog.model_descriptions import ModelDescription
from catalog.onnx_export.pixel_input import IR_VERSION

if TYPE_CHECKING:
    import torch


def export(module: "torch.nn.Module", model: ModelDescription) -> onnx.ModelProto:
    """Export `module` (in eval mode) as the bare network that `model` describes, for one photo at a time.

    Returns: a graph with input `model.network_input`, (1, 3, side, side) float32, `model.network_mask` where the model
    takes one, and output `model.network_output`; batch norms are folded into their convolutions.
    """
    import torch

    for part in module.modules():
        if hasattr(
            part, "set_attn_implementation"
        ):  # transformers': the fused one leaves a search for NaN in the graph
            part.set_attn_implementation("eager")
    side = model.input_side_px
    example = [torch.rand(1, 3, side, side)]
    names = [model.network_input]
    if model.takes_mask:
        example.append(torch.ones(1, 1, side, side))
        names.append(model.network_mask)
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            tuple(example),
            input_names=names,
            output_names=[model.network_output],
            opset_version=model.opset,
            dynamo=True,
            verbose=False,
            optimize=True,
        )
    assert program is not None  # dynamo=True always gives a program
    network = program.model_proto
    del program
    network.ir_version = IR_VERSION
    for node in network.graph.node:  # the exporter notes source lines of this machine in every node
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    network.graph.ClearField("metadata_props")
    del network.metadata_props[:]
    del network.graph.value_info[:]
    onnx.checker.check_model(network)
    return network


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter: it prints, warns and logs about packages that are rightly not installed."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
