"""A search's result as the plain values that its answer is made of."""

import base64
import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from PIL import Image

from catalog.features.ranking import Scored, Weights
from catalog.features.routing import Route
from catalog.vision import crops
from query.plain_values import finite, score_parts, times
from query.results import CutOut, SearchResult
from query.service.shelf import Opened

CUT_OUT_SIDE_PX = 320
CUT_OUT_QUALITY = 80
THUMBS = "/thumbs/"
TEXTS = ("product_id", "variant", "title", "category", "currency", "brand", "availability", "color", "pattern")


def answer(
    opened: Opened,
    result: SearchResult,
    weights: Weights,
    photo: Mapping[str, Any] | None,
    milliseconds: Mapping[str, float],
    elapsed_ms: float,
    *,
    candidates: bool,
) -> dict[str, Any]:
    """The whole answer to a search."""
    values: dict[str, Any] = {
        "bundle": opened.brief,
        "categories": list(result.categories),
        "route": route_values(result.route) if result.route else None,
        "photo": photo,
        "weights": {
            "semantic": weights.semantic,
            "texture": weights.texture,
            "color": weights.color,
            "color_gate": weights.color_gate,
        },
        "results": [{"rank": hit.rank, **_scored(opened, hit.scored)} for hit in result.hits],
        **times(milliseconds, elapsed_ms),
    }
    if candidates:
        values["candidates"] = [_scored(opened, scored) for scored in result.candidates]
    return values


def as_json(values: Mapping[str, Any]) -> bytes:
    """An answer's bytes; half a character, which a damaged feed may hold, becomes a question mark."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def item_values(opened: Opened, row: int) -> dict[str, Any]:
    """One item of the catalogue."""
    item = opened.engine.bundle.items[row]
    return {
        **{name: str(item.get(name) or "") for name in TEXTS},
        "price": finite(item.get("price")),
        "url": _web(str(item.get("url") or "")),
        "thumb": THUMBS + quote(str(item["thumb"]).rpartition("/")[2], safe=""),
        "row": row,
    }


def route_values(route: Route) -> dict[str, Any]:
    """How a photo was routed."""
    return {"measure": route.measure, "margin": finite(route.margin), "scores": [list(pair) for pair in route.scores]}


def photo_values(described: CutOut, *, pictures: bool) -> dict[str, Any]:
    """What was seen in the photo; its cut-out and its things only where they are wanted: they cost some ms."""
    height, width = described.photo_hwc.shape[:2]
    left, top, right, bottom = described.box
    return {
        "width": width,
        "height": height,
        "box": [left / width, top / height, right / width, bottom / height],
        "things": [list(box) for box in described.things()] if pictures else None,
        "mask_flags": list(described.mask.flags),
        "cut_out": _cut_out(described.crop) if pictures else None,
    }


def _cut_out(crop: crops.ProductCrop) -> str:
    picture = Image.fromarray(crops.to_rgba(crop))
    picture.thumbnail((CUT_OUT_SIDE_PX, CUT_OUT_SIDE_PX), Image.Resampling.BILINEAR)
    content = io.BytesIO()
    picture.save(content, "WEBP", quality=CUT_OUT_QUALITY, method=0)
    return f"data:image/webp;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"


def _scored(opened: Opened, scored: Scored) -> dict[str, Any]:
    return {**item_values(opened, scored.row), "score": scored.score, "parts": score_parts(scored)}


def _web(url: str) -> str:
    """A product's page; "" for an address that a browser would run, or that is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme.lower() in ("http", "https") and parts.netloc else ""
