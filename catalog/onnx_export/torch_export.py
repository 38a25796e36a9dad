"""From a torch module to a bare ONNX network at the opset its row records; torch is imported inside the function."""

import contextlib
import io
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

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
        change: Any = getattr(part, "set_attn_implementation", None)
        if change is not None:  # a network of transformers, whose fused attention leaves a search for NaN in the graph
            change("eager")
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
    _fold_weights(network.graph)
    onnx.checker.check_model(network)
    return network


def _fold_weights(graph: onnx.GraphProto) -> None:
    """Cut and turn weights here and now: the exporter leaves a Split of a weight, whose parts nothing can quantise."""
    constants = {entry.name: entry for entry in graph.initializer}
    uses = Counter(name for node in graph.node for name in node.input)
    kept = []
    for node in graph.node:
        if node.op_type not in ("Split", "Transpose") or any(name not in constants for name in node.input):
            kept.append(node)
            continue
        values = numpy_helper.to_array(constants[node.input[0]])
        attributes = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
        if node.op_type == "Transpose":
            parts = [values.transpose(attributes.get("perm"))]
        else:
            sizes = numpy_helper.to_array(constants[node.input[1]])
            parts = np.split(values, np.cumsum(sizes)[:-1], attributes.get("axis", 0))
        for name, part in zip(node.output, parts, strict=True):
            constants[name] = numpy_helper.from_array(np.ascontiguousarray(part), name)
        uses.subtract(node.input)
    outputs = {entry.name for entry in graph.output}
    kept_constants = [entry for name, entry in constants.items() if uses[name] > 0 or name in outputs]
    if len(kept) == len(graph.node):
        return
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(kept_constants)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter: it prints, warns and logs about packages that are rightly not installed."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
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
