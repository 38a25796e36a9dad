"""Is a file one whole photo, and of which kind? Real bytes of every kind that is read."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.errors import ImageError
from catalog.vision.whole_photos import photo_extension


def encoded(form: str, **options: object) -> bytes:
    """A noisy picture's bytes in a format."""
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (80, 80, 3), np.uint8)).save(content, form, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("form", "extension"),
    [
        ("JPEG", ".jpg"),
        ("MPO", ".jpg"),
        ("PNG", ".png"),
        ("WEBP", ".webp"),
        ("GIF", ".gif"),
        ("BMP", ".bmp"),
        ("TIFF", ".tif"),
        ("AVIF", ".avif"),
    ],
)
def test_the_extension_is_the_bytes(tmp_path: Path, form: str, extension: str) -> None:
    """Whatever the file is called; and half of it is no photo."""
    path = tmp_path / "photo.txt"
    content = encoded(form)
    path.write_bytes(content)
    assert photo_extension(path) == extension
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match=r"truncated_image|not_an_image"):
        photo_extension(path)


def test_a_jpeg_is_read_to_its_end(tmp_path: Path) -> None:
    """At an eighth of its size, which still meets the cut; progressive ones too."""
    for content in (encoded("JPEG", quality=95), encoded("JPEG", progressive=True)):
        (tmp_path / "a").write_bytes(content[:-200])
        with pytest.raises(ImageError, match="truncated_image"):
            photo_extension(tmp_path / "a")


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty_file"), (b"<html>", "not_an_image"), (b"%PDF-1.7", "not_an_image")]
)
def test_what_is_no_photo(tmp_path: Path, content: bytes, reason: str) -> None:
    """With its reason."""
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ImageError, match=reason):
        photo_extension(tmp_path / "a")


def test_a_huge_photo_is_not_decoded_here(tmp_path: Path) -> None:
    """More pixels than are ever decoded: who decodes it says so, with the profile's own limit."""
    Image.new("1", (9000, 9000)).save(tmp_path / "a", "PNG")
    assert photo_extension(tmp_path / "a") == ".png"
