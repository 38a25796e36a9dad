"""Pictures by content: the same pixels are one file, a damaged one is found out, masks come back as masks."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.errors import FormatError
from catalog.formats.blobs import BlobStore, DecodedPictures

MEND = "delete it and run `lookbook build`: `product_images` makes it again"


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    """An empty one."""
    return BlobStore(tmp_path / "images", "product_images")


def picture(*shape: int, seed: int = 0) -> np.ndarray:
    """Seeded noise."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def jpeg(pixels: np.ndarray) -> tuple[bytes, np.ndarray]:
    """A JPEG file's bytes, and the pixels that they decode to."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue(), np.asarray(Image.open(file))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4), (1, 1, 3)])
def test_pixels_come_back(store: BlobStore, shape: tuple[int, ...]) -> None:
    """In their shape and dtype; the name is the digest of dtype, shape and values, spread over folders."""
    pixels = picture(*shape)
    name = store.put(pixels)
    assert name == hashlib.sha256(f"|u1{shape}".encode() + pixels.tobytes()).hexdigest() + ".png"
    assert store.path(name) == store.folder / name[:2] / name
    assert store.holds(name)
    back = store.get(name)
    assert back.dtype == np.uint8
    assert np.array_equal(back, pixels)


def test_masks_come_back_as_zero_and_one(store: BlobStore) -> None:
    """Pillow's own bools hold 255, which numpy sums and compares wrongly."""
    mask = picture(40, 30) > 100
    back = store.get(store.put(mask))
    assert back.dtype == np.bool_
    assert np.array_equal(back, mask)
    assert set(back.view(np.uint8).ravel()) == {0, 1}
    assert back.sum() == np.count_nonzero(mask)
    assert store.put(back) == store.put(mask)  # and is the same blob when it is stored again


def test_the_same_pixels_are_one_file(store: BlobStore) -> None:
    """However often, from whatever memory layout; written once only."""
    pixels = picture(6, 6, 3)
    name = store.put(pixels)
    written = store.path(name).stat().st_mtime_ns
    assert store.put(np.asfortranarray(pixels)) == name
    assert store.path(name).stat().st_mtime_ns == written
    assert len([file for file in store.folder.rglob("*") if file.is_file()]) == 1
    assert store.put(picture(6, 6, 3, seed=1)) != name


def test_the_same_pixels_are_the_same_bytes(tmp_path: Path) -> None:
    """In two stores."""
    first, second = (BlobStore(tmp_path / name, "product_images") for name in "ab")
    name = first.put(picture(20, 20, 3))
    assert second.put(picture(20, 20, 3)) == name
    assert first.path(name).read_bytes() == second.path(name).read_bytes()


def test_keeps_a_photos_own_bytes(store: BlobStore) -> None:
    """A JPEG stays a JPEG, named by its pixels; a PNG a PNG."""
    content, pixels = jpeg(picture(32, 32, 3))
    name = store.put_verbatim(pixels, content)
    assert name.endswith(".jpg")
    assert store.path(name).read_bytes() == content
    assert np.array_equal(store.get(name), pixels)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=9)
    name = store.put_verbatim(pixels, file.getvalue())
    assert name.endswith(".png")
    assert store.path(name).read_bytes() == file.getvalue()
    assert store.put(pixels) == name  # the same pixels: the file that is there stands


def test_a_missing_or_empty_blob_is_not_held(store: BlobStore) -> None:
    """An empty file is what a full disk leaves; it is written anew."""
    name = store.put(picture(6, 6, 3))
    store.path(name).write_bytes(b"")
    assert not store.holds(name)
    assert not store.holds("0" * 64 + ".png")
    store.put(picture(6, 6, 3))
    assert store.holds(name)


def test_a_missing_blob_is_told(store: BlobStore) -> None:
    """With its file and how to mend it."""
    with pytest.raises(FormatError, match=rf"00000\.png: can't be read .*No such file.*; {MEND}"):
        store.get("0" * 64 + ".png")


def test_a_blob_cut_at_any_byte_is_refused_or_whole(store: BlobStore) -> None:
    """A PNG's last 20 bytes hold no pixel; what is read is what was stored, or nothing."""
    pixels = picture(6, 6, 3)
    name = store.put(pixels)
    content = store.path(name).read_bytes()
    refused = 0
    for cut in range(len(content)):
        store.path(name).write_bytes(content[:cut])
        try:
            assert np.array_equal(store.get(name), pixels)
        except FormatError as error:
            assert MEND in str(error)
            refused += 1
    assert refused >= len(content) - 20


def test_any_damaged_byte_is_refused_or_harmless(store: BlobStore) -> None:
    """PNG and JPEG, each byte in turn set to 0, to 255 or one bit off: never other pixels, never another error."""
    pixels = np.kron(picture(3, 3, 3), np.ones((6, 6, 1), np.uint8))
    content, decoded = jpeg(pixels)
    for name, wanted in ((store.put(pixels), pixels), (store.put_verbatim(decoded, content), decoded)):
        whole = store.path(name).read_bytes()
        for place, byte in enumerate(whole):
            changed = (0, 255, byte ^ 1)[place % 3]
            store.path(name).write_bytes(whole[:place] + bytes([changed]) + whole[place + 1 :])
            try:
                assert np.array_equal(store.get(name), wanted)
            except FormatError as error:
                assert name in str(error)


def test_another_picture_under_the_name_is_refused(store: BlobStore) -> None:
    """It decodes, but is not what its name tells: other pixels, another shape, another type."""
    mask = picture(8, 8) > 100
    for pixels, other in (
        (picture(8, 8, 3), picture(8, 8, 3, seed=1)),
        (picture(8, 8, 3), picture(8, 8, 4)),
        (picture(8, 8), picture(4, 16)),
        (mask, mask.astype(np.uint8) * np.uint8(255)),
    ):
        name = store.put(pixels)
        store.path(name).write_bytes(store.path(store.put(other)).read_bytes())
        with pytest.raises(FormatError, match=rf"its pixels are not the ones its name tells; it was damaged: {MEND}"):
            store.get(name)
        store.path(name).unlink()


def test_a_blob_that_claims_to_be_huge_is_refused(store: BlobStore) -> None:
    """Two damaged bytes of a JPEG make it 65,535 x 65,535: Pillow's bomb limit is told as damage."""
    content, pixels = jpeg(picture(24, 24, 3))
    name = store.put_verbatim(pixels, content)
    size = content.index(b"\xff\xc0") + 5  # SOF0: marker, length, precision, then height and width
    store.path(name).write_bytes(content[:size] + b"\xff\xff\xff\xff" + content[size + 4 :])
    with pytest.raises(FormatError, match=rf"can't be read \(Image size \(4294836225 pixels\).*{MEND}"):
        store.get(name)


def test_a_picture_is_decoded_once(tmp_path: Path) -> None:
    """What was put or read once is given again without its file, and can't be written to."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    decoded = DecodedPictures(pixels.nbytes)
    name = BlobStore(tmp_path, "product_crops", decoded).put(pixels)
    (tmp_path / name[:2] / name).unlink()
    again = BlobStore(tmp_path, "product_crops", decoded).get(name)
    assert np.array_equal(again, pixels)
    with pytest.raises(ValueError, match="read-only"):
        again[0, 0, 0] = 1
    pixels[:] = 0  # the caller's own array stays its own
    assert again.any()


def test_decoded_pictures_keep_to_their_budget(tmp_path: Path) -> None:
    """First come, first kept: what does not fit is read from its file each time."""
    rng = np.random.default_rng(1)
    first, second = (rng.integers(0, 256, (8, 6, 3), dtype=np.uint8) for _ in range(2))
    decoded = DecodedPictures(first.nbytes + second.nbytes - 1)
    store = BlobStore(tmp_path, "product_crops", decoded)
    names = [store.put(first), store.put(second)]
    assert np.array_equal(store.get(names[1]), second)
    assert decoded.get(names[0]) is not None
    assert decoded.get(names[1]) is None
