"""A small data folder of the manifest's shape, drawn: a few photos of every protocol, and some that can't be read."""

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.sample_catalog.photos import draw_catalog_photo, draw_query_photo
from catalog.sample_catalog.plan import ProductPlan, plan_shop

COLUMNS = (
    "path", "split", "source", "task", "category", "product_id", "variant_id", "colour", "role", "pattern",
    "mask_path", "sender_id", "notes",
)  # fmt: skip
SIDE_PX = 160


class LabelledFolder:
    """Writes photos, and then their manifest."""

    def __init__(self, root: Path) -> None:
        """`root` is made."""
        self.root = root
        self.rows: list[dict[str, str]] = []

    def add(self, path: str, pixels: np.ndarray, source: str, **cells: str) -> None:
        """A photo with its row."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
        self.rows.append({"path": path, "source": source, "split": "held back", **cells})

    def finish(self) -> Path:
        """Write the manifest; returns the folder."""
        write_manifest(self.root, self.rows)
        return self.root


def write_manifest(root: Path, rows: list[dict[str, str]]) -> None:
    """Write the manifest's rows."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)


def draw(plan: ProductPlan, *, query: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A small photo of a product and its mask: the shop's own, or a phone's."""
    drawn = draw_catalog_photo(plan, 0, 0) if query is None else draw_query_photo(plan, 0, query)
    image, mask = (Image.fromarray(part) for part in (drawn.image_hwc, drawn.mask))
    image.thumbnail((SIDE_PX, SIDE_PX))
    return np.asarray(image), np.asarray(mask.convert("L").resize(image.size))


def write_labelled_folder(root: Path) -> Path:
    """Every protocol in a handful of photos; one of luma's is missing and one of grocery's is no picture."""
    folder, plans = LabelledFolder(root), plan_shop(5, 12)
    drawn = {plan.number: draw(plan) for plan in plans}
    asked = {number: draw(plans[number], query=1) for number in range(4)}
    for plan in plans[:6]:
        named = {"category": plan.category, "product_id": f"shop:{plan.number}", "variant_id": f"shop:{plan.number}:a"}
        own = {**named, "colour": "red", "task": "instance+colour retrieval"}
        folder.add(f"luma/{plan.number}.png", drawn[plan.number][0], "luma", role="gallery", **own)
        if plan.number in asked:
            folder.add(f"luma/q{plan.number}.png", asked[plan.number][0], "luma", role="query", **own)
    folder.rows.append({**folder.rows[-1], "path": "luma/missing.png"})
    smaller = np.asarray(Image.fromarray(drawn[4][0]).resize((100, 125), Image.Resampling.LANCZOS))
    named = {"category": plans[4].category, "product_id": "shop:4", "variant_id": "shop:4:a", "role": "query"}
    folder.add("luma/copy.png", smaller, "luma", task="instance+colour retrieval", **named)
    for number in range(8):  # two classes; of four senders 8 and 9 are held out of training, by their digests
        own = {"category": ("dress", "mug")[number % 2], "sender_id": ("8", "1", "9", "2")[number // 2]}
        own["split"] = "dev"
        pattern = ("plain", "floral", "dotted", "")[number % 4]
        task = "category routing" if not pattern else "category routing; print-class retrieval"
        pixels = np.roll(drawn[(0, 9)[number % 2]][0], 3 * number, axis=1)
        role = "gallery+query (leave-one-out)"
        folder.add(f"clothing/{number}.png", pixels, "clothing", task=task, pattern=pattern, role=role, **own)
    for number in range(6):
        notes = "fabric identity joined by eye over runs" + ("; uncertain join" if number == 5 else "")
        own = {"category": "fabric_closeup", "product_id": f"fabric:{number % 2}", "notes": notes}
        pixels = drawn[number % 2][0][40:120, 40:100] // (1 + number // 2)
        role = "query" if number >= 4 else "gallery"
        folder.add(f"fingercam/{number}.png", pixels, "fingercam", task="print/texture retrieval", role=role, **own)
    for plan in plans[6:9]:
        own = {"category": "packages", "product_id": f"g:{plan.number}", "task": "street-to-catalog retrieval"}
        folder.add(f"grocery/{plan.number}.png", drawn[plan.number][0], "grocery", role="gallery", **own)
        pixels = np.flip(drawn[plan.number][0], axis=1)
        folder.add(f"grocery/q{plan.number}.png", pixels, "grocery", role="query", **own)
    (root / "grocery" / "q8.png").write_bytes(b"no picture")
    torn = {"category": plans[1].category, "product_id": "shop:1", "source": "luma"}
    for name, role in (("torn", "gallery"), ("qtorn", "query")):
        (root / "luma" / f"{name}.png").write_bytes(b"torn")
        folder.rows.append({**torn, "path": f"luma/{name}.png", "role": role})
    _add_masks(folder, *drawn[0])
    return folder.finish()


def _add_masks(folder: LabelledFolder, image: np.ndarray, mask: np.ndarray) -> None:
    """A street photo whose lower half of the product is a skirt, and a render with its alpha."""
    labels = (mask >= 128).astype(np.uint8)
    labels[labels.shape[0] // 2 :] *= 2
    file = folder.root / "ccp" / "mask" / "1.png"
    file.parent.mkdir(parents=True)
    Image.fromarray(labels).save(file)
    (folder.root / "ccp" / "labels.json").write_text(json.dumps(["null", "blouse", "skirt"]))
    own = {"task": "segmentation", "mask_path": "ccp/mask/1.png", "category": "street_outfit"}
    folder.add("ccp/photo/1.png", image, "ccp", role="segmentation", product_id="ccp:1", **own)
    render = np.dstack([image, (mask >= 128).astype(np.uint8) * 255])
    folder.add("saleor/1.png", render, "saleor", task="mask/alpha + instance smoke (3-D renders)", category="render")
