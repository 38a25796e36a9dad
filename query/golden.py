"""Golden queries: photos with every stage's expected output, for a client to test itself against; and that test."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog.errors import BundleError
from catalog.vision.masks import intersection_over_union
from query.engine import Engine
from query.results import SearchResult

LEAST_COSINE = 0.999  # between an encoder's output and the expected one: other processors round otherwise
LEAST_MASK_IOU = 0.99
SCORE_TOLERANCE = 0.01


def write_golden(folder: Path, place: int, photo_hwc: np.ndarray, result: SearchResult) -> dict[str, str]:
    """Write one golden query under `folder`/golden/<place>/; returns the manifest's entry for it."""
    described = result.described
    if described is None or result.route is None:
        raise ValueError("a golden query is a photo that was routed")
    where = folder / "golden" / str(place)
    where.mkdir(parents=True)
    Image.fromarray(photo_hwc).save(where / "photo.png")
    Image.fromarray(described.mask.binary_mask).save(where / "mask.png")
    Image.fromarray(described.crop.image_hwc).save(where / "crop.png")
    expected = {
        "categories": list(result.categories),
        f"route_{result.route.measure}": dict(result.route.scores),
        "crop_box": list(described.crop.box),
        "embeddings": {space: vector.tolist() for space, vector in described.embeddings.items()},
        "texture": described.texture.tolist(),
        "color_signature": described.color.tolist(),
        "results": [
            {"product_id": hit.item["product_id"], "row": hit.scored.row, "score": hit.scored.score}
            for hit in result.hits
        ],
    }
    (where / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    base = f"golden/{place}"
    return {name: f"{base}/{name}.png" for name in ("photo", "mask", "crop")} | {"expected": f"{base}/expected.json"}


def check_golden(engine: Engine) -> int:
    """Hold the engine to every golden query of its bundle; returns how many there are.

    Raises: BundleError that names the query and the stage that came out differently.
    """
    manifest = engine.bundle.manifest
    for entry in manifest["golden"]:
        expected = json.loads(manifest.path(entry["expected"]).read_text(encoding="utf-8"))
        with Image.open(manifest.path(entry["photo"])) as photo, Image.open(manifest.path(entry["mask"])) as mask:
            pixels, wanted_mask = np.asarray(photo), np.asarray(mask.convert("L")) >= 128
        _compare(entry["expected"], engine.search(pixels), expected, wanted_mask)
    return len(manifest["golden"])


def _compare(name: str, result: SearchResult, expected: Mapping[str, Any], wanted_mask: np.ndarray) -> None:
    described = result.described
    if described is None:
        raise BundleError(f"{name}: the search describes no photo")
    overlap = intersection_over_union(described.mask.binary_mask, wanted_mask)
    if overlap < LEAST_MASK_IOU:
        raise BundleError(f"{name}: the mask's IoU with the expected one is {overlap:.4f}, at least {LEAST_MASK_IOU}")
    vectors = [(f"embedding in {space}", described.embeddings[space], expected["embeddings"][space])
               for space in expected["embeddings"]]  # fmt: skip
    vectors += [("texture", described.texture, expected["texture"])]
    for stage, got, wanted in vectors:
        cosine = float(np.dot(got, np.array(wanted, np.float32)))
        if not cosine >= LEAST_COSINE:
            raise BundleError(f"{name}: {stage} has cosine {cosine:.5f} with the expected one, at least {LEAST_COSINE}")
    if list(result.categories) != expected["categories"]:
        raise BundleError(f"{name}: routed to {result.categories}, expected {expected['categories']}")
    scores = [hit.scored.score for hit in result.hits]
    wanted_scores = [hit["score"] for hit in expected["results"]]
    if len(scores) != len(wanted_scores) or not np.allclose(scores, wanted_scores, atol=SCORE_TOLERANCE):
        raise BundleError(f"{name}: scores {scores}, expected {wanted_scores}; tolerance {SCORE_TOLERANCE}")
