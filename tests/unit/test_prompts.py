"""Boxes, points and grids that a promptable segmenter is asked with, from masks drawn by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw

from catalog.vision import prompts
from catalog.vision.boxes import Detection, box_iou, box_of_mask, grown, products_box, without_doubles


def drawn(width: int, height: int, *rectangles: tuple[int, int, int, int]) -> np.ndarray:
    """A bool mask of rectangles: left, top, right, bottom."""
    mask = np.zeros((height, width), bool)
    for left, top, right, bottom in rectangles:
        mask[top:bottom, left:right] = True
    return mask


def test_the_box_is_a_little_larger_than_the_mask() -> None:
    """By hand: 100 x 200 px, 3 % of each side on each side; at the photo's edge it stops."""
    found = prompts.prompt_of_mask(drawn(400, 400, (150, 100, 250, 300)))
    assert found.box == (147, 94, 253, 306)
    assert prompts.prompt_of_mask(drawn(400, 400, (0, 100, 100, 300))).box == (0, 94, 103, 306)
    assert prompts.prompt_of_mask(drawn(50, 50, (20, 20, 30, 30))).box == (18, 18, 32, 32)  # 2 px at least


def test_points_of_a_disc_start_in_its_centre() -> None:
    """The deepest pixel of a disc is its centre; every other point is at least half as deep."""
    image = Image.new("L", (201, 201))
    ImageDraw.Draw(image).ellipse((20, 20, 180, 180), fill=255)
    points = prompts.points_inside(np.asarray(image) > 0)
    assert np.hypot(points[0][0] - 100.5, points[0][1] - 100.5) < 2
    assert all(np.hypot(x - 100.5, y - 100.5) <= 42 for x, y in points)


def test_an_l_has_points_in_both_its_arms() -> None:
    """Arms of 40 px by 200: a box's centre would be off the product, and so would one point's arm alone."""
    mask = drawn(300, 300, (50, 50, 90, 250), (50, 210, 250, 250))
    points = prompts.points_inside(mask)
    assert len(points) == prompts.MOST_POINTS
    assert all(mask[int(y), int(x)] for x, y in points)
    assert any(x < 90 and y < 150 for x, y in points)
    assert any(x > 170 and y > 210 for x, y in points)


def test_each_of_two_shoes_has_a_point_and_a_speck_none() -> None:
    """Pieces of a tenth of the largest or more."""
    left, right, speck = (20, 50, 120, 100), (180, 60, 280, 110), (290, 290, 295, 295)
    points = prompts.points_inside(drawn(300, 300, left, right, speck))
    assert {any(a <= x < c and b <= y < d for x, y in points) for a, b, c, d in (left, right)} == {True}
    assert not any(x >= 290 for x, _ in points)


def test_a_thin_chain_has_points_on_it() -> None:
    """One pixel wide, in a ring: nothing is deep, and all points are on the chain, far from each other."""
    image = Image.new("L", (400, 400))
    ImageDraw.Draw(image).ellipse((50, 50, 350, 350), outline=255, width=1)
    mask = np.asarray(image) > 0
    points = prompts.points_inside(mask)
    assert len(points) == prompts.MOST_POINTS
    assert all(mask[int(y), int(x)] for x, y in points)
    assert min(np.hypot(a - c, b - d) for i, (a, b) in enumerate(points) for c, d in points[:i]) > 100


def test_a_full_frame_has_its_points_off_the_edge() -> None:
    """Beyond the photo's edge all is outside, so the deepest pixel is in the middle."""
    found = prompts.prompt_of_mask(np.ones((100, 200), bool))
    assert found.box == (0, 0, 200, 100)
    assert all(20 < x < 180 and 20 < y < 80 for x, y in found.points)


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 24), st.integers(1, 24))).filter(np.any))
def test_points_of_any_mask_are_on_it(mask: np.ndarray) -> None:
    """At least one, at most five, each on the mask, none twice."""
    points = prompts.points_inside(mask)
    assert 1 <= len(points) <= prompts.MOST_POINTS
    assert len(set(points)) == len(points)
    assert all(mask[int(y), int(x)] for x, y in points)


def test_a_grid_is_even() -> None:
    """2 x 2 over 400 x 200: the centres of its quarters."""
    points = [prompt.points[0] for prompt in prompts.grid(400, 200, side=2)]
    assert points == [(100, 50), (300, 50), (100, 150), (300, 150)]
    assert len(prompts.grid(10, 10)) == prompts.GRID_SIDE**2


def test_boxes_by_hand() -> None:
    """Around a mask; overlap; growth."""
    assert box_of_mask(drawn(20, 10, (3, 2, 7, 9))) == (3, 2, 7, 9)
    assert box_iou((0, 0, 4, 2), (2, 0, 6, 2)) == pytest.approx(4 / 12)
    assert box_iou((0, 0, 1, 1), (5, 5, 6, 6)) == 0
    assert box_iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0
    assert grown((10, 10, 20, 20), 0.5, 1, 22, 100) == (5, 5, 22, 25)


def test_the_surer_of_two_doubles_stays() -> None:
    """IoU .68 by hand: 9 x 9 shared of 2 x 100 - 81."""
    doubles = [Detection((0, 0, 10, 10), 0.5), Detection((1, 1, 11, 11), 0.9), Detection((30, 30, 40, 40), 0.4)]
    assert [found.confidence for found in without_doubles(doubles, 0.6)] == [0.9, 0.4]
    assert [found.confidence for found in without_doubles(doubles, 0.7)] == [0.9, 0.5, 0.4]


def test_the_products_box_is_what_stands_out() -> None:
    """A small thing that the detector is surest of, and one in the background, lose to the product."""
    saliency = drawn(200, 200, (50, 50, 150, 150))
    product = Detection((45, 45, 155, 155), 0.5)
    others = [Detection((60, 60, 80, 80), 0.95), Detection((160, 0, 200, 40), 0.99)]
    assert products_box([*others, product], 200, 200, saliency) == product
    assert products_box(others[1:], 200, 200, saliency) is None  # beside everything that stands out
    assert products_box([], 200, 200, saliency) is None
    bed = Detection((0, 40, 200, 200), 0.99)  # under the product, and a third of it
    assert products_box([bed], 200, 200, saliency) is None
    assert products_box([bed, product], 200, 200, saliency) == product


def test_without_saliency_size_and_confidence_tell() -> None:
    """0.6 x sqrt(.25) beats 0.9 x sqrt(.01); nothing smaller than half a per cent, nothing that is not a number."""
    large, small = Detection((0, 0, 100, 100), 0.6), Detection((150, 150, 170, 170), 0.9)
    assert products_box([small, large], 200, 200, None) == large
    assert products_box([Detection((0, 0, 10, 10), 1.0)], 200, 200, None) is None
    assert products_box([Detection((0, 0, 90, 90), float("nan"))], 200, 200, None) is None


def test_a_box_beyond_the_photo_is_cut() -> None:
    """A detector may draw over the edge."""
    found = products_box([Detection((-50, -50, 100, 100), 0.6)], 200, 200, None)
    assert found == Detection((0, 0, 100, 100), 0.6)
