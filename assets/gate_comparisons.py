"""A model's smaller form against its float one, on the shop's own photos and queries; what either said is kept."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets import versions
from assets.query_photos import read_photo
from catalog.errors import ImageError, ModelError
from catalog.evaluation import gate
from catalog.features import row_memo
from catalog.features.inference import PixelModel
from catalog.formats import atomic, digests, tables
from catalog.model_descriptions import MODELS, ModelDescription, Role
from catalog.onnx_export import quantization
from catalog.profiles import Profile
from catalog.vision import crops, masks, plain_ground
from catalog.vision.decoding import PhotoLimits, decode_photo
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.inference import each
from resources.model_store import ModelStore
from resources.progress import Progress

LATENCY_INPUTS, LATENCY_ROUNDS = 12, 5
LATENCY_BUDGET_S = 1.0  # of a form: a large model is timed on fewer inputs, at least on one; the gate does not ask it
FEATURE_TABLES = {Role.SEMANTIC: "semantic_embeddings", Role.TEXTURE: "texture_features"}

Item = tuple[np.ndarray, np.ndarray | None]  # what a model is run on: pixels, and the mask where it takes one


@dataclass(frozen=True)
class OpenedModel:
    """A model's file, opened only when there is something to ask it."""

    path: Path
    output: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return digests.of_file(self.path)

    @cached_property
    def session(self) -> PixelModel:
        """Its session. Raises: ModelError when it can't be opened."""
        return PixelModel(self.path, self.output)

    def open(self) -> None:
        """Open it now, so that threads that use it do not each do so."""
        self.session  # noqa: B018


@dataclass(frozen=True)
class GateInputs:
    """All that the gate reads."""

    profile: Profile
    data_lake: DataLake
    models: ModelStore
    feed: Feed
    queries: Sequence[Mapping[str, Any]]  # rows of labelled_queries
    progress: Progress

    @cached_property
    def query_segmenter(self) -> OpenedModel:
        """The float form of what cuts queries out, one for all comparisons."""
        name = self.profile.segmentation.query
        return OpenedModel(self.models.float_model(name), MODELS[name].output)


@dataclass(frozen=True)
class Comparison:
    """Two forms of one model, and where the photos are."""

    inputs: GateInputs
    model: ModelDescription
    form: str
    float_model: OpenedModel
    small_model: OpenedModel

    def measure(self) -> gate.EncoderComparison | gate.SegmenterComparison:
        """What tells whether the smaller form may ship. Raises: ModelError when it can't be opened or run."""
        return self._segmenters() if self.model.role is Role.SEGMENTER else self._encoders()

    def items(self, count: int) -> Iterator[Item]:
        """Up to `count` of what the model sees in this catalogue: of those whose content digests sort first."""
        store, rows = self._pictures()
        return (self._load(store(row)) for row in rows[:count])

    def latency_ratio(self) -> float:
        """Median time of one call of the small form over the float form's, one thread, turn by turn; measured once."""
        kept = self.inputs.models.form_latency(self.small_model.path)
        pair = [self.float_model.digest, self.small_model.digest]
        try:
            known = json.loads(kept.read_text(encoding="utf-8"))
            if known["of"] == pair:
                return float(known["ratio"])
        except (OSError, ValueError, KeyError, TypeError):  # none, or damaged: it is only a measurement
            pass
        ratio = self._timed()
        atomic.write_text(kept, json.dumps({"of": pair, "ratio": ratio}) + "\n")
        return ratio

    def _timed(self) -> float:
        inputs = list(self.items(LATENCY_INPUTS))
        seconds: list[list[float]] = [[], []]
        until = time.perf_counter() + LATENCY_BUDGET_S
        for item in inputs * LATENCY_ROUNDS:
            for place, opened in enumerate((self.float_model, self.small_model)):
                started = time.perf_counter()
                opened.session.run(*item)
                seconds[place].append(time.perf_counter() - started)
            if time.perf_counter() > until:
                break
        return round(float(np.median(seconds[1]) / np.median(seconds[0])), 3)

    def _segmenters(self) -> gate.SegmenterComparison:
        store, rows = self._pictures()

        def compare(row: Mapping[str, Any]) -> row_memo.Row:
            image = store(row)
            height, width = image.shape[:2]
            found = [
                masks.product_mask(opened.session.run(image), width, height).binary_mask
                for opened in (self.float_model, self.small_model)
            ]
            return {"mask_iou": masks.intersection_over_union(*found)}

        photos, pair = rows[: gate.SEGMENTER_PHOTOS], (self.float_model, self.small_model)
        name, version = f"{self.form}.masks", versions.gate_masks()
        refresh = self._remember(name, tables.MASK_IOUS, photos, "image_blob", compare, pair, version)
        failed = len(refresh.rejected)  # no mask at all is as far from the float one as can be
        return gate.compare_segmenters(np.array([row["mask_iou"] for row in refresh.rows] + [0.0] * failed))

    def _encoders(self) -> gate.EncoderComparison:
        schema = tables.vectors(self.model.embedding_dim)
        table = tables.read_table(self.inputs.data_lake.table(FEATURE_TABLES[self.model.role]), schema)
        own = table.filter(pc.equal(table.column("space"), self.model.name))
        gallery = tables.matrix(own)
        places = {tables.item_of(row): place for place, row in enumerate(own.select(tables.ITEM_COLUMNS).to_pylist())}
        store, rows = self._pictures()
        asked = [row for row in rows if tables.item_of(row) in places][: gate.ENCODER_CROPS]

        def embed(row: Mapping[str, Any]) -> row_memo.Row:
            return {"space": self.model.name, "vector": self._embedded(self.small_model, self._load(store(row)))}

        refresh = self._remember(self.form, schema, asked, "crop_blob", embed, (self.small_model,))
        rows_asked = np.array([places[tables.item_of(row)] for row in asked])
        lost = self._success_lost(gallery, np.array(own.column("product_id").to_pylist()))
        return gate.compare_encoders(gallery, tables.matrix(refresh.table), rows_asked, lost)

    def _success_lost(self, gallery: np.ndarray, products: np.ndarray) -> float | None:
        """success@1 over labelled queries that only switching encoders loses; None where there are none."""
        known = set(products.tolist())
        queries = [row for row in self.inputs.queries if row["product_id"] in known]
        if not queries:
            return None
        by_float, by_small = (self._query_vectors(queries, opened) for opened in (self.float_model, self.small_model))
        both = [item for item in by_float if item in by_small]
        if not both:
            return None
        wanted = np.array([product for product, _, _ in both])
        found = [np.stack([vectors[item] for item in both]) for vectors in (by_float, by_small)]
        first, second = (gate.success_at_1(vectors, gallery, wanted, products) for vectors in found)
        return first - second

    def _query_vectors(
        self, queries: Sequence[Mapping[str, Any]], encoder: OpenedModel
    ) -> dict[row_memo.Item, np.ndarray]:
        """An encoder's vectors of labelled queries, cut out by the float form of the segmenter that queries have."""
        segmenter = self.inputs.query_segmenter
        limits = PhotoLimits(**self.inputs.profile.photos.model_dump())

        def embed(row: Mapping[str, Any]) -> row_memo.Row:
            image = decode_photo(read_photo(self.inputs.feed.absolute(row["image_path"])), limits).image_hwc
            mask = plain_ground.cut_out(segmenter.session.run(image), image).binary_mask
            crop = crops.crop_product(image, mask, self.inputs.profile.segmentation.crop_side_px)
            vector = self._embedded(encoder, (crop.image_hwc, crop.binary_mask))
            return {"space": self.model.name, "vector": vector}

        form = self.form if encoder is self.small_model else quantization.FP32
        refresh = self._remember(
            f"{form}.queries",
            tables.vectors(self.model.embedding_dim),
            queries,
            "image_sha256",
            embed,
            (encoder, segmenter),
            versions.gate_queries(self.inputs.profile),
        )
        vectors = tables.matrix(refresh.table)
        return {tables.item_of(row): vectors[place] for place, row in enumerate(refresh.rows)}

    def _embedded(self, encoder: OpenedModel, item: Item) -> np.ndarray:
        try:
            return encoder.session.run(*item)
        except ModelError:  # nothing finite came out: as far from the float model as can be
            return np.zeros(self.model.embedding_dim, np.float32)

    def _remember(
        self,
        what: str,
        schema: pa.Schema,
        rows: Sequence[Mapping[str, Any]],
        content: str,
        compute: Callable[[Mapping[str, Any]], row_memo.Row],
        models: Sequence[OpenedModel],
        version: str = "",
    ) -> row_memo.Refresh:
        """A row each of `rows`, whose column `content` names its pixels, of what the models make of it."""
        parts = [opened.digest for opened in models] + ([version] if version else [])

        def compute_batch(batch: Sequence[Mapping[str, Any]]) -> list[row_memo.Row | ImageError]:
            for opened in models:
                opened.open()
            return each(compute, batch)

        return row_memo.refresh(
            self.inputs.data_lake.table(f"int8/{self.model.name}.{what}"),
            schema,
            "int8_models",
            [row_memo.Wanted(row, row_memo.row_key(*parts, row[content])) for row in rows],
            compute_batch,
            progress=self.inputs.progress.bar(f"{self.form} {self.model.name}"),
        )

    def _pictures(self) -> tuple[Callable[[Mapping[str, Any]], np.ndarray], list[Mapping[str, Any]]]:
        """How to load what the model sees, and a row for each such picture, in the order of their content digests.

        So the first of them change by as much of themselves as the catalogue does.
        """
        if self.model.role is Role.SEGMENTER:
            table, column, store = "product_images", "image_blob", self.inputs.data_lake.images
            schema = tables.PRODUCT_IMAGES
        else:
            table, column, store = "product_crops", "crop_blob", self.inputs.data_lake.crops
            schema = tables.PRODUCT_CROPS
        rows = {row[column]: row for row in reversed(tables.read(self.inputs.data_lake.table(table), schema))}
        return lambda row: store.get(row[column]), [rows[blob] for blob in sorted(rows)]

    def _load(self, pixels: np.ndarray) -> Item:
        return (pixels, None) if self.model.role is Role.SEGMENTER else crops.from_rgba(pixels)
