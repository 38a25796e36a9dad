"""The product's mask in a photo: by a saliency segmenter alone, or by one that is prompted and checked.

What opens the models, and where masks are kept, is not known here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from catalog.vision import boxes, mask_candidates, masks, plain_ground, prompts
from catalog.vision.boxes import Box, Detection
from catalog.vision.mask_candidates import Candidate
from catalog.vision.masks import ProductMask
from catalog.vision.prompts import Prompt

SALIENCY_FALLBACK = "saliency_fallback"  # no mask of the prompted segmenter was good
NO_DETECTION = "no_detection"  # the detector found nothing that may be the product
SALIENCY, DETECTOR, GRID = "saliency", "detector", "grid"
# IoU of the detector's box with the saliency mask's: from the first on the mask's points are the product's, under the
# second the mask is more than the product.
SAME_THING, OTHER_THING = 0.7, 0.5


class SaliencyModel(Protocol):
    """Tells what stands out; `catalog.features.inference.PixelModel` is one."""

    def run(self, image_hwc: np.ndarray) -> np.ndarray:
        """(height, width, 3) uint8 in, (side, side) float32 saliency in [0, 1] out."""
        ...


class PromptedSegmenter(Protocol):
    """Encodes a photo once, then answers prompts."""

    name: str

    def encode(self, image_hwc: np.ndarray) -> Any:
        """Whatever `candidates` wants of a (height, width, 3) uint8 photo."""
        ...

    def candidates(self, photo: Any, prompts: Sequence[Prompt], *, multimask: bool) -> list[Candidate]:
        """The masks for some prompts of one kind: three each with `multimask`, else one."""
        ...


class Detector(Protocol):
    """Finds boxes of things."""

    def detect(self, image_hwc: np.ndarray, words: Sequence[str]) -> list[Detection]:
        """Things in a (height, width, 3) uint8 photo; one that reads text looks for what `words` name."""
        ...


@dataclass(frozen=True)
class FoundProduct:
    """A product's mask, who made it, and what for."""

    mask: ProductMask
    model: str  # that made the mask: the prompted segmenter, or the saliency segmenter
    prompted_by: str = ""  # "saliency", "detector" or "grid"; "" where no prompt was put
    prompt: Prompt | None = None  # of the box and points; None for a grid
    predicted_iou: float | None = None  # these three are None where the mask is the saliency segmenter's
    stability: float | None = None
    saliency_iou: float | None = None  # also where nothing is salient


@dataclass(frozen=True)
class ProductFinder:
    """Open models that find products together: a saliency segmenter and, where there is one, a prompted one."""

    saliency_name: str
    saliency: SaliencyModel
    segmenter: PromptedSegmenter | None = None
    detector: Detector | None = None
    prompt_free: bool = False

    def find(self, image_hwc: np.ndarray, words: Sequence[str] = ()) -> FoundProduct:
        """The product in one (height, width, 3) uint8 photo; `words` name it to a detector that reads text."""
        nothing = np.zeros((1, 1), np.float32)
        saliency = nothing if masks.is_blank(image_hwc) else self.saliency.run(image_hwc)
        salient = plain_ground.cut_out(saliency, image_hwc)
        if self.segmenter is None:
            return FoundProduct(salient, self.saliency_name)
        return self._prompted(self.segmenter, image_hwc, salient, words)

    def _prompted(
        self, segmenter: PromptedSegmenter, image_hwc: np.ndarray, salient: ProductMask, words: Sequence[str]
    ) -> FoundProduct:
        height, width = image_hwc.shape[:2]
        saliency_mask = usable(salient)
        prompt: Prompt | None = None
        box: Box | None = None
        prompted_by = ""
        flags: tuple[str, ...] = ()
        if self.prompt_free:
            prompted_by = GRID
        elif saliency_mask is not None:
            prompt, prompted_by = prompts.prompt_of_mask(saliency_mask), SALIENCY
        if self.detector is not None and not self.prompt_free:
            detected = boxes.products_box(self.detector.detect(image_hwc, words), width, height, saliency_mask)
            if detected is None:
                flags = (NO_DETECTION,)
            else:
                prompt, box, prompted_by = _of_box(detected.box, saliency_mask), detected.box, DETECTOR
        chosen = None
        if prompted_by:
            photo = segmenter.encode(image_hwc)
            answers = _ask(segmenter, photo, prompt) if prompt else _ask_grid(segmenter, photo, width, height)
            chosen = mask_candidates.best_candidate(answers, width, height, saliency_mask, box)
        if chosen is None:
            stand_in = _stand_in(salient, saliency_mask, box)
            mask = replace(stand_in, flags=(*stand_in.flags, *flags, SALIENCY_FALLBACK))
            return FoundProduct(mask, self.saliency_name, prompted_by, prompt)
        mask = masks.judge_mask(chosen.binary_mask, chosen.confidence)
        return FoundProduct(
            replace(mask, flags=(*mask.flags, *flags)),
            segmenter.name,
            prompted_by,
            prompt,
            chosen.predicted_iou,
            chosen.stability,
            chosen.saliency_iou,
        )


def usable(salient: ProductMask) -> np.ndarray | None:
    """The (height, width) bool saliency mask, where it can be the product; None where nothing or the ground is salient.

    A product may fill its photo, so that what runs along the frame and covers nearly all is let pass.
    """
    if masks.FULL_FRAME in salient.flags:
        return None
    if salient.border_fraction > mask_candidates.MAX_BORDER_FRACTION and "fills_photo" not in salient.flags:
        return None
    return salient.binary_mask


def _stand_in(salient: ProductMask, saliency_mask: np.ndarray | None, box: Box | None) -> ProductMask:
    """The saliency mask, only what of it is in a detector's box where that is about a part; or the whole photo.

    In street photos what is salient is a person: inside a garment's exact box its mask had an IoU with the garment of
    .68, as a whole .21 (144 garments, benchmarks/segmentation.py).
    """
    if saliency_mask is None:
        return masks.judge_mask(np.zeros_like(salient.binary_mask), salient.confidence)
    if box is None or boxes.box_iou(box, boxes.box_of_mask(saliency_mask)) >= OTHER_THING:
        return salient  # a detector's box is rougher than the mask of the same thing
    inside = np.zeros_like(saliency_mask)
    left, top, right, bottom = (round(side) for side in box)
    inside[top:bottom, left:right] = saliency_mask[top:bottom, left:right]
    cut = masks.judge_mask(inside, salient.confidence)
    return salient if masks.FULL_FRAME in cut.flags else cut


def _of_box(box: Box, saliency_mask: np.ndarray | None) -> Prompt:
    """A detector's box, with the saliency mask's points where both are about the same thing."""
    if saliency_mask is None or boxes.box_iou(box, boxes.box_of_mask(saliency_mask)) < SAME_THING:
        return Prompt(box, ())
    inside = [
        point
        for point in prompts.points_inside(saliency_mask)
        if box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
    ]
    return Prompt(box, tuple(inside))


def _ask(segmenter: PromptedSegmenter, photo: Any, prompt: Prompt) -> Iterator[Candidate]:
    """A clear prompt's one answer, and the three in case it was not clear enough."""
    yield from segmenter.candidates(photo, [prompt], multimask=False)
    yield from segmenter.candidates(photo, [prompt], multimask=True)


def _ask_grid(segmenter: PromptedSegmenter, photo: Any, width: int, height: int) -> Iterator[Candidate]:
    """Every distinct thing of a photo, the surest of them; memory is bounded by a batch of points."""
    kept: list[Candidate] = []
    points = prompts.grid(width, height)
    for start in range(0, len(points), prompts.GRID_BATCH):
        answers = segmenter.candidates(photo, points[start : start + prompts.GRID_BATCH], multimask=True)
        kept = mask_candidates.distinct([*kept, *answers])
    yield from kept
