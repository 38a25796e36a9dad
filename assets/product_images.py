"""The shop's photos, decoded safely and stored once by content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from assets import reporting, versions
from assets.memoised_stage import MemoisedStage
from assets.retrying import retried
from catalog.errors import ImageError
from catalog.features import row_memo
from catalog.formats import digests, tables
from catalog.formats.blobs import BlobStore
from catalog.records import Outcome, Reason, Rejection
from catalog.vision.decoding import PhotoLimits, decode_photo
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.inference import each
from resources.profile import ActiveProfile
from resources.progress import Progress

STAGE = "product_images"


@dg.asset(deps=["raw_catalog"], group_name="images", kinds={"pillow", "png"}, owners=["team:catalog"])
@retried
def product_images(
    data_lake: DataLake, feed: Feed, active_profile: ActiveProfile, progress: Progress
) -> dg.MaterializeResult:
    """Every photo as upright sRGB pixels: EXIF-turned, alpha over white, at most 1024 px, stored once by content.

    A photo that can't be read whole is in the rejected table with its reason; the others go on.
    """
    stage = MemoisedStage(STAGE, tables.PRODUCT_IMAGES, data_lake, progress)
    profile = active_profile.read()
    version = versions.product_images(profile)
    limits = PhotoLimits(**profile.photos.model_dump())
    catalog = tables.read(data_lake.table("raw_catalog"), tables.RAW_CATALOG)
    store = data_lake.images

    def compute(source: Mapping[str, Any]) -> row_memo.Row:
        return _store_photo(source, feed.absolute(source["image_path"]), limits, store)

    refresh = stage.refresh(
        [row_memo.Wanted(row, _key(version, row)) for row in catalog],
        lambda rows: each(compute, rows),
        row_memo.Files("image_blob", store.holds),
    )
    refresh.rejected.extend(remark for row in refresh.rows for remark in _remarks(row))
    tiles = reporting.tiles(
        refresh.rows,
        "image_blob",
        lambda row: data_lake.tile(STAGE, row["image_blob"]),
        lambda row: store.get(row["image_blob"]),
    )
    return stage.result(refresh, {"photos": reporting.picture(tiles, "photos")})


def _key(version: str, row: Mapping[str, Any]) -> str:
    # The extension is part of it: a remark is made where it does not fit the bytes.
    return row_memo.row_key(version, row["image_sha256"], Path(row["image_path"]).suffix.lower())


def _store_photo(source: Mapping[str, Any], path: Path, limits: PhotoLimits, store: BlobStore) -> row_memo.Row:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageError(Reason.IMAGE_NOT_FOUND, f"{source['image']}: {error.strerror}") from error
    if digests.of_bytes(content) != source["image_sha256"]:
        raise ImageError(Reason.CHANGED_MEANWHILE, "other bytes than raw_catalog read: materialize raw_catalog again")
    photo = decode_photo(content, limits, path.name)
    height, width = photo.image_hwc.shape[:2]
    blob = store.put_verbatim(photo.image_hwc, content) if photo.verbatim else store.put(photo.image_hwc)
    remarks = [f"{reason}: {detail}" for reason, detail in photo.remarks]
    return {"image_blob": blob, "width": width, "height": height, "remarks": remarks}


def _remarks(row: row_memo.Row) -> list[Rejection]:
    found = [remark.split(": ", 1) for remark in row["remarks"]]
    return [row_memo.rejection(STAGE, row, Reason(reason), detail, Outcome.KEPT) for reason, detail in found]
