"""What the embedded models learn from, made once and kept in a run's folder: masks, drawn products, cut-outs, views."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from catalog.formats import atomic
from catalog.sample_catalog.write import write_sample_catalog
from catalog.training import street, teachers
from catalog.training.crops import TrainingCrop, TrainingProduct, product_views, product_windows, scene_views
from catalog.training.photos import LabelledPhoto
from catalog.training.segmenter_data import MaskedPhoto
from catalog.vision import crops, plain_ground

DRAWN_SEED = 1001  # never the demo's shop, which has another
SEGMENTER_SIDE_PX, CROP_SIDE_PX = 360, 320
STREET_AGAIN = 1  # times more that a segmenter is shown people of the street: their masks are exact
PRINT_OF = {"dotted": "polka_dot"}  # hand-set print classes that go by another name in the drawn shop

Report = Callable[[str, int, int], None]  # what is being made, done, of how many


@dataclass(frozen=True)
class Material:
    """Where a run keeps what it makes, and what it makes it from."""

    run_dir: Path
    weights_dir: Path  # the teachers'
    photos: Sequence[LabelledPhoto]  # of garments alone
    worn: Sequence[LabelledPhoto]  # of people: a shop's models, the street
    drawn_products: int
    report: Report

    def saliency(self, photo: LabelledPhoto) -> Path:
        """A photo's saliency: by its labels, or by the teacher, (320, 320) PNG."""
        return self.run_dir / "saliency" / (photo.name.replace("/", "__") + ".png")

    def make_saliency(self) -> None:
        """Take it from the labels where there are some; run the teacher over every other photo that has none yet."""
        waiting = [photo for photo in (*self.photos, *self.worn) if not self.saliency(photo).exists()]
        if not waiting:
            return
        teacher = teachers.open_teacher(self.weights_dir, teachers.SALIENCY_FILE)
        for done, photo in enumerate(waiting, start=1):
            if photo.labels:
                found = street.person(photo.labels).astype(np.uint8) * np.uint8(255)
            else:
                found = teachers.saliency_mask(teacher, _pixels(photo.path))
            with atomic.write_beside(self.saliency(photo)) as beside:
                Image.fromarray(found).save(beside, "PNG")
            self.report("saliency", done, len(waiting))

    def draw(self, workers: int) -> None:
        """Draw the products to learn from: a catalogue photo and a phone photo of each, with exact masks."""
        folder = self.run_dir / "drawn"
        if (folder / "queries.csv").exists():
            return
        write_sample_catalog(
            folder,
            seed=DRAWN_SEED,
            products=self.drawn_products,
            queries=self.drawn_products,
            workers=workers,
            progress=lambda done, total: self.report("drawn photos", done, total),
        )

    def masked_photos(self) -> tuple[list[MaskedPhoto], list[MaskedPhoto], list[MaskedPhoto]]:
        """(garments, people, drawn) photos with the saliency of their product."""
        alone, worn = (
            [_masked(photo.path, self.saliency(photo)) for photo in photos] for photos in (self.photos, self.worn)
        )
        folder = self.run_dir / "drawn"
        worn += STREET_AGAIN * [photo for photo, of in zip(worn, self.worn, strict=True) if of.labels]
        return alone, worn, [_masked(folder / row["image"], folder / row["mask"]) for row in self._drawn_rows()]

    def products(self) -> list[TrainingProduct]:
        """Cut-outs of every photo of a garment alone, each its own product, and of every drawn product variant."""
        found = []
        for photo in self.photos:
            pattern = PRINT_OF.get(photo.pattern, photo.pattern)
            found.append(TrainingProduct((self._cut_out(photo),), photo.category, pattern, "alone"))
        together = defaultdict(list)
        for row in self._drawn_rows():
            together[row["product_id"], row["variant"]].append(row)
        folder = self.run_dir / "drawn"
        for rows in together.values():
            taken = []
            for row in rows:
                with Image.open(folder / row["mask"]) as picture:
                    mask = np.asarray(picture.convert("L")) >= 128
                taken.append(_crop(_pixels(folder / row["image"]), mask))
            found.append(TrainingProduct(tuple(taken), rows[0]["category"], rows[0]["pattern"], "drawn"))
        return found

    def worn_products(self) -> list[TrainingProduct]:
        """Cut-outs of people: all photos of one product of the shop together, and every garment of the street."""
        together = defaultdict(list)
        for photo in self.worn:
            if photo.labels is None:
                together[photo.product].append(photo)
        found = [
            TrainingProduct(tuple(map(self._cut_out, same)), same[0].category, same[0].pattern, "worn")
            for same in together.values()
        ]
        for photo in self.worn:
            if photo.labels:
                image = _pixels(photo.path)
                found += [
                    TrainingProduct((_crop(image, mask),), category, "", "worn")
                    for category, mask in street.garments(photo.labels)
                ]
        return found

    def _cut_out(self, photo: LabelledPhoto) -> TrainingCrop:
        image = _pixels(photo.path)
        with Image.open(self.saliency(photo)) as picture:
            saliency = np.asarray(picture, np.float32) / 255
        return _crop(image, plain_ground.cut_out(saliency, image).binary_mask)

    def views(
        self, products: Sequence[TrainingProduct], name: str, side: int, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Views of every product and what the embedding teacher makes of them, memory-mapped; made once a `name`."""
        return self._seen(
            f"{name}-{side}",
            len(products),
            lambda place: product_views(products[place], side, np.random.default_rng([seed, 0, place])),
            teachers.EMBEDDING_FILE,
            teachers.embeddings,
        )

    def scenes(self, photos: Sequence[LabelledPhoto], name: str, side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Windows of every photo and what the embedding teacher makes of them, memory-mapped; made once a `name`."""
        return self._seen(
            f"{name}-{side}",
            len(photos),
            lambda place: scene_views(_pixels(photos[place].path), side, np.random.default_rng([seed, 1, place])),
            teachers.EMBEDDING_FILE,
            teachers.embeddings,
        )

    def windows(
        self, products: Sequence[TrainingProduct], name: str, side: int, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Windows of every product with their masks, and the texture teacher's word on them; made once a `name`."""
        return self._seen(
            f"{name}-{side}",
            len(products),
            lambda place: product_windows(products[place], side, np.random.default_rng([seed, 2, place])),
            teachers.TEXTURE_FILE,
            lambda teacher, seen: teachers.textures(teacher, seen[..., :3], seen[..., 3] > 0),
        )

    def _seen(
        self,
        name: str,
        count: int,
        views_of: Callable[[int], np.ndarray],
        teacher_file: str,
        said_of: Callable[[ort.InferenceSession, np.ndarray], np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        images_file, said_file = self.run_dir / f"{name}.npy", self.run_dir / f"{name}-teacher.npy"
        if not said_file.exists():
            teacher = teachers.open_teacher(self.weights_dir, teacher_file)
            with atomic.write_beside(images_file) as beside:
                first = views_of(0)
                images = np.lib.format.open_memmap(beside, "w+", np.uint8, (count, *first.shape))
                said = []
                for place in range(count):
                    images[place] = views_of(place) if place else first
                    said.append(said_of(teacher, images[place]))
                    self.report(name, place + 1, count)
                images.flush()
            with atomic.write_beside(said_file) as beside, beside.open("wb") as file:
                np.save(file, np.stack(said))
        return np.load(images_file, mmap_mode="r"), np.load(said_file)

    def _drawn_rows(self) -> Iterator[dict[str, str]]:
        for name in ("feed.csv", "queries.csv"):
            with (self.run_dir / "drawn" / name).open(encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file)


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


def _masked(photo: Path, mask: Path) -> MaskedPhoto:
    with Image.open(photo) as opened:
        image = opened.convert("RGB")
    image.thumbnail((SEGMENTER_SIDE_PX, SEGMENTER_SIDE_PX), Image.Resampling.BICUBIC)
    with Image.open(mask) as opened:
        saliency = opened.convert("L").resize(image.size, Image.Resampling.BILINEAR)
    return MaskedPhoto(np.asarray(image), np.asarray(saliency))


def _crop(image: np.ndarray, mask: np.ndarray) -> TrainingCrop:
    crop = crops.crop_product(image, mask if mask.any() else np.ones_like(mask), CROP_SIDE_PX)
    return TrainingCrop(crop.image_hwc, crop.binary_mask)
