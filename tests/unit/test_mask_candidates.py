"""Which mask is taken for the product's: hand-made logits, white backgrounds among them."""

import numpy as np
import pytest

from catalog.vision import mask_candidates
from catalog.vision.mask_candidates import Candidate, best_candidate, distinct, is_background, stability, to_photo

SIDE = 256
SURE = 12.0  # logits of a sure segmenter


def logits(*rectangles: tuple[float, float, float, float], level: float = SURE, side: int = SIDE) -> np.ndarray:
    """`level` inside rectangles given in shares of the photo, -`level` outside."""
    found = np.full((side, side), -level, np.float32)
    for rectangle in rectangles:
        left, top, right, bottom = (round(value * side) for value in rectangle)
        found[top:bottom, left:right] = level
    return found


def candidate(*rectangles: tuple[float, float, float, float], iou: float = 0.9) -> Candidate:
    return Candidate(logits(*rectangles), iou)


def saliency(*rectangles: tuple[float, float, float, float], side: int = 400) -> np.ndarray:
    return logits(*rectangles, side=side) > 0


PRODUCT = (0.3, 0.2, 0.7, 0.8)
GROUND = ((0.0, 0.0, 1.0, 0.15), (0.0, 0.85, 1.0, 1.0), (0.0, 0.0, 0.25, 1.0), (0.75, 0.0, 1.0, 1.0))


def test_a_white_background_is_never_the_product() -> None:
    """However sure the segmenter is of it: with saliency, with a detector's box as large as the photo, with neither."""
    ground, product = candidate(*GROUND, iou=0.99), candidate(PRODUCT, iou=0.75)
    for mask, box in ((saliency(PRODUCT), None), (saliency(PRODUCT), (0.0, 0.0, 400.0, 400.0)), (None, None)):
        assert best_candidate([ground], 400, 400, mask, box) is None
    found = best_candidate([ground, product], 400, 400, saliency(PRODUCT), None)
    assert found is not None
    assert found.predicted_iou == 0.75
    found = best_candidate([ground, product], 400, 400, None, None)
    assert found is not None
    assert found.predicted_iou == 0.75


def test_a_background_that_the_model_stands_before_is_one_too() -> None:
    """The figure is cut by the photo's lower edge: the ground touches 85 % of the frame, and is not salient."""
    figure = (0.2, 0.1, 0.8, 1.0)
    ground = logits(figure) < 0
    ground_mask = np.asarray(ground)
    assert is_background(ground_mask, saliency(figure, side=SIDE))
    assert is_background(ground_mask, None)
    cut_off = saliency((0.0, 0.3, 1.0, 1.0), side=SIDE)  # a product that leaves the photo on three sides
    assert not is_background(cut_off, cut_off)


def test_the_mask_that_agrees_with_the_saliency_is_taken() -> None:
    """A part of the product, the product, and the product with its table: by hand, IoU 1/2, 1 and 2/3."""
    part, table = (0.3, 0.2, 0.7, 0.5), (0.3, 0.2, 0.7, 0.95)
    found = best_candidate([candidate(part), candidate(PRODUCT), candidate(table)], 400, 300, saliency_of_photo(), None)
    assert found is not None
    assert found.binary_mask.shape == (300, 400)
    assert found.saliency_iou == pytest.approx(1, abs=0.03)
    assert (found.predicted_iou, found.stability) == (0.9, 1)
    assert found.confidence == pytest.approx(1, abs=1e-4)


def saliency_of_photo() -> np.ndarray:
    """PRODUCT in a photo of 400 x 300."""
    mask = np.zeros((300, 400), bool)
    mask[60:240, 120:280] = True
    return mask


TWELVE = [(x, y, x + 0.08, y + 0.18) for x in (0.3, 0.4, 0.5, 0.6) for y in (0.2, 0.4, 0.6)]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (candidate(PRODUCT, iou=0.69), "unsure"),
        (candidate(PRODUCT, iou=float("nan")), "no number"),
        (Candidate(logits(PRODUCT, level=0.5), 0.9), "unstable: nothing is over 1"),
        (candidate((0.5, 0.5, 0.55, 0.55)), "next to nothing"),
        (candidate((0.7, 0.2, 0.95, 0.8)), "beside the saliency mask"),
        (candidate((0.0, 0.0, 1.0, 1.0)), "the whole photo"),
        (candidate(*TWELVE), "twelve pieces"),
        (Candidate(np.full((SIDE, SIDE), -SURE, np.float32), 0.99), "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_bad_mask_is_refused(bad: Candidate, why: str) -> None:
    """Alone it is none; beside a good one it loses."""
    assert best_candidate([bad], 400, 400, saliency(PRODUCT), None) is None, why
    found = best_candidate([bad, candidate(PRODUCT, iou=0.71)], 400, 400, saliency(PRODUCT), None)
    assert found is not None
    assert found.predicted_iou == 0.71


def test_with_a_detector_the_masks_own_box_tells() -> None:
    """A bag on a person: its mask is a small part of what is salient, yet it fills the detector's box."""
    person, bag = (0.3, 0.05, 0.7, 0.95), (0.55, 0.4, 0.75, 0.6)
    box = (220.0, 160.0, 300.0, 240.0)
    found = best_candidate([candidate(person, iou=0.99), candidate(bag, iou=0.8)], 400, 400, saliency(person), box)
    assert found is not None
    assert found.predicted_iou == 0.8
    assert found.saliency_iou == pytest.approx(0.15 * 0.2 / (0.4 * 0.9 + 0.05 * 0.2), abs=0.01)


def test_two_shoes_are_one_product() -> None:
    """Both pieces are kept, a speck beside them is not."""
    shoes = ((0.1, 0.4, 0.45, 0.6), (0.55, 0.4, 0.9, 0.6))
    found = best_candidate([candidate(*shoes, (0.02, 0.02, 0.03, 0.03))], 400, 400, saliency(*shoes), None)
    assert found is not None
    assert found.saliency_iou == pytest.approx(1, abs=0.04)  # the grids' rounding
    assert not found.binary_mask[:40].any()


def test_stability_by_hand() -> None:
    """100 pixels over 1, 100 more between -1 and 1: a half. Nothing: 0."""
    values = np.full((20, 20), -5.0, np.float32)
    values[:5] = 3
    values[5:10] = 0.2
    assert stability(values) == 0.5
    assert stability(np.full((4, 4), -3.0, np.float32)) == 0


def test_nothing_but_size_is_left_without_saliency() -> None:
    """The product wins over the badge on it."""
    found = best_candidate([candidate((0.4, 0.4, 0.55, 0.55), iou=0.95), candidate(PRODUCT)], 400, 400, None, None)
    assert found is not None
    assert found.predicted_iou == 0.9
    assert found.saliency_iou is None


def test_a_grids_doubles_are_one_thing() -> None:
    """The surer of two that overlap by more than .7 stays, and an inner part; what is unsure or unstable goes."""
    nearly = (0.3, 0.2, 0.7, 0.78)
    inner = (0.4, 0.3, 0.5, 0.4)
    many = [
        candidate(PRODUCT, iou=0.85),
        candidate(nearly, iou=0.95),
        candidate(inner, iou=0.9),
        candidate((0.0, 0.0, 0.2, 0.2), iou=0.79),
        Candidate(logits((0.8, 0.8, 0.9, 0.9), level=0.9), 0.99),
        candidate((0.8, 0.0, 0.9, 0.1), iou=float("nan")),
    ]
    assert [found.predicted_iou for found in distinct(many)] == [0.95, 0.9]


def test_a_grids_candidates_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surest stay."""
    monkeypatch.setattr(mask_candidates, "GRID_MOST_CANDIDATES", 3)
    many = [candidate((0.1 * n, 0.1, 0.1 * n + 0.05, 0.2), iou=0.8 + 0.01 * n) for n in range(9)]
    assert [round(found.predicted_iou, 2) for found in distinct(many)] == [0.88, 0.87, 0.86]


def test_masks_come_to_the_photos_size_as_torch_does_it() -> None:
    """Against torch's bilinear interpolation with half-pixel centres, as the library's own post-processing has it."""
    torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")
    rng = np.random.default_rng(3)
    low = rng.normal(size=(SIDE, SIDE)).astype(np.float32)
    for height, width in ((300, 700), (1024, 768)):
        wanted = torch.nn.functional.interpolate(
            torch.from_numpy(low)[None, None], (height, width), mode="bilinear", align_corners=False
        )[0, 0].numpy()
        assert np.abs(to_photo(low, width, height) - wanted).max() < 1e-4
