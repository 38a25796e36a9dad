"""The graph that takes pixels: its resize against Pillow's, its normalisation, its mask, and what it refuses."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from catalog.errors import ModelError
from catalog.features.inference import PixelModel
from catalog.model_descriptions import IMAGENET_MEAN, IMAGENET_STD, MODELS, ModelDescription, Role
from catalog.onnx_export.float_models import float_model, head_prototypes, model_version, with_head_prototypes
from catalog.onnx_export.pixel_input import with_pixel_input

OPSET = 19


def describe(side: int, **changes: object) -> ModelDescription:
    """A segmenter whose network sees plain levels: (pixel - 0) / 1."""
    values = {
        "name": "picker",
        "role": Role.SEGMENTER,
        "source": "embedded:picker.onnx",
        "sha256": "",
        "size_bytes": 0,
        "licence": "Apache-2.0",
        "licence_terms": "none",
        "network_input": "pixels",
        "network_output": "saliency",
        "output": "saliency_mask",
        "input_side_px": side,
        "mean": (0.0, 0.0, 0.0),
        "std": (1 / 255, 1 / 255, 1 / 255),
    }
    return ModelDescription(**{**values, **changes})  # type: ignore[arg-type]


def network(
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, list[int]],
    output: tuple[str, list[int]],
    constants: dict[str, np.ndarray],
    opset: int = OPSET,
) -> onnx.ModelProto:
    """A bare network, as an exporter would leave it."""
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def picking(side: int, channel: int, opset: int = OPSET) -> onnx.ModelProto:
    """Gives one channel of its input: a way to see what a network sees."""
    pick = helper.make_node("Gather", ["pixels", "channel"], ["saliency"], "pick", axis=1)
    shapes = {"pixels": [1, 3, side, side]}
    return network([pick], shapes, ("saliency", [1, 1, side, side]), {"channel": np.array([channel])}, opset)


def masking(side: int) -> onnx.ModelProto:
    """Gives its mask."""
    same = helper.make_node("Identity", ["mask_pixels"], ["saliency"], "same")
    shapes = {"pixels": [1, 3, side, side], "mask_pixels": [1, 1, side, side]}
    return network([same], shapes, ("saliency", [1, 1, side, side]), {})


def summing(side: int, *, masked: bool = False) -> onnx.ModelProto:
    """Three features: each channel's sum, under the mask where it takes one."""
    shapes = {"pixels": [1, 3, side, side]}
    source, nodes = "pixels", []
    if masked:
        shapes["mask_pixels"] = [1, 1, side, side]
        source, nodes = "under", [helper.make_node("Mul", ["pixels", "mask_pixels"], ["under"], "under_mask")]
    nodes.append(helper.make_node("ReduceSum", [source, "axes"], ["features"], "sum", keepdims=0))
    return network(nodes, shapes, ("features", [1, 3]), {"axes": np.array([2, 3])})


def encoder(side: int, **changes: object) -> ModelDescription:
    """The row of `summing`."""
    values = {"role": Role.TEXTURE, "network_output": "features", "output": "sums", "embedding_dim": 3}
    return describe(side, **{**values, **changes})


def opened(wrapped: onnx.ModelProto, model: ModelDescription) -> PixelModel:
    """The wrapped graph in ONNX Runtime."""
    return PixelModel(wrapped.SerializeToString(), model.output)


def as_the_network_sees(side: int) -> Callable[[np.ndarray], np.ndarray]:
    """(height, width, 3) uint8 to (side, side, 3) levels."""
    model = describe(side)
    channels = [opened(with_pixel_input(picking(side, channel), model), model) for channel in range(3)]
    return lambda image: np.stack([channel.run(image) for channel in channels], axis=-1)


def drawn(width: int, height: int, darkest: int, brightest: int) -> Image.Image:
    """Grain and stripes of one to eight pixels: what a resize without antialiasing gets wrong."""
    rng = np.random.default_rng(width)
    rows, columns = np.mgrid[0:height, 0:width]
    stripes = (columns // (1 + rows * 8 // height)) % 2 * 255
    planes = np.stack([stripes, columns * 255 // width, rows * 255 // height], axis=-1)
    grainy = np.clip(planes + rng.integers(-25, 25, planes.shape), 0, 255)
    return Image.fromarray((darkest + grainy * (brightest - darkest) / 255).astype(np.uint8))


def levels_off(seen: Callable[[np.ndarray], np.ndarray], image: Image.Image, side: int) -> np.ndarray:
    """How far the graph's pixels are from Pillow's, in whole levels."""
    wanted = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC)).astype(int)
    found = seen(np.asarray(image))
    assert np.abs(found - np.rint(found)).max() < 1e-3  # whole levels, as a saved picture has
    return np.abs(np.rint(found) - wanted).ravel()


# --- the resize ------------------------------------------------------------------------------------------------------


SIZES = ((1024, 683), (640, 640), (333, 500), (200, 1024), (100, 120))  # width, height


@pytest.mark.parametrize("side", [160, 256])
def test_resizes_drawn_photos_as_pillow_does(side: int) -> None:
    """Down to a sixth and up to 2.6 times, each direction apart: 99.9 % of pixels at most one level off, none three."""
    seen = as_the_network_sees(side)
    for size in SIZES:
        off = levels_off(seen, drawn(*size, darkest=30, brightest=225), side)
        assert (off <= 1).mean() >= 0.999, size
        assert off.max() <= 2, size


def test_resizes_hard_edges_as_pillow_does() -> None:
    """Where black meets white, all pixels at most one level off: both round and clip after each of their two passes.

    Pillow takes the columns first where a photo is much taller than wide, the graph never: there it is further off,
    as every one-pass resize is. For comparison: NEAREST, which does not antialias, is 10 to 40 levels off on average.
    """
    seen = as_the_network_sees(160)
    for width, height in SIZES:
        off = levels_off(seen, drawn(width, height, darkest=0, brightest=255), 160)
        assert (off <= 1).mean() >= (0.999 if height < 2 * width else 0.95), (width, height)
        assert off.mean() < 0.4, (width, height)


def test_resizes_real_photos_as_pillow_does(shared_data: Path) -> None:
    """Of five sets, from 198 to 640 px: 99.9 % of all pixels at most one level off, down and up."""
    folders = ("luma", "clothing", "clothing_extra", "grocery", "fingercam")
    photos = [sorted((shared_data / folder).rglob("*.jpg"))[place] for folder in folders for place in (0, 20, 40)]
    for side in (160, 256, 512):
        seen = as_the_network_sees(side)
        off = np.concatenate([levels_off(seen, Image.open(photo).convert("RGB"), side) for photo in photos])
        assert (off <= 1).mean() >= 0.9998
        assert off.mean() < 0.05


def test_a_photo_of_the_right_size_is_untouched() -> None:
    """Every level of every channel comes through, in the order red, green, blue."""
    image = np.arange(64 * 64 * 3, dtype=np.int64).reshape(64, 64, 3).astype(np.uint8)
    assert np.abs(as_the_network_sees(64)(image) - image).max() < 1e-4


def test_takes_photos_of_any_shape() -> None:
    """One pixel, one row, one column, one colour: that colour all over."""
    seen = as_the_network_sees(16)
    for height, width in ((1, 1), (1, 300), (300, 1), (16, 16), (17, 15)):
        image = np.full((height, width, 3), (10, 128, 250), np.uint8)
        assert np.abs(seen(image) - (10, 128, 250)).max() < 1e-3


def test_never_overshoots() -> None:
    """A bicubic's ringing at a hard edge is clipped to 0 and 255."""
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, 20:] = 255
    found = as_the_network_sees(64)(image)
    assert found.min() == 0
    assert found.max() == pytest.approx(255, abs=1e-4)


# --- normalisation and outputs ---------------------------------------------------------------------------------------


def test_normalizes_as_described() -> None:
    """(128 / 255 - mean) / std of ImageNet, by hand for each channel."""
    model = describe(8, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    image = np.full((20, 30, 3), 128, np.uint8)
    for channel in range(3):
        found = opened(with_pixel_input(picking(8, channel), model), model).run(image)
        wanted = (128 / 255 - IMAGENET_MEAN[channel]) / IMAGENET_STD[channel]
        assert found.shape == (8, 8)
        assert found.dtype == np.float32
        assert found == pytest.approx(np.full((8, 8), wanted), abs=1e-5)


def test_features_have_length_one() -> None:
    """Sums in the proportion 3 : 0 : 4 become 0.6, 0, 0.8."""
    model = encoder(16)
    image = np.full((30, 30, 3), (60, 0, 80), np.uint8)
    found = opened(with_pixel_input(summing(16), model), model).run(image)
    assert found.shape == (3,)
    assert found == pytest.approx([0.6, 0, 0.8], abs=1e-6)


def test_features_of_nothing_are_told() -> None:
    """A black photo's sums have no direction: zeros, not a division by zero, and the session refuses them."""
    model = encoder(16)
    session = opened(with_pixel_input(summing(16), model), model)
    with pytest.raises(ModelError, match="output 'sums' is not finite or all zeros on this photo"):
        session.run(np.zeros((30, 30, 3), np.uint8))


def test_the_mask_is_resized_too() -> None:
    """Linear and antialiased as Pillow's, in [0, 1]: within a hundredth for 99.9 % of pixels; all and nothing exact."""
    model = describe(64, network_mask="mask_pixels")
    session = opened(with_pixel_input(masking(64), model), model)
    rng = np.random.default_rng(0)
    for height, width in ((512, 512), (300, 200), (40, 50)):
        mask = np.kron(rng.random((8, 8)) < 0.5, np.ones((64, 64)))[:height, :width] > 0
        image = np.zeros((height, width, 3), np.uint8)
        found = session.run(image, mask)
        levels = Image.fromarray(mask.astype(np.float32))
        wanted = np.asarray(levels.resize((64, 64), Image.Resampling.BILINEAR))
        assert found.shape == (64, 64)
        assert (np.abs(found - wanted) <= 0.01).mean() >= 0.999
        assert session.run(image, np.ones_like(mask)) == pytest.approx(np.ones((64, 64)))
        assert session.run(image, np.zeros_like(mask)).max() == 0


def test_the_mask_goes_where_the_network_wants_it() -> None:
    """The red half is masked away: only blue is summed."""
    model = encoder(32, network_mask="mask_pixels")
    session = opened(with_pixel_input(summing(32, masked=True), model), model)
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, :16], image[:, 16:] = (200, 0, 0), (0, 0, 50)
    mask = np.zeros((32, 32), bool)
    mask[:, 16:] = True
    assert session.run(image, mask) == pytest.approx([0, 0, 1])
    assert session.run(image, ~mask) == pytest.approx([1, 0, 0])


def test_the_graph_is_what_its_row_says() -> None:
    """Inputs, output, opset, IR version 9 (of ONNX 1.14, which ONNX Runtime 1.15 opens), one opset named once."""
    model = encoder(32, network_mask="mask_pixels")
    wrapped = with_pixel_input(summing(32, masked=True), model)
    onnx.checker.check_model(wrapped, full_check=True)
    assert [entry.name for entry in wrapped.graph.input] == ["image", "mask"]
    assert [entry.name for entry in wrapped.graph.output] == ["sums"]
    assert wrapped.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    assert [(entry.domain, entry.version) for entry in wrapped.opset_import] == [("", OPSET)]
    assert wrapped.ir_version == 9
    assert wrapped.graph.name == "picker"
    again = with_pixel_input(summing(32, masked=True), model)
    assert again.SerializeToString(deterministic=True) == wrapped.SerializeToString(deterministic=True)


def test_the_network_itself_is_left_alone() -> None:
    """The same network may be wrapped twice."""
    bare = summing(16)
    before = bare.SerializeToString(deterministic=True)
    with_pixel_input(bare, encoder(16))
    assert bare.SerializeToString(deterministic=True) == before


# --- bilinear, and the shorter side with a centre crop ---------------------------------------------------------------


def cut_by_hand(image: Image.Image, shortest: int, side: int, resample: Image.Resampling) -> np.ndarray:
    """The shorter side to `shortest`, the longer's fraction dropped, then the middle: with Pillow alone."""
    width, height = image.size
    shorter = min(width, height)
    size = (int(shortest * width / shorter), int(shortest * height / shorter))
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return np.asarray(image.resize(size, resample).crop((left, top, left + side, top + side)))


CUT_SIZES = ((1024, 683), (640, 640), (333, 500), (901, 300), (255, 257), (100, 120), (97, 643))  # width, height


@pytest.mark.parametrize("resample", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("side", "shortest"), [(224, 256), (224, 0), (63, 64)])
def test_cuts_the_centre_as_by_hand(side: int, shortest: int, resample: str) -> None:
    """Sizes and offsets odd and even, up and down: 99.9 % of pixels at most one level off."""
    model = describe(side, resize="shortest_edge", resize_side_px=shortest, resample=resample)
    channels = [opened(with_pixel_input(picking(side, channel), model), model) for channel in range(3)]
    filters = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
    for size in CUT_SIZES:
        image = drawn(*size, darkest=30, brightest=225)
        found = np.stack([channel.run(np.asarray(image)) for channel in channels], axis=-1)
        off = np.abs(np.rint(found) - cut_by_hand(image, shortest or side, side, filters[resample]).astype(int))
        assert (off <= 1).mean() >= 0.999, size


@pytest.mark.parametrize("size", CUT_SIZES)
def test_cuts_the_centre_as_transformers_does(size: tuple[int, int]) -> None:
    """Its own PIL processor of DINOv2 and ResNet: the shorter side to 256, 224 of the middle."""
    processing = pytest.importorskip("transformers", reason="the extra [pretrained] is not installed")
    processor = processing.BitImageProcessorPil(
        size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224}, image_mean=list(IMAGENET_MEAN),
        image_std=list(IMAGENET_STD),
    )  # fmt: skip
    row = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD, "resize": "shortest_edge", "resize_side_px": 256}
    model = describe(224, **row)
    image = drawn(*size, darkest=30, brightest=225)
    wanted = processor(image, return_tensors="np")["pixel_values"][0, 1]
    found = opened(with_pixel_input(picking(224, 1), model), model).run(np.asarray(image))
    level = 1 / 255 / IMAGENET_STD[1]
    assert (np.abs(found - wanted) <= 1.01 * level).mean() >= 0.999


def test_the_mask_is_cut_as_the_photo_is() -> None:
    """The same pixels stay: a photo whose red is its mask gives the same plane twice, within a level."""
    model = describe(48, network_mask="mask_pixels", resize="shortest_edge", resize_side_px=64, resample="bilinear")
    mask_session = opened(with_pixel_input(masking(48), model), model)
    photo_row = describe(48, resize="shortest_edge", resize_side_px=64, resample="bilinear")
    photo_session = opened(with_pixel_input(picking(48, 0), photo_row), photo_row)
    for height, width in ((300, 200), (64, 201), (97, 64), (40, 50)):
        mask = np.zeros((height, width), bool)
        mask[height // 3 : height - 5, 7 : width // 2] = True
        image = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
        found, wanted = mask_session.run(image, mask), photo_session.run(image)
        assert np.abs(found * 255 - wanted).max() <= 1.01


def test_the_longest_photo_that_is_let_in() -> None:
    """16 x 1024, the least and the most that a photo may be, lying and standing."""
    model = describe(224, resize="shortest_edge")
    session = opened(with_pixel_input(picking(224, 0), model), model)
    for shape in ((16, 1024, 3), (1024, 16, 3)):
        assert session.run(np.full(shape, 90, np.uint8)) == pytest.approx(np.full((224, 224), 90), abs=1e-3)


# --- sources as others leave them ------------------------------------------------------------------------------------


def as_torch_once_wrote_it(side: int) -> onnx.ModelProto:
    """Opset 11: halved by MaxPool, brought back by Resize to sizes taken from a Shape, two outputs, weights as inputs.

    As rembg's u2netp.onnx: ends called by numbers, the one that is wanted first.
    """
    nodes = [
        helper.make_node("Conv", ["input.1", "10"], ["20"], "Conv_0", pads=[1, 1, 1, 1]),
        helper.make_node("MaxPool", ["20"], ["21"], "MaxPool_1", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        helper.make_node("Shape", ["20"], ["22"], "Shape_2"),
        helper.make_node("Slice", ["22", "starts", "ends", "axes"], ["23"], "Slice_3"),
        helper.make_node("Shape", ["21"], ["24"], "Shape_4"),
        helper.make_node("Slice", ["24", "axes", "starts", "axes"], ["25"], "Slice_5"),
        helper.make_node("Concat", ["25", "23"], ["26"], "Concat_6", axis=0),
        helper.make_node(
            "Resize", ["21", "empty", "empty", "26"], ["27"], "Resize_7", mode="linear",
            coordinate_transformation_mode="pytorch_half_pixel", nearest_mode="floor", cubic_coeff_a=-0.75,
        ),
        helper.make_node("Sigmoid", ["27"], ["30"], "Sigmoid_8"),
        helper.make_node("Sigmoid", ["20"], ["31"], "Sigmoid_9"),
    ]  # fmt: skip
    weights = np.zeros((1, 3, 3, 3), np.float32)
    weights[0, 1, 1, 1] = 1 / 64  # the green of the middle
    constants = {
        "10": weights, "starts": np.array([2]), "ends": np.array([4]), "axes": np.array([0]),
        "empty": np.array([], np.float32),
    }  # fmt: skip
    float_input = helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, side, side])
    weight_input = helper.make_tensor_value_info("10", TensorProto.FLOAT, [1, 3, 3, 3])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, side, side]) for name in ("30", "31")]
    graph = helper.make_graph(
        nodes, "torch-jit-export", [float_input, weight_input], outputs,
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


def test_an_older_opset_is_brought_to_the_rows() -> None:
    """A flat photo comes through: the sigmoid of green / 64. What the row does not name first is left out."""
    model = describe(32, network_input="", network_output="")
    wrapped = with_pixel_input(as_torch_once_wrote_it(32), model)
    onnx.checker.check_model(wrapped, full_check=True)
    assert [(entry.domain, entry.version) for entry in wrapped.opset_import] == [("", OPSET)]
    assert [entry.name for entry in wrapped.graph.input] == ["image"]
    assert [node.op_type for node in wrapped.graph.node].count("Sigmoid") == 1
    found = opened(wrapped, model).run(np.full((50, 40, 3), (200, 64, 0), np.uint8))
    assert found == pytest.approx(np.full((32, 32), 1 / (1 + np.exp(-1))), abs=1e-5)


def test_u2netp_of_the_hubs_own_names_and_of_others(shared_weights: Path, shared_data: Path) -> None:
    """A file whose ends are `input` and `mask`: the same saliency as from pixels prepared with Pillow and numpy."""
    row = MODELS["u2netp"]
    network = onnx.load(shared_weights / "u2netp_320_fp32.onnx")
    session = opened(with_pixel_input(network, row), row)
    bare = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    for photo in sorted((shared_data / "ccp").rglob("*.jpg"))[:3]:
        image = Image.open(photo).convert("RGB")
        pixels = np.asarray(image.resize((320, 320), Image.Resampling.BILINEAR), np.float32) / 255
        pixels = (pixels - np.float32(IMAGENET_MEAN)) / np.float32(IMAGENET_STD)
        wanted = bare.run(["mask"], {"input": pixels.transpose(2, 0, 1)[None]})[0][0, 0]
        assert np.abs(session.run(np.asarray(image)) - wanted).mean() < 1e-3


def test_the_rest_of_a_networks_outputs_is_left_out() -> None:
    """And a name that a source shares with the graph in front is no clash."""
    bare = picking(8, 1)
    bare.graph.node.append(helper.make_node("Neg", ["pixels"], ["mean_levels"], "side"))
    bare.graph.output.append(helper.make_tensor_value_info("mean_levels", TensorProto.FLOAT, [1, 3, 8, 8]))
    wrapped = with_pixel_input(bare, describe(8))
    assert "Neg" not in {node.op_type for node in wrapped.graph.node}


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"network_input": "image"}, r"model picker: its row names input 'image', its graph has \['pixels'\]"),
        ({"network_mask": "mask"}, r"model picker: its row names input 'mask', its graph has \['pixels'\]"),
        ({"network_output": "mask"}, r"model picker: its row names output 'mask', its graph has \['saliency'\]"),
        ({"opset": 17}, r"model picker: its graph is of opset 19, its row says 17"),
        ({"resize": "letterbox"}, r"model picker: resize 'letterbox'; the graph knows squash, shortest_edge"),
        ({"resample": "lanczos"}, r"model picker: resample 'lanczos'; the graph knows bicubic, bilinear"),
        ({"resize_side_px": 7}, r"model picker: resize_side_px 7 is less than its input_side_px 8"),
        ({"input_side_px": 16}, r"'pixels' of its graph is \[1, 3, 8, 8\], its row makes it \[1, 3, 16, 16\]"),
        (
            {"role": Role.TEXTURE, "embedding_dim": 3},
            r"'saliency' of its graph is \[1, 1, 8, 8\], its row makes it \[1, 3\]",
        ),
    ],
)
def test_refuses_a_network_that_its_row_does_not_describe(changes: dict[str, object], match: str) -> None:
    """Both what is there and what was said."""
    with pytest.raises(ModelError, match=match):
        with_pixel_input(picking(8, 0), describe(8, **changes))


def test_refuses_a_network_that_wants_more() -> None:
    """A mask that the row does not name; an operator of nobody's; dimensions that are not the profile's."""
    with pytest.raises(ModelError, match=r"model sums: its graph wants inputs \['mask_pixels'\], which its row does"):
        with_pixel_input(summing(8, masked=True), encoder(8, name="sums"))
    with pytest.raises(ModelError, match=r"'features' of its graph is \[1, 3\], its row makes it \[1, 768\]"):
        with_pixel_input(summing(8), encoder(8, embedding_dim=768))
    strange = picking(8, 0)
    strange.graph.node[0].domain = "shop.example"
    strange.opset_import.append(helper.make_opsetid("shop.example", 1))
    with pytest.raises(ModelError, match=r"its graph has operators of \['shop\.example'\]"):
        with_pixel_input(strange, describe(8))


def test_refuses_a_file_that_its_row_does_not_describe() -> None:
    """One byte more: both digests, both sizes, the file's name and how to mend it."""
    source = picking(8, 0).SerializeToString()
    digest = hashlib.sha256(source).hexdigest()
    model = describe(8, sha256=digest, size_bytes=len(source))
    other = hashlib.sha256(source + b"\0").hexdigest()
    match = (
        rf"^models/picker\.onnx: sha256 {other} \({len(source) + 1} bytes\), but the row 'picker' of "
        rf"catalog/model_descriptions\.py says {digest} \({len(source)} bytes\); it was cut short or exchanged"
    )
    with pytest.raises(ModelError, match=match):
        float_model(source + b"\0", model, "models/picker.onnx")
    for cut in (0, 1, len(source) // 2, len(source) - 1):
        with pytest.raises(ModelError, match=rf"\({cut} bytes\), but the row"):
            float_model(source[:cut], model, "models/picker.onnx")


@pytest.mark.parametrize("source", [b"no model at all", b"", b"\xff" * 100])
def test_refuses_what_is_no_model(source: bytes) -> None:
    """Though its digest is the row's."""
    model = describe(8, sha256=hashlib.sha256(source).hexdigest())
    with pytest.raises(ModelError, match=r"a\.onnx: not an ONNX file|its graph is of opset None"):
        float_model(source, model, "a.onnx")


# --- float models ----------------------------------------------------------------------------------------------------


def test_the_float_model_runs_and_is_the_same_every_time() -> None:
    """Bytes in, the same bytes out."""
    source = picking(8, 0).SerializeToString()
    model = describe(8, sha256=hashlib.sha256(source).hexdigest())
    content = float_model(source, model, "a.onnx")
    assert float_model(source, model, "a.onnx") == content
    image = np.full((20, 20, 3), (70, 80, 90), np.uint8)
    assert PixelModel(content, "saliency_mask").run(image) == pytest.approx(np.full((8, 8), 70), abs=1e-3)


def test_the_version_is_of_all_that_decides_the_numbers() -> None:
    """Weights, side, mean, std, resize, pooling; not the licence, the size or the source's name."""
    row = encoder(16, sha256="a")
    for change in (
        {"sha256": "b"}, {"input_side_px": 32}, {"mean": IMAGENET_MEAN}, {"std": IMAGENET_STD}, {"resize": "crop"},
        {"pooling": "mean"},
    ):  # fmt: skip
        assert model_version(encoder(16, **{"sha256": "a", **change})) != model_version(row), change
    for change in ({"licence": "MIT"}, {"size_bytes": 9}, {"source": "embedded:other.onnx"}, {"licence_terms": "x"}):
        assert model_version(encoder(16, **{"sha256": "a", **change})) == model_version(row), change


def test_prototypes_travel_in_the_source_file() -> None:
    """Names of any script and their vectors, bit for bit; a file without them has none."""
    bare = summing(8)
    assert head_prototypes(bare.SerializeToString()) == {}
    vectors = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    source = with_head_prototypes(bare, ["dress", "Tasche ü", "👗"], vectors).SerializeToString()
    found = head_prototypes(source)
    assert list(found) == ["dress", "Tasche ü", "👗"]
    assert np.array_equal(np.stack(list(found.values())), vectors)
