"""Run one shipped model: uint8 pixels in, saliency or features out. Which model and why is the caller's business."""

from pathlib import Path

import numpy as np
import onnxruntime as ort

from catalog.errors import ModelError

ort.set_default_logger_severity(3)  # errors only: its warnings name graph internals that no user can act on


class PixelModel:
    """An open ONNX Runtime session of a model with pixel input; safe to call from several threads."""

    def __init__(self, model: bytes | Path, output: str, *, threads: int = 1) -> None:
        """Open a model from its bytes or its file; `output` is the one that is wanted.

        `threads` run one call; one thread a call and several calls at a time is the faster use of cores in a build.
        Raises: ModelError when ONNX Runtime can't open it or it has no such output.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.name = model.name if isinstance(model, Path) else output
        try:
            self._session = ort.InferenceSession(
                model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own errors share no public base
            raise ModelError(f"{self.name}: ONNX Runtime {ort.__version__} can't open it ({error})") from error
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self._output = output
        names = [entry.name for entry in self._session.get_outputs()]
        if output not in names:
            raise ModelError(f"{self.name}: has no output {output!r}, only {names}")

    def run(self, image_hwc: np.ndarray, binary_mask: np.ndarray | None = None) -> np.ndarray:
        """Run on one (height, width, 3) uint8 photo, and its (height, width) bool mask where the model takes one.

        Returns: (side, side) float32 saliency in [0, 1], or (dim,) float32 features of length 1.
        Raises: ModelError when the output is not finite or a feature vector has no length.
        """
        feeds = {"image": image_hwc}
        if "mask" in self._inputs:
            if binary_mask is None:
                raise ModelError(f"{self.name}: takes a mask beside the photo, none was given")
            feeds["mask"] = binary_mask.astype(np.uint8) * np.uint8(255)
        output: np.ndarray = self._session.run([self._output], feeds)[0]
        if not np.isfinite(output).all() or (output.ndim == 1 and not output.any()):
            raise ModelError(f"{self.name}: output {self._output!r} is not finite or all zeros on this photo")
        return output
