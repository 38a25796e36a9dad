"""One search, from a photo's bytes to its answer. It runs in a thread; what goes on outside it is not known here."""

import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from catalog.errors import ImageError, LookbookError
from catalog.features.routing import Route
from catalog.vision.decoding import PhotoLimits, decode_photo
from query.results import CutOut, Watcher
from query.service import values
from query.service.asked import Asked, AskedOfPhoto, box_of
from query.service.problems import Problem, of_photo
from query.service.shelf import Opened

Event = dict[str, Any]
Tell = Callable[[Event], None]


def photo_limits(opened: Opened, max_pixels: int | None) -> PhotoLimits:
    """The bundle's limits, and the service's own number of pixels where that is lower."""
    limits = PhotoLimits(**opened.engine.bundle.manifest["query"]["photos"])
    return limits if max_pixels is None else replace(limits, max_pixels=min(max_pixels, limits.max_pixels))


def search_photo(
    opened: Opened, content: bytes, asked: AskedOfPhoto, max_pixels: int | None, *, pictures: bool, tell: Tell | None
) -> Event:
    """The answer; `tell` hears of the cut-out and of the route before it is there.

    Raises: Problem for what can't be searched with.
    """
    bundle = opened.engine.bundle
    started = time.perf_counter()
    weights = asked.weights(bundle.weights)
    try:
        photo_hwc = decode_photo(content, photo_limits(opened, max_pixels)).image_hwc
        decoded_ms = 1000 * (time.perf_counter() - started)
        watcher = _Teller(tell, pictures=pictures) if tell else None
        result = opened.engine.search(
            photo_hwc,
            k=asked.k,
            category=asked.in_category(bundle),
            filters=asked.filters(bundle),
            weights=weights,
            box=box_of(asked.box) if asked.box else None,
            watcher=watcher,
        )
    except ImageError as error:
        raise of_photo(error) from error
    except LookbookError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_search", str(error)) from error
    seen = watcher.photo if watcher else None
    if seen is None and result.described:
        seen = values.photo_values(result.described, pictures=pictures)
    return values.answer(
        opened,
        result,
        weights,
        seen,
        {"decode": decoded_ms, **result.milliseconds},
        1000 * (time.perf_counter() - started),
        candidates=asked.candidates,
    )


def search_similar(opened: Opened, product_id: str, asked: Asked) -> Event:
    """What is most like one of the catalogue's own products. Raises: Problem for one that it has not, or that can't be
    searched with.
    """
    bundle = opened.engine.bundle
    started = time.perf_counter()
    weights = asked.weights(bundle.weights)
    category, filters = asked.in_category(bundle), asked.filters(bundle)
    try:
        result = opened.engine.similar(product_id, k=asked.k, category=category, filters=filters, weights=weights)
    except LookbookError as error:
        if len(bundle.rows_of_product(product_id)):
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_search", str(error)) from error
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_product", str(error)) from error
    taken = 1000 * (time.perf_counter() - started)
    return values.answer(opened, result, weights, None, result.milliseconds, taken, candidates=asked.candidates)


class _Teller(Watcher):
    """Tells what the engine tells, in the answer's words."""

    def __init__(self, tell: Tell, *, pictures: bool) -> None:
        self.photo: dict[str, Any] | None = None
        self._tell, self._pictures = tell, pictures

    def cut_out(self, seen: CutOut) -> None:
        self.photo = values.photo_values(seen, pictures=self._pictures)
        self._tell({"event": "cut_out", "photo": self.photo})

    def routed(self, route: Route) -> None:
        told = values.route_values(route)
        self._tell({"event": "route", "categories": list(route.categories), "route": told})
