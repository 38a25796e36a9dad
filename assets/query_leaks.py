"""Which query photos are in the gallery that they search, by its own thumbnails: finding those again tells nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
from PIL import Image

from catalog.evaluation.leakage import Hashes
from catalog.features import row_memo
from catalog.formats import digests, tables
from catalog.records import Reason
from catalog.vision import photo_hashes
from catalog.vision.photo_hashes import photo_cells, photo_hash
from query.bundle import Bundle
from resources.data_lake import DataLake
from resources.inference import each
from resources.progress import Progress

STAGE, HASHES = "benchmark", "gallery_hashes"


def gallery_hashes(bundle: Bundle, data_lake: DataLake, progress: Progress) -> Hashes:
    """What the photos of a bundle's items look like, a row an item; remembered, a thumbnail is read once."""
    version = digests.of_code(photo_hashes)
    path_of = {item["thumb"]: bundle.thumb(row) for row, item in enumerate(bundle.items)}
    refresh = row_memo.refresh(
        data_lake.table(HASHES),
        tables.PHOTO_HASHES,
        STAGE,
        [
            row_memo.Wanted({**_item(item), "image_blob": item["thumb"]}, row_memo.row_key(version, item["thumb"]))
            for item in bundle.items
        ],
        lambda batch: each(lambda row: _look_at(row["image_blob"], path_of[row["image_blob"]]), batch),
        progress=progress.bar(HASHES),
    )
    return Hashes(refresh.table.column("hash").to_numpy(), tables.matrix(refresh.table, "cells"))


def photos_by_digest(bundle: Bundle, data_lake: DataLake) -> dict[str, int]:
    """A row of the bundle for the SHA-256 of each photo's file, as the lake's catalogue has them."""
    columns = [*tables.ITEM_COLUMNS, "image_sha256"]
    listed = tables.read_table(data_lake.table("raw_catalog"), tables.RAW_CATALOG).select(columns).to_pylist()
    digest_of = {tables.item_of(row): row["image_sha256"] for row in listed}
    rows: dict[str, int] = {}
    for row, item in enumerate(bundle.items):
        digest = digest_of.get(tables.item_of(item))
        if digest:
            rows.setdefault(digest, row)
    return rows


def leak(bundle: Bundle, by_digest: Mapping[str, int], digest: str, like: Sequence[int] | np.ndarray) -> str:
    """Why a query can't be put, with the gallery's item that has its photo; "" where none has."""
    if digest not in by_digest and not len(like):
        return ""
    exact = digest in by_digest
    item = bundle.items[by_digest[digest] if exact else int(like[0])]
    variant = f" {item['variant']!r}" if item["variant"] else ""
    told = "the very file of" if exact else "but for its size or compression"
    return (
        f"it is {told} photo {item['image_index']} of {item['product_id']!r}{variant}, which is searched: "
        "finding it again tells nothing; name another photo, or take it out of the catalogue"
    )


@dg.asset_check(asset=STAGE, blocking=False)
def no_query_is_in_the_gallery(data_lake: DataLake) -> dg.AssetCheckResult:
    """No query photo is one of the photos that it searches, to the byte or nearly; those that are were not measured."""
    leaks = [row for row in data_lake.read_rejected(STAGE) if row["reason"] == Reason.QUERY_IN_GALLERY]
    first = f"{leaks[0]['where']}: {leaks[0]['detail']}" if leaks else "none"
    return dg.AssetCheckResult(
        passed=not leaks,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"queries_in_the_gallery": len(leaks), "first": first},
    )


def _look_at(name: str, path: Path) -> row_memo.Row:
    with Image.open(path) as thumb:
        image = np.asarray(thumb.convert("RGB"))
    return {"image_blob": name, "hash": photo_hash(image), "cells": photo_cells(image)}


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in tables.ITEM_COLUMNS}
