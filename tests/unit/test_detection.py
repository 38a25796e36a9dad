"""YOLOX: the letterbox, the grids, and the real nano on real photos."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from catalog.errors import ModelError
from catalog.features.detection import Yolox, decode, letterbox
from catalog.model_descriptions import MODELS

ROW = MODELS["yolox-nano"]


def bilinear(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bilinear sampling with half-pixel centres, clamped at the edge: what cv2.resize does by default."""
    rows = np.clip((np.arange(height) + 0.5) * image.shape[0] / height - 0.5, 0, image.shape[0] - 1)
    columns = np.clip((np.arange(width) + 0.5) * image.shape[1] / width - 0.5, 0, image.shape[1] - 1)
    top, left = rows.astype(int), columns.astype(int)
    bottom, right = np.minimum(top + 1, image.shape[0] - 1), np.minimum(left + 1, image.shape[1] - 1)
    down, across = (rows - top)[:, None, None], (columns - left)[None, :, None]
    upper = image[top][:, left] * (1 - across) + image[top][:, right] * across
    lower = image[bottom][:, left] * (1 - across) + image[bottom][:, right] * across
    return upper * (1 - down) + lower * down


@pytest.mark.parametrize(("width", "height"), [(300, 500), (640, 200), (100, 80), (416, 416)])
def test_the_letterbox_is_as_the_network_was_trained(width: int, height: int) -> None:
    """BGR, upper left, 114 beside it; sampled without antialiasing."""
    image = np.random.default_rng(2).integers(0, 255, (height, width, 3), np.uint8)
    pixels, scale = letterbox(image, 416)
    assert (pixels.shape, pixels.dtype) == ((1, 3, 416, 416), np.float32)
    across, down = int(width * scale), int(height * scale)
    assert max(across, down) == 416
    got = pixels[0].transpose(1, 2, 0)[..., ::-1]
    assert np.abs(got[:down, :across] - bilinear(image, across, down)).max() < 1.001  # Pillow rounds down
    assert (got[down:] == 114).all()
    assert (got[:, across:] == 114).all()


def test_cells_are_decoded_by_hand() -> None:
    """Side 64: 64 + 16 + 4 cells. The cell in row 1, column 2 of stride 16 says: half a cell on, twice as wide."""
    output = np.zeros((84, 7), np.float32)
    place = 64 + 1 * 4 + 2
    output[place] = [0.5, 0.25, np.log(2), 0, 0.8, 0.5, 0.9]
    boxes, confidences = decode(output, 64, "yolox")
    assert boxes[place] == pytest.approx([40 - 16, 20 - 8, 40 + 16, 20 + 8])
    assert confidences[place] == pytest.approx(0.72)
    assert boxes[83] == pytest.approx([32 - 16, 32 - 16, 32 + 16, 32 + 16])  # stride 32, row 1, column 1
    assert confidences.argmax() == place


def test_another_output_is_refused() -> None:
    """Rows that are no cells; numbers that are none."""
    with pytest.raises(ModelError, match=r"yolox: gives \(100, 85\), wanted 3549 rows of 6 numbers or more"):
        decode(np.zeros((100, 85)), 416, "yolox")
    with pytest.raises(ModelError, match="yolox: its output is not finite on this photo"):
        decode(np.full((84, 7), np.nan), 64, "yolox")


def test_another_network_is_refused(tmp_path: Path) -> None:
    """No ONNX file; one that takes something else."""
    path = tmp_path / "yolox.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"yolox\.onnx: ONNX Runtime [\d.]+ can't open it"):
        Yolox(path, ROW)
    pixels = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 224, 224])
    found = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 3, 224, 224])
    graph = helper.make_graph([helper.make_node("Identity", ["images"], ["output"])], "g", [pixels], [found])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path)
    with pytest.raises(ModelError, match=r"takes \[1, 3, 224, 224\], the row 'yolox-nano' wants \[1, 3, 416, 416\]"):
        Yolox(path, ROW)


def test_doubles_go_and_boxes_are_the_photos(tmp_path: Path) -> None:
    """A network that always says the same: two cells on one thing, one cell that is unsure."""
    said = np.zeros((1, 84, 6), np.float32)
    said[0, :, 2:4] = np.log(4)
    said[0, 0, 4:] = [0.9, 1]  # stride 8, upper left: 32 px around (0, 0), cut by the photo's edge
    said[0, 1, 4:] = [0.8, 1]  # the next cell: 32 px around (8, 0), by .6 the same thing
    said[0, 63, 4:] = [0.2, 1]
    said[0, 83, 4:] = [0.5, 1]  # stride 32, lower right: 128 px around (32, 32)
    pixels = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])
    found = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 84, 6])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["said"], ["output"])],
        "g",
        [pixels],
        [found],
        [numpy_helper.from_array(said, "said")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), tmp_path / "y.onnx")
    detector = Yolox(tmp_path / "y.onnx", replace(ROW, input_side_px=64))
    detections = detector.detect(np.zeros((128, 128, 3), np.uint8), ("bag",))
    assert [found.confidence for found in detections] == pytest.approx([0.9, 0.5])
    assert detections[0].box == pytest.approx((0, 0, 32, 32))  # twice 16: the photo was halved
    assert detections[1].box == pytest.approx((0, 0, 128, 128))


def test_the_real_nano_finds_the_person(shared_data: Path, shared_weights: Path) -> None:
    """Street photos with exact masks: the best box of each holds the person (IoU of the boxes, .7 at least in most)."""
    detector = Yolox(shared_weights / "yolox_nano.onnx", ROW)
    ious = []
    for path in sorted((shared_data / "ccp" / "photo").iterdir())[:12]:
        with Image.open(path) as opened, Image.open(shared_data / "ccp" / "mask" / f"{path.stem}.png") as mask:
            image, person = np.asarray(opened.convert("RGB")), np.asarray(mask) > 0
        rows, columns = np.flatnonzero(person.any(axis=1)), np.flatnonzero(person.any(axis=0))
        left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        best = 0.0
        for found in detector.detect(image):
            x = max(0, min(right, found.box[2]) - max(left, found.box[0]))
            y = max(0, min(bottom, found.box[3]) - max(top, found.box[1]))
            area = (found.box[2] - found.box[0]) * (found.box[3] - found.box[1])
            best = max(best, x * y / (area + (right - left) * (bottom - top) - x * y))
        ious.append(best)
    assert np.median(ious) > 0.8
    assert np.mean(np.array(ious) > 0.7) > 0.7
