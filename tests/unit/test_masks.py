"""From saliency to a binary mask: what is kept, what is dropped, what is suspected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw

from catalog.vision.masks import ProductMask, intersection_over_union, is_blank, judge_mask, product_mask


def rectangle(side: int, top: int, left: int, bottom: int, right: int) -> np.ndarray:
    """A square saliency map, 1 inside the rectangle, 0 outside."""
    saliency = np.zeros((side, side), np.float32)
    saliency[top:bottom, left:right] = 1
    return saliency


def drawn(side: int, *ellipses: tuple[int, int, int, int]) -> np.ndarray:
    """A bool mask of ellipses, each by its box (left, top, right, bottom)."""
    image = Image.new("L", (side, side))
    for box in ellipses:
        ImageDraw.Draw(image).ellipse(box, fill=255)
    return np.asarray(image) > 0


def test_brings_saliency_to_the_photos_size() -> None:
    """A quarter of the map is a quarter of a 400 x 200 photo, its edges where they belong."""
    found = product_mask(rectangle(64, 16, 16, 48, 48), 400, 200)
    assert found.binary_mask.shape == (200, 400)
    assert found.binary_mask.dtype == np.bool_
    rows = np.flatnonzero(found.binary_mask.any(axis=1))
    columns = np.flatnonzero(found.binary_mask.any(axis=0))
    assert np.abs([rows[0] - 50, rows[-1] - 149, columns[0] - 100, columns[-1] - 299]).max() <= 1
    assert found.area_fraction == pytest.approx(0.25, abs=0.01)
    assert (found.border_fraction, found.pieces, found.confidence, found.flags) == (0, 1, 1, ())


def test_drops_specks_and_keeps_a_pair() -> None:
    """Two shoes of like size stay; a speck of 1 % of the larger goes, one of 25 % stays."""
    saliency = rectangle(64, 10, 4, 50, 24) + rectangle(64, 10, 34, 50, 54)
    saliency[60:63, 60:63] = 1  # 9 of 800 pixels
    found = product_mask(saliency, 64, 64)
    assert found.pieces == 2
    assert not found.binary_mask[58:, 58:].any()
    saliency[52:64, 40:60] = 1  # 240 of 800
    assert product_mask(saliency, 64, 64).pieces == 3


def test_small_pieces_of_a_small_map() -> None:
    """Two of four pixels each: as large as each other, so both stay, and the ground between them is no piece."""
    found = product_mask(rectangle(12, 2, 2, 4, 4) + rectangle(12, 8, 8, 10, 10), 12, 12)
    assert (found.pieces, found.binary_mask.sum()) == (2, 8)


def test_a_speck_leaves_no_trace_in_the_upsampled_edge() -> None:
    """What is dropped is dropped before the map is made larger: nothing of it comes back at its rim."""
    saliency = rectangle(64, 10, 10, 40, 40)
    saliency[60, 60] = 1
    assert not product_mask(saliency, 640, 640).binary_mask[500:, 500:].any()


@pytest.mark.parametrize("level", [0.0, 0.3, 0.49])
def test_nothing_found_is_the_full_frame(level: float) -> None:
    """A product poorly cut is still found: the whole photo, flagged; it is never an empty mask."""
    found = product_mask(np.full((32, 32), level, np.float32), 50, 40)
    assert found.binary_mask.all()
    assert found.binary_mask.shape == (40, 50)
    assert (found.area_fraction, found.border_fraction, found.pieces) == (1, 1, 1)
    assert "full_frame" in found.flags
    assert "touches_border" not in found.flags
    assert found.confidence == pytest.approx(1 - 2 * level)


def test_confidence_is_the_distance_from_a_coin_toss() -> None:
    """Half the map at 1, half at 0.75: (1 + 0.5) / 2. All at a half: 0, and uncertain."""
    saliency = np.full((10, 10), 0.75, np.float32)
    saliency[:5] = 1
    assert product_mask(saliency, 10, 10).confidence == pytest.approx(0.75)
    assert "uncertain" not in product_mask(saliency, 10, 10).flags
    toss = product_mask(np.full((10, 10), 0.5, np.float32), 10, 10)
    assert toss.confidence == 0
    assert "uncertain" in toss.flags


def test_measures_what_is_suspicious() -> None:
    """By hand, on a 10 x 10 mask whose frame has 36 pixels."""
    corner = np.zeros((10, 10), bool)
    corner[:5, :5] = True  # 25 pixels, 9 on the frame
    found = judge_mask(corner, 1.0)
    assert (found.area_fraction, found.pieces, found.flags) == (0.25, 1, ())
    assert found.border_fraction == pytest.approx(9 / 36)
    corner[5, 0] = True
    assert judge_mask(corner, 1.0).flags == ("touches_border",)


def test_flags_many_pieces_and_a_full_photo() -> None:
    """Four separate ones, and one that leaves 4 % of the photo."""
    four = drawn(64, (4, 4, 20, 20), (40, 4, 56, 20), (4, 40, 20, 56), (40, 40, 56, 56))
    found = judge_mask(four, 1.0)
    assert (found.pieces, found.flags) == (4, ("many_pieces",))
    full = np.ones((50, 50), bool)
    full[:10, :10] = False
    assert judge_mask(full, 1.0).flags == ("fills_photo", "touches_border")


def test_under_a_hundredth_is_nothing() -> None:
    """24 of 2,500 pixels are under 1 %, 25 are not."""
    mask = np.zeros((50, 50), bool)
    mask[20:24, 20:26] = True
    assert judge_mask(mask, 1.0).flags == ("full_frame",)
    assert judge_mask(mask, 1.0).binary_mask.all()
    mask[24, 20] = True
    assert judge_mask(mask, 1.0).flags == ()


def test_takes_photos_of_one_pixel_rows() -> None:
    """The frame of a 1 x n photo is the photo."""
    found: ProductMask = product_mask(np.ones((8, 8), np.float32), 16, 1)
    assert found.binary_mask.shape == (1, 16)
    assert found.border_fraction == 1


@settings(deadline=None)
@given(
    saliency=hnp.arrays(np.float32, (12, 12), elements=st.floats(0, 1, width=32)),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
)
def test_any_saliency_gives_a_usable_mask(saliency: np.ndarray, width: int, height: int) -> None:
    """At least one pixel, the photo's size, measures in their ranges."""
    found = product_mask(saliency, width, height)
    assert found.binary_mask.shape == (height, width)
    assert found.binary_mask.any()
    assert found.area_fraction == found.binary_mask.mean()
    assert all(0 <= value <= 1 for value in (found.area_fraction, found.border_fraction, found.confidence))
    assert found.pieces >= 1


def test_intersection_over_union() -> None:
    """By hand: 2 x 4 and 4 x 2 rectangles share 4 of 12 pixels; nothing and nothing is the same."""
    first, second, nothing = np.zeros((3, 6, 6), bool)
    first[:2, :4], second[:4, :2] = True, True
    assert intersection_over_union(first, second) == pytest.approx(4 / 12)
    assert intersection_over_union(first, first) == 1
    assert intersection_over_union(first, nothing) == 0
    assert intersection_over_union(nothing, nothing) == 1


def test_a_white_photo_is_blank() -> None:
    """White with a compressor's noise is; a faint stripe, or a plain red fabric, is not."""
    rng = np.random.default_rng(0)
    white = np.full((60, 40, 3), 250, np.uint8) + rng.integers(0, 5, (60, 40, 3), np.uint8)
    assert is_blank(white)
    striped = white.copy()
    striped[:, 10] -= 20
    assert not is_blank(striped)
    assert not is_blank(np.full((60, 40, 3), (200, 20, 30), np.uint8))
