"""A small shop on disk: real photo files, and a feed beside them that each test writes as bytes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import FeedContents, read_feed

# A whole 1 x 1 PNG, black.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63600000000200014898dbbd0000000049454e44ae426082"
)


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., None]:
    """Writes a photo under each name, folders included."""

    def write(*names: str) -> None:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(PNG)

    return write


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., FeedContents]:
    """Writes a feed, and its description if one is given, and reads it."""

    def write_and_read(name: str, content: bytes | str, description: str = "") -> FeedContents:
        (tmp_path / name).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        if not description:
            return read_feed(load_feed(tmp_path / name))
        (tmp_path / "feed.toml").write_text(f'path = "{name}"\n{description}', encoding="utf-8")
        return read_feed(load_feed(tmp_path / "feed.toml"))

    return write_and_read


@pytest.fixture
def told() -> Callable[[FeedContents], list[tuple[str, str, str, str]]]:
    """Each rejection as where, reason, outcome, product_id."""
    return lambda contents: [(r.where, r.reason.value, r.outcome.value, r.product_id) for r in contents.rejected]
