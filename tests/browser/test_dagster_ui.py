"""Dagster's own UI on a built home, in a real headless Chromium: the graph, an asset's page, its pictures."""

import json
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

from resources.profile import PROFILES

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


RELOAD = """mutation { reloadRepositoryLocation(repositoryLocationName: "lookbook") { __typename } }"""
STALE = "{ assetNodes { assetKey { path } staleStatus } }"


def asked(address: str, query: str) -> dict:
    """Dagster's answer, as its own pages ask it."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"content-type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=60))
    assert "errors" not in answer, answer
    return answer["data"]


def stale(address: str) -> set[str]:
    """What the UI marks."""
    nodes = asked(address, STALE)["assetNodes"]
    return {node["assetKey"]["path"][0] for node in nodes if node["staleStatus"] != "FRESH"}


@pytest.fixture(scope="module")
def home(built_shop, tmp_path_factory):
    """The built shop's home, copied, with a profile of its own: free to be changed."""
    copy = tmp_path_factory.mktemp("ui") / "home"
    shutil.copytree(built_shop.home, copy, symlinks=True)
    return copy


@pytest.fixture(scope="module")
def address(home):
    """`lookbook dev` on the home: webserver and daemon, as a person starts them."""
    port = free_port()
    command = Path(sys.executable).with_name("lookbook")
    server = subprocess.Popen(
        [command, "dev", "--home", home, "--port", str(port)],
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


def test_nothing_is_stale_after_a_build(address):
    """What the UI's pages ask for: every asset is fresh."""
    assert stale(address) == set()


def test_the_button_for_unsynced_assets_builds_those_and_no_other(page, address, home):
    """Other fusion weights: the bundle is marked, the button materialises it, and no feature is computed."""
    profile = (PROFILES / "embedded.toml").read_text("utf-8")
    (home / "weights.toml").write_text(profile.replace("color_gate = 0.20", "color_gate = 0.25"), "utf-8")
    settings = home / "lookbook.toml"
    settings.write_text(settings.read_text("utf-8").replace('"embedded"', '"weights.toml"'), "utf-8")
    asked(address, RELOAD)
    assert stale(address) == {"android_bundle"}
    before = {file: file.stat().st_mtime_ns for file in (home / "data_lake").glob("*.parquet")}
    page.goto(f"{address}/asset-groups")
    everything = page.get_by_text("Materialize all").first
    everything.wait_for()
    box = everything.locator("xpath=ancestor::button").bounding_box()
    page.mouse.click(box["x"] + box["width"] + 12, box["y"] + box["height"] / 2)  # the arrow beside it
    page.get_by_text("Materialize unsynced", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("android_bundle").first.wait_for()
    dialog.get_by_text("Materialize 1 assets").click()
    deadline = time.monotonic() + START_TIMEOUT_S
    while stale(address) != {"benchmark"}:  # the bundle is new: what measures it is unsynced now
        assert time.monotonic() < deadline, stale(address)
        time.sleep(1)
    assert {file: file.stat().st_mtime_ns for file in before} == before
