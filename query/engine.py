"""The search that ships: a photo in, the ten nearest products out, with every part of the score and every stage's time.

It reads a bundle and nothing else, as the phone does: decode, segment, crop, embed, route, cosine candidates in the
routed categories, texture and colour rerank, one result a product. Words come embedded: the towers that read them do
not ship.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from catalog.errors import ImageError, LookbookError
from catalog.features import ranking, routing
from catalog.formats import digests
from catalog.formats.file_digests import DigestOf
from catalog.formats.signatures import NOBODY, Trust
from catalog.records import Reason
from catalog.vision import color, crops, plain_ground
from catalog.vision.boxes import Box
from catalog.vision.decoding import PhotoLimits, decode_photo
from query import text_search
from query.bundle import nearest_names, open_bundle
from query.filters import Filters
from query.results import CutOut, Described, Hit, QueryFeatures, SearchResult, Watcher
from query.text_search import TextQuery, TextResult

Result = TypeVar("Result")
Photo = bytes | Path | np.ndarray
BESIDE = 2  # models that may run side by side: what ranks a query needs two
GATHERED = 2.5  # times as long to gather a row and multiply as to multiply it where it lies
NO_FILTERS = Filters()


@dataclass
class _Stopwatch:
    milliseconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def time(self, stage: str, run: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        result = run()
        self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + 1000 * (time.perf_counter() - started)
        return result

    @property
    def elapsed_ms(self) -> float:
        return 1000 * (time.perf_counter() - self.started)


class Engine:
    """An open bundle that answers queries; deterministic, and safe to call from several threads."""

    def __init__(
        self,
        folder: Path,
        threads: int | None = None,
        *,
        trust: Trust = NOBODY,
        digest_of: DigestOf = digests.of_file,
        in_memory: bool = False,
    ) -> None:
        """Open and check the bundle in `folder`; `threads` run a search's models, by default one a core.

        `trust` says whose signature is taken: a signed bundle is opened with its public key only. `digest_of` spares
        a builder reading again what it has just read. `in_memory` reads the matrices instead of mapping them: a file
        that is cut short while it is mapped ends the process that looks at it, which a service can't have.
        Raises: BundleError that names the file which is not what the manifest says, or a signature that is not trusted.
        """
        self.bundle = open_bundle(folder, trust, digest_of, in_memory=in_memory)
        self._threads = threads or os.cpu_count() or 1
        values = self.bundle.manifest
        self._router_space: str = values["router"]["space"]
        self._limits = PhotoLimits(**values["query"]["photos"])
        self._beside = ThreadPoolExecutor(BESIDE * self._threads, "lookbook-model") if self._threads > 1 else None

    def warm_up(self) -> None:
        """Open every model now, so that the first search is as fast as the next."""
        for name in self.bundle.manifest["models"]:
            self.bundle.model(name, self._threads)

    def describe(
        self, photo: Photo, *, box: Box | None = None, watcher: Watcher | None = None
    ) -> tuple[Described, Mapping[str, float]]:
        """What the models make of a photo, to be searched with later, and the milliseconds of each stage.

        Raises: ImageError for what is no usable photo.
        """
        watch = _Stopwatch()
        return self._describe(photo, box, watch, watcher), watch.milliseconds

    def embedding(self, described: Described, space: str) -> np.ndarray:
        """The query's (dim,) float32 embedding in one of the bundle's spaces."""
        if space not in described.embeddings:
            described.embeddings[space] = self._embed(described.crop, space)
        return described.embeddings[space]

    def search(
        self,
        photo: Photo | QueryFeatures,
        *,
        k: int | None = None,
        category: str | Sequence[str] | None = None,
        filters: Filters = NO_FILTERS,
        one_result_per: Literal["product", "variant"] = "product",
        weights: ranking.Weights | None = None,
        leave_out: Sequence[int] = (),
        box: Box | None = None,
        watcher: Watcher | None = None,
    ) -> SearchResult:
        """Find the `k` products nearest to a photo: a file, its bytes, (h, w, 3) uint8 upright sRGB pixels, or what was
        described before.

        `category` searches that category, or those, instead of the routed ones, `filters` hold items back, `weights`
        count instead of the bundle's, rows in `leave_out` are not found. `box` looks at a part of the photo only: left,
        top, right and bottom as fractions of its upright width and height. `watcher` is told of every stage at once.
        Raises: ImageError for what is no usable photo; LookbookError for a category or brand that isn't there, a box
            that is none, or features without an embedding in a space that is searched.
        """
        watch = _Stopwatch()
        chosen = self._named(category)
        rows_left = None if filters.is_open else filters.rows(self.bundle)
        features = photo if isinstance(photo, QueryFeatures) else self._describe(photo, box, watch, watcher)
        described = features if isinstance(features, Described) else None
        route = None
        if category is None:
            route = watch.time("route", lambda: self._route(features.embeddings[self._router_space]))
            if watcher:
                watcher.routed(route)
        categories = route.categories if route else chosen
        rows = self._rows(categories, leave_out)
        if rows_left is not None:
            rows = rows[rows_left[rows]]
        for space in self.bundle.spaces_of(rows):
            if space not in features.embeddings:
                if described is None:
                    raise LookbookError(f"the query has no embedding in the space {space!r}, which is searched")
                watch.time("embed", partial(self.embedding, described, space))
        hits, candidates = self._rank(
            features.embeddings, features.texture, features.color, rows, k, one_result_per, weights, watch
        )
        return SearchResult(hits, route, categories, watch.milliseconds, described, watch.elapsed_ms, candidates)

    def similar(
        self,
        product_id: str,
        *,
        k: int | None = None,
        category: str | None = None,
        filters: Filters = NO_FILTERS,
        one_result_per: Literal["product", "variant"] = "product",
        weights: ranking.Weights | None = None,
    ) -> SearchResult:
        """Find the products most like one of the catalogue's own, in its category or the one named; never itself.

        Raises: LookbookError when the bundle has no such product, category or brand.
        """
        watch = _Stopwatch()
        own = self.bundle.rows_of_product(product_id)
        if not len(own):
            close = nearest_names(product_id, [str(item["product_id"]) for item in self.bundle.items])
            hint = f"; the nearest ids are {', '.join(map(repr, close))}" if close else ""
            raise LookbookError(f"no product {product_id!r} in this bundle{hint}")
        row = int(own[0])
        item = self.bundle.items[row]
        chosen = self.bundle.find_category(category) if category else str(item["category"])
        rows = self._rows((chosen,), own)
        rows = rows[self.bundle.spaces[rows] == self.bundle.spaces[row]]
        if not filters.is_open:
            rows = rows[filters.rows(self.bundle)[rows]]
        hits, candidates = self._rank(
            {str(item["space"]): self.bundle.embeddings[row]},
            self.bundle.texture[row],
            self.bundle.colors[row],
            rows,
            k,
            one_result_per,
            weights,
            watch,
        )
        return SearchResult(hits, None, (chosen,), watch.milliseconds, None, watch.elapsed_ms, candidates)

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

    def _named(self, category: str | Sequence[str] | None) -> tuple[str, ...]:
        named = [category] if isinstance(category, str) else category or ()
        return tuple(self.bundle.find_category(name) for name in named)

    def _rows(self, categories: Sequence[str], leave_out: Sequence[int] | np.ndarray) -> np.ndarray:
        """The rows that are searched, in order."""
        chosen = [self.bundle.category_rows[name] for name in set(categories) if name in self.bundle.category_rows]
        rows = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)
        return rows[~np.isin(rows, leave_out)] if len(leave_out) else rows

    def _describe(self, photo: Photo, box: Box | None, watch: _Stopwatch, watcher: Watcher | None) -> Described:
        values = self.bundle.manifest["query"]
        whole = photo if isinstance(photo, np.ndarray) else watch.time("decode", lambda: self._decode(photo))
        image, looked_at = (whole, _whole(whole)) if box is None else self._part(whole, box)
        segmenter = self.bundle.model(values["segmenter"], self._threads)
        saliency = watch.time("segment", lambda: segmenter.run(image))
        mask = watch.time("segment", lambda: plain_ground.cut_out(saliency, image))
        crop = watch.time("crop", lambda: crops.crop_product(image, mask.binary_mask, values["crop_side_px"]))
        if watcher:
            watcher.cut_out(CutOut(photo_hwc=whole, box=looked_at, mask=mask, crop=crop))
        texture_encoder = self.bundle.model(self.bundle.manifest["texture_space"]["model"], self._threads)

        def describe_texture() -> np.ndarray:
            return watch.time("texture", lambda: texture_encoder.run(crop.image_hwc, crop.binary_mask))

        later = self._beside.submit(describe_texture) if self._beside else None  # models share nothing but the crop
        signature = watch.time("color", lambda: color.color_signature(crop.image_hwc, crop.binary_mask))
        embedding = watch.time("embed", lambda: self._embed(crop, self._router_space))
        texture = later.result() if later else describe_texture()
        return Described(
            photo_hwc=whole,
            box=looked_at,
            mask=mask,
            crop=crop,
            texture=texture,
            color=signature,
            embeddings={self._router_space: embedding},
        )

    def _decode(self, photo: bytes | Path) -> np.ndarray:
        if isinstance(photo, bytes):
            return decode_photo(photo, self._limits).image_hwc
        try:
            content = photo.read_bytes()
        except OSError as error:
            raise ImageError(Reason.IMAGE_NOT_FOUND, f"{photo}: can't be read ({error.strerror})") from error
        return decode_photo(content, self._limits).image_hwc

    def _part(self, image: np.ndarray, box: Box) -> tuple[np.ndarray, Box]:
        """The pixels in a box of fractions, and the box in whole pixels."""
        height, width = image.shape[:2]
        left, top, right, bottom = (round(side * of) for side, of in zip(box, (width, height) * 2, strict=True))
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise LookbookError(
                f"the box {', '.join(f'{side:g}' for side in box)} is none of this photo's: "
                "left, top, right and bottom are fractions from 0 to 1, in this order"
            )
        if min(right - left, bottom - top) < self._limits.min_side_px:
            held = f"{right - left} x {bottom - top} px, at least {self._limits.min_side_px} a side are needed"
            raise ImageError(Reason.TOO_SMALL, f"the box holds {held}")
        return np.ascontiguousarray(image[top:bottom, left:right]), (left, top, right, bottom)

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
    ) -> tuple[tuple[Hit, ...], tuple[ranking.Scored, ...]]:
        """The hits, and every candidate row with the parts of its score, best first."""
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
                    cosines[here] = _scan(bundle.embeddings, rows[here], embeddings[space])
                    chance = bundle.manifest["spaces"][space]["chance_cosine"]
                    similar[here] = ranking.calibrate(cosines[here], chance)
            places = ranking.top_candidates(similar, groups[rows], max(options["candidates"], wanted))
            return rows[places], cosines[places], similar[places]

        chosen, cosines, similar = watch.time("candidates", candidates)
        scored = watch.time(
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
            ),
        )
        best = ranking.first_of_each(scored, groups, wanted)
        hits = tuple(Hit(rank, bundle.items[s.row], bundle.thumb(s.row), s) for rank, s in enumerate(best, start=1))
        return hits, tuple(scored)


def _scan(embeddings: np.ndarray, rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """(len(rows),) cosines; where most rows are wanted, reading past the others is faster than gathering first."""
    if GATHERED * len(rows) < len(embeddings):
        return np.asarray(embeddings[rows] @ query)
    cosines = embeddings @ query
    return np.asarray(cosines if len(rows) == len(embeddings) else cosines[rows])


def _whole(image: np.ndarray) -> Box:
    return (0, 0, image.shape[1], image.shape[0])
