"""The cut-out products that the encoders learn from, and the random views that they are shown of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from catalog.training import augmentation
from catalog.vision.crops import BACKGROUND

Generator = np.random.Generator
Kind = Literal["alone", "worn", "drawn"]  # a garment on a bed or hanger; on a person; drawn
VIEWS = 6  # kept of each product and scene for the semantic encoder; its teacher sees each once
WINDOWS = 4  # kept of each product for the texture encoder
CLOSE_BY = 2  # of a product's views
LEAST_CLOSE_BY = 0.3  # of such a view must be product


@dataclass(frozen=True)
class TrainingCrop:
    """One photo's product, cut out as the catalogue's own crops are: (side, side, 3) uint8 on white, and its mask."""

    image: np.ndarray
    mask: np.ndarray  # (side, side) bool


@dataclass(frozen=True)
class TrainingProduct:
    """One product and the photos of it: an embedding should tell it from all others, whichever photo it is given."""

    crops: tuple[TrainingCrop, ...]
    category: str  # "" where nobody knows
    pattern: str  # print class, "" where nobody knows
    kind: Kind


def photo_view(rng: Generator, crop: TrainingCrop, side: int, *, close_by: bool = False) -> np.ndarray:
    """The product as another photo of it might come out: (side, side, 3) uint8 on white.

    Turned a little, in other light, now and then badly cut out or half hidden; `close_by`, only a part of it fills the
    view, as in the detail photos of shops and of people who stand too near.
    """
    image, mask = augmentation.random_view(
        rng,
        [(crop.image, BACKGROUND), (crop.mask.astype(np.uint8) * 255, 0)],
        side,
        turn_degrees=18,
        scale=(1.15, 2.3) if close_by else (0.78, 1.12),
        shift=0.2 if close_by else 0.06,
    )
    visible = mask >= 128
    if close_by and visible.mean() < LEAST_CLOSE_BY:  # beside the product
        return photo_view(rng, crop, side)
    if not close_by and rng.random() < 0.25:
        visible &= ~_half_plane(rng, side)
    # Weaker light than a phone's: a colour variant must stay another one.
    image = augmentation.soften_and_grain(rng, augmentation.jitter_light(rng, image, 0.7))
    return np.where(visible[..., None], image, np.uint8(BACKGROUND))


def scene_view(rng: Generator, photo_hwc: np.ndarray, side: int) -> np.ndarray:
    """A window of a whole photo, ground and all: (side, side, 3) uint8. Only a teacher knows what it shows."""
    view = augmentation.random_view(
        rng, [(photo_hwc, BACKGROUND)], side, turn_degrees=10, scale=(1.0, 3.5), shift=0.3, squeeze=0.25
    )[0]
    return augmentation.soften_and_grain(rng, augmentation.jitter_light(rng, view, 0.7))


def window_view(rng: Generator, crop: TrainingCrop, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A window of the product's surface, turned and lit anyhow: (side, side, 3) uint8 on white, (side, side) bool mask.

    Now and then colours are moved too, or taken away: a print must be known again in another colourway.
    """
    image, mask = augmentation.random_view(
        rng,
        [(crop.image, BACKGROUND), (crop.mask.astype(np.uint8) * 255, 0)],
        side,
        turn_degrees=45 if rng.random() < 0.7 else 180,
        scale=(0.85, 2.6),
        shift=0.22,
    )
    visible = mask >= 128
    if visible.mean() < 0.15:  # beside the product: show it whole
        image = np.asarray(Image.fromarray(crop.image).resize((side, side), Image.Resampling.BILINEAR))
        visible = np.asarray(Image.fromarray(crop.mask.astype(np.uint8) * 255).resize((side, side))) >= 128
    image = augmentation.soften_and_grain(rng, augmentation.jitter_light(rng, _other_colors(rng, image)))
    return np.where(visible[..., None], image, np.uint8(BACKGROUND)), visible


def product_views(product: TrainingProduct, side: int, rng: Generator) -> np.ndarray:
    """`VIEWS` random views of a product, its photos in turn, the last ones close by: (VIEWS, side, side, 3) uint8."""
    taken = [product.crops[view % len(product.crops)] for view in range(VIEWS)]
    close_by = [view >= VIEWS - CLOSE_BY for view in range(VIEWS)]
    return np.stack([photo_view(rng, crop, side, close_by=near) for crop, near in zip(taken, close_by, strict=True)])


def product_windows(product: TrainingProduct, side: int, rng: Generator) -> np.ndarray:
    """`WINDOWS` random windows of a product, its photos in turn: (WINDOWS, side, side, 4) uint8, the last its mask."""
    taken = [product.crops[window % len(product.crops)] for window in range(WINDOWS)]
    return np.stack([np.dstack(window_view(rng, crop, side)).astype(np.uint8) for crop in taken])


def scene_views(photo_hwc: np.ndarray, side: int, rng: Generator) -> np.ndarray:
    """`VIEWS` random windows of a whole photo: (VIEWS, side, side, 3) uint8."""
    return np.stack([scene_view(rng, photo_hwc, side) for _ in range(VIEWS)])


def balanced_shares(
    products: Sequence[TrainingProduct], labels: Sequence[str], of_kind: Mapping[Kind, float]
) -> np.ndarray:
    """How often each product is to be taken: (n,) summing to 1; labels by the root of their count, each kind in all
    its share of those that are there."""
    names, index, counts = np.unique(np.array(labels), return_inverse=True, return_counts=True)
    del names
    shares = 1.0 / np.sqrt(counts)[index]
    kinds = np.array([product.kind for product in products])
    for kind, total in of_kind.items():
        if (kinds == kind).any():
            shares[kinds == kind] *= total / shares[kinds == kind].sum()
    return np.asarray(shares / shares.sum())


def _half_plane(rng: Generator, side: int) -> np.ndarray:
    """One side of a random line that leaves the middle alone."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
    return np.asarray(rows * np.sin(angle) + columns * np.cos(angle) > rng.uniform(0.12, 0.4))


def _other_colors(rng: Generator, image: np.ndarray) -> np.ndarray:
    draw = rng.random()
    if draw < 0.1:
        grey = np.asarray(Image.fromarray(image).convert("L"))
        return np.repeat(grey[..., None], 3, axis=2)
    if draw < 0.25:
        hsv = np.array(Image.fromarray(image).convert("HSV"))
        hsv[..., 0] += np.uint8(rng.integers(256))
        return np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))
    return image
