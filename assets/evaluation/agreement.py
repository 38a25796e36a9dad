"""How far the forms that ship answer as the float ones do: the whole search, every product of a gallery asked."""

from collections.abc import Sequence

from assets.evaluation.asking import DescribedPhotos, Gallery
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocol_scores import PLACES
from query.results import QueryFeatures

MEASURE = "agreement@10"


def agreement(
    gallery: Gallery, photos: Sequence[Photo], by_float: DescribedPhotos, shipped: DescribedPhotos
) -> dict[str, float]:
    """Share of the float search's first ten products that the shipped one's has too, by photo.

    Each is routed by itself; the photo's own product is left out. With fewer than ten products to find, the share is of
    those. A photo for which the float search finds nothing, or that could not be described, has none.
    """
    rows_of: dict[str, list[int]] = {}
    for row, label in enumerate(gallery.labels):
        rows_of.setdefault(label.product_id, []).append(row)
    found = {}
    for photo in photos:
        if photo.name not in by_float.features or photo.name not in shipped.features:
            continue
        own = rows_of.get(photo.product_id, [])
        first, second = (_ten(gallery, part.features[photo.name].features, own) for part in (by_float, shipped))
        if first:
            found[photo.name] = len(first & second) / len(first)
    return found


def _ten(gallery: Gallery, features: QueryFeatures, left_out: Sequence[int]) -> set[str]:
    hits = gallery.engine.search(features, k=PLACES, leave_out=left_out).hits
    return {str(hit.item["product_id"]) for hit in hits}
