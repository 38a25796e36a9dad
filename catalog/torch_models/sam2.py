"""SAM 2 by transformers: a photo encoded once, then asked for masks. What to ask and which mask to take is not known.

Preprocessing and the masks' size are our own, as Sam2ImageProcessor has them, which needs torchvision.
Source: SAM 2 (Ravi et al., 2024); coordinates go to the 1,024 px square, each axis by its own scale.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from catalog import checkpoint_files, checkpoints
from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription
from catalog.torch_models import devices
from catalog.vision.mask_candidates import Candidate
from catalog.vision.preparing import prepare_image
from catalog.vision.prompts import Prompt

if TYPE_CHECKING:
    import torch

CONFIG, WEIGHTS = "config.json", "model.safetensors"
PARTS = ("vision_config", "prompt_encoder_config", "mask_decoder_config")
# What the hub's checkpoints hold for video, and a model of single photos has not.
OF_VIDEO = (
    "mask_downsample.",
    "memory_attention.",
    "memory_encoder.",
    "memory_temporal_positional_encoding",
    "no_memory_positional_encoding",
    "no_object_pointer",
    "object_pointer_proj.",
    "occlusion_spatial_embedding_parameter",
    "temporal_positional_encoding_projection_layer.",
)


class Network(Protocol):
    """SAM 2's two halves, on `devices.best_device()`; coordinates are in pixels of the network's square."""

    def features(self, pixels: "torch.Tensor") -> "list[torch.Tensor]":
        """What the decoder wants of a prepared photo, (1, 3, side, side) float32."""
        ...

    def answer(
        self,
        features: "list[torch.Tensor]",
        points: "torch.Tensor | None",
        boxes: "torch.Tensor | None",
        *,
        multimask: bool,
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """Mask logits (n, m, side, side) and predicted IoUs (n, m) for n prompts: (n, k, 2) points, (n, 4) boxes."""
        ...


@dataclass(frozen=True)
class EncodedPhoto:
    """A photo as the decoder wants it."""

    features: "list[torch.Tensor]"
    width: int  # of the photo, in pixels
    height: int


class Sam2:
    """One open SAM 2; safe to call from several threads, one runs at a time."""

    def __init__(self, network: Network, model: ModelDescription, precision: str, *, threads: int) -> None:
        """`network` is the one that `model` describes; `precision` is "float32", "bfloat16" or "auto"."""
        self.name = model.name
        self.precision = devices.chosen_precision(precision)
        self._network, self._model, self._threads = network, model, threads
        self._device = devices.best_device()
        self._lock = threading.Lock()

    def encode(self, image_hwc: np.ndarray) -> EncodedPhoto:
        """Encode one (height, width, 3) uint8 sRGB photo."""
        pixels = prepare_image(image_hwc, self._model)[None]
        with self._computing():
            features = self._network.features(self._tensor(pixels))
        return EncodedPhoto(features, image_hwc.shape[1], image_hwc.shape[0])

    def candidates(self, photo: EncodedPhoto, prompts: Sequence[Prompt], *, multimask: bool) -> list[Candidate]:
        """The masks that a photo has for some prompts, all of one kind: three each with `multimask`, else one.

        Three are for a prompt that may mean a thing or a part of it; one is the better answer to a clear prompt.
        Raises: ModelError when a mask or its score is not finite.
        """
        scale = np.float32(self._model.input_side_px) / np.array([photo.width, photo.height], np.float32)
        points = np.array([prompt.points for prompt in prompts], np.float32).reshape(len(prompts), -1, 2) * scale
        boxes = np.array([prompt.box for prompt in prompts if prompt.box], np.float32).reshape(-1, 4) * np.tile(
            scale, 2
        )
        with self._computing():
            logits, scores = self._network.answer(
                photo.features,
                self._tensor(points) if points.size else None,
                self._tensor(boxes) if boxes.size else None,
                multimask=multimask,
            )
            masks, ious = logits.float().flatten(0, 1).cpu().numpy(), scores.float().flatten().cpu().numpy()
        if not (np.isfinite(masks).all() and np.isfinite(ious).all()):
            raise ModelError(f"{self.name}: a mask or its score is not finite on this photo")
        return [Candidate(mask, float(iou)) for mask, iou in zip(masks, ious, strict=True)]

    def _tensor(self, values: np.ndarray) -> "torch.Tensor":
        import torch

        return torch.from_numpy(values).to(self._device)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        import torch

        with self._lock, torch.inference_mode():
            before = torch.get_num_threads()
            torch.set_num_threads(self._threads)
            try:
                with torch.autocast(self._device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
                    yield
            finally:
                torch.set_num_threads(before)


class TransformersSam2:
    """The network as transformers has it."""

    def __init__(self, folder: Path, model: ModelDescription) -> None:
        """Open the verified checkpoint in `folder`, in float32; every tensor that the network has must be there.

        Raises: ModelError when torch isn't installed, or the checkpoint is damaged or not one that the row describes.
        """
        with checkpoint_files.needs_extra(f"model {model.name}"):
            from transformers import Sam2Config, Sam2Model

        config = image_config(folder, model, Sam2Config)
        network = checkpoint_files.load(Sam2Model, config, image_tensors(folder), folder / WEIGHTS)
        self._network = network.requires_grad_(False).to(devices.best_device())

    def features(self, pixels: "torch.Tensor") -> "list[torch.Tensor]":
        """As `Network.features`."""
        found: list[torch.Tensor] = self._network.get_image_embeddings(pixels)
        return found

    def answer(
        self,
        features: "list[torch.Tensor]",
        points: "torch.Tensor | None",
        boxes: "torch.Tensor | None",
        *,
        multimask: bool,
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """As `Network.answer`."""
        asked = {}
        if points is not None:
            asked["input_points"] = points[None]
        if boxes is not None:
            asked["input_boxes"] = boxes[None]
        answer = self._network(image_embeddings=features, multimask_output=multimask, **asked)
        return answer.pred_masks[0], answer.iou_scores[0]


def image_config(folder: Path, model: ModelDescription, config_class: Any) -> Any:
    """transformers' Sam2Config of a checkpoint's config.json, which on the hub is the video model's.

    Raises: ModelError when it is damaged or another model's.
    """
    path = folder / CONFIG
    said = checkpoint_files.read_config(path)
    checkpoint_files.check_config(path, model.name, said, {"model_type": ("sam2_video", "sam2")})
    for part in PARTS:
        if not isinstance(said.get(part), dict):
            raise ModelError(f"{path}: {part!r} is missing or is no table; {checkpoint_files.ANEW}")
    side = {"image_size": model.input_side_px}
    checkpoint_files.check_config(path, model.name, said["prompt_encoder_config"], side)
    return checkpoints.build_config(path, config_class, {part: said[part] for part in PARTS})


def image_tensors(folder: Path) -> "dict[str, torch.Tensor]":
    """A checkpoint's tensors but for those that are for video. Raises: ModelError when the file can't be read."""
    return checkpoint_files.read_tensors(
        folder / WEIGHTS, lambda name: not name.startswith(OF_VIDEO), lambda name: name.startswith(OF_VIDEO)
    )
