"""How well masks fit: U2NetP alone, SAM 2 prompted by it, and a detector's boxes, on photos with exact masks.

SAM 2's quality can be shown with its real weights only. With random ones (benchmarks/random_checkpoints.py) the table
says how often the checks refuse its masks, and what falling back costs; nothing else.

    python benchmarks/segmentation.py --data ../shared/data --u2netp ../shared/weights/u2netp_320_fp32.onnx \\
        --yolox ../shared/weights/yolox_nano.onnx --sam2 ~/random-checkpoints/sam2.1-hiera-tiny --photos 40
"""

import argparse
import csv
import json
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.features.detection import Yolox
from catalog.features.inference import PixelModel
from catalog.features.product_masks import ProductFinder
from catalog.formats import digests
from catalog.model_descriptions import MODELS
from catalog.onnx_export import float_models
from catalog.torch_models.sam2 import Sam2, TransformersSam2
from catalog.vision import boxes, mask_candidates
from catalog.vision.decoding import PhotoLimits, decode_photo
from catalog.vision.masks import intersection_over_union, product_mask
from catalog.vision.prompts import Prompt

GARMENT_SHARE = 0.01  # of the photo, at least
NOT_GARMENTS = {"null", "hair", "skin"}
THREADS = 2


@dataclass(frozen=True)
class Labelled:
    """A photo and the exact masks in it, by name; all (height, width) bool."""

    name: str
    image_hwc: np.ndarray
    whole: np.ndarray  # the person, or the product
    parts: dict[str, np.ndarray]  # garments


class Given:
    """A saliency map that is there already, so that a photo's is computed once."""

    def __init__(self, saliency_mask: np.ndarray) -> None:
        """`saliency_mask` is (side, side) float32 in [0, 1]."""
        self._saliency_mask = saliency_mask

    def run(self, image_hwc: np.ndarray) -> np.ndarray:
        """The map, whatever the photo."""
        return self._saliency_mask


class Scores:
    """IoUs by what they are of, in the order first met."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self._ious: dict[str, list[float]] = {}

    def add(self, what: str, iou: float) -> None:
        """One more photo's, or garment's."""
        self._ious.setdefault(what, []).append(iou)

    def table(self) -> str:
        """Markdown, a row a thing measured."""
        lines = ["| what | photos or garments | mean IoU | median | 10th percentile | at least .9 |", "|---" * 6 + "|"]
        for what, ious in self._ious.items():
            tenth, share = float(np.percentile(ious, 10)), sum(iou >= 0.9 for iou in ious) / len(ious)
            middle, mean = statistics.median(ious), statistics.fmean(ious)
            lines.append(f"| {what} | {len(ious)} | {mean:.3f} | {middle:.3f} | {tenth:.3f} | {share:.2f} |")
        return "\n".join(lines)


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with ccp/, saleor/ and manifest.csv")
    parser.add_argument("--u2netp", type=Path, required=True, help="its ONNX file")
    parser.add_argument("--yolox", type=Path, help="YOLOX-nano's ONNX file")
    parser.add_argument("--sam2", type=Path, help="folder of a SAM 2.1 tiny checkpoint")
    parser.add_argument("--real-weights", action="store_true", help="the SAM 2 checkpoint is the real one")
    parser.add_argument("--photos", type=int, default=0, help="of each set, evenly spread; 0 for all")
    arguments = parser.parse_args()
    row = MODELS["sam2.1-hiera-tiny"]
    saliency = _u2netp(arguments.u2netp)
    detector = Yolox(arguments.yolox, MODELS["yolox-nano"], threads=THREADS) if arguments.yolox else None
    segmenter = None
    if arguments.sam2:
        segmenter = Sam2(TransformersSam2(arguments.sam2, row), row, "auto", threads=THREADS)
    told = "SAM 2.1 tiny" + ("" if arguments.real_weights else ", RANDOM WEIGHTS")
    scores, taken, seconds = Scores(), {}, []
    for name, read, subject in (("ccp", read_ccp, "the person"), ("saleor", read_saleor, "the product")):
        for photo in read(arguments.data, arguments.photos):
            height, width = photo.whole.shape
            map_of_saliency = saliency.run(photo.image_hwc)
            salient = product_mask(map_of_saliency, width, height).binary_mask
            scores.add(f"U2NetP alone, {name}: {subject}", intersection_over_union(salient, photo.whole))
            if detector:
                _box_scores(scores, f"{name}: around {subject}", photo, salient, detector)
            if segmenter:
                started = time.perf_counter()
                found = ProductFinder("u2netp", Given(map_of_saliency), segmenter).find(photo.image_hwc)
                seconds.append(time.perf_counter() - started)
                taken.setdefault(name, []).append(found.model != "u2netp")
                iou = intersection_over_union(found.mask.binary_mask, photo.whole)
                scores.add(f"{told}, prompted by U2NetP, {name}: {subject}", iou)
                _garment_scores(scores, told, photo, salient, segmenter)
    print(scores.table())
    for name, own in taken.items():
        print(f"\n{told}, {name}: the saliency mask stood in on {len(own) - sum(own)} of {len(own)} photos.")
    if segmenter:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"\n{told}: {statistics.median(seconds):.2f} s a photo, {segmenter.precision}, {THREADS} threads; ", end=""
        )
        print(f"peak memory of the whole process {peak:,.0f} MiB.")


def _u2netp(path: Path) -> PixelModel:
    row = replace(MODELS["u2netp"], sha256=digests.of_file(path), size_bytes=path.stat().st_size)
    return PixelModel(float_models.float_model(path.read_bytes(), row, str(path)), row.output, threads=THREADS)


def _box_scores(scores: Scores, where: str, photo: Labelled, salient: np.ndarray, detector: Yolox) -> None:
    """The saliency mask's box, and the detector's as it is chosen with the mask and without; no box counts as 0."""
    height, width = photo.whole.shape
    truth, detections = boxes.box_of_mask(photo.whole), detector.detect(photo.image_hwc)
    scores.add(f"box of U2NetP's mask, {where}", boxes.box_iou(boxes.box_of_mask(salient), truth))
    for how, hint in (("chosen with the mask", salient), ("chosen without", None)):
        found = boxes.products_box(detections, width, height, hint)
        scores.add(f"box of YOLOX-nano, {how}, {where}", boxes.box_iou(found.box, truth) if found else 0.0)


def _garment_scores(scores: Scores, told: str, photo: Labelled, salient: np.ndarray, segmenter: Sam2) -> None:
    """Every garment by its own box: as the catalogue would take it, and the surest mask as it is."""
    height, width = photo.whole.shape
    encoded = segmenter.encode(photo.image_hwc) if photo.parts else None
    for truth in photo.parts.values():
        box = boxes.box_of_mask(truth)
        several = segmenter.candidates(encoded, [Prompt(box, ())], multimask=True)
        answers = [*segmenter.candidates(encoded, [Prompt(box, ())], multimask=False), *several]
        best = mask_candidates.best_candidate(answers, width, height, salient, box)
        surest = mask_candidates.to_photo(max(answers, key=lambda one: one.predicted_iou).logits, width, height) > 0
        inside = np.zeros_like(truth)
        left, top, right, bottom = (int(side) for side in box)
        inside[top:bottom, left:right] = True
        where = "by the garment's own box, ccp: garments of 1 % and more"
        scores.add(
            f"{told}, {where}, checked (else U2NetP's inside the box)",
            intersection_over_union(best.binary_mask if best else salient & inside, truth),
        )
        scores.add(f"{told}, {where}, its surest mask unchecked", intersection_over_union(surest, truth))
        scores.add("U2NetP alone, its whole mask, the same garments", intersection_over_union(salient, truth))
        scores.add("U2NetP alone, inside the same box", intersection_over_union(salient & inside, truth))
        scores.add("the whole of the same box", intersection_over_union(inside, truth))


def read_ccp(data: Path, most: int) -> Iterator[Labelled]:
    """Street photos: the person is all labels but 0; a garment is one label of a hundredth of the photo or more."""
    labels = json.loads((data / "ccp" / "labels.json").read_text("utf-8"))
    for path, mask_path in _entries(data, "ccp", most):
        image = _image(data / path)
        with Image.open(data / mask_path) as opened:
            values = np.asarray(opened)
        parts = {
            labels[label]: values == label
            for label in np.unique(values)
            if labels[label] not in NOT_GARMENTS and (values == label).mean() >= GARMENT_SHARE
        }
        yield Labelled(path, image, values > 0, parts)


def read_saleor(data: Path, most: int) -> Iterator[Labelled]:
    """Renders over white: the product is their alpha."""
    for path, _ in _entries(data, "saleor", most):
        with Image.open(data / path) as opened:
            alpha = np.asarray(opened.convert("RGBA"))[..., 3] >= 128
        if alpha.all() or not alpha.any():
            continue
        yield Labelled(path, _image(data / path), alpha, {})


def _entries(data: Path, source: str, most: int) -> list[tuple[str, str]]:
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["path"], row["mask_path"]) for row in csv.DictReader(file) if row["source"] == source]
    if not most or len(found) <= most:
        return found
    return [found[place] for place in np.linspace(0, len(found) - 1, most).astype(int)]


def _image(path: Path) -> np.ndarray:
    return decode_photo(path.read_bytes(), PhotoLimits()).image_hwc


if __name__ == "__main__":
    main()
