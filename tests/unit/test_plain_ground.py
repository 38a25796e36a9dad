"""Exact edges where the ground is plain, and nothing touched where it is not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from catalog.vision.masks import intersection_over_union
from catalog.vision.plain_ground import cut_out, exact_edges, plain_ground

SIDE = 240
SHIRT = (70, 60, 170, 200)
BLUE, WHITE = (40, 70, 160), (255, 255, 255)


def inside(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """The pixels of ellipses, each by its box (left, top, right, bottom)."""
    drawn = Image.new("L", (SIDE, SIDE))
    for box in boxes:
        ImageDraw.Draw(drawn).ellipse(box, fill=255)
    return np.asarray(drawn) > 0


def photo(
    product: np.ndarray, color: tuple[int, int, int] = BLUE, ground: tuple[int, int, int] = WHITE, shadow: bool = False
) -> np.ndarray:
    """A product of one colour on a ground of one colour, with a soft shadow to its right if wanted."""
    pixels = np.full((SIDE, SIDE, 3), ground, np.float32)
    if shadow:
        drawn = Image.fromarray(np.roll(product, 18, axis=1).astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(6))
        pixels *= 1 - 0.4 * np.asarray(drawn, np.float32)[..., None] / 255
    pixels[product] = color
    return pixels.round().astype(np.uint8)


def rough(product: np.ndarray, by_px: int) -> np.ndarray:
    """A segmenter's mask, some pixels too large all round (or too small)."""
    drawn = Image.fromarray(product.astype(np.uint8) * 255)
    size = 2 * abs(by_px) + 1
    return np.asarray(drawn.filter(ImageFilter.MaxFilter(size) if by_px > 0 else ImageFilter.MinFilter(size))) > 0


@pytest.mark.parametrize("by_px", [-6, 6])
@pytest.mark.parametrize("ground", [WHITE, (200, 190, 170), (20, 20, 24)])
def test_brings_a_rough_mask_to_the_edge(by_px: int, ground: tuple[int, int, int]) -> None:
    """Six pixels off all round, to the pixel afterwards; white, beige or nearly black."""
    product = inside(SHIRT)
    mask = rough(product, by_px)
    assert intersection_over_union(mask, product) < 0.9
    assert intersection_over_union(exact_edges(photo(product, ground=ground), mask), product) > 0.999


def test_a_shadow_is_not_the_product() -> None:
    """It darkens the ground and does not tint it; what the segmenter did not take of it stays out."""
    product = inside(SHIRT)
    found = exact_edges(photo(product, shadow=True), product)
    assert intersection_over_union(found, product) > 0.99


def test_a_black_product_is_no_shadow() -> None:
    """As neutral as a shadow: here the segmenter has the word, and keeps what it saw."""
    product = inside(SHIRT)
    found = exact_edges(photo(product, color=(12, 12, 12)), rough(product, 3))
    assert intersection_over_union(found, product) > 0.999


def test_holes_and_white_prints() -> None:
    """A hole that the segmenter left open stays open; white that it took for the product stays in."""
    product, middle = inside(SHIRT), inside((100, 100, 140, 150))
    ring = product & ~middle
    assert not exact_edges(photo(ring), ring)[middle].any()
    assert exact_edges(photo(ring), product)[middle].all()


def test_drops_what_the_segmenter_did_not_see() -> None:
    """A logo in the corner is no product, however clearly it stands out."""
    product, logo = inside(SHIRT), inside((4, 4, 60, 60))
    found = exact_edges(photo(product | logo), product)
    assert found[product].all()
    assert not found[logo].any()


@pytest.mark.parametrize("case", ["noise", "gradient", "border around a photo", "nothing stands out"])
def test_leaves_other_grounds_alone(case: str) -> None:
    """No plain ground, or a plain frame that is only a border: the segmenter's mask comes back as it is."""
    rng = np.random.default_rng(0)
    product = inside(SHIRT)
    image = photo(product)
    if case == "noise":
        image = np.where(product[..., None], image, rng.integers(0, 256, image.shape)).astype(np.uint8)
    elif case == "gradient":
        image[..., 1] = np.linspace(0, 255, SIDE).astype(np.uint8)
    elif case == "border around a photo":
        image[12:-12, 12:-12] = rng.integers(0, 256, (SIDE - 24, SIDE - 24, 3))
    else:
        image[:] = 255
    mask = rough(product, 4)
    assert (plain_ground(image) is None) == (case in ("noise", "gradient"))
    assert exact_edges(image, mask) is mask


def test_tells_the_ground() -> None:
    """The colour of the frame, though the product runs out of the photo at its foot."""
    product = inside((90, 60, 150, 400))
    ground = plain_ground(photo(product, ground=(240, 238, 230)))
    assert ground is not None
    assert ground.tolist() == [240, 238, 230]


def test_cuts_out_with_what_it_measures() -> None:
    """Area and pieces are the exact mask's, the confidence is the segmenter's; nothing salient is the whole photo."""
    product = inside(SHIRT)
    saliency = np.asarray(Image.fromarray(rough(product, 6).astype(np.float32)).resize((64, 64))) * 0.9
    found = cut_out(saliency, photo(product))
    assert found.area_fraction == pytest.approx(product.mean(), abs=0.001)
    assert found.pieces == 1
    assert found.confidence < 1
    assert cut_out(np.zeros((64, 64), np.float32), photo(product)).flags[0] == "full_frame"
