"""Smaller forms of a small encoder: they run, stay near, are smaller, and nothing is printed."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from catalog.errors import ModelError
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
    """Two strided convolutions with ReLU, mean over places, two fully connected layers; seeded He weights."""
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
        helper.make_node("Gemm", ["mean", "w3"], ["mixed"], "head", transB=1),
        helper.make_node("MatMul", ["mixed", "w4"], ["features"], "turn"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, DIM])],
        [
            weights("w1", 64, 3, 3, 3), numpy_helper.from_array(np.full(64, 0.1, np.float32), "b1"),
            weights("w2", 256, 64, 3, 3), weights("w3", DIM, 256), weights("w4", DIM, DIM),
            numpy_helper.from_array(np.array([2, 3]), "places"),
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
def float_form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The float32 model with pixel input."""
    path = tmp_path_factory.mktemp("forms") / "float.onnx"
    path.write_bytes(with_pixel_input(small_network(), ROW).SerializeToString(deterministic=True))
    return path


def calibration() -> list[dict[str, np.ndarray]]:
    """What static QDQ takes its ranges from."""
    return [{"image": image} for image in photos(24, seed=1)]


def small_form(form: str, float_form: Path) -> bytes:
    """One of the five."""
    return quantization.make_form(form, float_form, calibration())


def cosines(first: Path, second: bytes) -> np.ndarray:
    """Of two forms' features on photos that calibration has not seen."""
    one, other = PixelModel(first, "texture"), PixelModel(second, "texture")
    return np.array([one.run(image) @ other.run(image) for image in photos(30, seed=2)])


def kinds_of(content: bytes) -> set[str]:
    """The operators of a graph."""
    return {node.op_type for node in onnx.load_model_from_string(content).graph.node}


# ONNX Runtime's dynamic int8 saturates on an x86 processor without VNNI.
CPUINFO = Path("/proc/cpuinfo")
HAS_VNNI = CPUINFO.exists() and "vnni" in CPUINFO.read_text("utf-8")
LEAST_DYNAMIC = 0.999 if HAS_VNNI else 0.99
FORMS = ("static_qdq", "dynamic", "weights_only", "four_bit", "fp16")


@pytest.mark.parametrize(
    ("form", "least_cosine", "most_size"),
    [
        ("static_qdq", 0.99, 0.32),  # a quarter, and scales
        ("dynamic", LEAST_DYNAMIC, 0.52),  # the fully connected layer; convolutions in 16 bits
        ("weights_only", 0.999, 0.31),
        ("four_bit", 0.97, 0.51),  # the MatMul; convolutions and the Gemm in 16 bits
        ("fp16", 0.99999, 0.52),  # a half, and casts
    ],
)
def test_a_smaller_form_stays_near(
    float_form: Path, form: str, least_cosine: float, most_size: float, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is opened and run by ONNX Runtime on photos of any size, and nothing is printed or logged on the way."""
    content = small_form(form, float_form)
    found = cosines(float_form, content)
    assert capfd.readouterr() == ("", "")
    assert found.min() >= least_cosine
    assert len(content) <= most_size * float_form.stat().st_size
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)
    assert onnx.load_model_from_string(content).ir_version == 9
    assert [entry.name for entry in onnx.load_model_from_string(content).graph.input] == ["image"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_model_gives_the_same_bytes(float_form: Path, form: str) -> None:
    """Twice; and the float model is not touched."""
    before = float_form.read_bytes()
    assert small_form(form, float_form) == small_form(form, float_form)
    assert float_form.read_bytes() == before


def test_only_the_bare_network_is_quantized(float_form: Path) -> None:
    """The pixel input in front and the normalisation behind stay in float: levels are not rounded twice."""
    graph = onnx.load_model_from_string(small_form("static_qdq", float_form)).graph
    made_by = {output: node for node in graph.node for output in node.output}
    quantized = {node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    assert quantized
    seen = set()
    for node in graph.node:
        if not node.name.startswith("network_") and node.op_type in ("Resize", "Round", "Clip", "Sub", "Div"):
            seen.add(node.name)
            feeders = {made_by[name].op_type for name in node.input if name in made_by}
            assert "DequantizeLinear" not in feeders, node.name
    assert {"resize_to_image_narrowed", "resize_to_image_resized", "subtract_mean", "normalize"} <= seen
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 2
    for node in convolutions:
        assert {made_by[name].op_type for name in node.input[:2]} == {"DequantizeLinear"}


def test_weights_are_quantized_per_channel(float_form: Path) -> None:
    """A scale for each of the 64 and 256 filters."""
    graph = onnx.load_model_from_string(small_form("static_qdq", float_form)).graph
    scales = {tuple(entry.dims) for entry in graph.initializer if entry.name.endswith("_scale")}
    assert {(64,), (256,)} <= scales


def test_dynamic_leaves_convolutions(float_form: Path) -> None:
    """They have no fast int8 kernel without ranges; the Gemm has."""
    kinds = kinds_of(small_form("dynamic", float_form))
    assert "Conv" in kinds
    assert "ConvInteger" not in kinds
    assert "MatMulInteger" in kinds
    assert "Gemm" not in kinds


def test_fp16_keeps_small_constants(float_form: Path) -> None:
    """Mean, deviation, sizes and biases stay as they are: they are nothing in size and much in precision."""
    graph = onnx.load_model_from_string(small_form("fp16", float_form)).graph
    halves = {entry.name for entry in graph.initializer if entry.data_type == TensorProto.FLOAT16}
    assert halves == {f"network_{name}_fp16" for name in ("w1", "w2", "w3", "w4")}
    floats = {entry.name for entry in graph.initializer if entry.data_type == TensorProto.FLOAT}
    assert {"mean_levels", "std_levels", "network_b1"} <= floats


def test_weights_only_computes_in_float(float_form: Path) -> None:
    """Int8 weights and a float32 scale for each filter; by hand, no weight is further off than half a step."""
    graph = onnx.load_model_from_string(small_form("weights_only", float_form)).graph
    assert not {node.op_type for node in graph.node} & {"MatMulInteger", "QuantizeLinear", "DequantizeLinear"}
    there = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    for name, shape in (
        ("network_w1", (64, 1, 1, 1)),
        ("network_w2", (256, 1, 1, 1)),
        ("network_w3", (DIM, 1)),
        ("network_w4", (1, DIM)),
    ):
        whole, scale = there[f"{name}_int8"], there[f"{name}_scale"]
        wanted = next(
            numpy_helper.to_array(w) for w in small_network().graph.initializer if f"network_{w.name}" == name
        )
        assert (whole.dtype, scale.shape) == (np.int8, shape)
        assert np.abs(whole.astype(np.float32) * scale - wanted).max() <= scale.max() * 0.501
        assert np.abs(whole).max() == 127


def test_a_convolution_that_eight_bits_would_hurt_stays_in_sixteen(tmp_path: Path) -> None:
    """One weight a hundred times the others of its filter, as a folded batch norm leaves it; a Gemm is not asked."""
    network = small_network()
    for place, name in ((2, "w2"), (3, "w3")):
        values = numpy_helper.to_array(network.graph.initializer[place]).copy()
        values.reshape(len(values), -1)[:, 0] *= 100
        network.graph.initializer[place].CopyFrom(numpy_helper.from_array(values, name))
    path = tmp_path / "float.onnx"
    path.write_bytes(with_pixel_input(network, ROW).SerializeToString())
    kept = {entry.name for entry in onnx.load_model_from_string(small_form("weights_only", path)).graph.initializer}
    assert {"network_w1_int8", "network_w2_fp16", "network_w3_int8"} <= kept


def test_scales_keep_their_digits(float_form: Path) -> None:
    """In the dynamic form no scale is in 16 bits, whose smallest numbers have few digits; the convolutions are."""
    graph = onnx.load_model_from_string(small_form("dynamic", float_form)).graph
    halves = {entry.name for entry in graph.initializer if entry.data_type == TensorProto.FLOAT16}
    assert halves == {"network_w1_fp16", "network_w2_fp16"}


def test_forms_are_tried_in_the_rows_order() -> None:
    """Four bits only where the profile asks; fp16 and the float model itself last."""
    ways = (Quantization.FOUR_BIT, Quantization.DYNAMIC, Quantization.WEIGHTS_ONLY)
    row = replace(ROW, quantization=ways)
    assert quantization.forms(row, try_four_bit=False) == ("dynamic", "weights_only", "fp16", "fp32")
    assert quantization.forms(row, try_four_bit=True) == ("four_bit", "dynamic", "weights_only", "fp16", "fp32")
    assert quantization.forms(ROW, try_four_bit=True) == ("fp16", "fp32")


def test_the_lowest_onnxruntime_is_that_of_the_form() -> None:
    """MatMulNBits came with 1.16.2; see benchmarks/lowest_onnxruntime.py."""
    assert quantization.lowest_onnxruntime(ROW, "dynamic") == "1.16"
    assert quantization.lowest_onnxruntime(ROW, "four_bit") == "1.16.2"


def test_what_cannot_be_made_is_told(float_form: Path, tmp_path: Path) -> None:
    """No photo to calibrate on; a file that is no model."""
    with pytest.raises(ModelError, match="static QDQ needs at least one calibration photo, got none"):
        quantization.make_form("static_qdq", float_form, [])
    (tmp_path / "cut.onnx").write_bytes(float_form.read_bytes()[:1000])
    for form in FORMS:
        with pytest.raises(ModelError, match=rf"^cut\.onnx: can't be made {form} \("):
            quantization.make_form(form, tmp_path / "cut.onnx", calibration())


def test_logging_is_as_it_was(float_form: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The quantisers are silenced while they work, and nobody else after."""
    small_form("dynamic", float_form)
    with caplog.at_level(logging.INFO):
        logging.getLogger("shop").info("still heard")
    assert caplog.messages == ["still heard"]
