"""The photos of a dataset as the network learns from them: decoded, cut out once, small, kept in one file."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from catalog.errors import FormatError, ImageError
from catalog.features.inference import PixelModel
from catalog.formats import atomic
from catalog.training.compact.dataset import Dataset, LeftOut, Photo
from catalog.vision import plain_ground
from catalog.vision.crops import BACKGROUND, MARGIN
from catalog.vision.decoding import PhotoLimits, decode_photo

SIDE_PX = 96  # of a kept cut-out: room to turn and to move before it is brought to the network's side
CUT_OUT_SIDE_PX = 256  # of what a teacher is shown
LIMITS = PhotoLimits(min_side_px=8)
PRODUCT, INSIDE = 3, 4  # the planes behind red, green and blue: 255 on the product; 255 where the photo is

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Samples:
    """Rows in the dataset's order; photos that could not be used have none."""

    photos: tuple[Photo, ...]
    images: np.ndarray  # (n, 96, 96, 5) uint8: the product's square with its ground, and the two planes
    teacher: np.ndarray  # (n, dim) float32 of length 1; (n, 0) where nobody teaches
    bad: tuple[LeftOut, ...]

    def rows(self, split: str) -> np.ndarray:
        """The places of a split's photos."""
        return np.array([place for place, photo in enumerate(self.photos) if photo.split == split], np.int64)


def make_samples(
    dataset: Dataset,
    segmenter: PixelModel | None,
    teacher: PixelModel | None,
    *,
    workers: int,
    report: Report = lambda done, total: None,
) -> Samples:
    """Decode and cut out every photo; without a `segmenter` the whole photo is the product.

    A photo that can't be read is listed, never fatal. Raises: FormatError when that leaves a class or a split empty.
    """
    done = 0

    def prepare(photo: Photo) -> tuple[np.ndarray, np.ndarray] | LeftOut:
        nonlocal done
        try:
            image = decode_photo((dataset.folder / photo.file).read_bytes(), LIMITS, photo.file).image_hwc
        except ImageError as error:
            return LeftOut(photo.file, str(error))
        except OSError as error:
            return LeftOut(photo.file, f"can't be read ({error.strerror})")
        finally:
            done += 1
            report(done, len(dataset.photos))
        mask = (
            np.ones(image.shape[:2], bool)
            if segmenter is None
            else plain_ground.cut_out(segmenter.run(image), image).binary_mask
        )
        square = product_square(image, mask, CUT_OUT_SIDE_PX)
        vector = np.zeros(0, np.float32) if teacher is None else teacher.run(on_white(square))
        return _reduced(square), vector

    with ThreadPoolExecutor(workers) as pool:
        made = list(pool.map(prepare, dataset.photos))
    bad = tuple(one for one in made if isinstance(one, LeftOut))
    kept = [(photo, one) for photo, one in zip(dataset.photos, made, strict=True) if not isinstance(one, LeftOut)]
    photos = tuple(photo for photo, _ in kept)
    _check_left(dataset, photos, bad)
    images = np.stack([image for _, (image, _) in kept])
    return Samples(photos, images, np.stack([vector for _, (_, vector) in kept]), bad)


def product_square(image_hwc: np.ndarray, binary_mask: np.ndarray, side: int) -> np.ndarray:
    """The square around a photo's product, ground and all, with the two planes: (side, side, 5) uint8."""
    rows, columns = np.flatnonzero(binary_mask.any(axis=1)), np.flatnonzero(binary_mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    longer = max(bottom - top, right - left)
    whole = int(longer + 2 * max(1, round(MARGIN * longer)))
    first_row, first_column = int((top + bottom - whole) // 2), int((left + right - whole) // 2)
    box = (first_column, first_row, first_column + whole, first_row + whole)
    levels = binary_mask.astype(np.uint8) * np.uint8(255)
    planes = (image_hwc, levels, np.full_like(levels, 255))
    cut = [Image.fromarray(plane).crop(box).resize((side, side), Image.Resampling.BICUBIC) for plane in planes]
    return np.dstack([np.asarray(plane) for plane in cut])


def on_white(square: np.ndarray) -> np.ndarray:
    """The product alone on white, as the catalogue's own crops are: (..., side, side, 3) uint8 of five planes."""
    return np.where(square[..., PRODUCT : PRODUCT + 1] >= 128, square[..., :3], np.uint8(BACKGROUND))


def write_samples(path: Path, samples: Samples) -> None:
    """Keep the arrays and the files that could not be used."""
    used = np.array([photo.file for photo in samples.photos])
    told = np.array([[one.file, one.reason] for one in samples.bad]).reshape(-1, 2)
    with atomic.write_beside(path) as beside, beside.open("wb") as file:
        np.savez(file, images=samples.images, teacher=samples.teacher, files=used, bad=told)


def read_samples(path: Path, dataset: Dataset) -> Samples:
    """What `write_samples` kept. Raises: FormatError when it is not of this dataset or was damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            files, bad = kept["files"].tolist(), kept["bad"].tolist()
            images, teacher = kept["images"], kept["teacher"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise FormatError(f"{path}: can't be read ({error}); materialize `training_dataset` again") from error
    by_file = {photo.file: photo for photo in dataset.photos}
    if not set(files) <= set(by_file) or not len(files) == len(images) == len(teacher):
        raise FormatError(f"{path}: is of another dataset; materialize `training_dataset` again")
    return Samples(tuple(by_file[file] for file in files), images, teacher, tuple(LeftOut(*one) for one in bad))


def _reduced(square: np.ndarray) -> np.ndarray:
    planes = (square[..., :3], square[..., PRODUCT], square[..., INSIDE])
    size, way = (SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC
    return np.dstack([np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size, way)) for plane in planes])


def _check_left(dataset: Dataset, photos: Sequence[Photo], bad: Sequence[LeftOut]) -> None:
    there = {(photo.split, photo.label) for photo in photos}
    lost = [name for name in dataset.classes if ("train", name) not in there]
    splits = [split for split in ("validation", "test") if split not in {photo.split for photo in photos}]
    if lost or splits:
        first = f" (the first: {bad[0].file}: {bad[0].reason})" if bad else ""
        carved = "; validation is a part of train, as it has no folder: add one" if dataset.carved else ""
        raise FormatError(
            f"{dataset.folder}: no readable photo is left of {', '.join([*lost, *splits])}; {len(bad)} could not be "
            f"read{first}{carved}"
        )
