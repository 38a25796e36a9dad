"""Where the product is in each photo, and the square cut-out that every encoder sees."""

import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting, versions
from catalog.features import row_memo
from catalog.formats import tables
from catalog.records import Outcome, Reason, Rejection
from catalog.vision import contact_sheets, crops, masks
from resources.data_lake import DataLake
from resources.inference import Inference, each
from resources.model_store import ModelStore
from resources.profile import ActiveProfile
from resources.progress import Progress

MASKS, CROPS = "sam2_masks", "product_crops"


@dg.asset(deps=["product_images"], group_name="images", kinds={"onnx", "png"}, owners=["team:catalog"])
def sam2_masks(
    data_lake: DataLake,
    active_profile: ActiveProfile,
    inference: Inference,
    model_store: ModelStore,
    progress: Progress,
) -> dg.MaterializeResult:
    """The product's binary mask in every photo, with its quality: area, border contact, pieces, confidence, flags.

    The profile's catalogue segmenter makes them; `segmented_by` in the metadata, and `model` in each row, say which.
    """
    started = time.perf_counter()
    profile = active_profile.read()
    model_name = profile.segmentation.catalog
    version = versions.sam2_masks(profile, model_store.models(profile.model_names()))
    images, store = data_lake.images, data_lake.masks
    model = inference.float_model(model_name)

    def compute(source: Mapping[str, Any]) -> row_memo.Row:
        image = images.get(source["image_blob"])
        found = masks.product_mask(model.run(image), source["width"], source["height"])
        return {
            "image_blob": source["image_blob"],
            "mask_blob": store.put(found.binary_mask),
            "area_fraction": found.area_fraction,
            "border_fraction": found.border_fraction,
            "confidence": found.confidence,
            "pieces": found.pieces,
            "flags": list(found.flags),
            "model": model_name,
        }

    rows = tables.read(data_lake.table("product_images"), tables.PRODUCT_IMAGES)
    refresh = row_memo.refresh(
        data_lake.table(MASKS),
        tables.SAM2_MASKS,
        MASKS,
        [row_memo.Wanted(row, row_memo.row_key(version, row["image_blob"])) for row in rows],
        lambda batch: each(compute, batch),
        is_whole=lambda row: store.holds(row["mask_blob"]),
        progress=progress.bar(MASKS),
    )
    refresh.rejected += [_without_product(row) for row in refresh.rows if masks.FULL_FRAME in row["flags"]]
    sheet = [_masked(row, data_lake) for row in reporting.spread(refresh.rows)]
    flagged = [row for row in refresh.rows if row["flags"]]
    flags = sorted({flag for row in flagged for flag in row["flags"]})
    metadata = {
        "masks": reporting.picture(sheet, "what each mask keeps"),
        "segmented_by": model_name,
        "mean_area_fraction": round(float(np.mean([row["area_fraction"] for row in refresh.rows])), 4),
        "flagged": len(flagged),
        "flags": reporting.table(
            [{"flag": flag, "photos": sum(flag in row["flags"] for row in flagged)} for flag in flags]
        ),
    }
    if flagged:
        worst = [_masked(row, data_lake) for row in reporting.spread(flagged, 16)]
        metadata["flagged_masks"] = reporting.picture(worst, "masks that something is suspicious about")
    return reporting.stage_result(data_lake, MASKS, tables.SAM2_MASKS, refresh, started, metadata)


@dg.asset(deps=["sam2_masks"], group_name="images", kinds={"pillow", "png"}, owners=["team:catalog"])
def product_crops(data_lake: DataLake, active_profile: ActiveProfile, progress: Progress) -> dg.MaterializeResult:
    """Every product cut out into a white square, at most 512 px a side; alpha is its mask. Encoders see only this."""
    started = time.perf_counter()
    profile = active_profile.read()
    version = versions.product_crops(profile)
    images, mask_store, store = data_lake.images, data_lake.masks, data_lake.crops

    def compute(source: Mapping[str, Any]) -> row_memo.Row:
        image, mask = images.get(source["image_blob"]), mask_store.get(source["mask_blob"])
        crop = crops.crop_product(image, mask, profile.segmentation.crop_side_px)
        left, top, right, bottom = crop.box
        return {
            "crop_blob": store.put(crops.to_rgba(crop)),
            "side_px": crop.image_hwc.shape[0],
            "left": left,
            "top": top,
            "right": right,
            "bottom": bottom,
        }

    rows = tables.read(data_lake.table(MASKS), tables.SAM2_MASKS)
    refresh = row_memo.refresh(
        data_lake.table(CROPS),
        tables.PRODUCT_CROPS,
        CROPS,
        [row_memo.Wanted(row, row_memo.row_key(version, row["image_blob"], row["mask_blob"])) for row in rows],
        lambda batch: each(compute, batch),
        is_whole=lambda row: store.holds(row["crop_blob"]),
        progress=progress.bar(CROPS),
    )
    sheet = [store.get(row["crop_blob"])[..., :3] for row in reporting.spread(refresh.rows)]
    metadata = {"crops": reporting.picture(sheet, "what the encoders see")}
    return reporting.stage_result(data_lake, CROPS, tables.PRODUCT_CROPS, refresh, started, metadata)


def _without_product(row: Mapping[str, Any]) -> Rejection:
    return Rejection(
        stage=MASKS,
        reason=Reason.NO_PRODUCT_FOUND,
        outcome=Outcome.KEPT,
        detail="nothing stands out from its background; the whole frame was taken",
        where=f"photo {row['image_index']} of {row['product_id']!r}",
        product_id=row["product_id"],
        variant=row["variant"],
        image=row["image_blob"],
    )


def _masked(row: Mapping[str, Any], data_lake: DataLake) -> np.ndarray:
    return contact_sheets.tinted(data_lake.images.get(row["image_blob"]), data_lake.masks.get(row["mask_blob"]))
