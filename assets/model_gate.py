"""Measures the smaller forms of a model against its float one, on the shop's own photos, and picks the one to ship.

Forms are made once for a float model and kept: a refresh of the catalogue only runs them on what is new.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets import versions
from assets.trials import Query, pixels_or_bytes
from catalog.errors import ModelError
from catalog.evaluation import gate
from catalog.features import row_memo
from catalog.features.inference import PixelModel
from catalog.formats import atomic, digests, tables
from catalog.model_descriptions import MODELS, ModelDescription, Role
from catalog.onnx_export import quantization
from catalog.profiles import Profile
from catalog.vision import crops, masks
from catalog.vision.decoding import PhotoLimits, decode_photo
from resources.data_lake import DataLake
from resources.inference import each
from resources.model_store import ModelStore
from resources.progress import Progress

LATENCY_INPUTS, LATENCY_ROUNDS = 12, 5
LATENCY_BUDGET_S = 4.0  # of a form: a large model is timed on fewer inputs, at least on one
SEGMENTER_PHOTOS = 160  # compared mask by mask; encoders are compared on every crop
FEATURE_TABLES = {Role.SEMANTIC: "semantic_embeddings", Role.TEXTURE: "texture_features"}

Item = tuple[np.ndarray, np.ndarray | None]  # what a model is run on: pixels, and the mask where it takes one


@dataclass(frozen=True)
class Gate:
    """All that the gate reads."""

    profile: Profile
    data_lake: DataLake
    models: ModelStore
    queries: Sequence[Query]
    progress: Progress

    def ship(self, name: str, *, anew: bool) -> dict[str, Any]:
        """Put the smallest form of a model that passes where the bundle takes it from; returns what was measured.

        `anew` makes the smaller forms again, calibrated on the catalogue as it is now.
        """
        model = self.models.model(name)
        float_path = self.models.float_model(name)
        decisions = []
        for form in quantization.forms(model, try_four_bit=self.profile.int8_gate.try_four_bit):
            decision, path = self._try(model, float_path, form, anew=anew)
            decisions.append(decision)
            if decision.passed:
                break
        digest = digests.of_file(path)
        shipped = self.models.shipped_model(name)
        if not shipped.exists() or digests.of_file(shipped) != digest:
            atomic.write_bytes(shipped, path.read_bytes())
        return {
            "model": name,
            "form": decision.form,
            "sha256": digest,
            "size_bytes": decision.size_bytes,
            "float_size_bytes": float_path.stat().st_size,
            "latency_ratio": decision.latency_ratio,
            "tried": [asdict(tried) for tried in decisions],
        }

    def _try(self, model: ModelDescription, float_path: Path, form: str, *, anew: bool) -> tuple[gate.Decision, Path]:
        """Make a form, unless it is kept from before, and weigh it; one that can't be made or run is refused."""
        if form == quantization.FP32:
            size_bytes = float_path.stat().st_size
            whole = gate.Decision(
                form=form, passed=True, reasons=(), measured={}, size_bytes=size_bytes, latency_ratio=1.0
            )
            return whole, float_path
        path = self.models.form(model.name, form, versions.model_form(model))
        try:
            if anew or not path.exists():
                names = self._names(model, self.profile.int8_gate.calibration_photos)
                calibration = (_feeds(model, self._load(model, photo)) for photo in names)
                atomic.write_bytes(path, quantization.make_form(form, float_path, calibration))
            float_model, small_model = PixelModel(float_path, model.output), PixelModel(path, model.output)
            ratio = self._latency_ratio(model, float_model, small_model)
        except ModelError as error:
            return gate.refuse(form, str(error), size_bytes=path.stat().st_size if path.exists() else 0), path
        measured: gate.EncoderComparison | gate.SegmenterComparison
        if model.role is Role.SEGMENTER:
            measured = self._compare_segmenters(model, float_model, small_model)
        else:
            measured = self._compare_encoders(model, form, float_model, small_model, digests.of_file(path))
        decision = gate.decide(
            form, measured, self.profile.int8_gate, size_bytes=path.stat().st_size, latency_ratio=ratio
        )
        return decision, path

    def _compare_segmenters(
        self, model: ModelDescription, float_model: PixelModel, small_model: PixelModel
    ) -> gate.SegmenterComparison:
        def iou(name: str) -> float:
            image, _ = self._load(model, name)
            height, width = image.shape[:2]
            found = [masks.product_mask(m.run(image), width, height).binary_mask for m in (float_model, small_model)]
            return masks.intersection_over_union(*found)

        found = each(iou, self._names(model, SEGMENTER_PHOTOS))
        return gate.compare_segmenters(np.array([value if isinstance(value, float) else 0.0 for value in found]))

    def _compare_encoders(
        self, model: ModelDescription, form: str, float_model: PixelModel, small_model: PixelModel, digest: str
    ) -> gate.EncoderComparison:
        schema = tables.vectors(model.embedding_dim)
        float_table = tables.read_table(self.data_lake.table(FEATURE_TABLES[model.role]), schema)
        spaces = np.array(float_table.column("space").to_pylist())
        items = float_table.select(list(tables.ITEM_COLUMNS)).to_pylist()
        crop_of = {
            tables.item_of(row): row["crop_blob"]
            for row in tables.read(self.data_lake.table("product_crops"), tables.PRODUCT_CROPS)
        }
        own = [
            place
            for place, item in enumerate(items)
            if spaces[place] == model.name and tables.item_of(item) in crop_of  # else it was embedded before a refresh
        ]
        wanted_items = [{**items[place], "crop_blob": crop_of[tables.item_of(items[place])]} for place in own]
        store = self.data_lake.crops

        def compute(source: Mapping[str, Any]) -> row_memo.Row:
            image, mask = crops.from_rgba(store.get(source["crop_blob"]))
            try:
                vector = small_model.run(image, mask)
            except ModelError:  # nothing finite came out: as far from the float model as can be
                vector = np.zeros(model.embedding_dim, np.float32)
            return {"space": model.name, "vector": vector}

        path = self.data_lake.table(f"int8/{model.name}.{form}")  # one a form, or each would undo the other's rows
        row_memo.refresh(
            path,
            schema,
            "int8_models",
            [row_memo.Wanted(row, row_memo.row_key(digest, row["crop_blob"])) for row in wanted_items],
            lambda batch: each(compute, batch),
            progress=self.progress.bar(f"{form} {model.name}"),
        )
        float_vectors = tables.matrix(float_table)[own]
        vectors = tables.matrix(tables.read_table(path, schema))
        products = np.array([row["product_id"] for row in wanted_items])
        lost = self._success_lost(float_model, small_model, float_vectors, products)
        return gate.compare_encoders(float_vectors, vectors, lost)

    def _success_lost(
        self, float_model: PixelModel, small_model: PixelModel, gallery: np.ndarray, products: np.ndarray
    ) -> float | None:
        """success@1 over labelled queries that only switching encoders loses; None where there are none."""
        queries = [row for row in self.queries if row.product_id in set(products.tolist())]
        if not queries:
            return None
        segmenter_name = self.profile.segmentation.query
        segmenter = PixelModel(self.models.float_model(segmenter_name), MODELS[segmenter_name].output)
        limits = PhotoLimits(**self.profile.photos.model_dump())

        def both(query: Query) -> tuple[np.ndarray, np.ndarray]:
            photo = pixels_or_bytes(query.photo)
            image = decode_photo(photo, limits).image_hwc if isinstance(photo, bytes) else photo
            height, width = image.shape[:2]
            mask = masks.product_mask(segmenter.run(image), width, height).binary_mask
            crop = crops.crop_product(image, mask, self.profile.segmentation.crop_side_px)
            return (
                float_model.run(crop.image_hwc, crop.binary_mask),
                small_model.run(crop.image_hwc, crop.binary_mask),
            )

        pairs = zip(queries, each(both, queries), strict=True)
        described = [(row, found) for row, found in pairs if isinstance(found, tuple)]
        if not described:
            return None
        wanted = np.array([row.product_id for row, _ in described])
        by_float, by_small = (np.stack([found[side] for _, found in described]) for side in (0, 1))
        return gate.success_at_1(by_float, gallery, wanted, products) - gate.success_at_1(
            by_small, gallery, wanted, products
        )

    def _names(self, model: ModelDescription, count: int) -> list[str]:
        """Up to `count` of the shop's photos (for a segmenter) or crops, those whose content digests sort first."""
        if model.role is Role.SEGMENTER:
            rows = tables.read(self.data_lake.table("product_images"), tables.PRODUCT_IMAGES)
            return sorted({row["image_blob"] for row in rows})[:count]
        rows = tables.read(self.data_lake.table("product_crops"), tables.PRODUCT_CROPS)
        return sorted({row["crop_blob"] for row in rows})[:count]

    def _load(self, model: ModelDescription, name: str) -> Item:
        if model.role is Role.SEGMENTER:
            return self.data_lake.images.get(name), None
        return crops.from_rgba(self.data_lake.crops.get(name))

    def _latency_ratio(self, model: ModelDescription, float_model: PixelModel, small_model: PixelModel) -> float:
        """Median time of one call of the small form over the float form's, one thread, turn by turn."""
        inputs = [self._load(model, name) for name in self._names(model, LATENCY_INPUTS)]
        seconds: list[list[float]] = [[], []]
        until = time.perf_counter() + LATENCY_BUDGET_S
        for item in inputs * LATENCY_ROUNDS:
            for place, opened in enumerate((float_model, small_model)):
                started = time.perf_counter()
                opened.run(*item)
                seconds[place].append(time.perf_counter() - started)
            if time.perf_counter() > until:
                break
        return round(float(np.median(seconds[1]) / np.median(seconds[0])), 3)


def _feeds(model: ModelDescription, item: Item) -> dict[str, np.ndarray]:
    image, mask = item
    feeds = {"image": image}
    if model.takes_mask and mask is not None:
        feeds["mask"] = mask.astype(np.uint8) * np.uint8(255)
    return feeds
