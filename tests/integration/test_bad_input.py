"""A feed with everything wrong that a shop can send: each has its named reason, the rest is built, nothing escapes."""

import csv
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.sample_catalog.photos import draw_catalog_photo
from catalog.sample_catalog.plan import plan_shop

HEADER = ["product_id", "category", "title", "price", "currency", "image"]


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """A picture's bytes in a format."""
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


@pytest.fixture(scope="module")
def bad_shop(tmp_path_factory, lookbook):
    """Six good products among every bad one; built. Returns (home, rejected rows, build output)."""
    folder = tmp_path_factory.mktemp("bad")
    photos = folder / "shop" / "photos"
    photos.mkdir(parents=True)
    good = [
        Image.fromarray(draw_catalog_photo(plan, 0, 0).image_hwc)
        for plan in plan_shop(5, 40)
        if plan.category in ("dress", "mug")
    ][:6]
    product = good[0]
    jpeg = saved(product, "JPEG", quality=90)
    grey16 = Image.fromarray(np.asarray(product.convert("L")).astype(np.uint16) * 257)
    frames = [product.convert("P"), good[1].convert("P")]
    files = {
        "truncated.jpg": jpeg[: len(jpeg) // 2],
        "empty.jpg": b"",
        "bomb.png": png_that_claims(60_000, 60_000),
        "text.jpg": b"<html>404 not found</html>",
        "cmyk.jpg": saved(product.convert("CMYK"), "JPEG"),
        "sixteen.png": saved(grey16, "PNG"),
        "palette.png": saved(product.convert("P"), "PNG"),
        "animated.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "really_a_png.jpg": saved(product, "PNG"),
        "blank.png": saved(Image.new("RGB", (400, 400), "white"), "PNG"),
        "tiny.png": saved(product.resize((8, 8)), "PNG"),
        **{f"good{place}.jpg": saved(photo, "JPEG", quality=90) for place, photo in enumerate(good)},
    }
    for name, content in files.items():
        (photos / name).write_bytes(content)
    (folder / "outside.jpg").write_bytes(jpeg)
    rows = [
        *[
            [f"good-{place}", "dress" if place % 2 else "mug", "good", "10.00", "EUR", f"good{place}.jpg"]
            for place in range(6)
        ],
        ["truncated", "dress", "", "1", "EUR", "truncated.jpg"],
        ["zero", "dress", "", "1", "EUR", "empty.jpg"],
        ["bomb", "dress", "", "1", "EUR", "bomb.png"],
        ["text", "dress", "", "1", "EUR", "text.jpg"],
        ["tiny", "dress", "", "1", "EUR", "tiny.png"],
        ["cmyk", "dress", "", "1", "EUR", "cmyk.jpg"],
        ["sixteen", "dress", "", "1", "EUR", "sixteen.png"],
        ["palette", "dress", "", "1", "EUR", "palette.png"],
        ["animated", "dress", "", "1", "EUR", "animated.gif"],
        ["extension", "dress", "", "1", "EUR", "really_a_png.jpg"],
        ["blank", "dress", "", "1", "EUR", "blank.png"],
        ["missing", "dress", "", "1", "EUR", "no_such_file.jpg"],
        ["good-1", "dress", "another title", "99", "EUR", "good2.jpg"],
        ["no-category", "", "", "1", "EUR", "good1.jpg"],
        ["no-price", "dress", "", "ask us", "EUR", "good3.jpg"],
        ["", "dress", "", "1", "EUR", "good1.jpg"],
        ["../../../escape", "dress", "", "1", "EUR", "good1.jpg"],
        ["a/b\\c", "dress", "", "1", "EUR", "good2.jpg"],
        ["two words 👗", "dress", "", "1", "EUR", "good3.jpg"],
        ["outside", "dress", "", "1", "EUR", "../../outside.jpg"],
        ["etc", "dress", "", "1", "EUR", "/etc/passwd"],
    ]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(rows)
    text.write("broken,row\r\n")
    (folder / "shop" / "feed.csv").write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode("utf-8"))
    (folder / "shop" / "feed.toml").write_text(
        'format = "csv"\npath = "feed.csv"\nphotos = "photos"\n', encoding="utf-8"
    )
    home = folder / "home"
    done = lookbook("build", "--home", home, "--feed", folder / "shop" / "feed.toml")
    told = lookbook("rejected", "--home", home, "--json").stdout
    return home, [json.loads(line) for line in told.splitlines()], done.stderr


@pytest.mark.parametrize(
    ("product_id", "reason", "outcome"),
    [
        ("truncated", "truncated_image", "rejected"),
        ("zero", "empty_file", "rejected"),
        ("bomb", "too_many_pixels", "rejected"),
        ("text", "not_an_image", "rejected"),
        ("tiny", "too_small", "rejected"),
        ("blank", "no_product_found", "kept"),
        ("animated", "animated_image", "kept"),
        ("extension", "wrong_extension", "kept"),
        ("missing", "image_not_found", "rejected"),
        ("good-1", "duplicate_id", "rejected"),
        ("no-category", "missing_category", "rejected"),
        ("no-price", "unreadable_price", "kept"),
        ("", "missing_id", "rejected"),
        ("../../../escape", "unusual_id", "kept"),
        ("a/b\\c", "unusual_id", "kept"),
        ("two words 👗", "unusual_id", "kept"),
        ("outside", "image_outside_root", "rejected"),
        ("etc", "image_outside_root", "rejected"),
    ],
)
def test_each_has_its_named_reason(bad_shop, product_id, reason, outcome):
    """The rejected table says which row, why, what became of it, and where in the feed it stood."""
    _, rejected, _ = bad_shop
    found = [row for row in rejected if row["product_id"] == product_id and row["reason"] == reason]
    assert [row["outcome"] for row in found] == [outcome]
    assert found[0]["detail"]
    assert found[0]["where"]


def test_a_broken_row_is_told_by_its_line(bad_shop):
    """The row with two fields is the feed's last, after 1 header and 27 others."""
    _, rejected, _ = bad_shop
    (broken,) = [row for row in rejected if row["reason"] == "broken_row"]
    assert "line 29" in broken["where"]


def test_the_rest_is_built_and_searched(bad_shop, lookbook):
    """Every usable photo is in the bundle under the shop's own id, odd ids and odd formats included."""
    home, _, _ = bad_shop
    items = json.loads((home / "android_bundle" / "current" / "catalog.json").read_text("utf-8"))
    assert {item["product_id"] for item in items} == {
        *[f"good-{place}" for place in range(6)],
        *("cmyk", "sixteen", "palette", "animated", "extension", "no-price", "blank"),
        *("../../../escape", "a/b\\c", "two words 👗"),
    }
    found = lookbook("search", "--home", home, "--product-id", "../../../escape", "--json").stdout
    assert json.loads(found)["results"]


def test_counts_are_in_the_metadata(bad_shop, lookbook):
    """The build's own lines, made of the metadata, count what was turned away, and say where to read more."""
    _, rejected, output = bad_shop
    feed_rows = sum(row["stage"] == "raw_catalog" and row["outcome"] == "rejected" for row in rejected)
    photos = sum(row["stage"] == "product_images" and row["outcome"] == "rejected" for row in rejected)
    assert (feed_rows, photos) == (7, 5)
    lines = {line.split()[0]: line for line in output.splitlines() if line.startswith("  ")}
    assert "7 rejected" in lines["raw_catalog"]
    assert "5 failed" in lines["product_images"]
    assert "`lookbook rejected` says which, and why" in output


def test_nothing_is_written_outside_the_home(bad_shop):
    """Beside the home there is only what the test made."""
    home, _, _ = bad_shop
    assert {entry.name for entry in home.parent.iterdir()} == {"home", "shop", "outside.jpg"}
    assert {entry.name for entry in (home.parent / "shop").iterdir()} == {"feed.csv", "feed.toml", "photos"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "embeded"], r"no profile 'embeded': did you mean 'embedded'?"),
        (["--feed", "no/such/feed.csv"], "no such feed"),
    ],
)
def test_what_can_not_be_used_stops_at_once_with_one_line(lookbook, tmp_path, arguments, message):
    """No stack trace, exit code 1, and the home keeps the settings it had."""
    failed = lookbook("build", "--home", tmp_path / "home", *arguments, ok=False)
    assert message in failed.stderr
    assert failed.stderr.startswith("lookbook: ")
    assert len(failed.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "home" / "lookbook.toml").exists()


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("format = ", "broken TOML"),
        ('format = "csv"\npath = "feed.csv"\nfotos = "."\n', "fotos"),
        (
            'path = "feed.csv"\n[columns]\nproduct_id = "sku"\ncategory = "category"\nimage = "image"\n',
            "sku",
        ),
    ],
)
def test_a_broken_description_stops_at_once(lookbook, tmp_path, toml, message):
    """Broken TOML, an unknown key, a column that the feed hasn't."""
    (tmp_path / "feed.csv").write_text("product_id,category,image\na,dress,a.jpg\n", encoding="utf-8")
    (tmp_path / "feed.toml").write_text(toml, encoding="utf-8")
    failed = lookbook("build", "--home", tmp_path / "home", "--feed", tmp_path / "feed.toml", ok=False)
    assert message in failed.stderr
    assert failed.stderr.strip().splitlines()[-1].startswith("lookbook: ")
    assert "Traceback" not in failed.stderr


def test_a_feed_without_a_good_product_stops_at_once(lookbook, tmp_path):
    """One line counts why not one row could be used; no later stage runs."""
    (tmp_path / "feed.csv").write_text("product_id,category,image\na,dress,a.jpg\nb,,b.jpg\n", encoding="utf-8")
    failed = lookbook("build", "--home", tmp_path / "home", "--feed", tmp_path / "feed.csv", ok=False)
    last = failed.stderr.strip().splitlines()[-1]
    assert "0 of 2 rows can be used" in last
    assert "Traceback" not in failed.stderr
    assert not list((tmp_path / "home" / "data_lake").glob("*.parquet"))


def test_photos_that_are_all_broken_stop_at_once(lookbook, tmp_path: Path):
    """The feed is well, not one photo is: one line with the first reason."""
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    (tmp_path / "feed.csv").write_text("product_id,category,image\na,dress,a.jpg\n", encoding="utf-8")
    failed = lookbook("build", "--home", tmp_path / "home", "--feed", tmp_path / "feed.csv", ok=False)
    assert "not one of 1 photos could be used; the first: not_an_image" in failed.stderr
    assert "Traceback" not in failed.stderr
