"""The drawn sample shop as a protocol: every label is exact, since whoever drew the photos knew it."""

import csv
from pathlib import Path

from assets import versions
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocols import SAMPLE, Protocol
from catalog.formats import atomic, digests
from catalog.sample_catalog.write import write_sample_catalog
from resources.inference import cores
from resources.progress_bars import progress_bar

SEED = 7  # never one that the embedded models learn from: see catalog.training.material
QUERIES_A_PRODUCT, MOST_QUERIES = 0.6, 160
DRAWN = "drawn.txt"  # says what drew the shop; written last


def drawn_shop(folder: Path, products: int) -> Protocol:
    """The shop of so many products, drawn into `folder` the first time and when what draws it has changed."""
    drawn_by = digests.of_values(versions.sample_catalog(), SEED, products)
    marker = folder / DRAWN
    if not marker.is_file() or marker.read_text("ascii") != drawn_by:
        marker.unlink(missing_ok=True)
        write_sample_catalog(
            folder,
            seed=SEED,
            products=products,
            queries=min(MOST_QUERIES, max(1, round(QUERIES_A_PRODUCT * products))),
            workers=cores(),
            progress=progress_bar("sample shop"),
        )
        atomic.write_text(marker, drawn_by)
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        photos = [
            Photo(
                name=f"{folder.name}/{row['image']}",
                file=folder / row["image"],
                mask=folder / row["mask"],
                role="query" if row["role"] == "query" else "gallery",
                product_id=row["product_id"],
                variant=row["variant"],
                category=row["category"],
                pattern=row["print"],
                color=row["color"],
            )
            for row in csv.DictReader(file)
        ]
    gallery, queries = (tuple(photo for photo in photos if photo.role == role) for role in ("gallery", "query"))
    return Protocol(name=SAMPLE, gallery=gallery, queries=queries)
