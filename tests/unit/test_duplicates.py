"""Photos that are one photo: held to brute force, to what compressing and recolouring do, and to ImageHash itself."""

import colorsys
import io

import imagehash
import numpy as np
import pytest
from PIL import Image

from catalog.features.duplicates import EXACT, MOST_BITS, MOST_LEVELS, NEAR, Pair, alike_hashes, find
from catalog.sample_catalog.photos import draw_catalog_photo
from catalog.sample_catalog.plan import plan_shop
from catalog.vision.photo_hashes import photo_cells, photo_hash


def brute_force(hashes: np.ndarray, most_bits: int) -> list[tuple[int, int]]:
    """Every pair, compared as text of bits."""
    bits = [f"{int(value):064b}" for value in hashes]
    return [
        (left, right)
        for left in range(len(bits))
        for right in range(left + 1, len(bits))
        if sum(a != b for a, b in zip(bits[left], bits[right], strict=True)) <= most_bits
    ]


@pytest.mark.parametrize("most_bits", [0, 1, 6, 10])
def test_alike_hashes_are_those_of_brute_force(most_bits: int) -> None:
    """Random hashes, some with bits turned over (at both ends too), some equal, many that share most bands."""
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 2**64, 160, dtype=np.uint64)
    for place in range(40):
        turned = rng.choice(64, rng.integers(0, 13), replace=False)
        hashes[place] = hashes[place + 40] ^ np.bitwise_or.reduce(np.uint64(1) << turned.astype(np.uint64), initial=0)
    hashes[150:] = np.uint64(2**63) | rng.integers(0, 256, 10, dtype=np.uint64)
    pairs, complete = alike_hashes(hashes, most_bits)
    assert complete
    assert [tuple(pair) for pair in pairs.tolist()] == brute_force(hashes, most_bits)


def test_no_photos_have_no_pairs() -> None:
    """Nor has one."""
    for count in (0, 1):
        pairs, complete = alike_hashes(np.zeros(count, np.uint64), 6)
        assert pairs.shape == (0, 2)
        assert complete


def test_thousands_of_one_placeholder_end() -> None:
    """What is found so far is told, and that it is not all."""
    pairs, complete = alike_hashes(np.zeros(400, np.uint64), 6, most=1000)
    assert not complete
    assert 1000 < len(pairs) < 400 * 399 / 2


def test_items_are_paired_by_photo() -> None:
    """The same pixels: each with the first. Nearly: one item a photo, of another product where there is one."""
    products = ["a", "a", "b", "c", "a", "d"]
    photos = ["x", "x", "x", "y", "z", "w"]
    hashes = np.array([0, 0, 0, 7, 2**60, 2**64 - 1], np.uint64)
    cells = np.full((6, 192), 100, np.uint8)
    cells[3, 5] = 100 + MOST_LEVELS
    cells[4, 0] = 100 - MOST_LEVELS - 1  # the hash is alike, a colour is not
    found = find(products, photos, hashes, cells)
    assert found.complete
    assert found.pairs == [Pair(0, 1, EXACT, 0, 0), Pair(0, 2, EXACT, 0, 0), Pair(0, 3, NEAR, 3, MOST_LEVELS)]
    found = find(["a", "b", "a"], ["x", "x", "y"], np.array([0, 0, 1], np.uint64), np.zeros((3, 192), np.uint8))
    assert found.pairs == [Pair(0, 1, EXACT, 0, 0), Pair(1, 2, NEAR, 1, 0)]


@pytest.fixture(scope="module")
def drawn() -> list[np.ndarray]:
    return [draw_catalog_photo(plan, 0, 0).image_hwc for plan in plan_shop(5, 12)]


def compressed(image: np.ndarray, scale: float, quality: int) -> np.ndarray:
    """As another shop's software saves it."""
    saved = io.BytesIO()
    photo = Image.fromarray(image)
    size = (round(photo.width * scale), round(photo.height * scale))
    photo.resize(size, Image.Resampling.LANCZOS).save(saved, "JPEG", quality=quality)
    return np.asarray(Image.open(saved))


def apart(left: np.ndarray, right: np.ndarray) -> tuple[int, int]:
    """Bits and levels between two photos."""
    levels = np.abs(photo_cells(left).astype(int) - photo_cells(right).astype(int)).max()
    return (photo_hash(left) ^ photo_hash(right)).bit_count(), int(levels)


def test_another_size_and_compression_is_the_same_photo(drawn: list[np.ndarray]) -> None:
    """Of every one of twelve drawn photos."""
    for photo in drawn:
        for scale, quality in ((1, 50), (0.5, 85), (0.35, 70)):
            bits, levels = apart(photo, compressed(photo, scale, quality))
            assert bits <= MOST_BITS
            assert levels <= MOST_LEVELS


def test_other_photos_and_other_colors_are_not(drawn: list[np.ndarray]) -> None:
    """No two of them, and none in another hue: its hash is alike, which is why the colours are looked at too."""
    for place, photo in enumerate(drawn):
        for other in drawn[place + 1 :]:
            bits, levels = apart(photo, other)
            assert bits > MOST_BITS or levels > MOST_LEVELS
    red = np.full((200, 200, 3), 255, np.uint8)
    red[50:150, 60:140] = (np.array(colorsys.hsv_to_rgb(0.0, 0.8, 0.7)) * 255).astype(np.uint8)
    blue = red[..., ::-1].copy()
    bits, levels = apart(red, blue)
    assert levels > MOST_LEVELS


def test_the_hash_is_imagehashs_own(drawn: list[np.ndarray]) -> None:
    """Of a photo that is small already, bit for bit, written as its hex text."""
    small = np.asarray(Image.fromarray(drawn[0]).resize((120, 150)))
    assert f"{photo_hash(small):016x}" == str(imagehash.phash(Image.fromarray(small)))


def test_cells_are_means(drawn: list[np.ndarray]) -> None:
    """Of 80 x 80 pixels in 64 plain squares: the squares' colours."""
    colors = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = colors.repeat(10, axis=0).repeat(10, axis=1)
    assert photo_cells(image).tolist() == colors.reshape(-1).tolist()
