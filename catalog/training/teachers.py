"""Real public networks that teach ours: U2NetP saliency, MobileNetV2 embeddings, SqueezeNet texture. Never shipped."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from catalog.errors import ModelError
from catalog.model_descriptions import IMAGENET_MEAN, IMAGENET_STD

SALIENCY_FILE, SALIENCY_SIDE_PX = "u2netp_320_fp32.onnx", 320
EMBEDDING_FILE, EMBEDDING_SIDE_PX = "mobilenetv2_deq_fp32.onnx", 224
TEXTURE_FILE, TEXTURE_SIDE_PX = "squeezenet1_0_fp32_feats.onnx", 224
CAFFE_MEAN = np.array((104, 117, 123), np.float32)  # SqueezeNet's own: blue, green, red


def open_teacher(weights_dir: Path, file: str) -> ort.InferenceSession:
    """Open a teacher's network. Raises: ModelError when its file isn't there."""
    path = weights_dir / file
    if not path.is_file():
        raise ModelError(f"{path}: not there; training needs the teacher {file} in the folder of real weights")
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def saliency_mask(teacher: ort.InferenceSession, image_hwc: np.ndarray) -> np.ndarray:
    """U2NetP's saliency of one photo: (320, 320) uint8, 255 for certain; stretched to the full range as it is used."""
    pixels = _prepared(image_hwc, SALIENCY_SIDE_PX)
    saliency = teacher.run(["mask"], {"input": pixels[None]})[0][0, 0]
    lowest, highest = saliency.min(), saliency.max()
    return np.asarray(np.round((saliency - lowest) / max(highest - lowest, 1e-6) * 255).astype(np.uint8))


def embeddings(teacher: ort.InferenceSession, images: np.ndarray) -> np.ndarray:
    """MobileNetV2's embeddings of (n, side, side, 3) uint8 photos: (n, 1280) float32, L2-normalised."""
    pixels = np.stack([_prepared(image, EMBEDDING_SIDE_PX) for image in images])
    vectors = teacher.run(["embedding"], {"input": pixels})[0]
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def textures(teacher: ort.InferenceSession, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """What SqueezeNet's texture maps hold of (n, side, side, 3) uint8 photos within (n, side, side) bool masks.

    The mean and the deviation of its 256 maps over the mask, each of length 1: (n, 512) float32, L2-normalised.
    """
    pixels = np.stack([_resized(image, TEXTURE_SIDE_PX)[..., ::-1] - CAFFE_MEAN for image in images])
    maps = teacher.run(["texture_map"], {"input": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))})[0]
    cells = maps.shape[2:][::-1]
    covered = [Image.fromarray(mask.astype(np.float32)).resize(cells, Image.Resampling.BOX) for mask in masks]
    # As in the texture encoder: a cell that the mask hardly covers says little, unless there is no other.
    share = np.stack([np.asarray(cover) ** 3 for cover in covered]) + np.float32(1e-6)
    share /= share.sum((1, 2), keepdims=True)
    mean = np.einsum("nchw,nhw->nc", maps, share)
    variance = np.einsum("nchw,nhw->nc", maps * maps, share) - mean * mean
    halves = (mean, np.sqrt(np.maximum(variance, 0) + 1e-6))
    together = np.concatenate([half / np.linalg.norm(half, axis=1, keepdims=True) for half in halves], axis=1)
    return np.asarray(together / np.sqrt(2), np.float32)


def _prepared(image_hwc: np.ndarray, side: int) -> np.ndarray:
    pixels = _resized(image_hwc, side) / 255
    standardized = (pixels - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    return np.asarray(standardized.transpose(2, 0, 1), np.float32)


def _resized(image_hwc: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image_hwc).resize((side, side), Image.Resampling.BICUBIC), np.float32)
