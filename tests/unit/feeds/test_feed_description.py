"""Feed descriptions: what their keys mean, and one clear line for everything that is wrong with them."""

import os
import tomllib
from pathlib import Path

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds import detection, reading
from catalog.formats.feeds.description import OUR_COLUMNS, load_feed
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.records import Reason

FEEDS = Path(__file__).parents[3] / "feeds"
FULL = """
format = "csv"
path = "products.csv"
photos = "img"
currency = "EUR"
delimiter = ";"
[columns]
product_id = "id"
category = "kind"
image = "file"
images = "more"
images_separator = "|"
[where]
source = "luma"
role = ["gallery", 1, true]
[categories]
"Kleider" = "dresses"
[photo_urls]
"https://CDN.shop.example/a" = "img"
[download]
allow_hosts = ["CDN.shop.example", "*.shop.example"]
allow_private = true
per_host = 2
timeout_s = 7.5
max_bytes = 1048576
retries = 0
max_age_hours = 24
use_proxy = true
[queries]
path = "queries.csv"
[queries.where]
role = "query"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the descriptions name."""
    (tmp_path / "products.csv").write_text("product_id,category,image\n")
    (tmp_path / "queries.csv").write_text("product_id,category,image\n")
    (tmp_path / "img").mkdir()
    return tmp_path


def write(folder: Path, text: str | bytes) -> Path:
    """The description's path."""
    path = folder / "feed.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


@pytest.mark.parametrize("section", ["", "[queries]\n"])
def test_a_pipe_behind_path_is_refused(folder: Path, section: str) -> None:
    """Reading it would wait for ever, with the home locked."""
    os.mkfifo(folder / "pipe")
    above = 'format = "csv"\npath = "products.csv"\n' if section else ""
    with pytest.raises(FeedError, match="pipe: the feed must be a regular file, not a folder or a device"):
        load_feed(write(folder, f'{above}{section}format = "csv"\npath = "pipe"\n'))


def test_reads_every_key(folder: Path) -> None:
    """Paths start from the description's folder; queries take from above what they leave out."""
    feed = load_feed(write(folder, FULL))
    assert (feed.format, feed.path, feed.photos) == ("csv", folder / "products.csv", folder / "img")
    assert (feed.currency, feed.delimiter, feed.images_separator) == ("EUR", ";", "|")
    assert feed.columns == {"product_id": "id", "category": "kind", "image": "file", "images": "more"}
    assert feed.where == {"source": ("luma",), "role": ("gallery", "1", "true")}
    assert feed.categories == {"Kleider": "dresses"}
    assert feed.photo_urls == {"https://cdn.shop.example/a/": folder / "img"}
    assert feed.download == DownloadRules(
        allow_hosts=("cdn.shop.example", "*.shop.example"),
        allow_private=True,
        per_host=2,
        timeout_s=7.5,
        max_bytes=2**20,
        retries=0,
        max_age_hours=24,
        use_proxy=True,
    )
    assert feed.queries is not None
    assert feed.queries.download == feed.download
    assert feed.queries.path == folder / "queries.csv"
    assert feed.queries.where == {"role": ("query",)}
    assert (feed.queries.columns, feed.queries.photos, feed.queries.delimiter) == (feed.columns, feed.photos, ";")
    assert feed.queries.queries is None


def test_a_bom_and_windows_line_ends_are_fine(folder: Path) -> None:
    """As Notepad writes them."""
    text = 'format = "csv"\r\npath = "products.csv"\r\n'
    assert load_feed(write(folder, b"\xef\xbb\xbf" + text.encode())).format == "csv"


def test_photos_default_to_the_feeds_folder(folder: Path) -> None:
    """Not to the description's."""
    (folder / "img" / "sub.csv").write_text("product_id,category,image\n")
    assert load_feed(write(folder, 'path = "img/sub.csv"')).photos == folder / "img"


def test_a_home_that_is_moved_reads_the_same(tmp_path: Path) -> None:
    """With its feed in it; a feed elsewhere is named by its whole path."""
    found = []
    for name in ("here", "there"):
        shop = tmp_path / name / "shop"
        shop.mkdir(parents=True)
        (shop / "feed.csv").write_text("product_id,category,image\n", "utf-8")
        found.append(load_feed(shop / "feed.csv"))
    here, there = found
    assert here.fingerprint(tmp_path / "here") == there.fingerprint(tmp_path / "there")
    assert here.fingerprint() != there.fingerprint()
    assert here.fingerprint(tmp_path / "there") != there.fingerprint(tmp_path / "there")


def test_the_fingerprint_tells_readings_apart(folder: Path) -> None:
    """Equal for equal descriptions, other for any other value."""
    first = load_feed(write(folder, FULL)).fingerprint()
    assert first == load_feed(write(folder, "# a comment\n" + FULL)).fingerprint()
    for old, new in (("EUR", "USD"), ('"kind"', '"type"'), ('"query"', '"q"'), ("dresses", "gowns"), ("luma", "x")):
        assert first != load_feed(write(folder, FULL.replace(old, new))).fingerprint()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format = csv", r"broken TOML: .*line 1"),
        ('path = "products.csv"\npath = "x"', "broken TOML"),
        (b"\xff\xfe\x00", "is not UTF-8: save the feed description as UTF-8"),
        ("", "path: is missing"),
        ('path = "none.csv"', "none.csv does not exist"),
        ('path = "a\\u0000b"', "holds a character that no path can hold"),
        ('path = ["products.csv"]', "path: must be text in quotes, not a list"),
        ('path = ""', "path: must not be empty"),
        ('path = "products.csv"\nformt = "csv"', "formt: no such key, did you mean 'format'?"),
        ('path = "products.csv"\nformat = "cvs"', "no format 'cvs', did you mean 'csv'?"),
        ('path = "products.csv"\nformat = "folders"', "is a file, which format folders can't be"),
        ('path = "img"\nformat = "csv"', "is a folder, which format csv can't be"),
        ('path = "img"\nphotos = "img"', "format folders reads the photos in `path` itself"),
        ('path = "img"\n[where]\na = "b"', "format folders has no columns"),
        ('path = "products.csv"\nphotos = "nowhere"', "photos: .*nowhere is no folder"),
        ('path = "products.csv"\ncurrency = "Euro"', "'Euro' is no code of ISO 4217"),
        ('path = "products.csv"\ndelimiter = "ab"', "delimiter: must be one character"),
        ('path = "products.csv"\ncolumns = 3', r"columns: must be a table, \[columns\], not a whole number"),
        ('path = "products.csv"\n[columns]\nproduct_id = "i"', r"\[columns\] category: is missing"),
        ('path = "products.csv"\n[columns]\nproduct_id = "i"\ncategory = "c"', r"\[columns\] image: is missing"),
        ('path = "products.csv"\n[columns]\nprodct_id = "i"', "prodct_id: no such key, did you mean 'product_id'?"),
        ('path = "products.csv"\n[columns]\ntitle = 7', r"\[columns\] title: must be text in quotes"),
        (
            'path = "products.csv"\n[columns]\nproduct_id = "i"\ncategory = "c"\nimage = "f"\nimages_separator = ","',
            "needs `images` beside it",
        ),
        ('path = "products.csv"\nformat = "asos_csv"\n[columns]\nimage = "x"', "names its columns itself"),
        ('path = "products.csv"\n[where]\nrole = []', "an empty list keeps no row"),
        ('path = "products.csv"\n[where]\nrole = 2024-01-01', "must be text, a number, or a list of them"),
        ('path = "products.csv"\n[categories]\n"" = "x"', "can't be empty"),
        ('path = "products.csv"\n[categories]\nx = 1', r"\[categories\] x: must be text in quotes"),
        ('path = "products.csv"\n[photo_urls]\n"cdn.example" = "img"', "must be the start of a URL"),
        ('path = "products.csv"\n[photo_urls]\n"https://cdn.example" = "gone"', "gone is no folder"),
        ('path = "products.csv"\ndownload = true', r"download: must be a table, \[download\], not true or false"),
        ('path = "products.csv"\n[download]\ntimeout = 3', "timeout: no such key, did you mean 'timeout_s'?"),
        ('path = "products.csv"\n[download]\ntimeout_s = "3"', r"\[download\] timeout_s: must be a number, not text"),
        ('path = "products.csv"\n[download]\nper_host = 2.5', "per_host: must be a whole number, not a number"),
        ('path = "products.csv"\n[download]\nper_host = 0', "per_host: must be from 1 to 64, not 0"),
        ('path = "products.csv"\n[download]\ntimeout_s = nan', "timeout_s: must be from 0.1 to 3600, not nan"),
        ('path = "products.csv"\n[download]\nallow_private = 1', "allow_private: must be true or false, not a whole"),
        ('path = "products.csv"\n[download]\nallow_hosts = "a"', "allow_hosts: must be a list"),
        ('path = "products.csv"\n[download]\nallow_hosts = ["https://a"]', "'https://a' is no host: write"),
        ('path = "products.csv"\n[queries]\nqueries = 1', r"\[queries\] queries: no such key"),
        ('path = "products.csv"\n[queries.where]\nrole = []', r"\[queries.where\] role: an empty list"),
    ],
)
def test_each_mistake_is_one_clear_line(folder: Path, text: str | bytes, message: str) -> None:
    """With the description's path, so that the user knows where to look."""
    with pytest.raises(FeedError, match=message) as caught:
        load_feed(write(folder, text))
    assert "\n" not in str(caught.value)
    assert str(folder / "feed.toml") in str(caught.value)


def test_a_feed_that_is_not_there(tmp_path: Path) -> None:
    """Said at once, with what could be named instead."""
    with pytest.raises(FeedError, match="no such feed: name a feed description"):
        load_feed(tmp_path / "none.csv")
    with pytest.raises(FeedError, match="can't be read: No such file"):
        load_feed(tmp_path / "none.toml")
    with pytest.raises(FeedError, match="no such feed"):
        load_feed(tmp_path / "a\0b.csv")
    with pytest.raises(FeedError, match="no such feed"):
        load_feed(tmp_path / ("x" * 5000))


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.xml", b"", "google_merchant_xml"),
        ("a.tsv", b"id\ttitle\timage_link\n", "google_merchant_tsv"),
        ("a.txt", b"id\timage link\n", "google_merchant_tsv"),
        ("a.csv", b"id;image_link\n", "google_merchant_tsv"),
        ("a.csv", b"Handle,Title,Image Src\n", "shopify_csv"),
        ("a.csv", b"Title,URL handle,Product image URL\n", "shopify_csv"),
        ("a.csv", b"\xef\xbb\xbfurl,name,sku,images\n", "asos_csv"),
        ("a.CSV", b"product_id,category,image\n", "csv"),
        ("a.tsv", b"product_id\timage\n", "csv"),
        ("a.jsonl", b"", "jsonl"),
        ("a.ndjson", b"", "jsonl"),
        ("a.parquet", b"", "parquet"),
    ],
)
def test_tells_the_format_of_bare_data(tmp_path: Path, name: str, content: bytes, form: str) -> None:
    """From extension and header."""
    (tmp_path / name).write_bytes(content)
    assert load_feed(tmp_path / name).format == form


def test_a_folder_is_folders_and_an_unknown_extension_is_refused(tmp_path: Path) -> None:
    """The error lists what is known."""
    assert load_feed(tmp_path).format == "folders"
    (tmp_path / "feed.xlsx").write_bytes(b"PK")
    with pytest.raises(FeedError, match=r"extension '.xlsx': known are .toml, .csv"):
        load_feed(tmp_path / "feed.xlsx")


def test_every_format_has_a_reader() -> None:
    """The table of names and the table of readers say the same."""
    assert tuple(reading.READERS) == detection.FORMATS


@pytest.mark.parametrize("example", sorted(FEEDS.glob("example_*.toml")), ids=lambda p: p.name)
def test_the_examples_are_right(tmp_path: Path, example: Path) -> None:
    """Each shipped example loads once the files it names are there."""
    text = example.read_text(encoding="utf-8")
    values = tomllib.loads(text)
    for table in (values, values.get("queries", {})):
        if "path" in table and Path(table["path"]).suffix:
            (tmp_path / table["path"]).touch()
        for folder in (*([table["photos"]] if "photos" in table else []), *table.get("photo_urls", {}).values()):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        if "path" in table and not Path(table["path"]).suffix:
            (tmp_path / table["path"]).mkdir(exist_ok=True)
    assert load_feed(write(tmp_path, text)).format == values["format"]


def test_there_is_an_example_of_each_format() -> None:
    """Named after it."""
    assert {p.stem.removeprefix("example_") for p in FEEDS.glob("example_*.toml")} == set(detection.FORMATS)


def test_the_documentation_names_every_key_column_format_and_reason() -> None:
    """docs/feeds.md is what the shop's engineer reads."""
    text = (FEEDS.parent / "docs" / "feeds.md").read_text(encoding="utf-8")
    keys = (*tomllib.loads(FULL), *tomllib.loads(FULL)["download"], "images_separator")
    for name in (*keys, *OUR_COLUMNS, *detection.FORMATS, *(reason.value for reason in Reason)):
        assert f"`{name}`" in text, name
