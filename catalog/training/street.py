"""Garments worn in the street: cut out of a photo by the labels of its pixels, each with the encoder's own category."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

LEAST_SHARE = 0.02  # of the photo: a smaller garment shows too little
CATEGORIES = {
    "bag": ("bag", "purse"),
    "blazer": ("blazer",),
    "blouse": ("blouse",),
    "dress": ("dress",),
    "hoodie": ("hoodie", "sweatshirt"),
    "longsleeve": ("cardigan", "jumper", "sweater"),
    "outwear": ("coat", "jacket"),
    "pants": ("jeans", "leggings", "pants"),
    "shirt": ("shirt",),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
    "t-shirt": ("t-shirt",),
    "top": ("top", "vest"),
}


def garments(labels: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The (category, (h, w) bool mask) of every garment that is large enough; `labels` lies beside `../labels.json`."""
    names = json.loads((labels.parent.parent / "labels.json").read_text("utf-8"))
    pixels = _labels(labels)
    shares = np.bincount(pixels.ravel(), minlength=len(names)) / pixels.size
    for category, called in CATEGORIES.items():
        for name in called:
            if name in names and shares[names.index(name)] >= LEAST_SHARE:
                yield category, pixels == names.index(name)


def person(labels: Path) -> np.ndarray:
    """(h, w) bool: whatever is labelled as anything, the person with all that is worn and carried."""
    return _labels(labels) > 0


def _labels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened)
