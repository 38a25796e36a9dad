"""Dagster's own UI on a built home, in a real headless Chromium: the graph, an asset's page, its pictures."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_TIMEOUT_S = 180

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt install chromium"),
]


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def address(built_shop):
    """`lookbook dev` on the built shop: webserver and daemon, as a person starts them."""
    port = free_port()
    command = Path(sys.executable).with_name("lookbook")
    server = subprocess.Popen(
        [command, "dev", "--home", built_shop.home, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                urllib.request.urlopen(f"{url}/server_info", timeout=5).read()
                break
            except OSError:
                assert server.poll() is None, "lookbook dev ended by itself"
                assert time.monotonic() < deadline, "lookbook dev does not answer"
                time.sleep(1)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def page(address):
    """A page of a real browser, opened on the UI."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = browser.new_page(viewport={"width": 1800, "height": 1100})
        opened.set_default_timeout(60_000)
        opened.goto(address)
        yield opened
        browser.close()


def test_the_graph_shows_every_group(page, address):
    """Lineage has the eight groups in one picture."""
    page.goto(f"{address}/asset-groups")
    for group in ("feed", "queries", "images", "features", "index", "models", "bundle", "measure"):
        page.get_by_text(group, exact=True).first.wait_for()


@pytest.mark.parametrize(
    ("asset", "texts"),
    [
        ("raw_catalog", ["The shop's feed as one typed table", "by_category", "parquet", "catalog"]),
        ("sam2_masks", ["lookbook-segmenter", "mean_area_fraction", "masks_cover_products"]),
        ("int8_models", ["gate", "latency_ratio", "agreement_at_10"]),
        ("android_bundle", ["bundle_version", "thumbnails", "golden_queries"]),
        ("benchmark", ["success@1", "low_95", "without texture"]),
    ],
)
def test_an_assets_page_tells_what_a_person_wants_to_see(page, address, asset, texts):
    """Description, kinds, owner, counts and tables; a failed check would show here."""
    page.goto(f"{address}/assets/{asset}")
    page.get_by_text("Latest materialization").first.wait_for()
    for text in texts:
        if text == "masks_cover_products":
            page.goto(f"{address}/assets/{asset}?view=checks")
        page.get_by_text(text).first.wait_for()


def test_the_contact_sheet_of_masks_is_a_picture(page, address):
    """The metadata's Markdown opens as an image that really decodes."""
    page.goto(f"{address}/assets/sam2_masks")
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.locator("img[src^='data:image/jpeg;base64,']").first
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 500


def test_nothing_is_stale_after_a_build(page, address):
    """The UI's own staleness: no asset is marked unsynced."""
    page.goto(f"{address}/asset-groups")
    page.get_by_text("Materialize all").first.wait_for()
    page.wait_for_timeout(3000)
    assert page.get_by_text("Unsynced").count() == 0
