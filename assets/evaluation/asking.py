"""A protocol's queries put to an engine: photos described once, then ranked under each setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from assets.described_queries import DescribedQuery, describe
from assets.evaluation.engines import make_router, with_router
from assets.query_photos import Query
from assets.trials import NO_ROUTE, PERFECT_ROUTE, weightings
from catalog.errors import ImageError
from catalog.evaluation import protocols
from catalog.evaluation.evaluation_report import FULL
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocol_scores import PLACES, Ranked
from catalog.evaluation.protocols import ROUTING, Protocol
from catalog.features.ranking import Weights
from catalog.formats import tables
from catalog.formats.feeds.items import clean
from query.engine import Engine
from query.results import QueryFeatures
from resources.data_lake import DataLake
from resources.progress import Progress


@dataclass(frozen=True)
class Setting:
    """How a search is asked, where it is not asked as it ships."""

    weights: Weights | None = None
    route: Literal["own", "none", "perfect"] = "own"


@dataclass(frozen=True)
class Gallery:
    """An engine and the labels of its rows."""

    engine: Engine
    labels: tuple[Photo, ...]
    router_embeddings: np.ndarray  # (rows, dim) float32, of every row in the router's space


@dataclass(frozen=True)
class DescribedPhotos:
    """What the models make of photos, by name, and why some could not be used."""

    features: Mapping[str, DescribedQuery]
    problems: tuple[tuple[str, str], ...]


def label_rows(engine: Engine, gallery: Sequence[Photo], lake: DataLake) -> tuple[Photo, ...]:
    """The label of every row of a bundle that was built of a gallery, by the file that the lake's catalogue read.

    Two photos may be of the same product and variant: each row has its own photo's label.
    """
    file_of = {
        tables.item_of(row): Path(lake.home, row["image_path"]).resolve()
        for row in tables.read(lake.table("raw_catalog"), tables.RAW_CATALOG)
    }
    label_of = {(clean(photo.product_id), clean(photo.variant), photo.file.resolve()): photo for photo in gallery}
    return tuple(
        label_of[clean(item["product_id"]), item["variant"], file_of[tables.item_of(item)]]
        for item in engine.bundle.items
    )


def describe_photos(
    engine: Engine, photos: Sequence[Photo], digest_of: Mapping[str, str], lake: DataLake
) -> DescribedPhotos:
    """Describe photos with an engine's models, remembered in `lake`, which is of that engine and these photos alone."""
    queries = [
        Query(photo.name, "", photo.category, photo.pattern, 0, digest_of.get(photo.name, ""), photo.file, photo.mask)
        for photo in photos
    ]
    features, problems = {}, []
    for photo, described in zip(photos, describe(engine, queries, lake, Progress(shown=True)), strict=True):
        if isinstance(described, ImageError):
            problems.append((photo.name, str(described)))
            continue
        if described.mask_problem:
            problems.append((photo.name, described.mask_problem))
        features[photo.name] = described
    return DescribedPhotos(features, tuple(problems))


def settings(own: Weights, protocol: Protocol, *, ablation: bool) -> dict[str, Setting]:
    """What is asked of one engine: the search as it ships and, for the ablation, with other weights and routes."""
    if not ablation:
        return {FULL: Setting()}
    found = {name: Setting(weights) for name, weights in weightings(own).items()}
    if not protocol.kind.everywhere:
        found |= {NO_ROUTE: Setting(route="none"), PERFECT_ROUTE: Setting(route="perfect")}
    return found


def ask(gallery: Gallery, protocol: Protocol, photos: DescribedPhotos, setting: Setting) -> list[Ranked]:
    """The answers to every query that was described."""
    queries = [photo for photo in protocol.queries if photo.name in photos.features]
    routed = _fold_engines(gallery, protocol) if protocol.name == ROUTING else {}
    answers = []
    for query in queries:
        engine = routed.get(query.name, gallery.engine)
        one = _Asked(replace(gallery, engine=engine), protocol, query, photos.features[query.name], setting)
        answers.append(one.answer())
    return answers


def _fold_engines(gallery: Gallery, protocol: Protocol) -> dict[str, Engine]:
    """For every query, the engine whose router has seen none of its fold's senders, and only the protocol's photos."""
    bundle = gallery.engine.bundle
    fold_of, engines = protocols.folds(protocol.gallery), {}
    for fold in set(fold_of.values()):
        others = [row for row, label in enumerate(gallery.labels) if fold_of.get(label.name, fold) != fold]
        router = make_router(
            gallery.router_embeddings[others],
            [gallery.labels[row].category for row in others],
            [gallery.labels[row].product_id for row in others],
            bundle.router.method,
        )
        engines[fold] = with_router(gallery.engine, router)
    return {query.name: engines[fold_of[query.name]] for query in protocol.queries}


@dataclass(frozen=True)
class _Asked:
    """One query, and what it is asked of."""

    gallery: Gallery
    protocol: Protocol
    query: Photo
    described: DescribedQuery
    setting: Setting

    def answer(self) -> Ranked:
        kind, every = self.protocol.kind, sorted(self.gallery.engine.bundle.category_rows)
        left_out = protocols.left_out_rows(self.protocol, self.query, self.gallery.labels)
        searched = self._searched(every)
        told = every if kind.everywhere else searched
        labels = self.gallery.labels
        own = [row for row, photo in enumerate(labels) if photo.product_id == self.query.product_id]
        within = kind.within and self.setting.route == "own"
        return Ranked(
            query=self.query,
            products=self._rank("product", told, left_out),
            variants=self._rank("variant", told, left_out) if self.query.variant else (),
            whole=self._rank("variant", told, left_out, k=len(labels)) if kind.whole else (),
            within=self._rank("product", (self.query.category,), own) if within else None,
            searched=() if self.setting.route == "none" else tuple(searched),
            mask_iou=self.described.mask_iou,
        )

    def _searched(self, every: Sequence[str]) -> Sequence[str]:
        """The categories that the setting leads to, the best first."""
        if self.setting.route == "none":
            return every
        if self.setting.route == "perfect" and self.query.category in every:
            return (self.query.category,)
        return self.gallery.engine.search(self.described.features, k=1).categories

    def _rank(
        self,
        one_result_per: Literal["product", "variant"],
        categories: Sequence[str],
        left_out: Sequence[int],
        k: int = PLACES,
    ) -> tuple[Photo, ...]:
        engine = self.gallery.engine
        known = [name for name in categories if name in engine.bundle.category_rows]
        if not known:
            return ()
        features: QueryFeatures = self.described.features
        hits = engine.search(
            features,
            k=k,
            category=known,
            one_result_per=one_result_per,
            weights=self.setting.weights,
            leave_out=left_out,
        ).hits
        return tuple(self.gallery.labels[hit.scored.row] for hit in hits)
