"""What a search may ask beside a photo: filters, a part of it, other weights; and how an engine bears being shared."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from catalog.errors import ImageError, LookbookError
from catalog.features.ranking import Weights
from catalog.vision.decoding import PhotoLimits, decode_photo
from query.engine import Engine
from query.filters import Filters
from query.results import Watcher


@pytest.fixture(scope="module")
def bundle_folder(built_shop):
    """The built shop's bundle."""
    return built_shop.home / "android_bundle" / "current"


@pytest.fixture(scope="module")
def engine(bundle_folder):
    """An open engine on it."""
    return Engine(bundle_folder, threads=2)


@pytest.fixture(scope="module")
def items(bundle_folder):
    """The catalogue as the file has it."""
    return json.loads((bundle_folder / "catalog.json").read_text("utf-8"))


def ids(result) -> list[str]:
    """Products, best first."""
    return [hit.item["product_id"] for hit in result.hits]


# --- filters ---------------------------------------------------------------------------------------------------------


def test_filters_hold_back_what_does_not_pass_and_nothing_else(engine, items, built_shop):
    """The results are those of the whole search, in its order, without the others."""
    photo = engine.describe(built_shop.queries[0])[0]
    categories = sorted({item["category"] for item in items})
    everything = engine.search(photo, category=categories, k=100)
    prices = sorted(item["price"] for item in items)
    middle, brand = prices[len(prices) // 2], items[0]["brand"]
    for filters, passes in (
        (Filters(most_price=middle), lambda item: item["price"] <= middle),
        (Filters(least_price=middle), lambda item: item["price"] >= middle),
        (Filters(least_price=middle, most_price=middle), lambda item: item["price"] == middle),
        (Filters(brands=(brand.upper(),)), lambda item: item["brand"] == brand),
        (Filters(in_stock=True), lambda item: item["availability"] == "in_stock"),
    ):
        wanted = [hit.item["product_id"] for hit in everything.hits if passes(hit.item)]
        assert wanted, filters
        assert ids(engine.search(photo, category=categories, k=100, filters=filters)) == wanted


def test_no_product_may_be_left(engine, built_shop):
    """Then there are no results, and it is no error."""
    assert engine.search(built_shop.queries[0], filters=Filters(least_price=10_000_000)).hits == ()


def test_similar_takes_filters_and_weights(engine, items):
    """As a search does."""
    product, dearest = items[0]["product_id"], max(item["price"] for item in items)
    assert ids(engine.similar(product, filters=Filters(least_price=dearest + 1))) == []
    colored = engine.similar(product, weights=Weights(0, 0, 1, 0))
    assert [hit.scored.score for hit in colored.hits] == sorted(
        (hit.scored.color for hit in colored.hits), reverse=True
    )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Filters(least_price=5, most_price=1), "no price is from 5 to 1; exchange the two"),
        (lambda: Filters(most_price=-1), "a price of -1 is none; it takes a number from 0 up"),
        (lambda: Filters(least_price=float("nan")), "a price of nan is none"),
    ],
)
def test_a_range_without_a_price(make, told):
    """Says what is wrong with it."""
    with pytest.raises(LookbookError, match=told):
        make()


def test_an_unknown_brand_names_the_nearest(engine, items, built_shop):
    """A typing error is met with what was meant."""
    brand = items[0]["brand"]
    with pytest.raises(LookbookError, match=f"no brand {brand[:-1]!r} in this bundle; .*{brand!r}"):
        engine.search(built_shop.queries[0], filters=Filters(brands=(brand[:-1],)))


@pytest.mark.parametrize(
    ("availability", "sold"),
    [
        ("in stock", True), ("https://schema.org/InStock", True), ("LimitedAvailability", True),
        ("out_of_stock", False), ("", False), ("https://schema.org/SoldOut", False),
    ],
)  # fmt: skip
def test_stock_as_feeds_spell_it(engine, availability, sold):
    """Google's words, schema.org's addresses."""
    bundle = type("Items", (), {"items": [{"availability": availability}], "brands": ()})()
    assert Filters(in_stock=True).rows(bundle).tolist() == [sold]


# --- a part of a photo -----------------------------------------------------------------------------------------------


def test_a_box_searches_what_it_holds(engine, built_shop):
    """Two products beside each other: the box around one gives what its own photo gives, pixel for pixel."""
    first, second = (decode_photo(path.read_bytes(), PhotoLimits()).image_hwc for path in built_shop.queries[:2])
    side = max(first.shape[0], second.shape[0])
    both = np.full((side, first.shape[1] + second.shape[1], 3), 255, np.uint8)
    both[: first.shape[0], : first.shape[1]] = first
    both[: second.shape[0], first.shape[1] :] = second
    split = first.shape[1] / both.shape[1]
    for photo, box in (
        (first, (0, 0, split, first.shape[0] / side)),
        (second, (split, 0, 1, second.shape[0] / side)),
    ):
        alone, part = engine.search(photo), engine.search(both, box=box)
        assert ids(part) == ids(alone)
        assert [hit.scored.score for hit in part.hits] == [hit.scored.score for hit in alone.hits]


def test_things_are_boxes_to_search_again(engine):
    """Two discs on white: two boxes, larger first, exact to some pixels; in a part of the photo, still of the whole."""
    photo = np.full((400, 800, 3), 255, np.uint8)
    rows, columns = np.mgrid[:400, :800]
    photo[(rows - 200) ** 2 + (columns - 180) ** 2 < 120**2] = (180, 30, 40)
    photo[(rows - 200) ** 2 + (columns - 600) ** 2 < 100**2] = (30, 60, 160)
    speck = (rows - 30) ** 2 + (columns - 400) ** 2 < 20**2
    described = engine.describe(photo)[0]
    specked = replace(described.mask, binary_mask=described.mask.binary_mask | speck)
    assert replace(described, mask=specked).things() == described.things()
    larger, smaller = described.things()
    assert larger == pytest.approx((60 / 800, 0.2, 300 / 800, 0.8), abs=0.01)
    assert smaller == pytest.approx((500 / 800, 0.25, 700 / 800, 0.75), abs=0.01)
    right = engine.describe(photo, box=(0.5, 0, 1, 1))[0]
    assert right.things()[0] == pytest.approx(smaller, abs=0.01)
    assert right.box == (400, 0, 800, 400)


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0.6, 0, 0.4, 1), (-0.2, 0, 1, 1), (0, 0, 1.2, 1)])
def test_a_box_that_is_none(engine, built_shop, box):
    """Empty, crossed or outside."""
    with pytest.raises(LookbookError, match=r"is none of this photo's: left, top, right and bottom are fractions"):
        engine.search(built_shop.queries[0], box=box)


def test_a_box_that_is_too_small(engine, built_shop):
    """As a photo that is too small."""
    with pytest.raises(ImageError, match=r"the box holds \d+ x \d+ px, at least 16 a side are needed"):
        engine.search(built_shop.queries[0], box=(0.5, 0.5, 0.51, 0.51))


# --- how it answers --------------------------------------------------------------------------------------------------


def test_a_path_its_bytes_and_its_pixels_are_one_query(engine, built_shop):
    """To the last digit."""
    path = built_shop.queries[1]
    pixels = decode_photo(path.read_bytes(), PhotoLimits()).image_hwc
    found = [engine.search(photo) for photo in (path, path.read_bytes(), pixels)]
    assert found[0].hits == found[1].hits == found[2].hits
    assert "decode" not in found[2].milliseconds
    with pytest.raises(ImageError, match=r"nowhere\.jpg: can't be read \(No such file or directory\)"):
        engine.search(path.with_name("nowhere.jpg"))


def test_candidates_weighed_anew_are_the_engines_answer(engine, built_shop):
    """What a page does with its sliders: sort by gate, score and row, keep the first of each product."""
    described = engine.describe(built_shop.queries[2])[0]
    given = engine.search(described)
    for weights in (Weights(1, 0, 0, 0.2), Weights(0.1, 0.8, 0.1, 0.2), Weights(0, 0, 1, 0.6)):

        def key(scored, weights=weights):
            score = weights.semantic * scored.semantic + weights.texture * scored.texture + weights.color * scored.color
            return (scored.color < weights.color_gate, -np.float32(score), scored.row)

        order = [engine.bundle.items[s.row]["product_id"] for s in sorted(given.candidates, key=key)]
        assert ids(engine.search(described, weights=weights)) == list(dict.fromkeys(order))[:10]


def test_a_watcher_is_told_before_the_answer(engine, built_shop):
    """First the cut-out, then the route, both as the answer has them."""
    told = []

    class Notes(Watcher):
        def cut_out(self, seen):
            told.append(("cut_out", seen))

        def routed(self, route):
            told.append(("routed", route))

    found = engine.search(built_shop.queries[0], watcher=Notes())
    (first, seen), (second, route) = told
    assert (first, second) == ("cut_out", "routed")
    assert seen.mask is found.described.mask
    assert seen.crop is found.described.crop
    assert seen.things() == found.described.things()
    assert route == found.route


def test_elapsed_is_what_a_watch_beside_it_says(engine, built_shop):
    """Stages overlap, so their sum may be more; it is never less than the longest."""
    found = engine.search(built_shop.queries[0])
    assert max(found.milliseconds.values()) <= found.elapsed_ms
    assert list(found.milliseconds)[:3] == ["decode", "segment", "crop"]
    assert {"embed", "texture", "color", "route", "candidates", "rerank"} <= set(found.milliseconds)


def test_many_threads_get_what_one_gets(bundle_folder, built_shop):
    """On an engine whose models are not open yet: every thread's answers are its own photos'."""
    alone = Engine(bundle_folder, threads=2)
    wanted = {path: alone.search(path).hits for path in built_shop.queries[:6]}
    shared, wrong = Engine(bundle_folder, threads=2), []

    def ask(path):
        wrong.extend(path for _ in range(3) if shared.search(path).hits != wanted[path])

    threads = [threading.Thread(target=ask, args=(path,)) for path in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_matrices_in_memory_outlive_their_files(shop_copy):
    """A file cut short under a map ends the process; one that was read is no longer needed."""
    folder = (shop_copy.home / "android_bundle" / "current").resolve()
    engine = Engine(folder, in_memory=True)
    engine.warm_up()
    wanted = engine.search(shop_copy.queries[0])
    for name in ("embeddings.bin", "texture.bin", "color_signatures.bin", "prototypes.bin"):
        (folder / name).write_bytes(b"")
    assert engine.search(shop_copy.queries[0]).hits == wanted.hits


def test_one_thread_and_two_agree(engine, bundle_folder, built_shop):
    """Texture in its turn or beside the semantic encoder: the same scores to some rounding."""
    alone = Engine(bundle_folder, threads=1).search(built_shop.queries[3])
    beside = engine.search(built_shop.queries[3])
    assert ids(alone) == ids(beside)
    assert [hit.scored.score for hit in alone.hits] == pytest.approx(
        [hit.scored.score for hit in beside.hits], abs=1e-4
    )


def test_transparent_photos_are_searched(engine, tmp_path):
    """A product on nothing, as shops keep them: over white."""
    rgba = np.zeros((300, 300, 4), np.uint8)
    rgba[80:220, 60:240] = (20, 120, 60, 255)
    Image.fromarray(rgba).save(tmp_path / "alone.png")
    found = engine.search(tmp_path / "alone.png")
    assert found.described.mask.area_fraction == pytest.approx(140 * 180 / 300**2, abs=0.02)
