"""A shop whose pages scripts make, in the system's Chromium: scrolled, and never past our own rule of addresses."""

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.web.browser import NO_NETWORK

pytestmark = pytest.mark.browser

LISTING = """<html><body><div id="list" style="min-height: 5000px"></div><script>
let next = 0;
function more() { for (let i = 0; i < 2 && next < 4; i++, next++) {
  const link = document.createElement("a"); link.href = "/p/" + next; link.textContent = "mug " + next;
  link.style = "display: block; height: 900px"; document.getElementById("list").append(link); } }
more(); addEventListener("scroll", more);
</script></body></html>"""
PRODUCT = """<html><body><div style="height: 4000px"></div><div id="end">below</div><script>
fetch("/api" + location.pathname, {method: "POST", body: "{}"}).then(answer => answer.json()).then(product => {
  new IntersectionObserver(seen => { if (seen[0].isIntersecting && !document.querySelector("[type$=json]")) {
    const said = document.createElement("script"); said.type = "application/ld+json";
    said.textContent = JSON.stringify(product); document.head.append(said); }
  }).observe(document.getElementById("end"));
});
const trap = new Image(); trap.src = "/img/asked.jpg";
fetch("http://169.254.169.254/latest/").catch(() => {});
new WebSocket("ws://" + location.host + "/socket");
</script></body></html>"""


class Shop(http.server.BaseHTTPRequestHandler):
    """Serves the two kinds of pages, and what the scripts ask for."""

    asked: list[str]

    def do_GET(self) -> None:
        """Pages."""
        pages = {"/mugs": LISTING, **{f"/p/{place}": PRODUCT for place in range(4)}}
        self.send(pages.get(self.path, ""), "text/html")

    def do_POST(self) -> None:
        """Data."""
        sku = self.path.rpartition("/")[2]
        product = {"@type": "Product", "sku": sku, "name": "Mug", "category": "mugs", "image": f"/img/{sku}.jpg"}
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send(json.dumps(product), "application/json")

    def send(self, text: str, content_type: str) -> None:
        """An answer; 404 where there is nothing."""
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def scripted_shop() -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it was asked."""
    asked: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Shop,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def chromium() -> None:
    """Skips where there is no browser to drive."""
    pytest.importorskip("playwright.async_api", reason="the extra [browser] is not installed")
    if not shutil.which("chromium"):
        pytest.skip("no chromium on this machine")


def test_scripts_and_scrolling(chromium, scripted_shop, lookbook, tmp_path: Path) -> None:
    """Links that only scrolling brings, products that only scripts tell; without --browser there is nothing."""
    url, asked = scripted_shop
    out = tmp_path / "shop.jsonl"
    plain = lookbook("collect", f"{url}/mugs", "--follow", "--out", out, "--allow-private", ok=False)
    assert "none of 1 pages gave a product" in plain.stderr
    lookbook("collect", f"{url}/mugs", "--follow", "--browser", "--out", out, "--allow-private")
    feed = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(row["product_id"], row["images"]) for row in feed] == [
        (str(place), [f"{url}/img/{place}.jpg"]) for place in range(4)
    ]
    assert not [line for line in asked if "/img/" in line or "/socket" in line]
    assert asked.count("GET /p/0") == 1


def test_the_browser_itself_reaches_nothing(chromium, scripted_shop) -> None:
    """Neither an address nor a name: what is not asked by us is not asked."""
    from playwright.sync_api import Error, sync_playwright

    url, asked = scripted_shop
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(NO_NETWORK))
        for address in (url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "[::ffff:127.0.0.1]")):
            with pytest.raises(Error, match="ERR_"):
                browser.new_page().goto(address)
        browser.close()
    assert asked == []


def test_chromium_that_is_missing_is_told(scripted_shop, lookbook, tmp_path: Path) -> None:
    """One line that says what to install."""
    pytest.importorskip("playwright.async_api", reason="the extra [browser] is not installed")
    url, _ = scripted_shop
    out = tmp_path / "shop.jsonl"
    done = lookbook("collect", url, "--browser", "--out", out, "--allow-private", ok=False, PATH=str(tmp_path))
    assert done.stderr.startswith("lookbook: --browser needs Chromium, and there is none of chromium, ")
