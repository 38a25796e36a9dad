"""One shipped model in ONNX Runtime: what it refuses, and that threads do not disturb each other."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from catalog.errors import ImageError, ModelError
from catalog.features.inference import PixelModel
from catalog.records import Reason
from resources.inference import each


def graph(*nodes: onnx.NodeProto, mask: bool = False, output: tuple[str, int] = ("found", 1)) -> bytes:
    """A model with pixel input made of a few nodes; `levels` is the photo in float32."""
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["h", "w", 3])]
    if mask:
        inputs.append(helper.make_tensor_value_info("mask", TensorProto.UINT8, ["h", "w"]))
    name, rank = output
    made = helper.make_graph(
        [helper.make_node("Cast", ["image"], ["levels"], to=TensorProto.FLOAT), *nodes],
        "made",
        inputs,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank)],
        [numpy_helper.from_array(np.array([0, 1]), "places"), numpy_helper.from_array(np.float32(-1), "minus_one")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


MEANS = graph(helper.make_node("ReduceMean", ["levels", "places"], ["found"], keepdims=0))  # (3,), of each channel
ROOTS = graph(
    helper.make_node("Add", ["levels", "minus_one"], ["less"]),
    helper.make_node("Sqrt", ["less"], ["roots"]),
    helper.make_node("ReduceMean", ["roots", "places"], ["found"], keepdims=0),
)  # not a number where a level is 0
PLANE = graph(helper.make_node("ReduceMean", ["levels"], ["found"], keepdims=1), output=("found", 3))


def plain(*color: int) -> np.ndarray:
    """A small photo of one colour."""
    return np.full((5, 7, 3), color, np.uint8)


def test_runs_from_bytes_and_from_a_file(tmp_path: Path) -> None:
    """To the same float32 numbers."""
    (tmp_path / "means.onnx").write_bytes(MEANS)
    for model in (MEANS, tmp_path / "means.onnx"):
        found = PixelModel(model, "found").run(plain(1, 2, 3))
        assert found.dtype == np.float32
        assert found.tolist() == [1, 2, 3]


def test_the_mask_is_given_as_0_and_255() -> None:
    """A bool mask; a model that takes none is not handed one."""
    node = helper.make_node("Cast", ["mask"], ["found"], to=TensorProto.FLOAT)
    masked = PixelModel(graph(node, mask=True, output=("found", 2)), "found")
    mask = np.array([[True, False], [False, True]])
    assert masked.run(np.zeros((2, 2, 3), np.uint8), mask).tolist() == [[255, 0], [0, 255]]
    with pytest.raises(ModelError, match="found: takes a mask beside the photo, none was given"):
        masked.run(np.zeros((2, 2, 3), np.uint8))
    assert PixelModel(MEANS, "found").run(plain(1, 2, 3), np.ones((5, 7), bool)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("content", [b"", b"no model at all", MEANS[: len(MEANS) // 2]], ids=["empty", "text", "cut"])
def test_refuses_what_is_no_model(tmp_path: Path, content: bytes) -> None:
    """From bytes by the output's name, from a file by the file's; with ONNX Runtime's version and its own words."""
    with pytest.raises(ModelError, match=r"^found: ONNX Runtime \d+\.\d+.* can't open it \("):
        PixelModel(content, "found")
    (tmp_path / "broken.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"^broken\.onnx: ONNX Runtime .* can't open it"):
        PixelModel(tmp_path / "broken.onnx", "found")


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(ModelError, match=r"^none\.onnx: ONNX Runtime .* can't open it .*none\.onnx"):
        PixelModel(tmp_path / "none.onnx", "found")


def test_refuses_another_output() -> None:
    """And tells the ones that there are."""
    with pytest.raises(ModelError, match=r"^lost: has no output 'lost', only \['found'\]"):
        PixelModel(MEANS, "lost")


def test_refuses_what_is_no_number() -> None:
    """The square root of less than nothing, on the one photo that has a level of 0."""
    model = PixelModel(ROOTS, "found")
    assert model.run(plain(2, 5, 10)) == pytest.approx([1, 2, 3])
    with pytest.raises(ModelError, match="found: output 'found' is not finite or all zeros on this photo"):
        model.run(plain(2, 0, 10))


def test_refuses_features_without_length() -> None:
    """All zeros have no direction; a saliency map of zeros is an answer."""
    with pytest.raises(ModelError, match="not finite or all zeros"):
        PixelModel(MEANS, "found").run(plain(0, 0, 0))
    assert PixelModel(PLANE, "found").run(plain(0, 0, 0)).max() == 0


def test_many_threads_share_a_session() -> None:
    """Eight threads, 400 photos of other sizes and colours: each gets its own photo's answer."""
    model = PixelModel(MEANS, "found", threads=2)
    rng = np.random.default_rng(0)
    photos = [rng.integers(1, 256, (20 + number % 60, 300, 3), np.uint8) for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        found = np.stack(list(pool.map(model.run, photos)))
    wanted = np.stack([photo.reshape(-1, 3).mean(axis=0) for photo in photos])
    assert found == pytest.approx(wanted, rel=1e-4)


def test_each_keeps_the_order_and_the_failures() -> None:
    """A photo that can't be used is a result with its reason; so is one that the model makes nothing of."""
    model = PixelModel(ROOTS, "found")

    def compute(level: int) -> float:
        if level == 7:
            raise ImageError(Reason.TOO_SMALL, "seven")
        return float(model.run(plain(level, level, level))[0])

    found = each(compute, [2, 7, 0, 5], workers=3)
    assert (found[0], found[3]) == pytest.approx((1, 2))
    assert isinstance(found[1], ImageError)
    assert (found[1].reason, found[1].detail) == (Reason.TOO_SMALL, "seven")
    assert isinstance(found[2], ImageError)
    assert found[2].reason == Reason.MODEL_FAILED
    assert "not finite" in found[2].detail
    assert each(compute, []) == []


def test_each_lets_other_errors_through() -> None:
    """A mistake of ours stops the stage; it is no bad photo."""
    with pytest.raises(ZeroDivisionError):
        each(lambda value: 1 // value, [1, 0, 2])
