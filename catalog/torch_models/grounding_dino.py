"""Grounding DINO by transformers: boxes of what words name, in a photo. Which box is the product's is not decided here.

Preprocessing, tokens and boxes are our own, as GroundingDinoProcessor has them, whose usual form needs torchvision.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from catalog import checkpoint_files, checkpoints
from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription
from catalog.torch_models import devices
from catalog.vision.boxes import Detection, without_doubles

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
LONGEST_SIDE_PX = 1333
MIN_CONFIDENCE = 0.25
MOST_IOU = 0.7


class GroundingDino:
    """One open Grounding DINO; safe to call from several threads, one runs at a time."""

    def __init__(self, folder: Path, model: ModelDescription, *, threads: int) -> None:
        """Open the verified checkpoint in `folder`, in float32.

        Raises: ModelError when torch isn't installed, or the checkpoint is damaged or not one that the row describes.
        """
        with checkpoint_files.needs_extra(f"model {model.name}"):
            from tokenizers import Tokenizer
            from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

        self.name = model.name
        self._model, self._threads = model, threads
        self._lock = threading.Lock()
        path = folder / CONFIG
        said = checkpoint_files.read_config(path)
        checkpoint_files.check_config(path, model.name, said, {"model_type": "grounding-dino"})
        config = checkpoints.build_config(path, GroundingDinoConfig, said)
        checkpoint_files.check_config(path, model.name, config.to_dict(), {"max_text_len": model.text_length})
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # tokenizers raises bare Exception
            raise ModelError(
                f"{folder / TOKENIZER}: can't be read as a tokenizer ({error}); {checkpoint_files.ANEW}"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(model.text_length)
        tensors = checkpoint_files.read_tensors(folder / WEIGHTS, lambda _: True)
        network = checkpoint_files.load(GroundingDinoForObjectDetection, config, tensors, folder / WEIGHTS)
        self._device = devices.best_device()
        self._network = network.requires_grad_(False).to(self._device)

    def detect(self, image_hwc: np.ndarray, words: Sequence[str]) -> list[Detection]:
        """Things that one of `words` names in a (height, width, 3) uint8 sRGB photo, surest first.

        Raises: ModelError when the output is not finite.
        """
        import torch

        tokens = self._tokenizer.encode(caption(words))
        ids = torch.tensor([tokens.ids], device=self._device)
        pixels = torch.from_numpy(prepare(image_hwc, self._model))[None].to(self._device)
        with self._lock, torch.inference_mode():
            before = torch.get_num_threads()
            torch.set_num_threads(self._threads)
            try:
                with checkpoint_files.quiet():
                    answer = self._network(
                        pixel_values=pixels,
                        pixel_mask=torch.ones(pixels.shape[0], *pixels.shape[2:], dtype=torch.int64).to(self._device),
                        input_ids=ids,
                        token_type_ids=torch.zeros_like(ids),
                        attention_mask=torch.ones_like(ids),
                    )
            finally:
                torch.set_num_threads(before)
        confidences = answer.logits[0].float().sigmoid().amax(dim=-1).cpu().numpy()
        found = answer.pred_boxes[0].float().cpu().numpy()
        if not (np.isfinite(confidences).all() and np.isfinite(found).all()):
            raise ModelError(f"{self.name}: its output is not finite on this photo")
        boxes = corners(found, image_hwc.shape[1], image_hwc.shape[0]).tolist()
        sure = [
            Detection((left, top, right, bottom), float(confidence))
            for (left, top, right, bottom), confidence in zip(boxes, confidences, strict=True)
            if confidence > MIN_CONFIDENCE
        ]
        return without_doubles(sure, MOST_IOU)


def caption(words: Sequence[str]) -> str:
    """Words as the network was trained to read them: in lower case, each ending in a full stop."""
    return " ".join(f"{word.strip().strip('.').lower()}." for word in words)


def prepare(image_hwc: np.ndarray, model: ModelDescription) -> np.ndarray:
    """(height, width, 3) uint8 to (3, h, w) float32: the shorter side to the row's, the longer to 1,333 at most."""
    width, height = prepared_size(image_hwc.shape[1], image_hwc.shape[0], model.input_side_px)
    resized = Image.fromarray(image_hwc).resize((width, height), Image.Resampling.BILINEAR)
    mean, std = np.array(model.mean, np.float32), np.array(model.std, np.float32)
    return np.ascontiguousarray(((np.asarray(resized, np.float32) / 255 - mean) / std).transpose(2, 0, 1))


def prepared_size(width: int, height: int, shortest: int) -> tuple[int, int]:
    """The size that a photo is brought to, (width, height), by DETR's rule, its rounding included."""
    shorter, longer = min(width, height), max(width, height)
    exact = float(shortest)
    if longer / shorter * shortest > LONGEST_SIDE_PX:
        exact = LONGEST_SIDE_PX * shorter / longer
    short = round(exact)
    if shorter == short:
        return width, height
    long = int(exact * longer / shorter)
    return (short, long) if width < height else (long, short)


def corners(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """(n, 4) centre x, centre y, width and height, in shares of the photo, to corners in its pixels, inside it."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    scale = np.array([width, height, width, height])
    return np.asarray(np.clip(np.concatenate([centre - half, centre + half], axis=1), 0, 1) * scale)
