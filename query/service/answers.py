"""What the service answers, as models: they make the OpenAPI description, and tests hold real answers to them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Fractions = tuple[float, float, float, float]


class Exact(BaseModel):
    """An answer has these members and no others."""

    model_config = ConfigDict(extra="forbid")


class BundleBrief(Exact):
    """Which bundle answered."""

    version: str
    profile: str
    products: int


class RouteAnswer(Exact):
    """How sure the categories are: the scores of all, best first; no margin where there is only one."""

    measure: Literal["cosines", "probabilities"]
    margin: float | None
    scores: list[tuple[str, float]]


class PhotoAnswer(Exact):
    """What was seen in the photo; boxes are left, top, right, bottom as fractions of its upright width and height."""

    width: int
    height: int
    box: Fractions
    things: list[Fractions] | None
    mask_flags: list[str]
    cut_out: str | None


class WeightsAnswer(Exact):
    """The weights that were used; below the gate a candidate comes last."""

    semantic: float
    texture: float
    color: float
    color_gate: float


class PartsAnswer(Exact):
    """The parts of a score, and the cosines that they were made of."""

    semantic: float
    semantic_cosine: float
    texture: float
    texture_cosine: float
    color: float
    passed_color_gate: bool


class ItemAnswer(Exact):
    """One item of the catalogue; `url` is "" where the feed gives none that is http or https."""

    product_id: str
    variant: str
    title: str
    category: str
    price: float | None
    currency: str
    url: str
    brand: str
    availability: str
    color: str
    pattern: str
    thumb: str
    row: int


class CandidateAnswer(ItemAnswer):
    """One item that was reranked."""

    score: float
    parts: PartsAnswer


class ResultAnswer(CandidateAnswer):
    """One result: the best item of its product."""

    rank: int


class SearchAnswer(Exact):
    """The answer to a search. `candidates` is there where it was asked for."""

    bundle: BundleBrief
    categories: list[str]
    route: RouteAnswer | None
    photo: PhotoAnswer | None
    weights: WeightsAnswer
    results: list[ResultAnswer]
    candidates: list[CandidateAnswer] = []
    milliseconds: dict[str, float]
    elapsed_ms: float


class ProductAnswer(Exact):
    """A product's items."""

    bundle: BundleBrief
    product_id: str
    items: list[ItemAnswer]


class PriceRange(Exact):
    """The prices of the catalogue, in the currency that most are in."""

    least: float
    most: float
    currency: str


class LimitsAnswer(Exact):
    """The largest photo that is taken."""

    bytes: int
    pixels: int


class BundleAnswer(BundleBrief):
    """What is served, and what a search may ask for."""

    items: int
    categories: list[str]
    brands: list[str]
    price: PriceRange | None
    weights: WeightsAnswer
    results: int
    limits: LimitsAnswer
    key_needed: bool


class KeyNeeded(Exact):
    """All that is told without the key."""

    key_needed: Literal[True]


class Health(Exact):
    """The process answers."""

    status: Literal["ok"]


class Ready(Exact):
    """A bundle is served, `version` to who has the key; `problem` tells of a newer one that could not be taken."""

    status: Literal["ready"]
    version: str
    problem: str


class ProblemAnswer(BaseModel):
    """A problem document (RFC 9457); `reason` is a word for programs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    reason: str
