"""Sheets of small pictures: places, sizes, tint, and the data URI that a page shows."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from catalog.vision.contact_sheets import contact_sheet, data_uri, tinted

PAPER = (246, 246, 246)


def plain(height: int, width: int, color: tuple[int, int, int]) -> np.ndarray:
    """One colour all over."""
    return np.full((height, width, 3), color, np.uint8)


def test_lays_pictures_row_by_row() -> None:
    """Five on three columns of 20 px tiles and 4 px gaps: 2 rows, 76 x 52 px, the last place is paper."""
    colors = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200)]
    sheet = contact_sheet([plain(20, 20, color) for color in colors], columns=3, tile_px=20)
    assert sheet.shape == (2 * 24 + 4, 3 * 24 + 4, 3)
    assert sheet.dtype == np.uint8
    for place, color in enumerate([*colors, PAPER]):
        top, left = 4 + place // 3 * 24, 4 + place % 3 * 24
        assert (sheet[top : top + 20, left : left + 20] == color).all()
    assert (sheet[:4] == PAPER).all()


def test_keeps_proportions_and_centres() -> None:
    """A 100 x 50 picture on a 20 px tile is 20 x 10, five pixels from its top; a small one is not blown up."""
    sheet = contact_sheet([plain(50, 100, (9, 9, 9)), plain(6, 8, (9, 9, 9))], columns=2, tile_px=20)
    dark = (sheet == 9).all(axis=2)
    wide, small = dark[:, :26], dark[:, 26:]
    assert np.flatnonzero(wide.any(axis=1)).tolist() == list(range(9, 19))
    assert np.flatnonzero(wide.any(axis=0)).tolist() == list(range(4, 24))
    assert small.sum() == 6 * 8


def test_no_picture_is_a_blank_sheet() -> None:
    """One row of paper, so that a page has something to show."""
    sheet = contact_sheet([], columns=4, tile_px=10)
    assert sheet.shape == (18, 60, 3)
    assert (sheet == PAPER).all()


def test_tints_what_the_mask_leaves_out() -> None:
    """0.35 of the photo and 0.65 of (225, 70, 150) outside; the product as it is."""
    image = plain(4, 4, (100, 100, 100))
    mask = np.zeros((4, 4), bool)
    mask[1:3, 1:3] = True
    shown = tinted(image, mask)
    assert shown.dtype == np.uint8
    assert (shown[mask] == 100).all()
    assert shown[0, 0] == pytest.approx([35 + 146.25, 35 + 45.5, 35 + 97.5], abs=1)
    assert (image == 100).all()  # the photo itself is not touched


def test_a_data_uri_is_a_jpeg() -> None:
    """It decodes to the picture, within JPEG's loss, and the same picture gives the same text."""
    picture = plain(16, 24, (200, 120, 40))
    uri = data_uri(picture)
    kind, _, encoded = uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    image = Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)))
    assert (image.format, image.size) == ("JPEG", (24, 16))
    assert np.abs(np.asarray(image).astype(int) - picture).max() <= 6
    assert data_uri(picture.copy()) == uri
    assert len(data_uri(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), quality=30)) < len(
        data_uri(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    )
