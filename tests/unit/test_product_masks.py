"""How saliency, detector and prompted segmenter find a product together, and what happens where one of them fails.

No SAM 2 with real weights can run here: `ByColor` answers its prompts from the photo's own colours instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy import ndimage

from catalog.features import product_masks
from catalog.features.product_masks import ProductFinder
from catalog.vision import prompts
from catalog.vision.boxes import Box, Detection
from catalog.vision.mask_candidates import Candidate
from catalog.vision.plain_ground import cut_out
from catalog.vision.prompts import Prompt

WIDTH, HEIGHT, SIDE = 400, 300, 256
WHITE, RED, BLUE = (255, 255, 255), (200, 20, 30), (20, 40, 180)
PRODUCT = (120, 60, 280, 240)
UNEVEN = ((0, 0, 200, 300), (210, 214, 220))  # half of the ground: on a plain one saliency alone has exact edges


def photo(*things: tuple[Box, tuple[int, int, int]]) -> np.ndarray:
    """Rectangles of one colour on white."""
    image = np.full((HEIGHT, WIDTH, 3), WHITE, np.uint8)
    for (left, top, right, bottom), color in things:
        image[int(top) : int(bottom), int(left) : int(right)] = color
    return image


@dataclass
class Standing:
    """A saliency model that finds what it is told to: boxes, in pixels."""

    boxes: Sequence[Box]
    inverted: bool = False

    def run(self, image_hwc: np.ndarray) -> np.ndarray:
        found = np.zeros((128, 128), np.float32)
        for left, top, right, bottom in self.boxes:
            rows = slice(round(top * 128 / HEIGHT), round(bottom * 128 / HEIGHT))
            found[rows, round(left * 128 / WIDTH) : round(right * 128 / WIDTH)] = 1
        return 1 - found if self.inverted else found


@dataclass
class ByColor:
    """Answers a prompt with the even patch of colour under its first point, or in the middle of its box."""

    name: str = "by-color"
    iou: float = 0.9
    asked: list[tuple[int, bool]] = field(default_factory=list)
    encoded: int = 0

    def encode(self, image_hwc: np.ndarray) -> np.ndarray:
        self.encoded += 1
        rows = (np.arange(SIDE) + 0.5) * image_hwc.shape[0] / SIDE
        columns = (np.arange(SIDE) + 0.5) * image_hwc.shape[1] / SIDE
        return image_hwc[rows.astype(int)][:, columns.astype(int)]

    def candidates(self, photo: np.ndarray, prompts: Sequence[Prompt], *, multimask: bool) -> list[Candidate]:
        self.asked.append((len(prompts), multimask))
        found = []
        for prompt in prompts:
            x, y = prompt.points[0] if prompt.points else ((prompt.box[0] + prompt.box[2]) / 2, prompt.box[3] - 3)
            row, column = int(y * SIDE / HEIGHT), int(x * SIDE / WIDTH)
            labels, _ = ndimage.label((photo == photo[row, column]).all(axis=2))
            logits = np.where(labels == labels[row, column], 12, -12).astype(np.float32)
            found += [Candidate(logits, self.iou)] * (3 if multimask else 1)
        return found


@dataclass
class Told:
    """A detector that finds what it is told to, and keeps what words it was asked with."""

    boxes: Sequence[tuple[Box, float]]
    words: Sequence[str] = ()

    def detect(self, image_hwc: np.ndarray, words: Sequence[str]) -> list[Detection]:
        self.words = words
        return [Detection(box, confidence) for box, confidence in self.boxes]


def finder(saliency: Standing, **parts) -> ProductFinder:
    return ProductFinder("saliency", saliency, **{"segmenter": ByColor(), **parts})


def iou(mask: np.ndarray, box: Box) -> float:
    truth = np.zeros((HEIGHT, WIDTH), bool)
    left, top, right, bottom = (int(side) for side in box)
    truth[top:bottom, left:right] = True
    return float((mask & truth).sum() / (mask | truth).sum())


def test_a_segmenter_without_prompts_keeps_its_masks() -> None:
    """The very bytes that saliency alone gives, with its edges on a plain ground."""
    saliency = Standing([PRODUCT])
    found = finder(saliency, segmenter=None).find(photo((PRODUCT, RED)))
    alone = cut_out(saliency.run(photo()), photo((PRODUCT, RED)))
    assert np.array_equal(found.mask.binary_mask, alone.binary_mask)
    assert replace(found.mask, binary_mask=None) == replace(alone, binary_mask=None)
    assert (found.model, found.prompted_by, found.prompt, found.predicted_iou) == ("saliency", "", None, None)


def test_the_saliency_mask_prompts_and_is_made_better() -> None:
    """Saliency stops 15 px short all around; the colour's edge is exact. Encoded once, asked for one mask and three."""
    short = (135, 75, 265, 225)
    segmenter = ByColor()
    found = finder(Standing([short]), segmenter=segmenter).find(photo(UNEVEN, (PRODUCT, RED)))
    assert iou(found.mask.binary_mask, short) < 0.75
    assert iou(found.mask.binary_mask, PRODUCT) > 0.97
    assert (found.model, found.prompted_by, found.mask.flags) == ("by-color", "saliency", ())
    assert (found.predicted_iou, found.stability) == (0.9, 1)
    assert found.saliency_iou == pytest.approx(130 * 150 / (160 * 180), abs=0.03)
    assert found.prompt is not None
    assert found.prompt.box == pytest.approx((131, 70.5, 269, 229.5), abs=4)
    assert len(found.prompt.points) >= 1
    assert (segmenter.encoded, segmenter.asked) == (1, [(1, False), (1, True)])


def test_an_unsure_segmenter_leaves_the_saliency_mask() -> None:
    """And the row says so, with the prompt that was put."""
    found = finder(Standing([PRODUCT]), segmenter=ByColor(iou=0.5)).find(photo((PRODUCT, RED)))
    assert iou(found.mask.binary_mask, PRODUCT) > 0.95
    assert (found.model, found.prompted_by) == ("saliency", "saliency")
    assert product_masks.SALIENCY_FALLBACK in found.mask.flags
    assert (found.predicted_iou, found.stability, found.saliency_iou) == (None, None, None)
    assert found.prompt is not None


def test_nothing_salient_is_not_even_asked() -> None:
    """There is no prompt: the whole photo, and no time lost."""
    segmenter = ByColor()
    found = finder(Standing([]), segmenter=segmenter).find(photo((PRODUCT, RED)))
    assert found.mask.binary_mask.all()
    assert set(found.mask.flags) >= {"full_frame", "saliency_fallback"}
    assert (found.prompted_by, found.prompt, segmenter.encoded) == ("", None, 0)


@pytest.mark.parametrize("prompt_free", [False, True])
def test_a_salient_background_is_not_the_product(prompt_free: bool) -> None:
    """Inverted saliency: neither it nor the white around the product is taken, whoever asks."""
    saliency = Standing([PRODUCT], inverted=True)
    found = finder(saliency, prompt_free=prompt_free).find(photo((PRODUCT, RED)))
    if prompt_free:
        assert iou(found.mask.binary_mask, PRODUCT) > 0.97
        assert (found.model, found.saliency_iou) == ("by-color", None)
    else:
        assert found.mask.binary_mask.all()
        assert set(found.mask.flags) >= {"full_frame", "saliency_fallback"}


def test_a_product_that_fills_its_photo_stays_whole() -> None:
    """Its mask runs along the whole frame: no candidate may, so the saliency mask stands in, as it is."""
    found = finder(Standing([(0, 0, WIDTH, HEIGHT)])).find(photo(((0, 0, WIDTH, HEIGHT), RED)))
    assert found.mask.binary_mask.all()
    assert set(found.mask.flags) == {"fills_photo", "touches_border", "saliency_fallback"}
    assert found.prompted_by == "saliency"


def test_a_detectors_box_prompts_instead() -> None:
    """Saliency sees the person; the words name the bag. Its points would lie on the person: the box alone is put."""
    person, bag = (100, 20, 250, 290), (250, 150, 330, 230)
    detector = Told([(bag, 0.6)])
    found = finder(Standing([person, bag]), detector=detector).find(photo((person, BLUE), (bag, RED)), ("bag", "tote"))
    assert detector.words == ("bag", "tote")
    assert iou(found.mask.binary_mask, bag) > 0.95
    assert (found.model, found.prompted_by, found.prompt) == ("by-color", "detector", Prompt(bag, ()))


def test_an_unsure_segmenter_leaves_the_saliency_mask_inside_a_detectors_box() -> None:
    """What is salient is the person; what of it is in the bag's box is nearer to the bag. A box with nothing: all."""
    person, bag = (100, 20, 250, 290), (250, 150, 330, 230)
    unsure = ByColor(iou=0.5)
    image = photo((person, BLUE), (bag, RED))
    found = finder(Standing([person, bag]), segmenter=unsure, detector=Told([(bag, 0.6)])).find(image)
    assert iou(found.mask.binary_mask, bag) > 0.95
    assert (found.model, found.prompted_by, found.mask.flags) == ("saliency", "detector", ("saliency_fallback",))
    sliver = (136, 40, 160, 70)  # of it, 20 x 30 px are salient: under 1 % of the photo
    nearly = finder(Standing([(140, 40, 250, 290)]), segmenter=unsure, detector=Told([(sliver, 0.6)])).find(image)
    assert nearly.prompted_by == "detector"
    assert nearly.mask.area_fraction > 0.2
    rough = Told([((120, 30, 260, 250), 0.6)])  # of the person, and cuts the feet off
    whole = finder(Standing([person]), segmenter=unsure, detector=rough).find(photo((person, BLUE)))
    assert iou(whole.mask.binary_mask, person) > 0.95


def test_a_detector_that_agrees_lends_the_masks_points() -> None:
    """Box and saliency mask are about the same thing."""
    found = finder(Standing([PRODUCT]), detector=Told([(PRODUCT, 0.6)])).find(photo((PRODUCT, RED)))
    assert found.prompt is not None
    assert (found.prompt.box, found.prompted_by) == (PRODUCT, "detector")
    assert found.prompt.points


def test_no_detection_leaves_the_saliency_box() -> None:
    """And the row says so."""
    found = finder(Standing([PRODUCT]), detector=Told([])).find(photo((PRODUCT, RED)))
    assert (found.model, found.prompted_by, found.mask.flags) == ("by-color", "saliency", ("no_detection",))
    nothing = finder(Standing([]), detector=Told([])).find(photo())
    assert set(nothing.mask.flags) >= {"full_frame", "no_detection", "saliency_fallback"}


def test_a_detector_helps_where_nothing_is_salient() -> None:
    """A box is a prompt."""
    found = finder(Standing([]), detector=Told([(PRODUCT, 0.6)])).find(photo((PRODUCT, RED)))
    assert iou(found.mask.binary_mask, PRODUCT) > 0.97
    assert (found.prompted_by, found.saliency_iou) == ("detector", None)


def test_a_grid_finds_the_product_without_a_prompt() -> None:
    """256 points in batches; the ground, which most of them are on, never wins, nor does what is not salient."""
    other = (20, 20, 90, 90)
    segmenter = ByColor()
    image = photo((PRODUCT, RED), (other, BLUE))
    found = finder(Standing([PRODUCT]), segmenter=segmenter, prompt_free=True).find(image)
    assert iou(found.mask.binary_mask, PRODUCT) > 0.97
    assert (found.prompted_by, found.prompt) == ("grid", None)
    assert segmenter.encoded == 1
    assert sum(count for count, _ in segmenter.asked) == prompts.GRID_SIDE**2
    assert max(count for count, _ in segmenter.asked) == prompts.GRID_BATCH
