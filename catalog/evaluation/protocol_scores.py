"""What a ranking is worth under its protocol, a value a query and measure: docs/evaluation.md defines each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from catalog.evaluation import measures, protocols
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocols import FABRIC, GROCERY, LUMA, PAIRS, PRINT_CLASSES, PRINTS, ROUTING, SAMPLE, Protocol

PLACES = 10  # of a ranking that are looked at
CLASS_MEASURES = tuple(f"print precision@10, {label}" for label in PRINT_CLASSES)
PRINT_MEAN = "print precision@10, mean of classes"

# What differences are tested of; the other measures stand in the tables. Fewer tests say more.
HEADLINES = {
    LUMA: ("success@1", "variant success@1", "variant success@10"),
    FABRIC: ("success@1", "mAP"),
    PRINTS: (PRINT_MEAN,),
    ROUTING: ("routed@1", "nearest neighbour"),
    GROCERY: ("success@1", "MRR"),
    SAMPLE: ("success@1", "print precision@10", "color precision@10"),
    PAIRS: ("success@1", "MRR"),
}

Values = dict[str, dict[str, float]]  # by measure, then by the query's name


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """What was found for one query, best first. Each entry stands for the photo that was found."""

    query: Photo
    products: tuple[Photo, ...]  # one a product
    variants: tuple[Photo, ...] = ()  # one a variant
    whole: tuple[Photo, ...] = ()  # one a variant, of the whole gallery
    within: tuple[Photo, ...] | None = None  # one a product, of the query's category, its own product left out
    searched: tuple[str, ...] = ()  # the categories that were searched, the best first; () where all were
    mask_iou: float | None = None  # of the query's cut-out with its exact mask


def score(protocol: Protocol, answers: Sequence[Ranked], labels: Sequence[Photo]) -> Values:
    """Every measure of a protocol, by the names of the queries that it is defined for; `labels` are the gallery's."""
    found: Values = {}
    for answer in answers:
        for measure, value in _values(protocol.name, answer, labels).items():
            found.setdefault(measure, {})[answer.query.name] = value
    if protocol.name == PRINTS:
        found[PRINT_MEAN] = {query: value for values in _classes(found) for query, value in values.items()}
    return found


def _values(name: str, answer: Ranked, labels: Sequence[Photo]) -> dict[str, float]:
    query = answer.query
    products = [photo.product_id for photo in answer.products]
    if name == PRINTS:
        patterns = [photo.pattern for photo in answer.products]
        return {f"print precision@10, {query.pattern}": measures.precision_at_k(patterns, query.pattern, PLACES)}
    if name == ROUTING:
        nearest = float(bool(answer.products) and answer.products[0].category == query.category)
        return {**_routed(answer), "nearest neighbour": nearest}
    if name == FABRIC:
        relevant = sum(photo.product_id == query.product_id for photo in labels)
        whole = [photo.product_id for photo in answer.whole]
        return {
            "success@1": measures.success_at_k(products, query.product_id, 1),
            "mAP": measures.average_precision(whole, query.product_id, relevant),
        }
    cutoffs = (1, 3, 5, 10) if name == PAIRS else (1, 5, 10)
    found = {f"success@{k}": measures.success_at_k(products, query.product_id, k) for k in cutoffs}
    if name in (LUMA, SAMPLE) and query.variant:
        variants = [(photo.product_id, photo.variant) for photo in answer.variants]
        wanted = (query.product_id, query.variant)
        found |= {f"variant success@{k}": measures.success_at_k(variants, wanted, k) for k in cutoffs}
    if name in (GROCERY, PAIRS):
        found["MRR"] = reciprocal_rank([photo.product_id for photo in answer.whole], query.product_id)
    if name == SAMPLE:
        if answer.within is not None:  # a route has no say in it, and is not asked for it
            patterns, colors = ([getattr(photo, label) for photo in answer.within] for label in ("pattern", "color"))
            found["print precision@10"] = measures.precision_at_k(patterns, query.pattern, PLACES)
            found["color precision@10"] = measures.precision_at_k(colors, query.color, PLACES)
        if answer.mask_iou is not None:
            found["mask IoU"] = answer.mask_iou
    return {**found, **_routed(answer)}


def _routed(answer: Ranked) -> dict[str, float]:
    if not answer.searched:
        return {}
    category = answer.query.category
    return {"routed@1": float(answer.searched[0] == category), "routed": float(category in answer.searched)}


def reciprocal_rank(ranked: Sequence[str], relevant: str) -> float:
    """One over the place of the first relevant entry, 0 where there is none."""
    once = list(dict.fromkeys(ranked))
    return measures.average_precision(once, relevant, 1)


def of_queries(found: Mapping[str, Mapping[str, float]], measure: str, queries: Collection[str]) -> dict[str, float]:
    """A measure's values of some queries, such that their mean is the measure over those queries.

    The mean of print classes is the plain mean of the classes' means: its values are weighted so that every class
    counts the same among these queries. So an interval, and a test, treat it as any other measure.
    """
    if measure != PRINT_MEAN:
        return {query: found[measure][query] for query in queries}
    kept = [{query: values[query] for query in queries if query in values} for values in _classes(found)]
    classes = [values for values in kept if values]
    count = sum(len(values) for values in classes)
    weighted = {
        query: value * count / (len(classes) * len(values)) for values in classes for query, value in values.items()
    }
    return {query: weighted[query] for query in queries}


def _classes(found: Mapping[str, Mapping[str, float]]) -> list[Mapping[str, float]]:
    return [found[name] for name in CLASS_MEASURES if name in found]


def by_table_order(values: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Measures as a table shows them: classes of prints in their own order, their mean last, others as they came."""
    classes = [name for name in CLASS_MEASURES if name in values]
    return [*classes, *(name for name in values if name not in classes)]


def chance(protocol: Protocol, labels: Sequence[Photo]) -> dict[str, float]:
    """What picking at random would reach, of the measures where that is known."""
    if protocol.name != PRINTS:
        return {}
    shares = protocols.prevalence(protocol, labels)
    found = {f"print precision@10, {name}": share for name, share in shares.items()}
    return {**found, PRINT_MEAN: sum(shares.values()) / len(shares)} if shares else {}
