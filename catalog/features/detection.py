"""YOLOX on ONNX Runtime: boxes of things in a photo. Which of them is the product is not decided here.

Source: YOLOX (Ge et al., 2021): the photo in the upper left of a square of 114s, BGR in 0 to 255; a row a cell of the
grids at strides 8, 16 and 32: centre and logarithmic size relative to the cell, objectness, a score a class.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription
from catalog.vision.boxes import Detection, without_doubles

STRIDES = (8, 16, 32)
FILL = 114
MIN_CONFIDENCE = 0.25
MOST_IOU = 0.45  # between two boxes of different things


class Yolox:
    """An open YOLOX; safe to call from several threads."""

    def __init__(self, path: Path, model: ModelDescription, *, threads: int = 1) -> None:
        """Open the bare network in `path`; `threads` run one call.

        Raises: ModelError when ONNX Runtime can't open it, or it is not the network that the row describes.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors share no public base
            raise ModelError(f"{path}: ONNX Runtime {ort.__version__} can't open it ({error})") from error
        side = model.input_side_px
        got = self._session.get_inputs()[0].shape
        if len(got) != 4 or got[1:] != [3, side, side]:
            raise ModelError(
                f"{path}: takes {got}, the row {model.name!r} wants [1, 3, {side}, {side}]; it is another network: "
                "pull the right one, or correct the row"
            )
        self.name, self._side = model.name, side

    def detect(self, image_hwc: np.ndarray, words: Sequence[str] = ()) -> list[Detection]:
        """Things in a (height, width, 3) uint8 sRGB photo, surest first, boxes in its pixels, of whatever class.

        Its classes are COCO's and fixed: `words` change nothing.
        Raises: ModelError when the output is not finite or not YOLOX's.
        """
        height, width = image_hwc.shape[:2]
        pixels, scale = letterbox(image_hwc, self._side)
        output = self._session.run(None, {self._session.get_inputs()[0].name: pixels})[0]
        boxes, confidences = decode(np.asarray(output)[0], self._side, self.name)
        sure = confidences >= MIN_CONFIDENCE
        limits = np.array([width, height, width, height])
        inside = np.clip(boxes[sure] / scale, 0, limits).tolist()
        found = [
            Detection((left, top, right, bottom), float(confidence))
            for (left, top, right, bottom), confidence in zip(inside, confidences[sure], strict=True)
        ]
        return without_doubles(found, MOST_IOU)


def letterbox(image_hwc: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """(1, 3, side, side) float32 BGR in 0 to 255, the photo in its upper left, and the scale it was brought to.

    Sampled bilinearly without antialiasing, as the network was trained.
    """
    height, width = image_hwc.shape[:2]
    scale = min(side / height, side / width)
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    # Not Image.resize: it antialiases. Coefficients map a target's pixel centre to the source's.
    sampled = Image.fromarray(image_hwc).transform(
        (across, down),
        Image.Transform.AFFINE,
        (width / across, 0, 0, 0, height / down, 0),
        Image.Resampling.BILINEAR,
    )
    canvas = np.full((side, side, 3), FILL, np.float32)
    canvas[:down, :across] = np.asarray(sampled)[..., ::-1]
    return np.ascontiguousarray(canvas.transpose(2, 0, 1))[None], scale


def decode(output: np.ndarray, side: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 4) float in pixels of the square, and confidences (n,): objectness times the best class's score.

    Raises: ModelError when `output` has not a row a cell and 5 columns and more, or is not finite.
    """
    cells = [(side // stride) ** 2 for stride in STRIDES]
    if output.ndim != 2 or len(output) != sum(cells) or output.shape[1] < 6:
        raise ModelError(f"{name}: gives {output.shape}, wanted {sum(cells)} rows of 6 numbers or more")
    if not np.isfinite(output).all():
        raise ModelError(f"{name}: its output is not finite on this photo")
    places, strides = [], []
    for stride, count in zip(STRIDES, cells, strict=True):
        rows, columns = np.divmod(np.arange(count), side // stride)
        places.append(np.stack([columns, rows], axis=1))
        strides.append(np.full((count, 1), stride))
    place, stride_px = np.concatenate(places), np.concatenate(strides)
    centre = (output[:, :2] + place) * stride_px
    size = np.exp(np.minimum(output[:, 2:4], 20.0)) * stride_px  # e^20 px is beyond any photo, and still finite
    corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    return corners, output[:, 4] * output[:, 5:].max(axis=1)
