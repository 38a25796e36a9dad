"""`lookbook build` on a feed whose photos are on the network: a refresh costs what changed, and loses nothing."""

import csv
import hashlib
import io
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from catalog.sample_catalog.photos import draw_catalog_photo
from catalog.sample_catalog.plan import plan_shop
from resources.data_lake import DataLake

PHOTOS = 5
FEED = """\
format = "csv"
path = "feed.csv"
[download]
allow_private = true
retries = 0
timeout_s = 5
[queries]
path = "queries.csv"
"""


@pytest.fixture(scope="module")
def drawn() -> list[bytes]:
    """JPEGs of drawn mugs: five products, and one more."""
    plans = [plan for plan in plan_shop(5, 120) if plan.category == "mug"][: PHOTOS + 1]
    contents = []
    for plan in plans:
        content = io.BytesIO()
        Image.fromarray(draw_catalog_photo(plan, 0, 0).image_hwc).save(content, "JPEG", quality=90)
        contents.append(content.getvalue())
    return contents


def write_feed(path: Path, urls: list[str], pins: dict[int, str]) -> None:
    """A row a URL, its product called p0, p1 ..."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["product_id", "category", "image", "image_sha256"])
        rows.writerows([f"p{place}", "mug", url, pins.get(place, "")] for place, url in enumerate(urls))


def numbers(output: str, asset: str) -> dict[str, str]:
    """What the build's line of an asset counts."""
    [line] = [line for line in output.splitlines() if line.startswith(f"  {asset} ")]
    return {name.strip(): count for count, name in re.findall(r"([\d.]+) ([a-z ]+)", line)}


def test_a_build_that_is_terminated_while_photos_come_says_one_line(shop, tmp_path) -> None:
    """SIGTERM, as systemd sends it; photos come and go all the while, so that it finds the fetching anywhere."""
    content = io.BytesIO()
    Image.new("RGB", (64, 64)).save(content, "PNG")
    urls = [shop.serve(f"/{place}.png", content.getvalue()) for place in range(3000)]
    write_feed(tmp_path / "feed.csv", urls, {})
    (tmp_path / "feed.toml").write_text(FEED.partition("[queries]")[0], encoding="utf-8")
    command = [Path(sys.executable).with_name("lookbook"), "build", "--home", tmp_path / "home"]
    command += ["--feed", tmp_path / "feed.toml", "--select", "raw_catalog"]
    with (tmp_path / "said.txt").open("w+", encoding="utf-8") as said:
        build = subprocess.Popen(command, stderr=said, stdout=said, start_new_session=True)
        while len(shop.asked) < 200:
            assert build.poll() is None
            time.sleep(0.01)
        build.send_signal(signal.SIGTERM)
        assert build.wait(60) == 1
        said.seek(0)
        text = said.read()
    assert len(shop.asked) < len(urls)
    assert text.splitlines()[-1].startswith("lookbook: interrupted; what was finished is kept")
    assert "Traceback" not in text
    assert "Error" not in text
    assert not list((tmp_path / "home" / "data_lake" / "downloads").glob(".*.part"))


def test_a_shop_on_the_network(shop, drawn, lookbook, tmp_path) -> None:
    """Fetched once; then a replaced photo is one row's work and the rest 304s; then the server is gone."""
    for place in range(PHOTOS):
        shop.serve(f"/{place}.jpg", drawn[place], ETag=f'"{place}"')
    urls = [shop.url(f"/{place}.jpg") for place in range(PHOTOS)]
    write_feed(
        tmp_path / "feed.csv", [*urls, urls[0], shop.url("/gone.jpg")], {1: hashlib.sha256(drawn[1]).hexdigest()}
    )
    write_feed(tmp_path / "queries.csv", [urls[0]], {})
    (tmp_path / "feed.toml").write_text(FEED, encoding="utf-8")
    home, select = tmp_path / "home", ("--select", "raw_catalog,labelled_queries,product_images")

    first = lookbook("build", "--home", home, "--feed", tmp_path / "feed.toml", *select).stderr
    catalogue = numbers(first, "raw_catalog")
    assert (catalogue["downloaded"], catalogue["download failed"], catalogue["rejected"]) == ("5", "1", "1")
    assert numbers(first, "labelled_queries")["downloaded"] == "1"
    assert numbers(first, "product_images")["computed"] == "5"  # p5 has the photo of p0
    assert sorted(shop.paths()) == sorted([*[f"/{place}.jpg" for place in range(PHOTOS)], "/0.jpg", "/gone.jpg"])
    lake = DataLake(root=str(home / "data_lake"), home=str(home))
    [gone] = lake.read_rejected("raw_catalog")
    assert (gone["reason"], gone["outcome"], gone["product_id"]) == ("download_failed", "rejected", "p6")
    assert gone["image"] == shop.url("/gone.jpg")

    shop.serve("/2.jpg", drawn[PHOTOS], ETag='"new"')
    second = lookbook("build", "--home", home, *select).stderr
    catalogue = numbers(second, "raw_catalog")
    assert (catalogue["downloaded"], catalogue["not modified"]) == ("1", "3")  # p1 is pinned, and not asked for
    images = numbers(second, "product_images")
    assert (images["computed"], images["reused"]) == ("1", "5")

    shop.replies.clear()
    third = lookbook("build", "--home", home, *select).stderr
    assert numbers(third, "raw_catalog")["kept earlier"] == "4"
    images = numbers(third, "product_images")
    assert (images["computed"], images["reused"]) == ("0", "6")
    kept = [row for row in lake.read_rejected("raw_catalog") if row["outcome"] == "kept"]
    assert [row["product_id"] for row in kept] == ["p0", "p2", "p3", "p4", "p5"]
    assert all(
        "the photo that was fetched earlier is used: 127.0.0.1 answers HTTP 404" in row["detail"] for row in kept
    )
