"""Engines with something else in their place, held to the bundle that they come from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from assets.evaluation import agreement, engines
from assets.evaluation.asking import DescribedPhotos, Gallery, Setting, ask, label_rows, settings
from assets.evaluation.fitted_fusion import ask_fitted
from assets.fitted_weights import candidates
from catalog.evaluation import fusion_fit, protocol_scores
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocols import ROUTING, SAMPLE, Protocol
from catalog.features.ranking import Weights
from catalog.features.routing import Router
from query.engine import Engine
from query.results import QueryFeatures
from resources.data_lake import DataLake
from resources.model_store import ModelStore


@pytest.fixture(scope="module")
def engine(built_shop) -> Engine:
    """The built shop's own search."""
    return Engine(built_shop.home / "android_bundle" / "current", 1)


def features_of(engine: Engine, row: int) -> QueryFeatures:
    """What a bundle says of one of its items."""
    bundle = engine.bundle
    space = bundle.items[row]["space"]
    return QueryFeatures(
        texture=bundle.texture[row], color=bundle.colors[row], embeddings={space: bundle.embeddings[row]}
    )


def test_a_gallery_of_the_bundles_own_items_is_searched_as_the_bundle(engine):
    """Same rows, same scales: the same results with the same scores, whatever category is searched."""
    rows = range(len(engine.bundle.items))
    items = [{**item, "photo": engine.bundle.thumb(row)} for row, item in enumerate(engine.bundle.items)]
    other = engines.with_gallery(engine, items, [features_of(engine, row) for row in rows])
    for row in list(rows)[::7]:
        for category in engine.bundle.category_rows:
            wanted, found = (
                [(hit.item["product_id"], hit.thumb, hit.scored) for hit in one.search(
                    features_of(engine, row), category=category, leave_out=(row,)
                ).hits]
                for one in (engine, other)
            )  # fmt: skip
            assert found == wanted
    assert set(other.bundle.router.categories) == set(engine.bundle.router.categories)


def test_another_router_leads_elsewhere_and_leaves_the_engine_as_it_was(engine):
    """One whose only category is the mugs."""
    dim = engine.bundle.manifest["embedding_dim"]
    router = Router(("mug",), np.ones((1, dim), np.float32), np.zeros(1, np.float32))
    query = features_of(engine, 0)
    before = engine.search(query).categories
    assert engines.with_router(engine, router).search(query).categories == ("mug",)
    assert engine.search(query).categories == before


def test_without_a_segmenter_all_of_a_photo_is_the_product(engine, built_shop):
    """Its mask has every pixel, and its crop is the photo in a square."""
    photo = built_shop.queries[0].read_bytes()
    described, _ = engines.without_segmenter(engine).describe(photo)
    assert described.mask.binary_mask.all()
    height, width = described.photo_hwc.shape[:2]
    left, top, right, bottom = described.crop.box
    assert (left <= 0, top <= 0, right >= width, bottom >= height) == (True, True, True, True)
    assert not engine.describe(photo)[0].mask.binary_mask.all()


def test_float_forms_say_nearly_what_ships(engine, built_shop):
    """The gate let what ships pass: its embeddings are near the float ones, and not the same."""
    exact = engines.float_forms(engine, ModelStore(root=str(built_shop.home / "models")), 1)
    photo = built_shop.queries[0].read_bytes()
    shipped, by_float = (one.describe(photo)[0] for one in (engine, exact))
    (space,) = shipped.embeddings
    cosine = float(shipped.embeddings[space] @ by_float.embeddings[space])
    assert 0.93 < cosine < 1.0


def test_every_row_has_the_label_of_its_own_photo(engine, built_shop):
    """Also where photos share product and variant: the file that the lake's own table names for the row."""
    lake = DataLake(root=str(built_shop.home / "data_lake"), home=str(built_shop.home))
    rows = pq.read_table(built_shop.home / "data_lake" / "raw_catalog.parquet").to_pylist()
    photos = [
        Photo(
            name=row["image"],
            file=built_shop.home / row["image_path"],
            product_id=row["product_id"],
            variant=row["variant"],
        )
        for row in rows
    ]
    assert len({(photo.product_id, photo.variant) for photo in photos}) < len(photos)
    labels = label_rows(engine, photos, lake)
    image_of = {(row["product_id"], row["variant"], row["image_index"]): row["image"] for row in rows}
    wanted = [image_of[item["product_id"], item["variant"], item["image_index"]] for item in engine.bundle.items]
    assert [label.name for label in labels] == wanted


def test_routing_knows_only_its_own_photos(engine):
    """Its gallery holds those of prints too: they are no neighbours, and no router learns from them."""
    labels = tuple(
        Photo(name=str(row), file=engine.bundle.thumb(row), product_id=item["product_id"], category=item["category"])
        for row, item in enumerate(engine.bundle.items)
    )
    own = labels[::2]
    described = {label.name: SimpleNamespace(features=features_of(engine, int(label.name)), mask_iou=None)
                 for label in own[:6]}  # fmt: skip
    protocol = Protocol(name=ROUTING, gallery=own, queries=own[:6])
    answers = ask(
        Gallery(engine, labels, engine.bundle.embeddings), protocol, DescribedPhotos(described, ()), Setting()
    )
    assert len(answers) == 6
    assert {photo.name for answer in answers for photo in answer.products} <= {photo.name for photo in own}


def test_fitted_weights_are_those_of_the_other_products(engine):
    """Each query is searched by what `fusion_fit` makes of the queries of all other products alone."""
    labels = tuple(
        Photo(name=str(row), file=engine.bundle.thumb(row), product_id=item["product_id"], category=item["category"])
        for row, item in enumerate(engine.bundle.items)
    )
    queries = labels[:12]
    shifted = [features_of(engine, (row + 1) % len(labels)) for row in range(12)]
    described = {
        query.name: SimpleNamespace(
            features=replace(one, color=features_of(engine, int(query.name)).color), mask_iou=None
        )
        for query, one in zip(queries, shifted, strict=True)
    }
    protocol = Protocol(name=SAMPLE, gallery=labels, queries=queries)
    gallery, photos = Gallery(engine, labels, engine.bundle.embeddings), DescribedPhotos(described, ())
    answers = ask_fitted(gallery, protocol, photos)
    assert [answer.query for answer in answers] == list(queries)
    one = queries[-1]
    listed = [
        candidates(
            engine,
            described[query.name].features,
            engine.search(described[query.name].features, k=1).categories,
            query.product_id,
            engine.bundle.rows_of_product(query.product_id),
            (),
        )
        for query in queries
        if query.product_id != one.product_id
    ]
    parts = fusion_fit.fit(listed, (0.5, 0.3, 0.2))
    weights = Weights(*parts, color_gate=engine.bundle.weights.color_gate)
    found = engine.search(described[one.name].features, k=10, weights=weights).hits
    assert [photo.product_id for photo in answers[-1].products] == [hit.item["product_id"] for hit in found]


def test_a_route_is_not_asked_what_it_has_no_say_in(engine):
    """Prints and colours are looked for in the query's own category, whatever the route."""
    labels = tuple(
        Photo(name=str(row), file=engine.bundle.thumb(row), product_id=item["product_id"], category=item["category"])
        for row, item in enumerate(engine.bundle.items)
    )
    described = {"0": SimpleNamespace(features=features_of(engine, 0), mask_iou=None)}
    protocol = Protocol(name=SAMPLE, gallery=labels, queries=labels[:1])
    measured = {}
    for name, setting in settings(engine.bundle.weights, protocol, ablation=True).items():
        answers = ask(
            Gallery(engine, labels, engine.bundle.embeddings), protocol, DescribedPhotos(described, ()), setting
        )
        measured[name] = "color precision@10" in protocol_scores.score(protocol, answers, labels)
    without = {name for name, there in measured.items() if not there}
    assert without == {"full score, no route", "full score, perfect route"}


def test_agreement_is_the_share_of_the_float_ten_that_ships_too(engine):
    """With itself 1; with the description of another photo, what a product's two lists of ten share, counted here."""
    labels = tuple(
        Photo(name=str(row), file=engine.bundle.thumb(row), product_id=item["product_id"], category=item["category"])
        for row, item in enumerate(engine.bundle.items)
    )
    gallery = Gallery(engine, labels, engine.bundle.embeddings)
    described = {label.name: SimpleNamespace(features=features_of(engine, int(label.name))) for label in labels}
    shifted = {name: described[str((int(name) + 1) % len(labels))] for name in described}
    exact, other = DescribedPhotos(described, ()), DescribedPhotos(shifted, ())
    found = agreement.agreement(gallery, labels, exact, exact)
    assert set(found.values()) == {1.0}
    found = agreement.agreement(gallery, labels, exact, other)
    for name, share in found.items():
        own = engine.bundle.rows_of_product(labels[int(name)].product_id)
        first, second = (
            {hit.item["product_id"] for hit in engine.search(part[name].features, k=10, leave_out=own).hits}
            for part in (described, shifted)
        )
        assert share == len(first & second) / len(first)
    assert min(found.values()) < 1.0
    assert agreement.agreement(gallery, labels, exact, DescribedPhotos({}, ())) == {}
