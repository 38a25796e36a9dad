"""The square that encoders see: its place, its white, its mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from catalog.vision.crops import crop_product, from_rgba, to_rgba


def test_cuts_the_product_out_on_white() -> None:
    """A 50 x 20 product (rows x columns) in a 100 x 80 photo: 50 + 2 x 2 (4 % of 50) px a side, centred."""
    image = np.full((100, 80, 3), 90, np.uint8)
    image[30:80, 10:30] = (200, 40, 10)
    mask = np.zeros((100, 80), bool)
    mask[30:80, 10:30] = True
    crop = crop_product(image, mask, 512)
    assert crop.image_hwc.shape == (54, 54, 3)
    assert crop.box == (-7, 28, 47, 82)  # centre column 20, centre row 55
    assert crop.binary_mask.sum() == 50 * 20
    assert crop.binary_mask[2:52, 17:37].all()
    assert (crop.image_hwc[crop.binary_mask] == (200, 40, 10)).all()
    assert (crop.image_hwc[~crop.binary_mask] == 255).all()


def test_holes_show_white_not_the_photo() -> None:
    """A mug's handle: what the mask leaves out inside the box is white as well."""
    image = np.zeros((40, 40, 3), np.uint8)
    mask = np.zeros((40, 40), bool)
    mask[5:35, 5:35] = True
    mask[15:25, 15:25] = False
    crop = crop_product(image, mask, 512)
    top = left = 5 - crop.box[0]
    assert (crop.image_hwc[top + 15 - 5 : top + 25 - 5, left + 10 : left + 20] == 255).all()
    assert not crop.binary_mask[16, 16]


def test_a_product_of_one_pixel() -> None:
    """Has a margin of one pixel: 3 x 3."""
    mask = np.zeros((9, 9), bool)
    mask[0, 8] = True
    crop = crop_product(np.zeros((9, 9, 3), np.uint8), mask, 512)
    assert crop.box == (7, -1, 10, 2)
    assert crop.binary_mask.tolist() == [[False] * 3, [False, True, False], [False] * 3]
    assert crop.image_hwc[1, 1].tolist() == [0, 0, 0]


def test_scales_a_large_product_down() -> None:
    """400 + 2 x 16 px become 128; a quarter of the square stays a quarter of it, and all is in proportion."""
    mask = np.zeros((500, 500), bool)
    mask[50:450, 150:350] = True
    image = np.where(mask[..., None], np.uint8(30), np.uint8(200)).repeat(3, axis=2)
    crop = crop_product(image, mask, 128)
    assert crop.image_hwc.shape == (128, 128, 3)
    assert crop.binary_mask.dtype == np.bool_
    assert crop.box == (250 - 216, 250 - 216, 250 + 216, 250 + 216)
    rows, columns = np.flatnonzero(crop.binary_mask.any(axis=1)), np.flatnonzero(crop.binary_mask.any(axis=0))
    assert len(rows) == pytest.approx(400 * 128 / 432, abs=1)
    assert len(columns) == pytest.approx(200 * 128 / 432, abs=1)
    assert abs(int(crop.image_hwc[64, 64, 0]) - 30) <= 1
    assert (crop.image_hwc[0] == 255).all()


def test_a_thread_thinner_than_a_pixel_keeps_a_mask() -> None:
    """One column of 2,000 rows, at 64 px: no pixel is half covered, so all of it counts."""
    mask = np.zeros((2000, 2000), bool)
    mask[:, 1000] = True
    crop = crop_product(np.zeros((2000, 2000, 3), np.uint8), mask, 64)
    assert crop.binary_mask.all()


@settings(deadline=None)
@given(mask=hnp.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30))), limit=st.integers(4, 40))
def test_any_mask(mask: np.ndarray, limit: int) -> None:
    """A square of at most the limit, white around the mask; nothing of the product is lost at full size."""
    if not mask.any():
        mask = np.ones_like(mask)
    image = np.zeros((*mask.shape, 3), np.uint8)
    crop = crop_product(image, mask, limit)
    side = crop.image_hwc.shape[0]
    assert crop.image_hwc.shape == (side, side, 3)
    assert crop.binary_mask.shape == (side, side)
    assert side <= limit
    assert crop.binary_mask.any()
    left, top, right, bottom = crop.box
    assert right - left == bottom - top
    if right - left == side:  # not scaled
        assert crop.binary_mask.sum() == mask.sum()
        rows, columns = np.nonzero(crop.binary_mask)
        assert mask[rows + top, columns + left].all()
        assert ((crop.image_hwc == 255).all(axis=2) == ~crop.binary_mask).all()


def test_goes_through_rgba() -> None:
    """Alpha is 255 on the product and 0 around it, and comes back as the mask."""
    mask = np.zeros((20, 20), bool)
    mask[4:9, 3:17] = True
    crop = crop_product(np.arange(1200, dtype=np.uint16).astype(np.uint8).reshape(20, 20, 3), mask, 512)
    rgba = to_rgba(crop)
    assert rgba.dtype == np.uint8
    assert set(np.unique(rgba[..., 3])) == {0, 255}
    image, back = from_rgba(rgba)
    assert np.array_equal(image, crop.image_hwc)
    assert np.array_equal(back, crop.binary_mask)
    assert image.flags["C_CONTIGUOUS"]
