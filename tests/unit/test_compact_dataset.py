"""A folder of labelled photos as a training reads it: splits, leaks, what is bad, and what stops it."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from catalog.errors import FormatError
from catalog.training.compact import samples
from catalog.training.compact.dataset import read_dataset


def photo(color: int, side: int = 24) -> bytes:
    """One PNG of its own: a block of one grey on another."""
    pixels = np.full((side, side, 3), 250, np.uint8)
    pixels[4:20, 6:18] = color
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    return encoded.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Two classes: three training photos, one of validation and two of test each, no two alike."""
    color = 0
    for split, count in (("train", 3), ("valid", 1), ("test", 2)):
        for label in ("bag", "shoe"):
            for place in range(count):
                color += 7
                path = tmp_path / split / label / f"{place}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(photo(color))
    return tmp_path


def test_splits_and_classes_are_found_under_their_other_names(folder):
    found = read_dataset(folder)
    assert found.classes == ("bag", "shoe")
    assert found.counts() == {
        "train": {"bag": 3, "shoe": 3},
        "validation": {"bag": 1, "shoe": 1},
        "test": {"bag": 2, "shoe": 2},
    }
    assert not found.carved
    assert found.photos[0].file == "train/bag/0.png"


def test_a_photo_of_two_splits_is_dropped_from_train(folder):
    """The same bytes, under other names; and one that train itself repeats is kept once."""
    (folder / "train/bag/leak.png").write_bytes((folder / "test/bag/0.png").read_bytes())
    (folder / "train/shoe/again.png").write_bytes((folder / "train/shoe/1.png").read_bytes())
    (folder / "valid/shoe/leak.png").write_bytes((folder / "test/shoe/1.png").read_bytes())
    found = read_dataset(folder)
    assert [(one.file, one.reason) for one in found.left_out] == [
        ("train/bag/leak.png", "is in test too: test/bag/0.png"),
        ("train/shoe/again.png", "repeats train/shoe/1.png"),
        ("valid/shoe/leak.png", "is in test too: test/shoe/1.png"),
    ]
    digests = [one.sha256 for one in found.photos]
    assert len(digests) == len(set(digests)) == 12


def test_without_validation_a_part_of_train_stands_for_it(folder):
    """Always the same photos, and never a test photo."""
    for place in range(60):
        (folder / f"train/bag/more{place}.png").write_bytes(photo(100 + place))
    for label in ("bag", "shoe"):
        (folder / f"valid/{label}/0.png").unlink()
    found, again = read_dataset(folder), read_dataset(folder)
    assert found.carved
    assert found.photos == again.photos
    taken = [one for one in found.photos if one.split == "validation"]
    assert 1 <= len(taken) <= 20
    assert all(one.file.startswith("train/") for one in taken)


def test_what_is_no_photo_of_a_class_is_listed(folder):
    """A file beside the classes, links to nothing and to a folder, and a class without a photo; hidden ones not."""
    (folder / "train/readme.txt").write_text("not in a class")
    (folder / "train/bag/gone.png").symlink_to("../nowhere.png")
    (folder / "train/bag/more").symlink_to(folder / "test/shoe")
    (folder / "valid/hat/.cache").mkdir(parents=True)
    (folder / "valid/hat/.cache/0.png").write_bytes(photo(1))
    (folder / "test/.trash").mkdir()
    found = read_dataset(folder)
    assert [(one.file, one.reason) for one in found.passed_over] == [
        ("train/bag/gone.png", "a link to nothing"),
        ("train/bag/more", "a link to a folder"),
        ("train/readme.txt", "lies in no class folder"),
        ("valid/hat", "a class folder without a photo"),
    ]
    assert len(found.photos) == 12


def test_what_stands_for_validation_has_a_photo_of_each_class(folder):
    """Of classes of three at least one goes and at least one stays; the one of a class with a single photo stays."""
    shutil.rmtree(folder / "valid")
    (folder / "train/hat").mkdir()
    (folder / "train/hat/0.png").write_bytes(photo(200))
    (folder / "train/hat/leak.png").write_bytes((folder / "test/bag/0.png").read_bytes())
    counts = read_dataset(folder).counts()
    for label in ("bag", "shoe"):
        assert counts["train"][label] >= 1 and counts["validation"][label] >= 1
    assert (counts["train"]["hat"], counts["validation"]["hat"]) == (1, 0)


def test_no_photo_that_could_stand_for_validation_is_told(folder):
    shutil.rmtree(folder / "valid")
    for label in ("bag", "shoe"):
        for place in (0, 1):
            leaked = (folder / f"test/{label}/{place}.png").read_bytes()
            (folder / f"train/{label}/{place}.png").write_bytes(leaked)
    with pytest.raises(FormatError, match=r"no class has two different training photos.*add photos, or a validation/"):
        read_dataset(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "train").rename(folder / "tra"), "no photo in train/ or training/<class>/"),
        (lambda folder: (folder / "train/bag").rename(folder / "train/.bag"), "one class only"),
        (
            lambda folder: (folder / "test/bag").rename(folder / "test/purse"),
            "classes that train has not: purse",
        ),
        (lambda folder: (folder / "val").mkdir(), "has both valid and val; which one is the validation split"),
        (
            lambda folder: (folder / "train/bag/x.png").write_bytes((folder / "train/shoe/0.png").read_bytes()),
            "are the same photo under two labels",
        ),
        (
            lambda folder: [(folder / f"train/bag/{place}.png").unlink() for place in (0, 1)],
            r"fewer than 2 training photos: bag \(1\)",
        ),
    ],
)
def test_what_stops_a_training_is_told(folder, change, told):
    change(folder)
    with pytest.raises(FormatError, match=told):
        read_dataset(folder)


def test_bad_photos_are_listed_and_never_fatal(folder, tmp_path):
    """A text, nothing at all, and a photo cut short; the rest is used, and comes back from its file as it was."""
    (folder / "train/bag/notes.jpg").write_text("no photo")
    (folder / "train/bag/empty.jpg").write_bytes(b"")
    (folder / "train/shoe/cut.png").write_bytes(photo(1, 200)[:-300])
    found = read_dataset(folder)
    made = samples.make_samples(found, None, None, workers=2)
    assert [one.file for one in made.bad] == ["train/bag/empty.jpg", "train/bag/notes.jpg", "train/shoe/cut.png"]
    assert [one.reason.partition(":")[0] for one in made.bad] == ["empty_file", "not_an_image", "truncated_image"]
    assert made.images.shape == (12, 96, 96, 5)
    samples.write_samples(tmp_path / "samples.npz", made)
    again = samples.read_samples(tmp_path / "samples.npz", found)
    assert again.photos == made.photos
    assert again.bad == made.bad
    assert np.array_equal(again.images, made.images)


def test_a_class_without_a_readable_photo_is_named(folder):
    for path in (folder / "train/shoe").iterdir():
        path.write_text(f"no photo {path.name}")
    with pytest.raises(FormatError, match=r"no readable photo is left of shoe; 3 could not be read.*shoe/0.png"):
        samples.make_samples(read_dataset(folder), None, None, workers=1)


def test_samples_that_were_damaged_are_refused(folder, tmp_path):
    found = read_dataset(folder)
    samples.write_samples(tmp_path / "samples.npz", samples.make_samples(found, None, None, workers=1))
    whole = (tmp_path / "samples.npz").read_bytes()
    (tmp_path / "samples.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"can't be read.*materialize `training_dataset` again"):
        samples.read_samples(tmp_path / "samples.npz", found)


def test_the_product_fills_its_square_and_its_ground_stays_beside_it():
    """A 10 x 4 product in a 30 x 20 photo: a square of 12, margin 1, that reaches over no edge."""
    image = np.full((30, 20, 3), 90, np.uint8)
    mask = np.zeros((30, 20), bool)
    mask[5:15, 8:12] = True
    image[mask] = 200
    square = samples.product_square(image, mask, 12)
    assert square.shape == (12, 12, 5)
    assert square[..., samples.INSIDE].min() == 255
    assert (square[..., samples.PRODUCT] == 255).sum() == 40
    white = samples.on_white(square)
    assert sorted(set(white.ravel().tolist())) == [200, 255]
    assert (white[..., 0] == 200).sum() == 40
