"""Photos that a catalogue repeats, told to whoever looks after it. A report: nothing is built from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting, versions
from assets.memoised_stage import MemoisedStage
from assets.retrying import retried
from catalog.features import duplicates, row_memo
from catalog.features.duplicates import EXACT, Pair
from catalog.formats import tables
from catalog.formats.blobs import BlobStore
from catalog.vision.photo_hashes import photo_cells, photo_hash
from resources.baseline import Baseline
from resources.data_lake import DataLake
from resources.inference import each
from resources.progress import Progress

STAGE, HASHES = "photo_duplicates", "photo_hashes"
SHOWN_PAIRS = 40  # of the table in the metadata
SHEET_PAIRS = 12


@dg.asset(deps=["product_images"], group_name="images", kinds={"pillow"}, owners=["team:catalog"])
@retried
def photo_duplicates(data_lake: DataLake, progress: Progress) -> dg.MaterializeResult:
    """Pairs of items with one photo: the very same pixels, or nearly (another size, another compression).

    A product's photo in two of its variants is common, and harmless; one of two products may be a wrong photo, a
    placeholder, or one product listed twice. `lookbook duplicates` lists them.
    """
    stage = MemoisedStage(HASHES, tables.PHOTO_HASHES, data_lake, progress)
    named = [*tables.ITEM_COLUMNS, "image_blob"]
    images = tables.read_table(data_lake.table("product_images"), tables.PRODUCT_IMAGES).select(named)
    version, store = versions.photo_hash(), data_lake.images
    refresh = stage.refresh(
        [row_memo.Wanted(row, row_memo.row_key(version, row["image_blob"])) for row in images.to_pylist()],
        lambda batch: each(lambda row: _look_at(store, row), batch),
    )
    rows = refresh.table.select(named).to_pylist()
    found = duplicates.find(
        [row["product_id"] for row in rows],
        [row["image_blob"] for row in rows],
        refresh.table.column("hash").to_numpy(),
        tables.matrix(refresh.table, "cells"),
    )
    listed = [_row(rows, pair) for pair in found.pairs]
    tables.write(data_lake.table(STAGE), tables.PHOTO_DUPLICATES, listed)
    across = [row for row in listed if not row["same_product"]]
    return stage.result(
        refresh,
        {
            "exact_pairs": sum(pair.kind == EXACT for pair in found.pairs),
            "near_pairs": sum(pair.kind != EXACT for pair in found.pairs),
            "pairs_across_products": len(across),
            "products_across": len(products_across(listed)),
            "all_pairs_found": found.complete,
            **_shown([*across, *[row for row in listed if row["same_product"]]], rows, store),
        },
    )


@dg.asset_check(asset=STAGE)
def few_products_share_photos(data_lake: DataLake, baseline: Baseline) -> dg.AssetCheckResult:
    """Not too many products have a photo that another product has too, or nearly."""
    most = baseline.limits().most_duplicates
    hashes = tables.read_table(data_lake.table(HASHES), tables.PHOTO_HASHES)
    sharing = products_across(tables.read(data_lake.table(STAGE), tables.PHOTO_DUPLICATES))
    share = len(sharing) / len(set(hashes.column("product_id").to_pylist()))
    return dg.AssetCheckResult(
        passed=share <= most,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"products": len(sharing), "share": round(share, 4), "at_most": most},
    )


def products_across(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The products that share a photo with another one."""
    names = ("product_id", "other_product_id")
    return {row[name] for row in rows if not row["same_product"] for name in names}


def _look_at(store: BlobStore, row: Mapping[str, Any]) -> row_memo.Row:
    image = store.get(row["image_blob"])
    return {"image_blob": row["image_blob"], "hash": photo_hash(image), "cells": photo_cells(image)}


def _row(items: Sequence[Mapping[str, Any]], pair: Pair) -> dict[str, Any]:
    left, right = items[pair.left], items[pair.right]
    return {
        **{name: left[name] for name in tables.ITEM_COLUMNS},
        **{f"other_{name}": right[name] for name in tables.ITEM_COLUMNS},
        "kind": pair.kind,
        "bits": pair.bits,
        "levels": pair.levels,
        "same_product": left["product_id"] == right["product_id"],
    }


def _shown(
    pairs: Sequence[Mapping[str, Any]], items: Sequence[Mapping[str, Any]], store: BlobStore
) -> dict[str, dg.MetadataValue]:
    """The first pairs as a table, and some of them side by side."""
    if not pairs:
        return {}
    blob_of = {tables.item_of(item): item["image_blob"] for item in items}
    other = [f"other_{name}" for name in tables.ITEM_COLUMNS]
    blobs = [
        blob_of[tuple(pair[name] for name in names)]
        for pair in reporting.spread(pairs, SHEET_PAIRS)
        for names in (tables.ITEM_COLUMNS, other)
    ]
    sheet: list[np.ndarray] = [store.get(blob) for blob in blobs]
    return {
        "pairs": reporting.table(pairs[:SHOWN_PAIRS]),
        "pairs_side_by_side": reporting.picture(sheet, "pairs of photos that are one"),
    }
