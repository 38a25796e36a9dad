"""Smaller forms of a float model: which a row allows, and how each is made. Whether one ships, the gate says."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from catalog.errors import ModelError
from catalog.model_descriptions import LOWEST_ONNXRUNTIME, ModelDescription, Quantization
from catalog.onnx_export import weight_storage
from catalog.onnx_export.pixel_input import IR_VERSION, PREFIX
from catalog.onnx_export.quiet_logging import quiet_logging

Feeds = Mapping[str, np.ndarray]

FP16, FP32 = "fp16", "fp32"  # the forms that every model has; the others are called as `Quantization` calls them
FOUR_BIT_BLOCK = 32  # weights that share a scale
FOUR_BIT_ONNXRUNTIME = "1.16.2"  # the first with MatMulNBits; 1.16.0 does not know it
# What int8 kernels exist for; the pixel input in front and the normalisation behind stay in float.
_QDQ_OPS = ["Conv", "Relu", "Add", "Mul", "Concat", "Resize", "Gemm", "MatMul", "AveragePool", "DepthToSpace"]


def forms(model: ModelDescription, *, try_four_bit: bool) -> tuple[str, ...]:
    """The forms to try for a model, in order: its row's, then fp16, then fp32, which is the float model itself."""
    ways = [way for way in model.quantization if try_four_bit or way is not Quantization.FOUR_BIT]
    return (*(way.value for way in ways), FP16, FP32)


def lowest_onnxruntime(model: ModelDescription, form: str) -> str:
    """The lowest ONNX Runtime that runs a form of a model; benchmarks/lowest_onnxruntime.py tries each."""
    return FOUR_BIT_ONNXRUNTIME if form == Quantization.FOUR_BIT else LOWEST_ONNXRUNTIME[model.opset]


def make_form(form: str, float_path: Path, calibration: Iterable[Feeds]) -> bytes:
    """One smaller form of the float model in a file, the same bytes each time.

    `calibration` gives the inputs (image, and mask where the model takes one) that set the ranges of static QDQ; no
    other form reads it.
    Raises: ModelError when static QDQ gets no photo, or ONNX Runtime's quantiser can't make it.
    """
    makers: dict[str, Callable[[Path], onnx.ModelProto]] = {
        Quantization.FOUR_BIT: _four_bit,
        Quantization.DYNAMIC: _dynamic,
        Quantization.STATIC_QDQ: lambda path: _static_qdq(path, calibration),
        Quantization.WEIGHTS_ONLY: _weights_only,
        FP16: _fp16,
    }
    try:
        with quiet_logging():
            model = makers[form](float_path)
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
    except ModelError:
        raise
    except Exception as error:  # the quantisers' own errors share no public base
        raise ModelError(f"{float_path.name}: can't be made {form} ({' '.join(str(error).split())})") from error
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _static_qdq(float_path: Path, calibration: Iterable[Feeds]) -> onnx.ModelProto:
    """Activations and weights in int8, weights per channel, ranges from calibration; only nodes of the bare network."""
    feeds = iter(calibration)
    first = next(feeds, None)
    if first is None:
        raise ModelError("static QDQ needs at least one calibration photo, got none; materialize product_images first")
    inside = [node.name for node in onnx.load(float_path).graph.node if node.name.startswith(PREFIX)]

    def run(target: Path) -> None:
        quantize_static(
            float_path,
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

    return _written_by(run)


def _dynamic(float_path: Path) -> onnx.ModelProto:
    """Weights of MatMul and Gemm in int8, per channel, activations quantised as they come; other weights in 16 bits."""

    def run(target: Path) -> None:
        quantize_dynamic(
            float_path,
            target,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},  # of what comes out of a fused node
        )

    own = {entry.name for entry in onnx.load(float_path).graph.initializer}
    model = _written_by(run)
    weight_storage.fp16_weights(model, own)  # not the scales: they reach down to where 16 bits have few digits
    return model


def _four_bit(float_path: Path) -> onnx.ModelProto:
    """Weights of MatMul in 4 bits, a scale and a zero point for each 32; other weights in 16 bits."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    float_model = onnx.load(float_path)
    own = {entry.name for entry in float_model.graph.initializer}
    quantizer = MatMulNBitsQuantizer(float_model, bits=4, block_size=FOUR_BIT_BLOCK, is_symmetric=False)
    quantizer.process()
    model: onnx.ModelProto = quantizer.model.model
    weight_storage.fp16_weights(model, own)
    return model


def _weights_only(float_path: Path) -> onnx.ModelProto:
    """Weights in int8, per channel, computed with in float32."""
    model = onnx.load(float_path)
    weight_storage.int8_weights(model)
    return model


def _fp16(float_path: Path) -> onnx.ModelProto:
    """The same float32 computation from weights kept in 16 bits: half the size on every runtime and processor."""
    model = onnx.load(float_path)
    weight_storage.fp16_weights(model)
    return model


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no type hints
    def __init__(self, feeds: Iterable[Feeds]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feeds | None:
        return next(self._feeds, None)


def _written_by(run: Callable[[Path], Any]) -> onnx.ModelProto:
    """onnxruntime's quantisers read and write files."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "quantized.onnx")
        run(target)
        return onnx.load(target)
