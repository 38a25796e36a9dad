"""How well masks fit: the query's segmenter and the catalogue's, on photos whose exact masks are known."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from assets.evaluation.asking import DescribedPhotos
from catalog.errors import ImageError
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocol_scores import Values
from catalog.evaluation.protocols import PERSON
from catalog.features.product_masks import PromptedSegmenter, SaliencyModel, usable
from catalog.formats import tables
from catalog.formats.blobs import BlobStore
from catalog.records import Reason
from catalog.vision import boxes, mask_candidates, plain_ground
from catalog.vision.masks import intersection_over_union
from catalog.vision.prompts import Prompt
from resources.data_lake import DataLake

GARMENT_SHARE = 0.01  # of the photo, at least
NOT_GARMENTS = frozenset(("null", "hair", "skin"))
LABELS = "labels.json"  # beside the folder of label masks: the name of every value
GARMENT = "garment"


@dataclass(frozen=True)
class Exact:
    """A photo's exact masks, (height, width) bool."""

    whole: np.ndarray
    garments: Mapping[str, np.ndarray]  # by name; only those of `GARMENT_SHARE` of the photo and more


def exact_masks(photo: Photo, subject: str) -> Exact:
    """A person is every label but 0 of the photo's mask file; a product is its photo's own alpha.

    Raises: ImageError, no such file, no picture, or an alpha that says nothing.
    """
    try:
        with Image.open(photo.mask if subject == PERSON and photo.mask else photo.file) as opened:
            if subject != PERSON:
                alpha = np.asarray(opened.convert("RGBA"))[..., 3] >= 128
                if alpha.all() or not alpha.any():
                    raise ImageError(Reason.NOT_AN_IMAGE, "its alpha says nothing: all of it is one value")
                return Exact(alpha, {})
            values = np.asarray(opened if opened.mode in ("P", "L") else opened.convert("L"))
    except FileNotFoundError as error:
        raise ImageError(Reason.IMAGE_NOT_FOUND, f"{error.filename}: its mask is not there") from error
    except OSError as error:  # Pillow's UnidentifiedImageError is one
        raise ImageError(Reason.NOT_AN_IMAGE, f"its mask is no picture ({type(error).__name__})") from error
    if not values.any():
        raise ImageError(Reason.NOT_AN_IMAGE, "its mask is empty")
    names = _label_names(photo.mask) if photo.mask else []
    shares = np.bincount(values.ravel(), minlength=len(names)) / values.size
    garments = {
        name: values == label
        for label, name in enumerate(names)
        if name not in NOT_GARMENTS and shares[label] >= GARMENT_SHARE
    }
    return Exact(values > 0, garments)


def without_names(photos: Sequence[Photo]) -> list[str]:
    """The folders of masks whose labels' names can't be read: no garment of theirs is scored."""
    folders = {photo.mask.parent: photo.mask for photo in photos if photo.mask}
    return [str(folder) for folder, mask in folders.items() if not _label_names(mask)]


def _label_names(mask: Path) -> Sequence[str]:
    try:
        names = json.loads((mask.parent.parent / LABELS).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # what the values mean is not known: no garment is scored
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def with_exact_files(photos: Mapping[str, Exact], asked: Sequence[Photo], folder: Path) -> list[Photo]:
    """The photos, each with its whole exact mask as a black and white file: what a query's mask is compared with."""
    store = BlobStore(folder, "lookbook evaluate")
    return [replace(photo, mask=store.path(store.put(photos[photo.name].whole))) for photo in asked]


def query_ious(described: DescribedPhotos, subject: str, photos: Sequence[Photo]) -> Values:
    """IoU of what the query's segmenter cut out of each photo with the exact mask."""
    ious = {
        photo.name: iou
        for photo in photos
        if photo.name in described.features and (iou := described.features[photo.name].mask_iou) is not None
    }
    return {f"{subject} IoU, query": ious} if ious else {}


@dataclass(frozen=True)
class CatalogueMasks:
    """The masks of a home that was built of the photos."""

    lake: DataLake
    segmenter: PromptedSegmenter | None = None  # that a garment's box can be put to
    saliency: SaliencyModel | None = None  # judges the answers

    def ious(self, subject: str, exact: Mapping[str, Exact]) -> tuple[Values, dict[str, str]]:
        """IoU of the catalogue's masks, and of what is found of each garment by its own box; garments' photos."""
        whole: dict[str, float] = {}
        parts: dict[str, float] = {}
        photo_of: dict[str, str] = {}
        for row in tables.read(self.lake.table("sam2_masks"), tables.SAM2_MASKS):
            name = row["product_id"]
            if name not in exact:
                continue
            found = self.lake.masks.get(row["mask_blob"])
            whole[name] = intersection_over_union(found, _sized(exact[name].whole, found))
            garments = {label: _sized(truth, found) for label, truth in exact[name].garments.items()}
            garments = {label: truth for label, truth in garments.items() if truth.any()}
            for label, mask in self._of_garments(row["image_blob"], found, garments).items():
                parts[f"{name} {label}"] = intersection_over_union(mask, garments[label])
                photo_of[f"{name} {label}"] = name
        values = {f"{subject} IoU, catalogue": whole, f"{GARMENT} IoU, catalogue": parts}
        return {name: found for name, found in values.items() if found}, photo_of

    def _of_garments(
        self, image_blob: str, found: np.ndarray, garments: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        if self.segmenter is None or self.saliency is None or not garments:
            return {label: found & _inside(truth) for label, truth in garments.items()}
        image = self.lake.images.get(image_blob)
        height, width = image.shape[:2]
        encoded = self.segmenter.encode(image)
        salient = usable(plain_ground.cut_out(self.saliency.run(image), image))
        answered = {}
        for label, truth in garments.items():
            box = boxes.box_of_mask(truth)
            answers = [
                candidate
                for several in (False, True)
                for candidate in self.segmenter.candidates(encoded, [Prompt(box, ())], multimask=several)
            ]
            best = mask_candidates.best_candidate(answers, width, height, salient, box)
            answered[label] = best.binary_mask if best else found & _inside(truth)
        return answered


def _inside(truth: np.ndarray) -> np.ndarray:
    """All that is inside the box of a mask."""
    left, top, right, bottom = (int(side) for side in boxes.box_of_mask(truth))
    inside = np.zeros_like(truth)
    inside[top:bottom, left:right] = True
    return inside


def _sized(mask: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A mask at the size of the photo as the catalogue keeps it."""
    if mask.shape == like.shape:
        return mask
    size = (like.shape[1], like.shape[0])
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)).astype(bool)
