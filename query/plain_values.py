"""A search's result as plain values, which become JSON: what `--json` and `--json-lines` print."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from query.results import SearchResult
    from query.text_search import TextResult


def as_dict(result: "SearchResult") -> dict[str, Any]:
    """A search result as plain values; stages that run side by side overlap in `milliseconds`, not in `elapsed_ms`."""
    route = result.route
    return {
        "categories": list(result.categories),
        "route": None if route is None else {"margin": _finite(route.margin), route.measure: dict(route.scores)},
        "results": [
            {
                "rank": hit.rank,
                **hit.item,
                "score": hit.scored.score,
                "parts": {
                    "semantic": hit.scored.semantic,
                    "semantic_cosine": hit.scored.semantic_cosine,
                    "texture": hit.scored.texture,
                    "texture_cosine": hit.scored.texture_cosine,
                    "color": hit.scored.color,
                    "passed_color_gate": hit.scored.passed_color_gate,
                },
            }
            for hit in result.hits
        ],
        "mask_flags": list(result.described.mask.flags) if result.described else [],
        "milliseconds": {stage: round(value, 2) for stage, value in result.milliseconds.items()},
        "elapsed_ms": round(result.elapsed_ms, 2),
    }


def text_as_dict(result: "TextResult") -> dict[str, Any]:
    """What words found as plain values."""
    return {
        "words": result.words,
        "categories": list(result.categories),
        "results": [
            {"rank": hit.rank, **hit.item, "score": hit.log_odds, "parts": {"semantic_cosine": hit.cosine}}
            for hit in result.hits
        ],
        "milliseconds": {stage: round(value, 2) for stage, value in result.milliseconds.items()},
        "elapsed_ms": round(sum(result.milliseconds.values()), 2),
    }


def _finite(value: float) -> float | None:
    return value if value != float("inf") else None
