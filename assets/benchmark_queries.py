"""The queries that a home's benchmark puts: described, without those that can't be put or that would flatter it."""

from dataclasses import dataclass

from assets.described_queries import DescribedQuery, describe
from assets.query_leaks import gallery_hashes, leak, photos_by_digest
from assets.query_photos import Query, labelled_queries, left_out_queries, rejection
from catalog.errors import ImageError
from catalog.records import Outcome, Reason, Rejection
from query.engine import Engine
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.progress import Progress

LABELLED, LEFT_OUT = "labelled query photos", "the catalogue's own thumbnails, each with its own rows left out"
NOTHING = "nothing can be measured: no readable labelled query, and no product with several photos"


@dataclass(frozen=True)
class Chosen:
    """What is put to the engine, and what is not."""

    protocol: str
    asked: list[tuple[Query, DescribedQuery]]
    rejected: list[Rejection]


def choose(engine: Engine, data_lake: DataLake, feed: Feed, progress: Progress) -> Chosen:
    """The feed's labelled photos; where none is of a product of the bundle, thumbnails of products with several."""
    known = {item["product_id"] for item in engine.bundle.items}
    labelled, rejected = [], []
    for query in labelled_queries(data_lake, feed):
        if query.product_id in known:
            labelled.append(query)
        else:
            rejected.append(rejection(query, Reason.UNKNOWN_PRODUCT, "no such product in the bundle"))
    gallery = gallery_hashes(engine.bundle, data_lake, progress)
    by_digest = photos_by_digest(engine.bundle, data_lake)
    queries, asked = labelled or left_out_queries(engine, gallery), []
    for query, described in zip(queries, describe(engine, queries, data_lake, progress), strict=True):
        if isinstance(described, ImageError):
            rejected.append(rejection(query, Reason(described.reason), described.detail))
            continue
        if labelled:
            like = gallery.like(described.photo_hash, described.photo_cells)
            if leaked := leak(engine.bundle, by_digest, query.content, like):
                rejected.append(rejection(query, Reason.QUERY_IN_GALLERY, leaked))
                continue
        if described.mask_problem:
            rejected.append(rejection(query, Reason.NOT_AN_IMAGE, described.mask_problem, Outcome.KEPT))
        asked.append((query, described))
    protocol = (LABELLED if labelled else LEFT_OUT) if asked else NOTHING
    return Chosen(protocol, asked, rejected)
