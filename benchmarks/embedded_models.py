"""Scores of the embedded models, each alone, on photos that no training has seen: what their cards say.

    python benchmarks/embedded_models.py --data ../shared/data [--weights ../shared/weights]

- segmenter: IoU with exact or hand-made masks (drawn shop, renders, street photos: the person) and, on held-out
  senders' photos, with U2NetP, which taught it; U2NetP itself beside it where its weights are at hand.
- semantic encoder: the class of held-out senders' photos by the nearest of ten prototypes (mean of the training
  senders' photos), by the nearest neighbour, and by the encoder's own head.
- texture encoder: FingerCam success@1; print precision@10 among held-out senders' photos, the same sender's left out;
  print precision@10 of the drawn shop's query photos on its catalogue.
Every interval is a 95 % bootstrap over groups: senders, fabrics, products.
"""

import argparse
import csv
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.evaluation import measures
from catalog.features.inference import PixelModel
from catalog.model_descriptions import MODELS
from catalog.onnx_export.float_models import head_prototypes
from catalog.sample_catalog.write import write_sample_catalog
from catalog.training import photos, teachers
from catalog.vision import plain_ground
from catalog.vision.crops import crop_product
from catalog.vision.decoding import PhotoLimits, decode_photo
from catalog.vision.masks import intersection_over_union, product_mask
from resources.inference import each
from resources.model_store import ModelStore

PRINTS = ("checked", "floral", "plain", "striped")
SAMPLE_SEED, SAMPLE_PRODUCTS, SAMPLE_QUERIES = 7, 200, 120
Crop = tuple[np.ndarray, np.ndarray]


def main() -> None:
    """Print one Markdown table a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = ModelStore(root=str(Path(folder, "models")))
        ours = [row for row in MODELS.values() if row.source.startswith("embedded:")]
        opened = {row.name: PixelModel(store.float_model(row.name), row.output) for row in ours}
        shop = Path(folder, "shop")
        write_sample_catalog(shop, seed=SAMPLE_SEED, products=SAMPLE_PRODUCTS, queries=SAMPLE_QUERIES)
        manifest = read_rows(options.data / "manifest.csv")
        training, held_out = photos.cc0_photos(options.data)
        segmenter = opened["lookbook-segmenter"]
        score_segmenter(segmenter, options, manifest, held_out, shop)
        training = [photo for photo in training if photo.name.startswith("clothing/")]
        cut = lambda path: cut_out(segmenter, path)  # noqa: E731
        train_crops, held_crops = (each(cut, [photo.path for photo in part]) for part in (training, held_out))
        score_semantic(opened["lookbook-semantic"], store, training, held_out, train_crops, held_crops)
        score_texture(opened["lookbook-texture"], options.data, manifest, held_out, held_crops, shop, cut)


def score_segmenter(
    segmenter: PixelModel,
    options: argparse.Namespace,
    manifest: Sequence[dict[str, str]],
    held_out: Sequence[photos.LabelledPhoto],
    shop: Path,
) -> None:
    """IoU on every set that has masks."""
    teacher = teachers.open_teacher(options.weights, teachers.SALIENCY_FILE) if options.weights else None

    def ours(image: np.ndarray) -> np.ndarray:
        return plain_ground.cut_out(segmenter.run(image), image).binary_mask

    def theirs(image: np.ndarray) -> np.ndarray:
        saliency = teachers.saliency_mask(teacher, image).astype(np.float32) / 255
        return product_mask(saliency, image.shape[1], image.shape[0]).binary_mask

    def drawn(name: str) -> list[tuple[Path, Path | None, str]]:
        return [(shop / r["image"], shop / r["mask"], r["product_id"]) for r in read_rows(shop / name)]

    def real(source: str) -> list[tuple[Path, Path | None, str]]:
        rows = [r for r in manifest if r["path"].startswith(f"{source}/")]
        return [
            (options.data / r["path"], options.data / m if (m := r["mask_path"]) else None, r["path"]) for r in rows
        ]

    sets = {
        "drawn shop, catalogue": drawn("feed.csv"),
        "drawn shop, phone": drawn("queries.csv"),
        "renders on white (saleor)": real("saleor"),
        "held-out street photos, the person (ccp)": [
            entry for entry in real("ccp") if photos.is_held_out_photo(entry[2])
        ],
    }
    print("| segmenter, IoU | lookbook-segmenter | U2NetP |\n|---|---|---|")
    for name, entries in sets.items():
        exact = [(photo(path), exact_mask(path, mask)) for path, mask, _ in entries]
        groups = [group for _, _, group in entries]
        cells = []
        for model in [ours, *([theirs] if teacher else [])]:
            values = [intersection_over_union(model(image), mask) for image, mask in exact]
            cells.append(str(measures.estimate(values, groups)))
        print(f"| {name} | {' | '.join(cells)} |{'' if teacher else ' |'}")
    if teacher:
        images = [photo(entry.path) for entry in held_out]
        values = [intersection_over_union(ours(image), theirs(image)) for image in images]
        told = measures.estimate(values, senders(held_out))
        print(f"| held-out phone photos, with U2NetP's masks | {told} | 1 |")


def score_semantic(
    encoder: PixelModel,
    store: ModelStore,
    training: Sequence[photos.LabelledPhoto],
    held_out: Sequence[photos.LabelledPhoto],
    train_crops: Sequence[Crop],
    held_crops: Sequence[Crop],
) -> None:
    """The class of held-out photos, three ways."""
    gallery, queries = (np.stack([encoder.run(*crop) for crop in part]) for part in (train_crops, held_crops))
    classes = np.array([entry.category for entry in training])
    wanted = np.array([entry.category for entry in held_out])
    names = sorted(set(classes))
    means = np.stack([gallery[classes == name].mean(axis=0) for name in names])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    head = head_prototypes(store.source("lookbook-semantic").read_bytes())
    known = [name for name in head if name in names]
    answers = {
        "nearest of ten prototypes": np.array(names)[np.argmax(queries @ means.T, axis=1)],
        "nearest neighbour": classes[np.argmax(queries @ gallery.T, axis=1)],
        "its own head, ten classes": np.array(known)[np.argmax(queries @ np.stack([head[n] for n in known]).T, axis=1)],
    }
    print("\n| semantic encoder, class of held-out phone photos | accuracy |\n|---|---|")
    for name, found in answers.items():
        print(f"| {name} | {measures.estimate((found == wanted).astype(float), senders(held_out))} |")


def score_texture(
    encoder: PixelModel,
    data: Path,
    manifest: Sequence[dict[str, str]],
    held_out: Sequence[photos.LabelledPhoto],
    held_crops: Sequence[Crop],
    shop: Path,
    cut: Callable[[Path], Crop],
) -> None:
    """Fabrics known again, and prints among prints."""
    print("\n| texture encoder | score |\n|---|---|")
    fabrics = [r for r in manifest if r["source"] == "fingercam" or r["path"].startswith("fingercam/")]
    whole = {r["path"]: encoder.run(image := photo(data / r["path"]), np.ones(image.shape[:2], bool)) for r in fabrics}
    gallery = [r for r in fabrics if r["role"] == "gallery"]
    queries = [r for r in fabrics if r["role"] == "query"]
    matrix = np.stack([whole[r["path"]] for r in gallery])
    found = [gallery[int(np.argmax(matrix @ whole[r["path"]]))]["product_id"] == r["product_id"] for r in queries]
    told = measures.estimate([float(f) for f in found], [r["product_id"] for r in queries])
    print(f"| FingerCam: the same fabric first | {told} |")

    vectors = np.stack([encoder.run(*crop) for crop in held_crops])
    labelled = [place for place, entry in enumerate(held_out) if entry.pattern in PRINTS]
    values: dict[str, list[float]] = {name: [] for name in PRINTS}
    groups: dict[str, list[str]] = {name: [] for name in PRINTS}
    for place in labelled:
        own = held_out[place]
        others = [other for other in labelled if held_out[other].sender_id != own.sender_id]
        order = np.argsort(-(vectors[others] @ vectors[place]), kind="stable")[:10]
        ranked = [held_out[others[i]].pattern for i in order]
        values[own.pattern].append(measures.precision_at_k(ranked, own.pattern, 10))
        groups[own.pattern].append(own.sender_id)
    for name in PRINTS:
        told = measures.estimate(values[name], groups[name])
        print(f"| print precision@10, {name} (prevalence {len(values[name]) / len(labelled):.2f}) | {told} |")

    drawn, asked = read_rows(shop / "feed.csv"), read_rows(shop / "queries.csv")
    index, searched = (np.stack([encoder.run(*cut(shop / row["image"])) for row in rows]) for rows in (drawn, asked))
    drawn_values = []
    for row, vector in zip(asked, searched, strict=True):
        others = [n for n, r in enumerate(drawn) if r["product_id"] != row["product_id"]]
        order = np.argsort(-(index[others] @ vector), kind="stable")[:10]
        drawn_values.append(measures.precision_at_k([drawn[others[i]]["pattern"] for i in order], row["pattern"], 10))
    told = measures.estimate(drawn_values, [r["product_id"] for r in asked])
    print(f"| print precision@10, drawn shop, the product itself left out (8 prints) | {told} |")


def cut_out(segmenter: PixelModel, path: Path) -> Crop:
    """A photo's product as the catalogue cuts it out."""
    image = photo(path)
    mask = plain_ground.cut_out(segmenter.run(image), image).binary_mask
    crop = crop_product(image, mask, 512)
    return crop.image_hwc, crop.binary_mask


def photo(path: Path) -> np.ndarray:
    """A photo as the catalogue decodes it."""
    return decode_photo(path.read_bytes(), PhotoLimits()).image_hwc


def exact_mask(path: Path, mask: Path | None) -> np.ndarray:
    """A photo's exact mask: its own alpha where there is no file; any label but 0 is the product."""
    with Image.open(mask or path) as opened:
        if mask is None:
            return np.asarray(opened.convert("RGBA"))[..., 3] >= 128
        values = np.asarray(opened) if opened.mode in ("P", "L") else np.asarray(opened.convert("L"))
    return values > 0


def read_rows(path: Path) -> list[dict[str, str]]:
    """A CSV file's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def senders(entries: Sequence[photos.LabelledPhoto]) -> list[str]:
    """Who sent each photo."""
    return [entry.sender_id for entry in entries]


if __name__ == "__main__":
    main()
