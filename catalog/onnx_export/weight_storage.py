"""Keep a model's weights in fewer bits and compute in float32 as before: 16-bit floats, or 8-bit integers and scales.

The nodes that turn them back (Cast, Mul) are folded when a session is opened, so that a call costs what the float
model's does. DequantizeLinear is not folded by ONNX Runtime: with it U2NetP took 1.7 times as long.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

LEAST_VALUES = 256  # smaller constants stay: they hold normalisation, sizes and limits
TOP = 127  # of int8, symmetric
# Of a convolution's weights: where 8 bits move them by more of their norm, 16 stay. Batch norms folded into U2NetP's
# leave channels that cancel each other: all 119 in 8 bits gave mask IoU .79 with float32 over 40 photos, all but the 11
# that this leaves .9988.
MOST_CONV_ERROR = 0.012


class _Use(NamedTuple):
    """The one node that takes a tensor, and the tensor's axis of that node's output channels."""

    kind: str
    axis: int


def fp16_weights(model: onnx.ModelProto, names: Collection[str] | None = None) -> None:
    """Keep float32 weights in 16 bits, in place; of all that are large enough, or of those `names`."""
    large = [entry for entry in model.graph.initializer if _is_large(entry) and (names is None or entry.name in names)]
    _put_first(model.graph, [_to_fp16(weights) for weights in large])


def int8_weights(model: onnx.ModelProto) -> None:
    """Keep weights of Conv, MatMul and Gemm in 8 bits, a scale for each output channel, in place; others in 16.

    Source of the scheme: symmetric per-channel weights, as ONNX Runtime's quantisers make them.
    """
    uses = _uses(model.graph)
    nodes: list[NodeProto] = []
    scales = []
    for weights in model.graph.initializer:
        if not _is_large(weights):
            continue
        use = uses.get(weights.name)
        values = numpy_helper.to_array(weights)
        if use is None:
            nodes.append(_to_fp16(weights))
            continue
        others = tuple(axis for axis in range(values.ndim) if axis != use.axis % values.ndim)
        scale = np.maximum(np.abs(values).max(axis=others, keepdims=True) / TOP, np.float32(1e-12))
        whole = np.clip(np.rint(values / scale), -TOP, TOP).astype(np.int8)
        error = np.linalg.norm(whole * scale - values) / max(float(np.linalg.norm(values)), 1e-12)
        if use.kind == "Conv" and error > MOST_CONV_ERROR:
            nodes.append(_to_fp16(weights))
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(whole, f"{name}_int8"))
        scales.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"))
        nodes += [
            helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], f"{name}_to_fp32", to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name], f"{name}_scaled"),
        ]
    model.graph.initializer.extend(scales)
    _put_first(model.graph, nodes)


def _is_large(weights: TensorProto) -> bool:
    return weights.data_type == TensorProto.FLOAT and int(np.prod(weights.dims)) >= LEAST_VALUES


def _to_fp16(weights: TensorProto) -> NodeProto:
    name = weights.name
    limit = np.finfo(np.float16).max
    halves = np.clip(numpy_helper.to_array(weights), -limit, limit).astype(np.float16)
    weights.CopyFrom(numpy_helper.from_array(halves, f"{name}_fp16"))
    return helper.make_node("Cast", [f"{name}_fp16"], [name], f"{name}_to_fp32", to=TensorProto.FLOAT)


def _put_first(graph: onnx.GraphProto, nodes: list[NodeProto]) -> None:
    """Nodes are in the order they run."""
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])


def _uses(graph: onnx.GraphProto) -> dict[str, _Use]:
    """The tensors that are the weights of just one Conv, MatMul or Gemm."""
    found: dict[str, _Use] = {}
    seen: set[str] = set()
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in seen:
                found.pop(name, None)
            elif place == 1 and node.op_type in ("Conv", "MatMul", "Gemm"):
                turned = any(entry.name == "transB" and entry.i for entry in node.attribute)
                found[name] = _Use(node.op_type, 0 if node.op_type == "Conv" or turned else -1)
            seen.add(name)
    return found
