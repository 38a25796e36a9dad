"""Where the product is in each photo, and the square cut-out that every encoder sees."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting, versions
from assets.memoised_stage import MemoisedStage
from assets.pools import HEAVY
from catalog.features import product_masks, row_memo
from catalog.formats import digests, tables
from catalog.formats.blobs import BlobStore
from catalog.profiles import Profile
from catalog.records import Outcome, Reason, Rejection
from catalog.vision import contact_sheets, crops, masks
from resources.data_lake import DataLake
from resources.inference import Inference, each
from resources.model_store import ModelStore
from resources.profile import ActiveProfile
from resources.progress import Progress

MASKS, CROPS = "sam2_masks", "product_crops"


def sam2_masks_asset(*, reads_words: bool) -> dg.AssetsDefinition:
    """The asset `sam2_masks`; it depends on the catalogue's categories only where they are words for a detector."""

    @dg.asset(
        deps=["product_images", *(["raw_catalog"] if reads_words else [])],
        group_name="images",
        kinds={"onnx", "png"},
        owners=["team:catalog"],
        pool=HEAVY,
    )
    def sam2_masks(
        data_lake: DataLake,
        active_profile: ActiveProfile,
        inference: Inference,
        model_store: ModelStore,
        progress: Progress,
    ) -> dg.MaterializeResult:
        """The product's binary mask in every photo, with its quality: area, border contact, pieces, confidence, flags.

        The profile's catalogue segmenter makes them; `segmented_by` in the metadata, and `model` in each row, say
        which. One that wants prompts is prompted by a saliency mask or a detector's box, or asked everywhere; where
        none of its masks is good, the saliency mask stands in, flagged `saliency_fallback`.
        """
        stage = MemoisedStage(MASKS, tables.SAM2_MASKS, data_lake, progress)
        profile = active_profile.read()
        version = versions.sam2_masks(profile, model_store.models(profile.model_names()))
        finder = inference.product_finder(profile)
        words_of = _words(data_lake, profile) if reads_words else lambda row: ()

        def compute(source: Mapping[str, Any]) -> row_memo.Row:
            found = finder.find(data_lake.images.get(source["image_blob"]), words_of(source))
            return {"image_blob": source["image_blob"], **_columns(found, data_lake.masks)}

        def key(row: Mapping[str, Any]) -> str:
            words = words_of(row)
            return row_memo.row_key(version, row["image_blob"], *([list(words)] if words else []))

        rows = tables.read(data_lake.table("product_images"), tables.PRODUCT_IMAGES)
        refresh = stage.refresh(
            [row_memo.Wanted(row, key(row)) for row in rows],
            lambda batch: each(compute, batch),
            row_memo.Files("mask_blob", data_lake.masks.holds),
        )
        refresh.rejected += [_without_product(row) for row in refresh.rows if masks.FULL_FRAME in row["flags"]]
        metadata = {
            "segmented_by": profile.segmentation.catalog,
            **_prompted(refresh.rows),
            **_quality(refresh.rows, data_lake),
        }
        return stage.result(refresh, metadata)

    return sam2_masks


@dg.asset(deps=["sam2_masks"], group_name="images", kinds={"pillow", "png"}, owners=["team:catalog"])
def product_crops(data_lake: DataLake, active_profile: ActiveProfile, progress: Progress) -> dg.MaterializeResult:
    """Every product cut out into a white square, at most 512 px a side; alpha is its mask. Encoders see only this."""
    stage = MemoisedStage(CROPS, tables.PRODUCT_CROPS, data_lake, progress)
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
    refresh = stage.refresh(
        [row_memo.Wanted(row, row_memo.row_key(version, row["image_blob"], row["mask_blob"])) for row in rows],
        lambda batch: each(compute, batch),
        row_memo.Files("crop_blob", store.holds),
    )
    tiles = reporting.tiles(
        refresh.rows,
        "crop_blob",
        lambda row: data_lake.tile(CROPS, row["crop_blob"]),
        lambda row: store.get(row["crop_blob"])[..., :3],
    )
    metadata = {"crops": reporting.picture(tiles, "what the encoders see")}
    return stage.result(refresh, metadata)


def _words(data_lake: DataLake, profile: Profile) -> Callable[[Mapping[str, Any]], tuple[str, ...]]:
    """What names a row's product to a detector that reads text."""
    catalog = tables.read(data_lake.table("raw_catalog"), tables.RAW_CATALOG)
    category_of = {tables.item_of(row): row["category"] for row in catalog}
    # a photo whose product has just left the catalogue is still here until product_images was refreshed
    return lambda row: profile.words(category_of.get(tables.item_of(row), ""))


def _columns(found: product_masks.FoundProduct, store: BlobStore) -> row_memo.Row:
    """A found product's own columns of the table; its mask goes to the store."""
    mask, prompt = found.mask, found.prompt
    return {
        "mask_blob": store.put(mask.binary_mask),
        "area_fraction": mask.area_fraction,
        "border_fraction": mask.border_fraction,
        "confidence": mask.confidence,
        "pieces": mask.pieces,
        "flags": list(mask.flags),
        "model": found.model,
        "prompted_by": found.prompted_by,
        "prompt_box": list(prompt.box) if prompt and prompt.box else [],
        "prompt_points": [list(point) for point in prompt.points] if prompt else [],
        "predicted_iou": found.predicted_iou,
        "stability": found.stability,
        "saliency_iou": found.saliency_iou,
    }


def _quality(rows: Sequence[Mapping[str, Any]], data_lake: DataLake) -> dict[str, Any]:
    """A sheet of masks, and what is suspicious about some."""
    flagged = [row for row in rows if row["flags"]]
    flags = sorted({flag for row in flagged for flag in row["flags"]})

    def tiles(of: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
        return reporting.tiles(
            of,
            "mask_blob",
            lambda row: data_lake.tile(MASKS, digests.of_values(row["image_blob"], row["mask_blob"])),
            lambda row: _masked(row, data_lake),
        )

    metadata: dict[str, Any] = {
        "masks": reporting.picture(tiles(rows), "what each mask keeps"),
        "mean_area_fraction": round(float(np.mean([row["area_fraction"] for row in rows])), 4),
        "flagged": len(flagged),
        "flags": reporting.table(
            [{"flag": flag, "photos": sum(flag in row["flags"] for row in flagged)} for flag in flags]
        ),
    }
    if flagged:
        metadata["flagged_masks"] = reporting.picture(tiles(flagged), "masks that something is suspicious about")
    return metadata


def _prompted(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How prompted masks came out; nothing of a segmenter that wants no prompts."""
    fallen_back = [row for row in rows if product_masks.SALIENCY_FALLBACK in row["flags"]]
    taken = [row for row in rows if row["predicted_iou"] is not None]
    if not fallen_back and not taken:
        return {}
    found: dict[str, Any] = {"masks_by_prompts": len(taken), "saliency_fallbacks": len(fallen_back)}
    for name in ("predicted_iou", "stability", "saliency_iou"):
        values = [row[name] for row in taken if row[name] is not None]
        if values:
            found[f"mean_{name}"] = round(float(np.mean(values)), 4)
    return found


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
