"""Smaller forms of a small convolutional encoder: they run, stay near, are smaller, and nothing is printed."""

import logging
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from catalog.features.inference import PixelModel
from catalog.model_descriptions import ModelDescription, Quantization, Role
from catalog.onnx_export import quantization
from catalog.onnx_export.pixel_input import with_pixel_input

SIDE, DIM = 32, 64
ROW = ModelDescription(
    name="small-encoder", role=Role.TEXTURE, source="embedded:small.onnx", sha256="", size_bytes=0,
    licence="Apache-2.0", licence_terms="none", network_input="pixels", network_output="features", output="texture",
    input_side_px=SIDE, embedding_dim=DIM,
)  # fmt: skip


def small_network() -> onnx.ModelProto:
    """Two strided convolutions with ReLU, mean over places, a fully connected layer; seeded He weights."""
    rng = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        scale = (2 / np.prod(shape[1:])) ** 0.5
        return numpy_helper.from_array((rng.normal(size=shape) * scale).astype(np.float32), name)

    convolution = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["pixels", "w1", "b1"], ["c1"], "conv_1", **convolution),
        helper.make_node("Relu", ["c1"], ["r1"], "relu_1"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "conv_2", **convolution),
        helper.make_node("Relu", ["c2"], ["r2"], "relu_2"),
        helper.make_node("ReduceMean", ["r2", "places"], ["mean"], "pool", keepdims=0),
        helper.make_node("Gemm", ["mean", "w3"], ["features"], "head", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, DIM])],
        [
            weights("w1", 64, 3, 3, 3), numpy_helper.from_array(np.full(64, 0.1, np.float32), "b1"),
            weights("w2", 256, 64, 3, 3), weights("w3", DIM, 256), numpy_helper.from_array(np.array([2, 3]), "places"),
        ],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)


def photos(count: int, seed: int) -> list[np.ndarray]:
    """Seeded colour fields with grain, of different sizes."""
    rng = np.random.default_rng(seed)
    return [
        np.clip(
            np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((12 + number % 5, 12, 1))) + rng.normal(0, 12, (1, 48, 3)),
            0,
            255,
        ).astype(np.uint8)
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def float_form() -> bytes:
    """The float32 model with pixel input."""
    content: bytes = with_pixel_input(small_network(), ROW).SerializeToString(deterministic=True)
    return content


def calibration() -> list[dict[str, np.ndarray]]:
    """What static QDQ takes its ranges from."""
    return [{"image": image} for image in photos(24, seed=1)]


def small_form(kind: str, float_form: bytes) -> bytes:
    """Each of the three."""
    if kind == "static_qdq":
        return quantization.static_qdq(float_form, calibration())
    return quantization.dynamic_int8(float_form) if kind == "dynamic_int8" else quantization.fp16_weights(float_form)


def cosines(first: bytes, second: bytes) -> np.ndarray:
    """Of two forms' features on photos that calibration has not seen."""
    one, other = PixelModel(first, "texture"), PixelModel(second, "texture")
    return np.array([one.run(image) @ other.run(image) for image in photos(30, seed=2)])


def kinds_of(content: bytes) -> set[str]:
    """The operators of a graph."""
    return {node.op_type for node in onnx.load_model_from_string(content).graph.node}


@pytest.mark.parametrize(
    ("kind", "least_cosine", "most_size"),
    [
        ("static_qdq", 0.99, 0.32),  # a quarter, and scales
        ("dynamic_int8", 0.999, 0.95),  # the fully connected layer alone
        ("fp16_weights", 0.99999, 0.52),  # a half, and casts
    ],
)
def test_a_smaller_form_stays_near(
    float_form: bytes, kind: str, least_cosine: float, most_size: float, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is opened and run by ONNX Runtime on photos of any size, and nothing is printed or logged on the way."""
    content = small_form(kind, float_form)
    found = cosines(float_form, content)
    assert capfd.readouterr() == ("", "")
    assert found.min() >= least_cosine
    assert len(content) <= most_size * len(float_form)
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)
    assert onnx.load_model_from_string(content).ir_version == 9
    assert [entry.name for entry in onnx.load_model_from_string(content).graph.input] == ["image"]


@pytest.mark.parametrize("kind", ["static_qdq", "dynamic_int8", "fp16_weights"])
def test_the_same_model_gives_the_same_bytes(float_form: bytes, kind: str) -> None:
    """Twice; and the float model is not touched."""
    before = bytes(float_form)
    assert small_form(kind, float_form) == small_form(kind, float_form)
    assert float_form == before


def test_only_the_bare_network_is_quantized(float_form: bytes) -> None:
    """The pixel input in front and the normalisation behind stay in float: levels are not rounded twice."""
    graph = onnx.load_model_from_string(quantization.static_qdq(float_form, calibration())).graph
    made_by = {output: node for node in graph.node for output in node.output}
    quantized = {node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    assert quantized
    for node in graph.node:
        if node.name in ("resize_image", "round_levels", "clip_levels", "subtract_mean", "divide_by_std", "normalize"):
            feeders = {made_by[name].op_type for name in node.input if name in made_by}
            assert "DequantizeLinear" not in feeders, node.name
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 2
    for node in convolutions:
        assert {made_by[name].op_type for name in node.input[:2]} == {"DequantizeLinear"}


def test_weights_are_quantized_per_channel(float_form: bytes) -> None:
    """A scale for each of the 64 and 256 filters."""
    graph = onnx.load_model_from_string(quantization.static_qdq(float_form, calibration())).graph
    scales = {tuple(entry.dims) for entry in graph.initializer if entry.name.endswith("_scale")}
    assert {(64,), (256,)} <= scales


def test_dynamic_leaves_convolutions(float_form: bytes) -> None:
    """They have no fast int8 kernel without ranges; the Gemm has."""
    kinds = kinds_of(quantization.dynamic_int8(float_form))
    assert "Conv" in kinds
    assert "ConvInteger" not in kinds
    assert "MatMulInteger" in kinds
    assert "Gemm" not in kinds


def test_fp16_keeps_small_constants(float_form: bytes) -> None:
    """Mean, deviation, sizes and biases stay as they are: they are nothing in size and much in precision."""
    graph = onnx.load_model_from_string(quantization.fp16_weights(float_form)).graph
    halves = {entry.name for entry in graph.initializer if entry.data_type == TensorProto.FLOAT16}
    assert halves == {"network_w1_fp16", "network_w2_fp16", "network_w3_fp16"}
    floats = {entry.name for entry in graph.initializer if entry.data_type == TensorProto.FLOAT}
    assert {"mean_levels", "std_levels", "network_b1"} <= floats


def test_a_form_is_the_one_that_the_row_allows(float_form: bytes) -> None:
    """Static QDQ, dynamic, or none."""

    def allowed(*ways: Quantization) -> bytes | None:
        return quantization.quantize(float_form, replace(ROW, quantization=ways), calibration())

    assert allowed() is None
    assert allowed(Quantization.STATIC_QDQ) == quantization.static_qdq(float_form, calibration())
    assert allowed(Quantization.DYNAMIC) == quantization.dynamic_int8(float_form)


def test_logging_is_as_it_was(float_form: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The quantisers are silenced while they work, and nobody else after."""
    quantization.dynamic_int8(float_form)
    with caplog.at_level(logging.INFO):
        logging.getLogger("shop").info("still heard")
    assert caplog.messages == ["still heard"]
