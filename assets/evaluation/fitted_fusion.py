"""What fitting a score's weights is worth on a protocol: each product is searched by weights of all the others."""

from dataclasses import replace

from assets.evaluation.asking import DescribedPhotos, Gallery, Setting, ask
from assets.fitted_weights import DESIGN_WEIGHTS, candidates, with_parts
from catalog.evaluation import fusion_fit
from catalog.evaluation.protocol_scores import Ranked
from catalog.evaluation.protocols import Protocol


def ask_fitted(gallery: Gallery, protocol: Protocol, photos: DescribedPhotos) -> list[Ranked]:
    """The answers to every query that was described, by weights fitted on the queries of all other products.

    For a protocol whose queries have a product in the gallery. Raises: LookbookError where no weights can be fitted.
    """
    rows_of: dict[str, list[int]] = {}
    for row, label in enumerate(gallery.labels):
        rows_of.setdefault(label.product_id, []).append(row)
    queries = [query for query in protocol.queries if query.name in photos.features]
    engine, listed = gallery.engine, []
    for query in queries:
        features = photos.features[query.name].features
        routed = engine.search(features, k=1).categories
        listed.append(candidates(engine, features, routed, query.product_id, rows_of[query.product_id], ()))
    fitted = fusion_fit.leave_one_group_out(listed, DESIGN_WEIGHTS)
    own, answers = engine.bundle.weights, []
    for query, weights in zip(queries, fitted, strict=True):
        setting = Setting(with_parts(own, weights))
        answers += ask(gallery, replace(protocol, queries=(query,)), photos, setting)
    return answers
