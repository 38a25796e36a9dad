"""Whatever bytes a feed holds, reading it ends in rows or in a FeedError, for every format."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import LookbookError
from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import READERS, read_feed

# Bytes that get past each format's first check, so that what follows is reached too.
STARTS = {
    "csv": b"product_id,category,image\n",
    "jsonl": b'{"product_id": "1", "category": "c", "image": "a.jpg"}\n',
    "parquet": b"PAR1",
    "google_merchant_xml": b'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>',
    "google_merchant_tsv": b"id\timage_link\tproduct_type\n",
    "shopify_csv": b"Handle,Image Src,Type,Variant Image\n",
    "asos_csv": b"sku,images,category,description\n",
}
PIECES = [
    b"\n", b"\r", b'"', b"'", b",", b"\t", b"[", b"]", b"{", b"}", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xc3", b"<item>",
    b"</item>", b"<g:id>", b"</g:id>", b"<![CDATA[", b"]]>", b"<!--", b"&", b"<", b">", b"a.jpg", b"1", b"../x", b"//",
    b"file://", b"https://x/%00", b":", b"\\ud800", b"nan", b"1e999",
]  # fmt: skip
hostile = st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))


def read_or_refuse(path: Path) -> None:
    """Rows are whole and printable; anything else is a LookbookError of one line."""
    try:
        contents = read_feed(load_feed(path))
    except LookbookError as error:
        assert "\n" not in str(error)
        return
    for found in (*contents.rows, *contents.rejected):
        repr(found).encode("utf-8")
    for row in contents.rows:
        assert Path(row.image_path).is_file()
        assert row.product_id
        assert row.category


@pytest.mark.parametrize("form", sorted(STARTS))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(started=st.booleans(), content=hostile)
def test_any_bytes(tmp_path: Path, photos: Callable[..., None], form: str, started: bool, content: bytes) -> None:
    """Of each format that is a file."""
    photos("a.jpg")
    (tmp_path / "feed.bin").write_bytes(STARTS[form] * started + content)
    (tmp_path / "feed.toml").write_text(f'format = "{form}"\npath = "feed.bin"\n')
    read_or_refuse(tmp_path / "feed.toml")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
            lambda name: name not in (".", "..")
        ),
        max_size=5,
        unique=True,
    )
)
def test_any_names(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    """Of folders and files."""
    root = tmp_path_factory.mktemp("any")
    for number, name in enumerate(names):
        (root / name).mkdir(exist_ok=True)
        (root / name / f"{names[number - 1]}.jpg").write_bytes(b"x")
    read_or_refuse(root)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [
                    'path = "f.csv"\n',
                    "[columns]\n",
                    "[where]\n",
                    'format = "csv"\n',
                    "photos = ",
                    '"x"\n',
                    "3\n",
                    "[[a]]\n",
                ]
            ),
            max_size=12,
        ).map(lambda parts: "".join(parts).encode()),
    )
)
def test_any_description(tmp_path: Path, content: bytes) -> None:
    """Read or refused in one line."""
    (tmp_path / "f.csv").write_text("product_id,category,image\n")
    (tmp_path / "feed.toml").write_bytes(content)
    read_or_refuse(tmp_path / "feed.toml")


def test_every_file_format_is_tried() -> None:
    """A new one needs its start above."""
    assert {*STARTS, "folders"} == set(READERS)
