"""Exact masks read from files, and what the catalogue's masks are worth. Values are by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assets.evaluation.cut_outs import CatalogueMasks, exact_masks, with_exact_files
from catalog.errors import ImageError
from catalog.evaluation.labelled_photos import Photo
from catalog.formats import tables
from catalog.vision.mask_candidates import Candidate
from resources.data_lake import DataLake

SIDE = 40


class BoxSegmenter:
    """Answers a box with all that is in it."""

    name = "boxes"

    def encode(self, image_hwc):
        """The photo's size is all it needs."""
        return image_hwc.shape[:2]

    def candidates(self, photo, prompts, *, multimask):
        """One mask, as sure as can be."""
        left, top, right, bottom = (int(side) for side in prompts[0].box)
        logits = np.full(photo, -10.0, np.float32)
        logits[top:bottom, left:right] = 10.0
        return [Candidate(logits, 0.95)]


class Salient:
    """Finds what it was given."""

    def __init__(self, mask: np.ndarray) -> None:
        """`mask` is (side, side) bool."""
        self._mask = mask

    def run(self, image_hwc):
        """The same, whatever the photo."""
        return self._mask.astype(np.float32)


@pytest.fixture
def street(tmp_path) -> Photo:
    """A person of 20 x 20 pixels: a blouse above, 1 row of belt, an L of trousers below; hair is no garment."""
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[10:20, 10:30] = 1
    labels[20, 10:20] = 2
    labels[20:30, 10:15] = 3
    labels[25:30, 15:30] = 3
    labels[8:10, 10:30] = 4
    folder = tmp_path / "mask"
    folder.mkdir()
    Image.fromarray(labels).save(folder / "1.png")
    (tmp_path / "labels.json").write_text(json.dumps(["null", "blouse", "belt", "pants", "hair"]))
    return Photo(name="1", file=tmp_path / "1.jpg", product_id="1", mask=folder / "1.png")


def test_a_person_is_every_label_and_garments_are_a_hundredth_or_more(street):
    """The belt is 5 of 1,600 pixels: 0.3 %."""
    exact = exact_masks(street, "person")
    assert exact.whole.sum() == 200 + 5 + 50 + 75 + 40
    assert {name: int(mask.sum()) for name, mask in exact.garments.items()} == {"blouse": 200, "pants": 125}
    (street.mask.parent.parent / "labels.json").unlink()
    assert exact_masks(street, "person").garments == {}


def test_a_product_is_its_photos_alpha(tmp_path):
    """From 128 on; an alpha that says nothing, and no file, are told."""
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:2, :, 3], pixels[2:, :, 3] = 128, 127
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    photo = Photo(name="a", file=path)
    exact = exact_masks(photo, "product")
    assert exact.whole.tolist() == [[True] * 4] * 2 + [[False] * 4] * 2
    (asked,) = with_exact_files({"a": exact}, [photo], tmp_path / "exact")
    assert np.asarray(Image.open(asked.mask).convert("L")).tolist() == [[255] * 4] * 2 + [[0] * 4] * 2
    Image.fromarray(pixels[..., :3]).save(path)
    with pytest.raises(ImageError, match="its alpha says nothing"):
        exact_masks(photo, "product")
    with pytest.raises(ImageError, match=r"b\.png: its mask is not there"):
        exact_masks(Photo(name="b", file=path, mask=tmp_path / "b.png"), "person")
    path.write_bytes(b"no picture")
    with pytest.raises(ImageError, match="its mask is no picture"):
        exact_masks(photo, "product")


@pytest.mark.parametrize(("prompted", "pants"), [(False, 125 / 150), (True, 125 / 200)])
def test_a_garment_is_asked_by_its_box(street, tmp_path: Path, prompted, pants):
    """A segmenter that takes boxes gives the whole box of 200; else the catalogue's mask inside it, which is 150."""
    lake = DataLake(root=str(tmp_path / "lake"), home=str(tmp_path))
    exact = exact_masks(street, "person")
    found = exact.whole.copy()
    found[20:25, 15:20] = True  # the belt's 5 are there already: 20 more, and the trousers' box has 125 + 25
    mask = lake.masks.put(found)
    image = lake.images.put(np.zeros((SIDE, SIDE, 3), np.uint8))
    own = {"product_id": "1", "variant": "", "image_index": 0, "key": "k", "image_blob": image, "mask_blob": mask}
    empty = {name: None for name in tables.SAM2_MASKS.names if name not in own}
    tables.write(lake.table("sam2_masks"), tables.SAM2_MASKS, [{**own, **empty}])
    segmenter = (BoxSegmenter(), Salient(found)) if prompted else ()
    values, photo_of = CatalogueMasks(lake, *segmenter).ious("person", {"1": exact})
    assert values["person IoU, catalogue"] == {"1": pytest.approx(370 / 390)}
    assert values["garment IoU, catalogue"] == {"1 blouse": pytest.approx(1.0), "1 pants": pytest.approx(pants)}
    assert photo_of == {"1 blouse": "1", "1 pants": "1"}
