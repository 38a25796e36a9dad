"""The search that ships: a photo in, the ten nearest products out, with every part of the score and every stage's time.

It reads a bundle and nothing else, as the phone does: decode, segment, crop, embed, route, cosine candidates in the
routed categories, texture and colour rerank, one result a product. Words come embedded: the towers that read them do
not ship.
"""

import difflib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from catalog.errors import LookbookError
from catalog.features import ranking, routing
from catalog.formats import digests
from catalog.formats.file_digests import DigestOf
from catalog.formats.signatures import NOBODY, Trust
from catalog.vision import color, crops, masks, plain_ground
from catalog.vision.decoding import PhotoLimits, decode_photo
from query import text_search
from query.bundle import open_bundle
from query.text_search import TextQuery, TextResult

Result = TypeVar("Result")


@dataclass(frozen=True)
class Hit:
    """One result: the catalogue's item that matched best of its product (or variant), and why."""

    rank: int  # from 1
    item: Mapping[str, Any]  # as in catalog.json: product_id, variant, title, category, price ...
    thumb: Path
    scored: ranking.Scored


@dataclass(frozen=True, kw_only=True)
class QueryFeatures:
    """What a query is ranked by."""

    texture: np.ndarray
    color: np.ndarray
    embeddings: dict[str, np.ndarray]  # by space


@dataclass(frozen=True, kw_only=True)
class Described(QueryFeatures):
    """What the models make of one query photo; `embeddings` grows by the spaces that a route leads to."""

    photo_hwc: np.ndarray
    mask: masks.ProductMask
    crop: crops.ProductCrop


@dataclass(frozen=True)
class SearchResult:
    """The hits, the route they came by, and what each stage took."""

    hits: tuple[Hit, ...]
    route: routing.Route | None  # None where the caller named the category, or searched by product
    categories: tuple[str, ...]  # that were searched
    milliseconds: Mapping[str, float]  # by stage, in order
    described: Described | None = None  # None for a search by product


def _nearest(word: str, known: Sequence[str]) -> list[str]:
    """Up to three of `known` that are most like `word`, whatever their case."""
    by_lower = {name.casefold(): name for name in known}
    return [by_lower[lower] for lower in difflib.get_close_matches(word.casefold(), by_lower, 3)]


@dataclass
class _Stopwatch:
    milliseconds: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, run: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        result = run()
        self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + 1000 * (time.perf_counter() - started)
        return result


class Engine:
    """An open bundle that answers queries; deterministic, and safe to call from several threads."""

    def __init__(
        self,
        folder: Path,
        threads: int | None = None,
        *,
        trust: Trust = NOBODY,
        digest_of: DigestOf = digests.of_file,
    ) -> None:
        """Open and check the bundle in `folder`; `threads` run each model, by default one a core.

        `trust` says whose signature is taken: a signed bundle is opened with its public key only. `digest_of` spares
        a builder reading again what it has just read.
        Raises: BundleError that names the file which is not what the manifest says, or a signature that is not trusted.
        """
        self.bundle = open_bundle(folder, trust, digest_of)
        self._threads = threads or os.cpu_count() or 1
        values = self.bundle.manifest
        self._router_space: str = values["router"]["space"]
        self._limits = PhotoLimits(**values["query"]["photos"])

    def warm_up(self) -> None:
        """Open every model now, so that the first search is as fast as the next."""
        for name in self.bundle.manifest["models"]:
            self.bundle.model(name, self._threads)

    def describe(self, photo: bytes | np.ndarray) -> tuple[Described, Mapping[str, float]]:
        """What the models make of a photo, to be searched with later, and the milliseconds of each stage.

        Raises: ImageError for bytes that are no usable photo.
        """
        watch = _Stopwatch()
        return self._describe(photo, watch), watch.milliseconds

    def embedding(self, described: Described, space: str) -> np.ndarray:
        """The query's (dim,) float32 embedding in one of the bundle's spaces."""
        if space not in described.embeddings:
            described.embeddings[space] = self._embed(described.crop, space)
        return described.embeddings[space]

    def search(
        self,
        photo: bytes | np.ndarray | QueryFeatures,
        *,
        k: int | None = None,
        category: str | Sequence[str] | None = None,
        one_result_per: Literal["product", "variant"] = "product",
        weights: ranking.Weights | None = None,
        leave_out: Sequence[int] = (),
    ) -> SearchResult:
        """Find the `k` products nearest to a photo: a file's bytes, (h, w, 3) uint8 upright sRGB pixels, or what was
        described before.

        `category` searches that category, or those, instead of the routed ones, `weights` count instead of the
        bundle's, rows in `leave_out` are not found.
        Raises: ImageError for bytes that are no usable photo; LookbookError for a category that isn't there, or
            features without an embedding in a space that is searched.
        """
        watch = _Stopwatch()
        features = photo if isinstance(photo, QueryFeatures) else self._describe(photo, watch)
        described = features if isinstance(features, Described) else None
        route = None
        if category is None:
            route = watch.time("route", lambda: self._route(features.embeddings[self._router_space]))
        named = [category] if isinstance(category, str) else category or ()
        categories = route.categories if route else tuple(self.bundle.find_category(name) for name in named)
        rows = self._rows(categories, leave_out)
        for space in self.bundle.spaces_of(rows):
            if space not in features.embeddings:
                if described is None:
                    raise LookbookError(f"the query has no embedding in the space {space!r}, which is searched")
                watch.time("embed", partial(self.embedding, described, space))
        hits = self._rank(
            features.embeddings, features.texture, features.color, rows, k, one_result_per, weights, watch
        )
        return SearchResult(hits, route, categories, watch.milliseconds, described)

    def similar(
        self,
        product_id: str,
        *,
        k: int | None = None,
        category: str | None = None,
        one_result_per: Literal["product", "variant"] = "product",
    ) -> SearchResult:
        """Find the products most like one of the catalogue's own, in its category or the one named; never itself.

        Raises: LookbookError when the bundle has no such product or category.
        """
        watch = _Stopwatch()
        own = self.bundle.rows_of_product(product_id)
        if not len(own):
            close = _nearest(product_id, [str(item["product_id"]) for item in self.bundle.items])
            hint = f"; the nearest ids are {', '.join(map(repr, close))}" if close else ""
            raise LookbookError(f"no product {product_id!r} in this bundle{hint}")
        row = int(own[0])
        item = self.bundle.items[row]
        chosen = self.bundle.find_category(category) if category else str(item["category"])
        rows = self._rows((chosen,), own)
        rows = rows[self.bundle.spaces[rows] == self.bundle.spaces[row]]
        hits = self._rank(
            {str(item["space"]): self.bundle.embeddings[row]},
            self.bundle.texture[row],
            self.bundle.colors[row],
            rows,
            k,
            one_result_per,
            None,
            watch,
        )
        return SearchResult(hits, None, (chosen,), watch.milliseconds)

    def search_text(
        self, words: str, queries: Mapping[str, TextQuery], *, k: int | None = None, category: str | None = None
    ) -> TextResult:
        """Find the `k` products that words fit best: in all categories, or the one named.

        `queries` are the words in every space that is searched; see `query.text_search`.
        Raises: LookbookError for a category that isn't there, or a space that the words are not in.
        """
        watch = _Stopwatch()
        count = self.bundle.manifest["ranking"]["results"] if k is None else k
        hits = watch.time("candidates", lambda: text_search.nearest(self.bundle, queries, count, category))
        searched = [self.bundle.find_category(category)] if category else sorted(self.bundle.category_rows)
        return TextResult(words, hits, tuple(searched), watch.milliseconds)

    def _rows(self, categories: Sequence[str], leave_out: Sequence[int] | np.ndarray) -> np.ndarray:
        """The rows that are searched, in order."""
        chosen = [self.bundle.category_rows[name] for name in set(categories) if name in self.bundle.category_rows]
        rows = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
        return rows[~np.isin(rows, leave_out)] if len(leave_out) else rows

    def _describe(self, photo: bytes | np.ndarray, watch: _Stopwatch) -> Described:
        values = self.bundle.manifest["query"]
        pixels = photo
        if isinstance(pixels, bytes):
            content = pixels
            pixels = watch.time("decode", lambda: decode_photo(content, self._limits).image_hwc)
        image: np.ndarray = pixels
        segmenter = self.bundle.model(values["segmenter"], self._threads)
        saliency = watch.time("segment", lambda: segmenter.run(image))
        mask = watch.time("segment", lambda: plain_ground.cut_out(saliency, image))
        crop = watch.time("crop", lambda: crops.crop_product(image, mask.binary_mask, values["crop_side_px"]))
        texture_encoder = self.bundle.model(self.bundle.manifest["texture_space"]["model"], self._threads)
        embedding = watch.time("embed", lambda: self._embed(crop, self._router_space))
        texture = watch.time("texture", lambda: texture_encoder.run(crop.image_hwc, crop.binary_mask))
        signature = watch.time("color", lambda: color.color_signature(crop.image_hwc, crop.binary_mask))
        return Described(
            photo_hwc=image,
            mask=mask,
            crop=crop,
            texture=texture,
            color=signature,
            embeddings={self._router_space: embedding},
        )

    def _embed(self, crop: crops.ProductCrop, space: str) -> np.ndarray:
        encoder = self.bundle.model(self.bundle.manifest["spaces"][space]["model"], self._threads)
        return encoder.run(crop.image_hwc, crop.binary_mask)

    def _route(self, embedding: np.ndarray) -> routing.Route:
        return routing.route(embedding, self.bundle.router, self.bundle.manifest["router"]["margin"])

    def _rank(
        self,
        embeddings: Mapping[str, np.ndarray],
        texture: np.ndarray,
        signature: np.ndarray,
        rows: np.ndarray,
        k: int | None,
        one_result_per: str,
        weights: ranking.Weights | None,
        watch: _Stopwatch,
    ) -> tuple[Hit, ...]:
        bundle, options = self.bundle, self.bundle.manifest["ranking"]
        wanted = options["results"] if k is None else k
        groups = bundle.products if one_result_per == "product" else bundle.variants

        def candidates() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            cosines = np.empty(len(rows), np.float32)
            similar = np.empty(len(rows), np.float32)
            spaces = bundle.spaces[rows]
            for code, space in enumerate(bundle.space_names):
                here = np.flatnonzero(spaces == code)
                if len(here):
                    every = len(here) == len(bundle.items)  # then nothing has to be gathered first
                    cosines[here] = (bundle.embeddings if every else bundle.embeddings[rows[here]]) @ embeddings[space]
                    chance = bundle.manifest["spaces"][space]["chance_cosine"]
                    similar[here] = ranking.calibrate(cosines[here], chance)
            places = ranking.top_candidates(similar, groups[rows], max(options["candidates"], wanted))
            return rows[places], cosines[places], similar[places]

        chosen, cosines, similar = watch.time("candidates", candidates)
        best = watch.time(
            "rerank",
            lambda: ranking.rerank(
                chosen,
                cosines,
                similar,
                texture,
                bundle.texture[chosen],
                bundle.manifest["texture_space"]["chance_cosine"],
                signature,
                bundle.colors[chosen],
                weights or bundle.weights,
                groups[chosen],
                wanted,
            ),
        )
        return tuple(Hit(rank, bundle.items[s.row], bundle.thumb(s.row), s) for rank, s in enumerate(best, start=1))
