"""What the segmenter learns from: real photos under a teacher's masks, on other grounds too, and drawn photos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from catalog.training import augmentation

Generator = np.random.Generator


@dataclass(frozen=True)
class MaskedPhoto:
    """A photo and the saliency of its product: (h, w, 3) uint8 and (h, w) uint8, 255 for certain."""

    image: np.ndarray
    saliency: np.ndarray


def batches(
    rng: Generator, real: Sequence[MaskedPhoto], drawn: Sequence[MaskedPhoto], side: int, count: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Endless batches: (count, side, side, 3) uint8 photos and (count, side, side) float32 saliency in [0, 1].

    Of a batch a half is real photos, a quarter their garments on another ground, a quarter drawn photos.
    """
    while True:
        images, masks = [], []
        for place in range(count):
            share = place / count
            if share < 0.5 or not drawn:
                photo = _any(rng, real)
            elif share < 0.75:
                photo = _on_another_ground(rng, _any(rng, real), _any(rng, real))
            else:
                photo = _any(rng, drawn)
            image, saliency = _view(rng, photo, side)
            images.append(image)
            masks.append(saliency.astype(np.float32) / 255.0)
        yield np.stack(images), np.stack(masks)


def _any(rng: Generator, photos: Sequence[MaskedPhoto]) -> MaskedPhoto:
    return photos[int(rng.integers(len(photos)))]


def _view(rng: Generator, photo: MaskedPhoto, side: int) -> tuple[np.ndarray, np.ndarray]:
    ground = int(photo.image[0].mean())
    turn = 12.0 if rng.random() < 0.8 else 90.0
    image, saliency = augmentation.random_view(
        rng, [(photo.image, ground), (photo.saliency, 0)], side, turn_degrees=turn, scale=(0.75, 1.6), shift=0.12
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
