"""The search page in a real Chromium, against a real service on a real bundle; what it must show the engine says."""

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from catalog.features.ranking import Weights
from catalog.formats.manifest import write_manifest
from query.engine import Engine
from query.filters import Filters

CHROMIUM = shutil.which("chromium")
HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1"> & "mug" ' + "W" * 80
WRITTEN_ANEW = ("format", "format_version", "bundle_version")
START_TIMEOUT_S = 30
KEY = "a-key-for-this-test-only"
GIVE = """([kind, name, type, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  for (const event of kind === "drop" ? ["dragover", "drop"] : []) {
    document.body.dispatchEvent(new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""
COPY = """async (content) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
}"""
COUNT_ADDRESSES = """
window.alive = new Set();
const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
URL.createObjectURL = (blob) => { const made = create.call(URL, blob); window.alive.add(made); return made; };
URL.revokeObjectURL = (made) => { window.alive.delete(made); revoke.call(URL, made); };
"""
RERANK = """async ([candidates, weights, count]) => {
  const { reranked } = await import("/page/ranking.js");
  return weights.map((each) => reranked(candidates, each, count).map((item) => [item.product_id, item.score]));
}"""
PARTS = ("semantic", "texture", "color")
SHOWN = "() => [...document.querySelectorAll('#cards:not([aria-busy]) .more')].map((button) => button.dataset.product)"
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt install chromium"),
]


def ready(address: str) -> str:
    """ "" where the service is ready, else what it says."""
    try:
        answer = httpx.get(f"{address}/readyz")
    except httpx.TransportError as error:
        return str(error) or "no answer"
    return "" if answer.is_success else answer.text


@pytest.fixture(scope="module")
def bundle(built_shop, tmp_path_factory) -> Path:
    """A copy of the built bundle; the title of its first product is hostile, and its address no web page."""
    copy = tmp_path_factory.mktemp("page") / "bundle"
    shutil.copytree(built_shop.home / "android_bundle" / "current", copy)
    items = json.loads((copy / "catalog.json").read_text("utf-8"))
    for item in items:
        if item["product_id"] == items[0]["product_id"]:
            item.update(title=HOSTILE, url="javascript:window.hacked=1")
    content = json.dumps(items).encode()
    (copy / "catalog.json").write_bytes(content)
    values = json.loads((copy / "manifest.json").read_text("utf-8"))
    values["files"]["catalog.json"] = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    write_manifest(copy, {key: value for key, value in values.items() if key not in WRITTEN_ANEW})
    return copy


@pytest.fixture(scope="module")
def engine(bundle) -> Engine:
    """The engine on the same bundle."""
    return Engine(bundle, threads=1)


@pytest.fixture(scope="module")
def serve(bundle) -> Iterator[Callable[..., str]]:
    """Starts a service as a person does, and gives its address; all are ended with the module."""
    started = []

    def start(**environment: str) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [Path(sys.executable).with_name("lookbook"), "serve", "--bundle", bundle, "--port", port]
        kept = {key: value for key, value in os.environ.items() if key != "LOOKBOOK_API_KEY"}
        process = subprocess.Popen(
            [str(part) for part in command], env={**kept, **environment}, stderr=subprocess.DEVNULL
        )
        started.append(process)
        address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_TIMEOUT_S
        while (told := ready(address)) and time.monotonic() < deadline:
            assert process.poll() is None, "the service ended"
            time.sleep(0.1)
        assert told == ""
        return address

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def address(serve) -> str:
    """The one service of this module."""
    return serve()


@pytest.fixture(scope="module")
def browser():
    """One Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the extra [browser] is not installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser, address):
    """Opens the page in a context of its own; no request may leave the origin and no script may fail."""
    contexts, asked, failures = [], [], []

    def opened(width: int = 1280, height: int = 860, at: str = address, **options: object):
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", locale="en-GB", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.add_init_script(COUNT_ADDRESSES)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on(
            "console",
            lambda said: failures.append(said.text) if "Content Security Policy" in said.text else None,
        )
        page.goto(at)
        return page

    opened.asked = asked
    yield opened
    for context in contexts:
        context.close()
    assert [url for url in asked if not re.match(r"(blob:)?http://127\.0\.0\.1:|data:", url)] == []
    assert failures == []


@pytest.fixture
def page(open_page):
    """The page on a desktop's screen."""
    return open_page()


def ids(result) -> list[str]:
    """The products of an engine's answer, in order."""
    return [hit.item["product_id"] for hit in result.hits]


def expect_shown(page, wanted: list[str]) -> None:
    """Wait until the cards are these products, in this order."""
    deadline = time.monotonic() + 15
    while (shown := page.evaluate(SHOWN)) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(30)
    assert shown == wanted


def choose(page, photo: Path) -> None:
    """Choose a photo and wait for its results."""
    page.set_input_files("#choose", photo)
    page.wait_for_selector("#cards:not([aria-busy]) .card:not(.waiting)")


def searches(open_page) -> int:
    """How many searches the page has asked for."""
    return sum(url.endswith("/search") for url in open_page.asked)


def own_photo(built_shop, product_id: str) -> Path:
    """A catalogue photo of a product."""
    return next(iter(sorted((built_shop.home / "shop" / "photos").glob(f"{product_id.lower()}*.jpg"))))


def test_a_dropped_photo(page, engine, built_shop) -> None:
    """The cut-out, the route with its margin, the engine's results with prices and links, every stage's time."""
    photo = built_shop.queries[0]
    result = engine.search(photo.read_bytes())
    content = base64.b64encode(photo.read_bytes()).decode()
    page.evaluate(GIVE, ["drop", "photo.jpg", "image/jpeg", content])
    expect_shown(page, ids(result))
    page.get_by_alt_text("The product, cut out of the photo").wait_for()
    assert page.eval_on_selector("#cut-out img", "(picture) => picture.naturalWidth") > 50
    best = result.route.scores[0][0]
    route = page.locator("#route-words").inner_text()
    assert route.startswith(best)
    assert f"{result.route.margin:.2f} ahead of {result.route.scores[1][0]}" in route
    first, card = result.hits[0], page.locator(".card").first
    assert card.locator("h3").inner_text().startswith(first.item["title"])
    assert card.locator(".price").inner_text() == f"€{first.item['price']:.2f}"
    assert card.locator("a").get_attribute("href") == first.item["url"]
    assert "noopener" in card.locator("a").get_attribute("rel")
    assert card.locator(".similarity").inner_text().endswith(f"{100 * first.scored.score:.0f}%")
    page.wait_for_function("() => document.querySelector('.card img').naturalWidth > 0")
    stages = page.locator("#times-bars .label").all_inner_texts()
    assert {"Find the product", "Read its texture", "Weigh the parts"} <= set(stages)


def test_pasted_photo(open_page) -> None:
    """From the clipboard, by the keys that people use."""
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    picture = base64.b64encode(page.screenshot()).decode()
    page.evaluate(COPY, picture)
    page.keyboard.press("Control+v")
    page.wait_for_selector("#cards:not([aria-busy]) .card:not(.waiting)")


def test_sliders_rank_as_the_engine_does(page, open_page, engine, built_shop) -> None:
    """At once, without asking the service: the order for any weights is the engine's; a reset brings the first back."""
    gate = engine.bundle.weights.color_gate

    def with_weights(photo: Path, semantic: float, texture: float, color: float) -> list[str]:
        total = semantic + texture + color
        weights = Weights(semantic / total, texture / total, color / total, gate)
        return ids(engine.search(photo.read_bytes(), weights=weights))

    for photo in built_shop.queries:
        own, by_color = ids(engine.search(photo.read_bytes())), with_weights(photo, 0, 0, 1)
        if own != by_color:
            break
    choose(page, photo)
    expect_shown(page, own)
    for part in ("semantic", "texture"):
        page.focus(f"#weight-{part}")
        page.keyboard.press("Home")
    expect_shown(page, by_color)
    assert page.locator("#share-color").inner_text() == "100%"
    page.focus("#weight-texture")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    color = float(page.input_value("#weight-color"))
    expect_shown(page, with_weights(photo, 0, 30, color))
    assert page.locator("#share-texture").inner_text() == f"{100 * 30 / (30 + color):.0f}%"
    page.click("#reset")
    expect_shown(page, own)
    page.fill("#count", "2")
    expect_shown(page, own[:2])
    assert searches(open_page) == 1
    page.fill("#count", "60")  # more than there are candidates for
    expect_shown(page, ids(engine.search(photo.read_bytes(), k=60)))
    assert searches(open_page) == 2


def test_any_weights_give_the_engines_scores(page, address, engine, built_shop) -> None:
    """To the bit, for thirty seeded weights and four photos: the same order and the same scores."""
    rng = np.random.default_rng(7)
    gate = engine.bundle.weights.color_gate
    for photo in built_shop.queries[:4]:
        form = {"candidates": "true", "k": "12"}
        answer = (
            httpx.post(f"{address}/search", files={"file": photo.read_bytes()}, data=form).raise_for_status().json()
        )
        described, _ = engine.describe(photo.read_bytes())
        weights = [dict(zip(PARTS, row, strict=True)) for row in rng.dirichlet((1, 1, 1), 30).tolist()]
        shown = page.evaluate(RERANK, [answer["candidates"], weights, 12])
        for given, found in zip(weights, shown, strict=True):
            wanted = engine.search(described, k=12, weights=Weights(**given, color_gate=gate)).hits
            assert found == [[hit.item["product_id"], hit.scored.score] for hit in wanted]


def test_a_catalogue_that_changed_meanwhile(page, address, built_shop) -> None:
    """The page that knew another bundle learns of the one that answers, and asks with its categories."""
    now = httpx.get(f"{address}/bundle").json()
    then = {**now, "version": "0000000000000000", "products": 1, "categories": ["shoe"]}
    page.route("**/bundle", lambda route: route.fulfill(json=then), times=1)
    page.reload()
    page.get_by_text("1 product in 1 category").wait_for()
    choose(page, built_shop.queries[0])
    page.get_by_text(f"{now['products']} products in {len(now['categories'])} categories").wait_for()
    assert page.locator("#category option").all_inner_texts() == ["Automatic", *now["categories"]]


def test_files_that_are_no_photo(page, built_shop, tmp_path) -> None:
    """The service's own words and what to do; a good photo afterwards takes the message away."""
    (tmp_path / "letter.jpg").write_bytes(b"Dear all, this is no photo.")
    page.set_input_files("#choose", tmp_path / "letter.jpg")
    told = page.get_by_role("alert")
    told.get_by_text("Choose a photo: a JPEG, PNG or WebP file.").wait_for()
    assert page.locator(".card").count() == 0
    (tmp_path / "cut.jpg").write_bytes(built_shop.queries[0].read_bytes()[:4000])
    page.set_input_files("#choose", tmp_path / "cut.jpg")
    told.get_by_text("The file is not whole. Copy or download it once more.").wait_for()
    choose(page, built_shop.queries[0])
    assert told.inner_text() == ""
    assert page.locator("#photo-note").is_hidden()
    assert page.locator("#back").is_hidden()  # there is no way back to what never had an answer


def test_a_photo_that_browsers_can_not_show(page, engine, built_shop, tmp_path) -> None:
    """A TIFF file is searched all the same; its cut-out is seen, and a note in place of the photo."""
    with Image.open(built_shop.queries[0]) as photo:
        photo.save(tmp_path / "photo.tiff")
    page.set_input_files("#choose", tmp_path / "photo.tiff")
    expect_shown(page, ids(engine.search(tmp_path / "photo.tiff")))
    page.get_by_text("This browser can't show the photo's format").wait_for()
    assert page.get_by_alt_text("The product, cut out of the photo").is_visible()


def tab_to(page, selector: str, most: int = 120) -> None:
    """Press Tab until an element that the selector fits has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_by_keyboard_alone(page, engine, built_shop) -> None:
    """From the empty page to two results side by side, and back to where the focus was."""
    photo = built_shop.queries[1]
    first, second = engine.search(photo.read_bytes()).hits[:2]
    page.on("filechooser", lambda chooser: chooser.set_files(photo))  # heard early: choosers are caught from then on
    tab_to(page, "#choose")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cards:not([aria-busy]) .card:not(.waiting)")
    tab_to(page, ".card:nth-child(1) .compare")
    page.keyboard.press("Space")
    tab_to(page, ".card:nth-child(2) .compare")
    page.keyboard.press("Space")
    dialog = page.get_by_role("dialog", name="Side by side")
    dialog.wait_for()
    lead = 100 * (first.scored.score - second.scored.score)
    assert f"is ahead by {lead:.1f} points" in dialog.locator(".verdict").inner_text()
    texture = dialog.get_by_role("row").filter(has_text="Texture").inner_text()
    own = engine.bundle.weights.texture
    for hit in (first, second):
        assert f"{100 * max(0, hit.scored.texture):.0f}%" in texture
        assert f"{100 * own * hit.scored.texture:.1f} points" in texture
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate("() => document.activeElement.matches('.card:nth-child(2) .compare')")


def test_more_like_it_and_back(page, engine, built_shop) -> None:
    """A product's own neighbours; the page's way back and the browser's lead to the same results and focus."""
    photo = built_shop.queries[2]
    own = ids(engine.search(photo.read_bytes()))
    choose(page, photo)
    like = ids(engine.similar(own[1]))
    page.locator(".more").nth(1).click()
    expect_shown(page, like)
    assert page.evaluate("() => document.activeElement.id") == "results-title"
    page.get_by_role("button", name="Back to your photo").click()
    expect_shown(page, own)
    assert page.evaluate("() => document.activeElement.dataset.product") == own[1]
    page.go_forward()
    expect_shown(page, like)
    page.go_back()
    expect_shown(page, own)
    page.go_back()
    page.get_by_text("Show a photo of something").wait_for()
    assert page.evaluate("() => window.alive.size") == 0


def test_category_and_filters(page, engine, built_shop) -> None:
    """Each takes a new search; what nothing passes says so and offers the way out."""
    photo = built_shop.queries[3].read_bytes()
    choose(page, built_shop.queries[3])
    page.select_option("#category", "mug")
    expect_shown(page, ids(engine.search(photo, category="mug")))
    assert page.locator("#route").is_hidden()
    page.select_option("#category", "")
    brand = engine.bundle.brands[0]
    page.get_by_label(brand, exact=True).check()
    expect_shown(page, ids(engine.search(photo, filters=Filters(brands=(brand,)))))
    page.fill("#most", "0")
    page.get_by_text("Nothing in the catalogue passes these filters.").wait_for()
    page.locator("#nothing").get_by_role("button", name="Clear the filters").click()
    expect_shown(page, ids(engine.search(photo)))


def test_a_part_by_keyboard(page, engine, built_shop) -> None:
    """Arrow keys move, with shift they resize, Enter searches that part; the whole photo is one button away."""
    photo = built_shop.queries[4]
    choose(page, photo)
    page.get_by_role("button", name="Choose a part").press("Enter")
    page.get_by_role("button", name="Top left corner").focus()
    for key in ["ArrowUp", "ArrowLeft"] * 50:  # as far as they go
        page.keyboard.press(key)
    page.get_by_role("button", name="Bottom right corner").focus()
    for key in ["ArrowDown", "ArrowRight"] * 50:
        page.keyboard.press(key)
    page.get_by_role("button", name="The box", exact=True).focus()
    for key in ["Shift+ArrowUp"] * 15 + ["Shift+ArrowLeft"] * 10 + ["ArrowRight"] * 5:  # 0.02 a press
        page.keyboard.press(key)
    page.get_by_role("button", name="Top left corner").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.locator("#crop-status").inner_text() == "The box is from 10 % to 90 % across, 6 % to 70 % down"
    page.keyboard.press("Enter")
    expect_shown(page, ids(engine.search(photo.read_bytes(), box=(0.1, 0.06, 0.9, 0.7))))
    page.get_by_role("button", name="Whole photo", exact=True).click()
    expect_shown(page, ids(engine.search(photo.read_bytes())))


def test_a_part_by_pointer(page, built_shop) -> None:
    """A corner is dragged by a fifth of the photo's width and height."""
    choose(page, built_shop.queries[4])
    page.get_by_role("button", name="Choose a part").click()
    photo = page.locator("#photo").bounding_box()
    page.mouse.move(photo["x"] + 2, photo["y"] + 2)
    read = "() => document.querySelector('#crop-status').textContent.match(/\\d+/g).map(Number)"
    before = page.evaluate(read)
    corner = page.get_by_role("button", name="Top left corner").bounding_box()
    x, y = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.2 * photo["width"], y + 0.2 * photo["height"], steps=4)
    page.mouse.up()
    after = page.evaluate(read)
    assert after[0] - before[0] == pytest.approx(20, abs=1)
    assert after[2] - before[2] == pytest.approx(20, abs=1)
    assert (after[1], after[3]) == (before[1], before[3])


def test_one_of_several_things(page, engine, built_shop, tmp_path) -> None:
    """Two products in one photo are both offered; the one that is picked is searched alone, and there is a way back."""
    first, second = (own_photo(built_shop, cushion) for cushion in ("LB-CSH-0009", "LB-CSH-0029"))
    with Image.open(first) as left, Image.open(second) as right:
        both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), left.getpixel((2, 2)))
        both.paste(left, (0, 0))
        both.paste(right, (left.width, 0))
    both.save(tmp_path / "both.png")
    content = (tmp_path / "both.png").read_bytes()
    whole = engine.search(content)
    things = whole.described.things()
    assert len(things) >= 2
    choose(page, tmp_path / "both.png")
    page.get_by_role("button", name="Search thing 2 of").click()
    expect_shown(page, ids(engine.search(content, box=things[1])))
    page.get_by_role("button", name="Back to the whole photo").click()
    expect_shown(page, ids(whole))


def test_a_hostile_title_is_text(page, engine, built_shop) -> None:
    """On its card, in the tray, beside another and above what is like it."""
    product = engine.bundle.items[0]["product_id"]
    photo = own_photo(built_shop, product)
    result = engine.search(photo.read_bytes())
    place = ids(result).index(product)
    choose(page, photo)
    card = page.locator(".card").nth(place)
    assert card.locator("h3").inner_text() == HOSTILE
    assert card.locator("a").count() == 0
    card.locator(".compare").click()
    assert HOSTILE in page.locator("#tray").inner_text()
    page.locator(".card .compare").nth(1 - place if place < 2 else 0).click()
    assert HOSTILE in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    card.locator(".more").click()
    page.get_by_role("heading", name=f"More like {HOSTILE}").wait_for()
    expect_shown(page, ids(engine.similar(product)))
    assert page.evaluate("() => window.hacked === undefined && !document.querySelector('main script, img[src=x]')")


def test_the_newest_search_wins(page, engine, built_shop) -> None:
    """The first one's answer is held back until the second's is there; one photo's address is alive, no more."""
    held = []

    def first_waits(route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/search", first_waits)
    page.set_input_files("#choose", built_shop.queries[5])
    while not held:
        page.wait_for_timeout(20)
    page.set_input_files("#choose", built_shop.queries[6])
    wanted = ids(engine.search(built_shop.queries[6].read_bytes()))
    expect_shown(page, wanted)
    held[0].abort()
    page.wait_for_timeout(200)
    assert page.evaluate(SHOWN) == wanted
    assert page.get_by_role("alert").inner_text() == ""
    assert page.evaluate("() => window.alive.size") == 1


def test_a_service_that_is_away_or_busy(page, engine, built_shop) -> None:
    """Away: said, and one button tries again. Busy: it is asked again by itself after the time it names."""
    wanted = ids(engine.search(built_shop.queries[0].read_bytes()))
    page.route("**/search", lambda route: route.abort())
    page.set_input_files("#choose", built_shop.queries[0])
    page.get_by_text("The service does not answer.").wait_for()
    page.unroute("**/search")
    page.get_by_role("button", name="Try again").click()
    expect_shown(page, wanted)
    busy = {"type": "about:blank", "title": "Busy", "status": 503, "detail": "All hands are full."}
    page.route(
        "**/search",
        lambda route: route.fulfill(
            status=503,
            headers={"Retry-After": "0.3", "Content-Type": "application/problem+json"},
            body=json.dumps(busy),
        ),
        times=1,
    )
    page.set_input_files("#choose", built_shop.queries[1])
    page.get_by_text("Trying again in 0.3 s.").wait_for()
    expect_shown(page, ids(engine.search(built_shop.queries[1].read_bytes())))


def test_a_key_is_asked_for(open_page, serve, engine, built_shop) -> None:
    """A wrong one is told; with the right one come results, and pictures; it is kept until the tab is closed."""
    page = open_page(at=serve(LOOKBOOK_API_KEY=KEY))
    dialog = page.get_by_role("dialog", name="This service needs a key")
    dialog.get_by_label("API key").fill("another-key")
    page.keyboard.press("Enter")
    dialog.get_by_text("The service did not take this key.").wait_for()
    dialog.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")
    page.wait_for_selector("#category option:nth-child(2)", state="attached")
    choose(page, built_shop.queries[0])
    page.wait_for_function("() => document.querySelector('.card img').naturalWidth > 0")
    assert page.get_attribute(".card img", "src").startswith("blob:")
    assert page.evaluate("() => Object.values(sessionStorage)") == [KEY]
    assert page.evaluate("() => localStorage.length") == 0


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone(open_page, engine, built_shop, width: int) -> None:
    """Nothing is wider than the screen, however long a title: with results, refined, side by side, two steps on."""
    page = open_page(width=width, height=800, has_touch=True, is_mobile=True)
    assert page.evaluate(OVERFLOW) == 0
    assert page.get_by_text("Take a photo").is_visible()
    product = engine.bundle.items[0]["product_id"]
    photo = own_photo(built_shop, product)
    place = ids(engine.search(photo.read_bytes())).index(product)
    choose(page, photo)
    page.locator("#refine summary").tap()
    page.locator("#times summary").tap()
    page.locator(".more").first.wait_for()
    assert page.evaluate(OVERFLOW) == 0
    page.get_by_role("button", name="Choose a part").tap()
    assert page.evaluate(OVERFLOW) == 0
    for beside in (place, 1 - min(place, 1)):
        page.locator(".card .compare").nth(beside).tap()
        assert page.evaluate(OVERFLOW) == 0
    assert page.locator("#compare").evaluate("(dialog) => dialog.scrollWidth - dialog.clientWidth") == 0
    page.get_by_role("button", name="Close").tap()
    for near in (place, 0):
        page.locator(".more").nth(near).tap()
        page.wait_for_selector("#cards:not([aria-busy]) .card:not(.waiting)")
        assert page.evaluate(OVERFLOW) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, built_shop, tmp_path, scheme: str) -> None:
    """At first, with results, at a part of the photo, side by side, with a problem; in the light and the dark."""
    axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the extra [dev] is not installed")
    axe = axe_api.Axe()
    page = open_page(color_scheme=scheme)

    def check(state: str) -> None:
        found = axe.run(page).response["violations"]
        told = [(broken["id"], [node["html"][:120] for node in broken["nodes"]]) for broken in found]
        assert (state, told) == (state, [])

    lightness = "() => getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).map(Number)"
    assert (max(page.evaluate(lightness)) < 60) == (scheme == "dark")
    check("start")
    choose(page, built_shop.queries[0])
    check("results")
    page.get_by_role("button", name="Choose a part").click()
    check("part")
    for place in (0, 1):
        page.locator(".card .compare").nth(place).click()
    check("compare")
    page.keyboard.press("Escape")
    (tmp_path / "letter.jpg").write_bytes(b"no photo")
    page.set_input_files("#choose", tmp_path / "letter.jpg")
    page.get_by_role("alert").get_by_text("Choose a photo").wait_for()
    check("problem")
