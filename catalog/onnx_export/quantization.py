"""Smaller forms of a float model: static QDQ int8, dynamic int8, fp16 weights. Whether one ships, the gate says."""

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription, Quantization
from catalog.onnx_export.pixel_input import IR_VERSION, PREFIX

Feeds = Mapping[str, np.ndarray]
FP16_LEAST_VALUES = 256  # smaller constants stay: they hold normalisation, sizes and limits
# What int8 kernels exist for; the pixel input in front and the normalisation behind stay in float.
_QDQ_OPS = ["Conv", "Relu", "Add", "Mul", "Concat", "Resize", "Gemm", "MatMul", "AveragePool", "DepthToSpace"]


def quantize(float_model: bytes, model: ModelDescription, calibration: Iterable[Feeds]) -> bytes | None:
    """The int8 form that the model's row allows, or None where it allows none.

    `calibration` gives the inputs (image, and mask where the model takes one) that set the ranges of static QDQ.
    """
    if Quantization.STATIC_QDQ in model.quantization:
        return static_qdq(float_model, calibration)
    if Quantization.DYNAMIC in model.quantization:
        return dynamic_int8(float_model)
    return None


def static_qdq(float_model: bytes, calibration: Iterable[Feeds]) -> bytes:
    """Activations and weights in int8, weights per channel, ranges from calibration; only nodes of the bare network.

    Raises: ModelError when `calibration` gives no photo.
    """
    feeds = iter(calibration)
    first = next(feeds, None)
    if first is None:
        raise ModelError("static QDQ needs at least one calibration photo, got none")
    graph = onnx.load_model_from_string(float_model).graph
    inside = [node.name for node in graph.node if node.name.startswith(PREFIX)]

    def run(source: Path, target: Path) -> None:
        quantize_static(
            source,
            target,
            _Reader(chain([first], feeds)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_QDQ_OPS,
            nodes_to_quantize=inside,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )

    return _through_files(float_model, run)


def dynamic_int8(float_model: bytes) -> bytes:
    """Weights of MatMul and Gemm in int8, per channel; activations are quantised as they come."""

    def run(source: Path, target: Path) -> None:
        quantize_dynamic(
            source, target, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True, weight_type=QuantType.QInt8
        )

    return _through_files(float_model, run)


def fp16_weights(float_model: bytes) -> bytes:
    """The same float32 computation from weights kept in 16 bits: half the size on every runtime and processor."""
    model = onnx.load_model_from_string(float_model)
    casts = []
    for weights in model.graph.initializer:
        if weights.data_type != TensorProto.FLOAT or np.prod(weights.dims) < FP16_LEAST_VALUES:
            continue
        name = weights.name
        halves = numpy_helper.to_array(weights).astype(np.float16)
        weights.CopyFrom(numpy_helper.from_array(halves, f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], f"{name}_to_fp32", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no type hints
    def __init__(self, feeds: Iterable[Feeds]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feeds | None:
        return next(self._feeds, None)


def _through_files(float_model: bytes, run: "object") -> bytes:
    """onnxruntime's quantisers read and write files."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, target = Path(folder, "float.onnx"), Path(folder, "quantized.onnx")
        source.write_bytes(float_model)
        run(source, target)  # type: ignore[operator]
        model = onnx.load(target)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the advice that onnxruntime's quantisers log through the root logger."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
