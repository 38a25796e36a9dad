"""Query photos whose product is known: the feed's labelled ones, or else the catalogue's own thumbnails."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from assets import reporting
from catalog.errors import ImageError
from catalog.evaluation.leakage import Hashes
from catalog.formats import digests, tables
from catalog.records import Outcome, Reason, Rejection
from query.engine import Engine
from resources.data_lake import DataLake
from resources.feed import Feed

LEFT_OUT_QUERIES = 200  # at most, where the feed has no labelled queries


@dataclass(frozen=True)
class Query:
    """A photo whose product is known."""

    product_id: str
    variant: str
    category: str
    pattern: str
    image_index: int  # tells the product's query photos apart
    content: str  # sha256 of the photo's file
    photo: Path | np.ndarray  # a file, read when it is asked; or pixels
    mask: Path | None = None  # exact, of the photo's size
    leave_out: tuple[int, ...] = ()  # rows that would be the photo itself

    @property
    def item(self) -> tuple[str, str, int]:
        """What names it, as the lake's tables name items."""
        return (self.product_id, self.variant, self.image_index)


def labelled_queries(data_lake: DataLake, feed: Feed) -> list[Query]:
    """The query photos whose product is known, as the lake's table has them."""
    return [
        Query(
            row["product_id"],
            row["variant"],
            row["category"],
            row["pattern"],
            row["image_index"],
            row["image_sha256"],
            feed.absolute(row["image_path"]),
            feed.absolute(row["mask_path"]) if row["mask_path"] else None,
        )
        for row in tables.read(data_lake.table("labelled_queries"), tables.RAW_CATALOG)
    ]


def left_out_queries(engine: Engine, gallery: Hashes) -> list[Query]:
    """Thumbnails of products that have several pictures, each to be searched with its own rows left out.

    Left out is every row with the very picture, or nearly it, whosever it is; a product that has no other is not asked.
    """
    items = engine.bundle.items
    pictures = defaultdict(set)
    for item in items:
        pictures[item["product_id"]].add(item["thumb"])
    several = [row for row, item in enumerate(items) if len(pictures[item["product_id"]]) > 1]
    queries = []
    for row in reporting.spread(several, LEFT_OUT_QUERIES):
        item = items[row]
        like = gallery.like(int(gallery.hashes[row]), gallery.cells[row])
        same_picture = tuple(int(other) for other in like)
        if set(engine.bundle.rows_of_product(item["product_id"]).tolist()) <= set(same_picture):
            continue
        path = engine.bundle.thumb(row)
        with Image.open(path) as thumb:
            photo = np.asarray(thumb.convert("RGB"))
        # the left-out row's variant may have no other photo: only the product is asked for
        named = (item["product_id"], "", item["category"], item["pattern"])
        queries.append(Query(*named, row, digests.of_file(path), photo, leave_out=same_picture))
    return queries


def rejection(query: Query, reason: Reason, detail: str, outcome: Outcome = Outcome.REJECTED) -> Rejection:
    """The rejected table's row of a query that could not be put, or not measured whole."""
    image = query.photo.name if isinstance(query.photo, Path) else ""
    return Rejection(
        stage="benchmark",
        reason=reason,
        outcome=outcome,
        detail=detail,
        where=f"query photo {image} of {query.product_id!r}",
        product_id=query.product_id,
        variant=query.variant,
        image=image,
    )


def read_photo(photo: Path) -> bytes:
    """A query's file. Raises: ImageError when it can't be read."""
    try:
        return photo.read_bytes()
    except OSError as error:
        raise ImageError(Reason.IMAGE_NOT_FOUND, f"{photo.name}: can't be read ({error.strerror})") from error
