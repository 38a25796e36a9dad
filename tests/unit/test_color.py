"""The 26-float colour signature, against numbers worked out by hand and hues from `colorsys`."""

import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from catalog.vision.color import COLOR_SIGNATURE_DIM, color_signature, color_similarity

HUE, SATURATION, VALUE = slice(0, 18), slice(18, 22), slice(22, 26)


def of(*colors: tuple[int, int, int]) -> np.ndarray:
    """The signature of a picture with equal parts of the colours."""
    image = np.array(colors, np.uint8)[None].repeat(4, axis=0)
    return color_signature(image, np.ones(image.shape[:2], bool))


def hue_of(signature: np.ndarray) -> float:
    """Hue in bins, read back from the two neighbours that share the vote, the flat part taken away."""
    votes = signature[HUE] - signature[HUE].min()
    first = int(np.argmax(votes))
    after, before = votes[(first + 1) % 18], votes[first - 1]
    second = 1 if after >= before else -1
    return (first + second * max(after, before) / (votes[first] + max(after, before))) % 18


def test_pure_red() -> None:
    """Chroma 1 in bin 0 beside 0.02 spread flat: (1 + 0.02 / 18) / 1.02; saturation and value in the top bins."""
    signature = of((255, 0, 0))
    assert signature.shape == (COLOR_SIGNATURE_DIM,) == (26,)
    assert signature.dtype == np.float32
    wanted = np.zeros(26)
    wanted[HUE] = 0.02 / 18 / 1.02
    wanted[0] += 1 / 1.02
    wanted[21] = wanted[25] = 1
    assert signature == pytest.approx(wanted, abs=1e-6)


def test_shares_a_vote_between_neighbours() -> None:
    """(126, 105, 0): hue 60 x 105 / 126 = 50 degrees, half way between bins 2 (40) and 3 (60); value 126 / 255.

    The value is 1.482 bins; the chroma, 126 / 255 too, weighs both halves of the hue against 0.02 spread flat.
    """
    signature = of((126, 105, 0))
    chroma = 126 / 255
    half = (chroma / 2 + 0.02 / 18) / (chroma + 0.02)
    assert signature[[2, 3]] == pytest.approx([half, half], abs=1e-5)
    assert signature[VALUE] == pytest.approx([0, 2 - 3 * chroma, 3 * chroma - 1, 0], abs=1e-5)
    assert signature[SATURATION].tolist() == [0, 0, 0, 1]


def test_black_is_not_white() -> None:
    """All value in the first bin, or in the last; neither has saturation or hue."""
    black, white = of((0, 0, 0)), of((255, 255, 255))
    assert black[VALUE].tolist() == [1, 0, 0, 0]
    assert white[VALUE].tolist() == [0, 0, 0, 1]
    for signature in (black, white):
        assert signature[SATURATION].tolist() == [1, 0, 0, 0]
        assert signature[HUE] == pytest.approx(np.full(18, 1 / 18))
    assert color_similarity(black, white[None])[0] == pytest.approx(2 / 3)  # hue and saturation alike, value not at all


def test_greys_do_not_vote_for_a_hue() -> None:
    """Nine tenths of a grey add only their flat 0.02: red keeps (0.1 + 0.02 / 18) / 0.12 of the hue votes."""
    signature = of((255, 0, 0), *[(128, 128, 128)] * 9)
    assert signature[0] == pytest.approx((0.1 + 0.02 / 18) / 0.12, abs=1e-4)
    noisy = of((128, 127, 128))  # JPEG noise: chroma 1 / 255 must not make a green or purple product
    assert noisy[HUE].max() < 0.25


@pytest.mark.parametrize("degrees", range(0, 360, 7))
def test_hue_is_colorsys_hue(degrees: int) -> None:
    """Of strong colours all around the circle, in bins of 20 degrees."""
    rgb = tuple(round(255 * level) for level in colorsys.hsv_to_rgb(degrees / 360, 0.9, 0.8))
    wanted = colorsys.rgb_to_hsv(*(level / 255 for level in rgb))[0] * 18
    found = hue_of(of(rgb))
    assert min(abs(found - wanted), 18 - abs(found - wanted)) < 0.02


def test_hue_is_a_circle() -> None:
    """350 degrees is shared by the last bin (340) and the first; 358 is as near to 2 as 2 is to 6."""
    half = of((255, 0, 42))
    assert half[0] == pytest.approx(half[17], abs=0.02)
    assert half[0] + half[17] > 0.97
    around, across = (
        color_similarity(of(tuple(round(255 * v) for v in colorsys.hsv_to_rgb(h / 360, 1, 1))), of((255, 0, 0))[None])
        for h in (356, 176)
    )
    assert around[0] > 0.9
    assert across[0] < 0.7


def test_looks_at_the_product_only() -> None:
    """A blue product on a red ground is blue."""
    image = np.zeros((20, 20, 3), np.uint8)
    image[:] = (255, 0, 0)
    image[5:15, 5:15] = (0, 0, 255)
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    assert color_signature(image, mask) == pytest.approx(of((0, 0, 255)))


def test_reads_a_thread_in_a_large_crop() -> None:
    """Of a large crop every n-th pixel is read; where that misses the product entirely, all of it is read."""
    image = np.zeros((800, 800, 3), np.uint8)
    image[:, 3] = (0, 200, 0)
    mask = np.zeros((800, 800), bool)
    mask[:, 3] = True
    assert color_signature(image, mask) == pytest.approx(of((0, 200, 0)))


def test_sampling_changes_little() -> None:
    """A large crop's signature is that of all its pixels, within two hundredths."""
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 256, (10, 10, 3)), np.ones((80, 80, 1))).astype(np.uint8)
    whole = np.concatenate(
        [color_signature(tile, np.ones((100, 100), bool))[None] for tile in image.reshape(64, 100, 100, 3)]
    )
    sampled = color_signature(image, np.ones((800, 800), bool))
    assert sampled[VALUE] == pytest.approx(whole[:, VALUE].mean(axis=0), abs=0.02)


def test_refuses_an_empty_mask() -> None:
    """A caller's mistake, told as one."""
    with pytest.raises(ValueError, match=r"the mask has no pixel; masks\.judge_mask gives a full frame"):
        color_signature(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool))


images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8), st.just(3)))


@settings(deadline=None)
@given(image=images, data=st.data())
def test_each_group_sums_to_one(image: np.ndarray, data: st.DataObject) -> None:
    """For any pixels under any mask; no value is negative, none is not a number."""
    mask = data.draw(hnp.arrays(bool, image.shape[:2]))
    if not mask.any():
        mask = np.ones_like(mask)
    signature = color_signature(image, mask)
    for group in (HUE, SATURATION, VALUE):
        assert signature[group].sum() == pytest.approx(1, abs=1e-5)
    assert (signature >= 0).all()
    assert color_similarity(signature, signature[None])[0] == pytest.approx(1, abs=1e-5)


@settings(deadline=None)
@given(image=images)
def test_order_of_pixels_does_not_count(image: np.ndarray) -> None:
    """A turned product has the same colours."""
    turned = np.ascontiguousarray(np.rot90(image))
    first = color_signature(image, np.ones(image.shape[:2], bool))
    second = color_signature(turned, np.ones(turned.shape[:2], bool))
    assert first == pytest.approx(second, abs=1e-5)


def test_similarity_by_hand() -> None:
    """The mean over three groups of what two histograms share; symmetric, 0 where they share nothing."""
    query, row = np.zeros((2, 26), np.float32)
    query[[0, 18, 22]] = 1
    row[[0, 1]] = 0.25, 0.75
    row[21] = 1
    row[[22, 25]] = 0.5
    assert color_similarity(query, row[None])[0] == pytest.approx((0.25 + 0 + 0.5) / 3)
    assert color_similarity(row, query[None])[0] == pytest.approx(0.25)
    assert color_similarity(query, np.zeros((3, 26), np.float32)).tolist() == [0, 0, 0]
    assert color_similarity(query, row[None]).dtype == np.float32
