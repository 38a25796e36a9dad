"""A search's result as plain values, which become JSON: what `--json` and `--json-lines` print.

The service's answers take the parts of a score, the times and what is finite from here, too.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalog.features.ranking import Scored
    from query.results import SearchResult
    from query.text_search import TextResult


def as_dict(result: "SearchResult") -> dict[str, Any]:
    """A search result as plain values; stages that run side by side overlap in `milliseconds`, not in `elapsed_ms`."""
    route = result.route
    return {
        "categories": list(result.categories),
        "route": None if route is None else {"margin": finite(route.margin), route.measure: dict(route.scores)},
        "results": [
            {
                "rank": hit.rank,
                **hit.item,
                "score": hit.scored.score,
                "parts": score_parts(hit.scored),
            }
            for hit in result.hits
        ],
        "mask_flags": list(result.described.mask.flags) if result.described else [],
        **times(result.milliseconds, result.elapsed_ms),
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
        **times(result.milliseconds, sum(result.milliseconds.values())),
    }


def score_parts(scored: "Scored") -> dict[str, Any]:
    """The parts of a score, and the cosines that they were made of."""
    return {
        "semantic": scored.semantic,
        "semantic_cosine": scored.semantic_cosine,
        "texture": scored.texture,
        "texture_cosine": scored.texture_cosine,
        "color": scored.color,
        "passed_color_gate": scored.passed_color_gate,
    }


def times(milliseconds: Mapping[str, float], elapsed_ms: float) -> dict[str, Any]:
    """The stages' milliseconds and those from the call to the answer, to the hundredth."""
    return {
        "milliseconds": {stage: round(taken, 2) for stage, taken in milliseconds.items()},
        "elapsed_ms": round(elapsed_ms, 2),
    }


def finite(value: float | None) -> float | None:
    """The value; None where it is infinite or no number, which JSON does not have."""
    return value if value is not None and math.isfinite(value) else None
