"""What the service answers, held to the engine's own words, to the feed and to numbers worked by hand."""

import csv
import io
import json

import httpx
import pytest
from PIL import Image

from query.engine import Engine
from query.service.answers import BundleAnswer, ProductAnswer, SearchAnswer


@pytest.fixture(scope="module")
def engine(current):
    """The engine on the same bundle."""
    return Engine(current)


@pytest.fixture(scope="module")
def feed(built_shop):
    """The shop's own feed, by product and variant."""
    rows = csv.DictReader(io.StringIO((built_shop.home / "shop" / "feed.csv").read_text("utf-8-sig")))
    return {(row["product_id"], row["variant"]): row for row in rows}


def test_it_answers_what_the_engine_finds(service, engine, photos, current, feed):
    """Every result, in order, with every part of its score; titles and prices are the feed's."""
    answered = service.search(photos[0], k=3)
    assert answered.status_code == 200
    assert answered.headers["X-Lookbook-Bundle"] == current.resolve().name
    assert "Content-Disposition" not in answered.headers
    found = answered.json()
    SearchAnswer.model_validate_json(answered.content)
    assert found["bundle"] == {
        "version": current.resolve().name,
        "profile": "embedded",
        "products": len({key[0] for key in feed}),
    }
    wanted = engine.search(photos[0], k=3)
    assert [entry["row"] for entry in found["results"]] == [hit.scored.row for hit in wanted.hits]
    assert [entry["rank"] for entry in found["results"]] == [1, 2, 3]
    for entry, hit in zip(found["results"], wanted.hits, strict=True):
        assert entry["score"] == pytest.approx(hit.scored.score, abs=1e-5)
        assert entry["parts"]["texture_cosine"] == pytest.approx(hit.scored.texture_cosine, abs=1e-5)
        row = feed[entry["product_id"], entry["variant"]]
        assert (entry["title"], entry["price"]) == (row["title"], float(row["price"]))
    assert found["categories"] == list(wanted.categories)
    assert found["route"]["scores"][0][0] == wanted.route.categories[0]
    assert found["photo"]["things"] is None
    assert "candidates" not in found


def test_lines_come_in_order_and_the_last_is_the_answer(service, photos):
    """cut_out with its picture, route, results; what the last holds is what the plain answer holds."""
    answered = service.search(photos[1], {"Accept": "application/x-ndjson"}, k=3)
    assert answered.headers["Content-Type"] == "application/x-ndjson"
    cut_out, route, results = [json.loads(line) for line in answered.text.splitlines()]
    assert [cut_out["event"], route["event"], results["event"]] == ["cut_out", "route", "results"]
    plain = service.search(photos[1], k=3, pictures="true").json()
    assert cut_out["photo"] == results["photo"] == plain["photo"]
    assert (route["categories"], route["route"]) == (plain["categories"], plain["route"])
    assert results["results"] == plain["results"]
    assert cut_out["photo"]["cut_out"].startswith("data:image/webp;base64,UklGR")
    assert all(0 <= side <= 1 for thing in cut_out["photo"]["things"] for side in thing)


def test_candidates_sorted_anew_are_the_answer_to_other_weights(service, photos):
    """By hand: score = semantic x .1 + texture x .6 + colour x .3; first of each product."""
    weights = {"semantic": 1, "texture": 6, "color": 3}
    with_candidates = service.search(photos[2], candidates="true", k=8).json()
    other = service.search(photos[2], k=8, **weights).json()
    assert other["weights"] == {"semantic": 0.1, "texture": 0.6, "color": 0.3, "color_gate": 0.2}
    assert len(with_candidates["candidates"]) > 8

    def key(item):
        parts = item["parts"]
        score = 0.1 * parts["semantic"] + 0.6 * parts["texture"] + 0.3 * parts["color"]
        return (not parts["passed_color_gate"], -score, item["row"])

    first = {}
    for item in sorted(with_candidates["candidates"], key=key):
        first.setdefault(item["product_id"], item["row"])
    assert list(first.values())[:8] == [entry["row"] for entry in other["results"]]


def test_a_turned_photo_is_upright_and_a_box_is_of_it(service, photos):
    """A 300 x 200 photo with EXIF orientation 6 is 200 wide; a box of its lower half begins at 150 of 300."""
    image = Image.open(io.BytesIO(photos[0])).convert("RGB").resize((300, 200))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    image.save(content, "JPEG", exif=exif)
    photo = service.search(content.getvalue(), box="0,0.5,1,1").json()["photo"]
    assert (photo["width"], photo["height"], photo["box"]) == (200, 300, [0, 0.5, 1, 1])


def test_filters_and_a_category(service, photos, feed):
    """Every result keeps to all of them; a named category needs no route."""
    found = service.search(photos[0], category="DRESS", price_min="20", price_max="70", k=50).json()
    assert found["categories"] == ["dress"]
    assert found["route"] is None
    assert found["results"]
    for entry in found["results"]:
        assert 20 <= float(feed[entry["product_id"], entry["variant"]]["price"]) <= 70
    brands = sorted({row["brand"] for row in feed.values()})[:2]
    answered = httpx.post(
        f"{service.url}/search", files={"file": photos[0]}, data={"brand": brands, "k": "50"}, timeout=60
    )
    assert {entry["brand"] for entry in answered.json()["results"]} <= set(brands)


def test_more_like_a_product(service, engine, feed):
    """As the engine says it; never the product itself, no photo and no route."""
    product_id = min(feed)[0]
    found = service.get(f"/products/{product_id}/similar?k=4&candidates=true").json()
    wanted = [hit.item["product_id"] for hit in engine.similar(product_id, k=4).hits]
    assert [entry["product_id"] for entry in found["results"]] == wanted
    assert (found["photo"], found["route"]) == (None, None)
    assert product_id not in {entry["product_id"] for entry in found["candidates"]}


def test_a_product_and_its_picture(service, feed, current):
    """All its items; a picture's bytes are the bundle's, and may be kept for ever."""
    product_id = min(feed)[0]
    product = service.get(f"/products/{product_id}")
    ProductAnswer.model_validate_json(product.content)
    assert {entry["product_id"] for entry in product.json()["items"]} == {product_id}
    address = product.json()["items"][0]["thumb"]
    picture = service.get(address)
    assert picture.content == (current / "thumbs" / address.removeprefix("/thumbs/")).read_bytes()
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_bundle_is_told_by_the_feed(service, feed):
    """Prices, brands and categories are the feed's own."""
    told = service.get("/bundle")
    BundleAnswer.model_validate_json(told.content)
    about = told.json()
    prices = [float(row["price"]) for row in feed.values()]
    assert about["price"] == {"least": min(prices), "most": max(prices), "currency": "EUR"}
    assert about["brands"] == sorted({row["brand"] for row in feed.values()})
    assert about["categories"] == sorted({row["category"] for row in feed.values()})
    assert about["limits"] == {"bytes": 20 * 2**20, "pixels": 64_000_000}
    assert about["key_needed"] is False


def test_the_page_and_its_files(service):
    """With types that a browser takes under nosniff, an ETag that spares sending them, and a strict policy."""
    page = service.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    script = service.get("/page/main.js")
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    etag = script.headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", W/{etag}', "*"):
        again = service.get("/page/main.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b""), known
    for other in ('"other"', f'"x{etag[1:]}', f'"{etag}"', etag.strip('"')):
        again = service.get("/page/main.js", headers={"If-None-Match": other})
        assert (again.status_code, again.content) == (200, script.content), other


def test_it_is_counted(service, photos):
    """Requests by route and status, stages by name, bytes, and the version that is served."""
    before = service.metric("lookbook_uploaded_bytes_total")
    service.search(photos[0])
    assert service.metric("lookbook_uploaded_bytes_total") - before >= len(photos[0])
    text = service.get("/metrics").text
    version = service.get("/bundle").json()["version"]
    assert f'lookbook_bundle_info{{version="{version}"}} 1.0' in text
    assert 'lookbook_requests_total{method="POST",route="/search",status="200"}' in text
    assert 'lookbook_stage_seconds_count{stage="segment"}' in text
    assert service.metric("lookbook_searches_in_flight") == 0
    assert service.metric("lookbook_uploads_held_bytes") == 0


def test_an_address_of_a_photo_is_not_fetched_unless_allowed(service):
    """Off by default; the form may hold it, the answer says what to do."""
    refused = httpx.post(f"{service.url}/search", files={"url": (None, "http://127.0.0.1/a.jpg")}, timeout=30)
    assert (refused.status_code, refused.json()["reason"]) == (403, "no_search_by_url")


def test_only_public_addresses_are_fetched(serve, current):
    """Where it is allowed: not this machine's own, however it is written, nor another scheme."""
    service = serve(current, "--allow-url-search")
    for address in (
        f"{service.url}/thumbs/a.jpg",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
    ):
        refused = httpx.post(f"{service.url}/search", files={"url": (None, address)}, timeout=30)
        assert (refused.status_code, refused.json()["reason"]) == (422, "address_refused")
        assert "127.0.0.1" not in refused.json()["detail"]
