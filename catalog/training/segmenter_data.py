"""What the segmenter learns from: real photos under a teacher's masks, on other grounds too, and drawn photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from catalog.training import augmentation

Generator = np.random.Generator
# Of a batch, up to which share of it: garments alone, people, fabric from so near that it fills the photo, garments and
# people moved to another ground, drawn ones.
KINDS = (
    ("alone", 0.27),
    ("worn", 0.45),
    ("alone near", 0.52),
    ("alone moved", 0.64),
    ("worn moved", 0.77),
    ("drawn", 1.0),
)


@dataclass(frozen=True)
class MaskedPhoto:
    """A photo and the saliency of its product: (h, w, 3) uint8 and (h, w) uint8, 255 for certain."""

    image: np.ndarray
    saliency: np.ndarray


def batch(
    alone: Sequence[MaskedPhoto],
    worn: Sequence[MaskedPhoto],
    drawn: Sequence[MaskedPhoto],
    side: int,
    count: int,
    rng: Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """One batch: (count, side, side, 3) uint8 photos and (count, side, side) float32 saliency in [0, 1].

    `KINDS` says what a batch is made of.
    """
    images, masks = [], []
    for place in range(count):
        kind = next(kind for kind, end in KINDS if place < end * count)
        photo = _any(rng, {"alone": alone, "worn": worn or alone, "drawn": drawn or alone}[kind.partition(" ")[0]])
        if kind.endswith("moved"):
            photo = _on_another_ground(rng, photo, _any(rng, alone))
        image, saliency = _view(rng, photo, side, near=kind.endswith("near"))
        images.append(image)
        masks.append(saliency.astype(np.float32) / 255.0)
    return np.stack(images), np.stack(masks)


def _any(rng: Generator, photos: Sequence[MaskedPhoto]) -> MaskedPhoto:
    return photos[int(rng.integers(len(photos)))]


def _view(rng: Generator, photo: MaskedPhoto, side: int, *, near: bool) -> tuple[np.ndarray, np.ndarray]:
    ground = int(photo.image[0].mean())
    turn = 12.0 if rng.random() < 0.8 else 90.0
    image, saliency = augmentation.random_view(
        rng,
        [(photo.image, ground), (photo.saliency, 0)],
        side,
        turn_degrees=turn,
        scale=(2.2, 5.0) if near else (0.75, 1.6),
        shift=0.12,
    )
    image = augmentation.jitter_light(rng, image)
    return augmentation.soften_and_grain(rng, image), saliency


def _on_another_ground(rng: Generator, product: MaskedPhoto, other: MaskedPhoto) -> MaskedPhoto:
    height, width = product.saliency.shape
    studio = rng.random() < 0.6
    ground = _studio(rng, height, width) if studio else _ground_of(rng, other, height, width)
    if ground is None:
        return product
    alpha = product.saliency.astype(np.float32)[..., None] / 255.0
    if rng.random() < 0.7:  # its shadow, to one side and soft
        dark = Image.fromarray(product.saliency).filter(ImageFilter.GaussianBlur(rng.uniform(2, 14)))
        moved = np.roll(np.asarray(dark), tuple(rng.integers(-8, 9, 2)), (0, 1)).astype(np.float32)[..., None] / 255.0
        ground = ground * (1 - rng.uniform(0.05, 0.4) * moved)
    mixed = product.image * alpha + ground * (1 - alpha)
    return MaskedPhoto(np.clip(mixed + 0.5, 0, 255).astype(np.uint8), product.saliency)


def _studio(rng: Generator, height: int, width: int) -> np.ndarray:
    """A shop's backdrop: white more often than not, else one colour, darker to the borders or to the floor."""
    colour = np.full(3, 255.0) if rng.random() < 0.5 else rng.uniform(170, 255) + rng.normal(0, 10, 3)
    rows = np.linspace(-1, 1, height)[:, None, None]
    columns = np.linspace(-1, 1, width)[None, :, None]
    fall = rng.uniform(0, 0.15) * (rows**2 + columns**2) / 2 + rng.uniform(-0.08, 0.08) * rows
    return np.clip(colour * (1 - fall), 0, 255).astype(np.float32)


def _ground_of(rng: Generator, photo: MaskedPhoto, height: int, width: int) -> np.ndarray | None:
    """A patch of a photo that shows no product, mirrored to fill (height, width); None when none is found."""
    rows, columns = photo.saliency.shape
    for _ in range(12):
        patch_height, patch_width = (int(rng.uniform(0.2, 0.5) * side) for side in (rows, columns))
        top = int(rng.integers(rows - patch_height))
        left = int(rng.integers(columns - patch_width))
        window = np.s_[top : top + patch_height, left : left + patch_width]
        if photo.saliency[window].mean() < 4:
            patch = photo.image[window]
            tile = np.concatenate([patch, patch[:, ::-1]], 1)
            tile = np.concatenate([tile, tile[::-1]], 0)
            repeats = (-(-height // tile.shape[0]), -(-width // tile.shape[1]), 1)
            return np.tile(tile, repeats)[:height, :width].astype(np.float32)
    return None
