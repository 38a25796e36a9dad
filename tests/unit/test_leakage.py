"""A query's photo in the gallery is found in another size and compression; another photo of the thing is not."""

import io

import numpy as np
import pytest
from PIL import Image

from catalog.evaluation.leakage import Hashes
from catalog.vision.photo_hashes import photo_cells, photo_hash


def photo(seed: int) -> np.ndarray:
    """Blots of colour, as different photos as there are seeds."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((400, 480), Image.Resampling.BICUBIC))


def gallery(*photos: np.ndarray) -> Hashes:
    return Hashes(
        np.array([photo_hash(image) for image in photos], np.uint64), np.stack([photo_cells(image) for image in photos])
    )


@pytest.mark.parametrize(("side", "quality"), [(480, 95), (192, 82), (240, 60)])
def test_finds_it_smaller_and_compressed(side: int, quality: int) -> None:
    """As a shop's thumbnails are: only the photo itself, of 40."""
    found = gallery(*[photo(seed) for seed in range(40)])
    picture, encoded = Image.fromarray(photo(7)), io.BytesIO()
    picture.thumbnail((side, side))
    picture.save(encoded, "JPEG", quality=quality)
    again = np.asarray(Image.open(encoded).convert("RGB"))
    assert found.like(photo_hash(again), photo_cells(again)).tolist() == [7]


def test_another_colour_is_another_photo() -> None:
    """The grey picture is nearly one, and so is its hash: the cells tell."""
    other = photo(1).copy()
    other[..., 0], other[..., 2] = other[..., 2].copy(), other[..., 0].copy()
    assert gallery(photo(1)).like(photo_hash(other), photo_cells(other)).tolist() == []


def test_every_row_of_it() -> None:
    """Two items with one photo are two rows, in order."""
    found = gallery(photo(3), photo(4), photo(3))
    assert found.like(photo_hash(photo(3)), photo_cells(photo(3))).tolist() == [0, 2]


def test_an_empty_gallery() -> None:
    """Nothing is like anything."""
    empty = Hashes(np.zeros(0, np.uint64), np.zeros((0, 192), np.uint8))
    assert empty.like(0, np.zeros(192, np.uint8)).tolist() == []
