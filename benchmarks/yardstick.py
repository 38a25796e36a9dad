"""What plain public networks reach on the protocols of `lookbook evaluate`: the yardstick that ours is held to.

    python benchmarks/yardstick.py --data ../shared/data --weights ../shared/weights --json yardstick.json [--cut-out]
    lookbook evaluate ../shared/data --against yardstick.json

ImageNet MobileNetV2's embedding, the mean and the deviation of SqueezeNet's texture maps, and a 26-bin HSV histogram
(18 hue, 4 saturation, 4 value), each of length 1, their cosines weighted 0.50, 0.30, 0.20; the whole gallery is ranked,
nothing is routed or reranked. With --cut-out U2NetP cuts gallery and queries out first. Its class is that of the
nearest neighbour. Photos are remembered in --work, so that a second run takes seconds.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from assets.evaluation import cut_outs, seen_in_training
from assets.evaluation.copies import with_copies
from assets.evaluation.drawn_shop import drawn_shop
from catalog.errors import ImageError
from catalog.evaluation import evaluation_report, protocol_scores, protocols
from catalog.evaluation.evaluation_report import FULL, Measured
from catalog.evaluation.labelled_photos import MANIFEST, Photo, read_manifest
from catalog.evaluation.protocol_scores import PLACES, Ranked
from catalog.evaluation.protocols import FABRIC, GROCERY, LUMA, MASKS, PRINTS, ROUTING, SAMPLE, Protocol
from catalog.features.routing import l2_normalize
from catalog.formats import digests
from catalog.training import teachers
from catalog.vision.crops import crop_product
from catalog.vision.decoding import PhotoLimits, decode_photo
from catalog.vision.masks import intersection_over_union, product_mask
from resources.data_lake import DataLake

WEIGHTS = (0.50, 0.30, 0.20)  # semantic, texture, colour
HUES, LEVELS = 18, 4
RETRIEVAL = (LUMA, FABRIC, PRINTS, ROUTING, GROCERY, SAMPLE)


class Describer:
    """Describes photos, and remembers what it said of each in a folder."""

    def __init__(self, weights: Path, work: Path, *, cut_out: bool) -> None:
        """Open the networks in `weights`."""
        self._semantic, self._texture, self._saliency = (
            teachers.open_teacher(weights, file)
            for file in (teachers.EMBEDDING_FILE, teachers.TEXTURE_FILE, teachers.SALIENCY_FILE)
        )
        self.work = work
        self._cut_out = cut_out
        self._kept = work / ("cut_out" if cut_out else "whole")
        self._masks = work / "masks"

    def vector(self, photo: Photo) -> np.ndarray:
        """All three parts of one photo, weighted, so that a dot product is the weighted cosine.

        Raises: ImageError for a file that is no usable photo; OSError for none.
        """
        return self._remembered(self._kept, photo, self._described)

    def mask(self, photo: Photo) -> np.ndarray:
        """U2NetP's cut-out, (height, width) bool."""
        packed = self._remembered(self._masks, photo, self._masked)
        shape = packed[:2].astype(int)
        return np.asarray(packed[2:].reshape(shape) > 0)

    def _remembered(self, folder: Path, photo: Photo, make: Callable[[Photo], np.ndarray]) -> np.ndarray:
        path = folder / f"{digests.of_file(photo.file)}.npy"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = make(photo)
            beside = path.with_suffix(".part")
            with beside.open("wb") as file:
                np.save(file, made, allow_pickle=False)
            beside.replace(path)
        return np.asarray(np.load(path, allow_pickle=False))

    def _masked(self, photo: Photo) -> np.ndarray:
        image = _pixels(photo)
        saliency = teachers.saliency_mask(self._saliency, image).astype(np.float32) / 255
        mask = product_mask(saliency, image.shape[1], image.shape[0]).binary_mask
        return np.concatenate([np.array(mask.shape, np.float32), mask.ravel().astype(np.float32)])

    def _described(self, photo: Photo) -> np.ndarray:
        image = _pixels(photo)
        mask = np.ones(image.shape[:2], bool)
        if self._cut_out:
            crop = crop_product(image, self.mask(photo), 512)
            image, mask = crop.image_hwc, crop.binary_mask
        side = teachers.TEXTURE_SIDE_PX
        small = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
        pixels = (small[..., ::-1].astype(np.float32) - teachers.CAFFE_MEAN).transpose(2, 0, 1)
        cells = self._texture.run(["texture_map"], {"input": pixels[None]})[0][0].reshape(256, -1)
        texture = np.concatenate([cells.mean(axis=1), cells.std(axis=1)])
        parts = (teachers.embeddings(self._semantic, image[None])[0], texture, hsv_histogram(image[mask]))
        weighted = [np.sqrt(w) * l2_normalize(part[None])[0] for w, part in zip(WEIGHTS, parts, strict=True)]
        return np.concatenate(weighted).astype(np.float32)


def hsv_histogram(pixels: np.ndarray) -> np.ndarray:
    """(n, 3) uint8 sRGB pixels: 18 bins of hue, 4 of saturation, 4 of value; each group sums to 1."""
    hue, saturation, value = (np.asarray(Image.fromarray(pixels[None]).convert("HSV"))[0, :, n] for n in range(3))
    groups = ((hue, HUES), (saturation, LEVELS), (value, LEVELS))
    return np.concatenate(
        [np.bincount(channel.astype(int) * bins // 256, minlength=bins) / len(pixels) for channel, bins in groups]
    )


def _pixels(photo: Photo) -> np.ndarray:
    return decode_photo(photo.file.read_bytes(), PhotoLimits()).image_hwc


def measure(protocol: Protocol, describer: Describer) -> Measured:
    """Rank the whole gallery for every query; the same queries are left out as for ours."""
    problems: list[tuple[str, str]] = []
    vectors: dict[str, np.ndarray] = {}
    digest_of: dict[str, str] = {}
    for photo in {photo.name: photo for photo in (*protocol.gallery, *protocol.queries)}.values():
        try:
            vectors[photo.name] = describer.vector(photo)
            digest_of[photo.name] = digests.of_file(photo.file)
        except (ImageError, OSError) as error:
            problems.append((photo.name, str(error)))
    labels = [photo for photo in protocol.gallery if photo.name in vectors]
    looks = DataLake(root=str(describer.work / "looks"), home=str(describer.work))
    asked = protocols.askable(with_copies(protocol, labels, digest_of, looks), labels)
    asked = replace(
        asked,
        queries=tuple(
            query
            for query in asked.queries
            if query.name in vectors and not seen_in_training.by_encoders(protocol, query)
        ),
    )
    gallery = np.stack([vectors[photo.name] for photo in labels])
    answers = [_answer(asked, query, labels, gallery @ vectors[query.name]) for query in asked.queries]
    return Measured(
        gallery=len(labels),
        queries=len(asked.queries),
        problems=problems,
        notes=[f"left out, {why}: {len(names)} photos" for why, names in asked.left_out.items()],
        chance=protocol_scores.chance(protocol, labels),
        groups={query.name: protocols.group_of(protocol, query) for query in asked.queries},
        rows={FULL: protocol_scores.score(asked, answers, labels)},
    )


def _answer(protocol: Protocol, query: Photo, labels: Sequence[Photo], cosines: np.ndarray) -> Ranked:
    left_out = set(protocols.left_out_rows(protocol, query, labels))
    order = [row for row in np.argsort(-cosines, kind="stable") if row not in left_out]
    ranked = [labels[row] for row in order]
    products = _one_each(ranked, lambda photo: photo.product_id)
    within = [photo for photo in products if photo.category == query.category and photo.product_id != query.product_id]
    return Ranked(
        query=query,
        products=tuple(products[:PLACES]),
        variants=tuple(_one_each(ranked, lambda photo: (photo.product_id, photo.variant))[:PLACES]),
        whole=tuple(ranked),
        within=tuple(within[:PLACES]),
        searched=(ranked[0].category,) if protocol.name == ROUTING and ranked else (),
    )


def _one_each(ranked: Sequence[Photo], of: Callable[[Photo], object]) -> list[Photo]:
    first: dict[object, Photo] = {}
    for photo in ranked:
        first.setdefault(of(photo), photo)
    return list(first.values())


def measure_masks(photos: Sequence[Photo], describer: Describer) -> Measured:
    """U2NetP's own masks."""
    measured = Measured(gallery=0, queries=0, rows={FULL: {}})
    for subject, own in protocols.choose_masked(photos).items():
        for photo in own:
            if seen_in_training.by_segmenter(photo):
                continue
            try:
                iou = intersection_over_union(describer.mask(photo), cut_outs.exact_masks(photo, subject).whole)
            except (ImageError, OSError) as error:
                measured.problems.append((photo.name, str(error)))
                continue
            measured.rows[FULL].setdefault(f"{subject} IoU, query", {})[photo.name] = iou
            measured.groups[photo.name] = photo.product_id
            measured.queries += 1
    return measured


def main() -> None:
    """Print Markdown, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("evaluation", "yardstick"))
    parser.add_argument("--cut-out", action="store_true", help="by U2NetP, which takes half a second a photo")
    parser.add_argument("--protocol", action="append", choices=(*RETRIEVAL, MASKS), help="only this one")
    parser.add_argument("--sample-products", type=int, default=700)
    options = parser.parse_args()
    ort.set_default_logger_severity(3)
    photos = read_manifest(options.data)
    describer = Describer(options.weights, options.work, cut_out=options.cut_out)
    parts = {}
    for name in options.protocol or (*RETRIEVAL, MASKS):
        if name == MASKS:
            found = measure_masks(photos, describer)
            parts[name] = evaluation_report.protocol_report(found) if found.queries else {"left_out": "no rows"}
            continue
        shop = options.work.parent / f"sample_shop_{options.sample_products}"
        protocol = drawn_shop(shop, options.sample_products) if name == SAMPLE else protocols.choose(name, photos)
        if protocol is None or not protocol.gallery or not protocol.queries:
            parts[name] = {"left_out": protocols.NO_ROWS}
            continue
        print(f"{name}: {len(protocol.gallery)} photos, {len(protocol.queries)} queries", file=sys.stderr, flush=True)
        parts[name] = evaluation_report.protocol_report(measure(protocol, describer))
    report = {
        "format": evaluation_report.FORMAT,
        "format_version": evaluation_report.FORMAT_VERSION,
        "subject": f"the yardstick, {'cut out by U2NetP' if options.cut_out else 'whole photos'}",
        "data": options.data.resolve().name,
        "manifest_sha256": digests.of_file(options.data / MANIFEST),
        "protocols": parts,
    }
    evaluation_report.write(options.json, report)
    print(evaluation_report.as_markdown(report))


if __name__ == "__main__":
    main()
