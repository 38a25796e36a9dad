"""Photos as shops really send them: every kind that is decoded, every kind that is refused, and with which words."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from catalog.errors import ImageError
from catalog.records import Reason
from catalog.vision.decoding import PhotoLimits, decode_photo

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow warns of the damage that is meant here

LIMITS = PhotoLimits()


def photo(width: int = 48, height: int = 32, seed: int = 0) -> Image.Image:
    """A seeded picture with gradients, edges and grain: what a JPEG has to work at."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = np.stack([columns * 255 // width, rows * 255 // height, (rows // 8 + columns // 8) % 2 * 200], axis=-1)
    return Image.fromarray(np.clip(planes + rng.integers(-20, 20, planes.shape), 0, 255).astype(np.uint8))


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes that Pillow writes."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """One PNG chunk (PNG specification, 5.3)."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, color: int, row: bytes, *between: bytes) -> bytes:
    """A PNG made by hand, every row the same: what Pillow itself can't write (16-bit colour, any tRNS)."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    pixels = zlib.compress((b"\0" + row) * height)
    chunks = [chunk(b"IHDR", header), *between, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6  # PNG's colour types


def pixels_of(content: bytes) -> np.ndarray:
    """What Pillow alone makes of the bytes."""
    return np.asarray(Image.open(io.BytesIO(content)))


# --- what is decoded -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "GIF"])
def test_reads_every_format(form: str) -> None:
    """Each by its bytes alone, to the pixels that Pillow gives."""
    content = encoded(photo(), form)
    decoded = decode_photo(content, LIMITS)
    wanted = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert decoded.image_hwc.dtype == np.uint8
    assert np.array_equal(decoded.image_hwc, wanted)
    assert decoded.remarks == ()
    assert decoded.verbatim == (form in ("JPEG", "PNG"))


def test_reads_real_photos(shared_data: Path) -> None:
    """Three of the Luma shop's: their own size, their own pixels, nothing to remark."""
    for file in sorted((shared_data / "luma").rglob("*.jpg"))[:3]:
        content = file.read_bytes()
        decoded = decode_photo(content, LIMITS, file.name)
        assert np.array_equal(decoded.image_hwc, pixels_of(content))
        assert decoded.remarks == ()
        assert decoded.verbatim


def test_reads_cmyk_jpeg() -> None:
    """Adobe's inverted CMYK: full cyan is (0, 255, 255), full yellow (255, 255, 0), half black 50 % grey."""
    inks = np.zeros((32, 48, 4), np.uint8)
    inks[:, :16, 0], inks[:, 16:32, 2], inks[:, 32:, 3] = 255, 255, 128
    content = encoded(Image.fromarray(inks, "CMYK"), "JPEG", quality=95)
    decoded = decode_photo(content, LIMITS)
    for column, wanted in ((4, (0, 255, 255)), (20, (255, 255, 0)), (44, (127, 127, 127))):
        assert np.abs(decoded.image_hwc[16, column].astype(int) - wanted).max() <= 6
    assert not decoded.verbatim


def test_reads_16_bit_grey() -> None:
    """By the high byte: 0xFFFF is white, 0x07C8 is 7; not clipped to white as a plain conversion would."""
    row = struct.pack(">H", 0xFFFF) * 16 + struct.pack(">H", 0x07C8) * 16
    image = decode_photo(png(32, 32, 16, GREY, row), LIMITS).image_hwc
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[0, 31].tolist() == [7, 7, 7]
    smaller = decode_photo(png(32, 32, 16, GREY, row), PhotoLimits(max_side_px=16)).image_hwc
    assert smaller.shape == (16, 16, 3)
    assert (smaller[0, 0, 0], smaller[0, 15, 0]) == (255, 7)


def test_reads_16_bit_color() -> None:
    """Each channel by its high byte."""
    row = struct.pack(">HHH", 0xFFFF, 0x80FF, 0x0001) * 32
    assert decode_photo(png(32, 32, 16, RGB, row), LIMITS).image_hwc[5, 5].tolist() == [255, 128, 0]


def test_reads_palettes() -> None:
    """Colours are those of the palette; a transparent entry is white whatever colour it hides, a half one half."""
    palette = chunk(b"PLTE", bytes([200, 0, 0, 0, 100, 0]))
    row = bytes([0] * 16 + [1] * 16)
    opaque = decode_photo(png(32, 32, 8, PALETTE, row, palette), LIMITS).image_hwc
    assert (opaque[0, 0].tolist(), opaque[0, 31].tolist()) == ([200, 0, 0], [0, 100, 0])
    keyed = decode_photo(png(32, 32, 8, PALETTE, row, palette, chunk(b"tRNS", b"\x00\xff")), LIMITS).image_hwc
    assert (keyed[0, 0].tolist(), keyed[0, 31].tolist()) == ([255, 255, 255], [0, 100, 0])
    half = decode_photo(png(32, 32, 8, PALETTE, row, palette, chunk(b"tRNS", b"\x80")), LIMITS).image_hwc
    assert np.abs(half[0, 0].astype(int) - [227, 127, 127]).max() <= 1  # 255 - 128/255 x (255 - colour)
    assert half[0, 31].tolist() == [0, 100, 0]


@pytest.mark.parametrize(
    ("depth", "color", "row", "key"),
    [
        (8, GREY, bytes([0, 200]) * 16, b"\x00\x00"),
        (16, GREY, struct.pack(">HH", 0, 200 << 8) * 16, b"\x00\x00"),
        (8, RGB, bytes([0, 0, 0, 200, 200, 200]) * 16, bytes(6)),
        (16, RGB, struct.pack(">6H", 0, 0, 0, *[200 << 8] * 3) * 16, bytes(6)),
        (8, PALETTE, bytes([0, 1]) * 16, b"\x00"),
        (8, GREY_ALPHA, bytes([0, 0, 200, 255]) * 16, b""),
        (16, GREY_ALPHA, struct.pack(">4H", 0, 0, 200 << 8, 0xFFFF) * 16, b""),
        (8, RGB_ALPHA, bytes([0, 0, 0, 0, 200, 200, 200, 255]) * 16, b""),
        (16, RGB_ALPHA, struct.pack(">8H", 0, 0, 0, 0, *[200 << 8] * 3, 0xFFFF) * 16, b""),
    ],
    ids=[
        "grey key",
        "16-bit grey key",
        "RGB key",
        "16-bit RGB key",
        "palette",
        "LA",
        "16-bit LA",
        "RGBA",
        "16-bit RGBA",
    ],
)
def test_hidden_color_never_shows(depth: int, color: int, row: bytes, key: bytes) -> None:
    """Black under full transparency beside grey 200: white at full size, and never darker than 200 when averaged."""
    between = [chunk(b"PLTE", bytes([0, 0, 0, 200, 200, 200]))] if color == PALETTE else []
    between += [chunk(b"tRNS", key)] if key else []
    content = png(32, 32, depth, color, row, *between)
    full = decode_photo(content, LIMITS)
    assert full.image_hwc[3, :4, 0].tolist() == [255, 200, 255, 200]
    assert not full.verbatim
    scaled = decode_photo(content, PhotoLimits(max_side_px=16)).image_hwc
    assert scaled.shape == (16, 16, 3)
    assert abs(int(scaled[8, 8, 0]) - 227) <= 12  # about half white, half 200
    assert scaled.min() >= 200


def test_composites_partial_alpha_over_white() -> None:
    """alpha 51 of 255 is a fifth: 255 - (255 - colour) / 5."""
    row = bytes([0, 100, 255, 51]) * 32
    image = decode_photo(png(32, 32, 8, RGB_ALPHA, row), LIMITS).image_hwc
    assert np.abs(image[0, 0].astype(int) - [204, 224, 255]).max() <= 1


def test_reads_one_bit() -> None:
    """Black and white only, and greys once it is averaged."""
    row = b"\x55" * 4  # 01010101: a column each
    image = decode_photo(png(32, 32, 1, GREY, row), LIMITS).image_hwc
    assert image[0, :4, 0].tolist() == [0, 255, 0, 255]
    scaled = decode_photo(png(32, 32, 1, GREY, row), PhotoLimits(max_side_px=16)).image_hwc
    assert 100 < scaled[8, 8, 0] < 155


def test_uses_the_first_frame_of_an_animation() -> None:
    """Of GIF, APNG and WebP, with a remark that counts the frames."""
    frames = [Image.new("RGB", (32, 32), color) for color in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    for form, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})):
        content = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)
        decoded = decode_photo(content, LIMITS)
        assert decoded.image_hwc[16, 16].tolist() == [200, 0, 0]
        assert decoded.remarks == ((Reason.ANIMATED_IMAGE, "the first of 3 frames is used"),)
        assert not decoded.verbatim


def test_mpo_is_a_plain_photo() -> None:
    """A phone's JPEG with a depth picture behind it: the first is meant, and nobody needs a remark."""
    content = encoded(photo(), "MPO", save_all=True, append_images=[photo(seed=1)])
    assert Image.open(io.BytesIO(content)).format == "MPO"
    decoded = decode_photo(content, LIMITS, "phone.jpg")
    assert np.array_equal(decoded.image_hwc, pixels_of(content))
    assert decoded.remarks == ()
    assert not decoded.verbatim  # its bytes hold a second picture, which has no place in the lake


@pytest.mark.parametrize(
    ("form", "name", "remark"),
    [
        ("PNG", "a.jpg", "the bytes are PNG, the name ends in .jpg"),
        ("JPEG", "a.PNG", "the bytes are JPEG, the name ends in .png"),
        ("WEBP", "a.jpeg", "the bytes are WEBP, the name ends in .jpeg"),
        ("JPEG", "a.JPG", ""),
        ("JPEG", "a.jfif", ""),
        ("JPEG", "without", ""),
        ("JPEG", "", ""),
    ],
)
def test_remarks_on_a_wrong_extension(form: str, name: str, remark: str) -> None:
    """The photo is used all the same."""
    decoded = decode_photo(encoded(photo(), form), LIMITS, name)
    assert decoded.remarks == (((Reason.WRONG_EXTENSION, remark),) if remark else ())


# --- upright ---------------------------------------------------------------------------------------------------------

# Where EXIF says that the stored picture's top left corner belongs: EXIF 2.32, 4.6.4 (row 0, column 0).
CORNERS = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_by_exif(orientation: int, form: str) -> None:
    """The stored picture is 40 x 24, red in its own top left quarter and blue in its top right one."""
    stored = np.full((24, 40, 3), 255, np.uint8)
    stored[:12, :20], stored[:12, 20:] = (255, 0, 0), (0, 0, 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode_photo(encoded(Image.fromarray(stored), form, exif=exif), LIMITS).image_hwc
    turned = orientation >= 5
    assert image.shape == ((40, 24, 3) if turned else (24, 40, 3))
    row, column = CORNERS[orientation]
    assert np.abs(image[row, column].astype(int) - (255, 0, 0)).max() < 90
    # The stored top edge is shown at the top (1, 2), bottom (3, 4), left (5, 8) or right (6, 7): its other end is blue.
    other = (row, -1 - column) if not turned else (-1 - row, column)
    assert np.abs(image[other].astype(int) - (0, 0, 255)).max() < 90


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_is_none(orientation: int) -> None:
    """Values that EXIF does not define turn nothing."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(photo(), "PNG", exif=exif)
    assert np.array_equal(decode_photo(content, LIMITS).image_hwc, np.asarray(photo()))


def test_broken_exif_is_left_aside() -> None:
    """Garbage, a cut block, a lone header: the pixels are sound."""
    exif = Image.Exif()
    exif[0x0112] = 1
    whole = exif.tobytes()
    for broken in (b"Exif\0\0garbage", whole[:-3], b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0"):
        content = encoded(photo(), "JPEG", exif=broken)
        assert np.array_equal(decode_photo(content, LIMITS).image_hwc, pixels_of(content))


def test_turns_though_another_tag_is_broken() -> None:
    """A byte count of text type holds a damaged entry: Pillow can't write this EXIF again, which is not needed."""
    # Big-endian TIFF with two entries: orientation 6 (SHORT), and ImageWidth (0x0100) told as ASCII.
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(">HHI4s", 0x0100, 2, 4, b"abc\0")
    block = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4)
    content = encoded(photo(48, 32), "JPEG", exif=block)
    assert decode_photo(content, LIMITS).image_hwc.shape == (48, 32, 3)


# --- colour profiles -------------------------------------------------------------------------------------------------


def icc_profile(description: str, columns: list[tuple[float, float, float]]) -> bytes:
    """A display profile made by hand (ICC.1:2010, 7 and 10): primaries as XYZ under D50, the sRGB curve."""

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(s15, values))

    ascii_text = description.encode("ascii") + b"\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(8 + 3 + 67)
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0)
    curve += b"".join(map(s15, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    tags = {
        b"desc": desc,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, columns), strict=True)),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += padded
    head = struct.pack(">I4s4s4s4s4s12s4s", start + len(body), b"none", b"\2\x10\0\0", b"mntr", b"RGB ", b"XYZ ",
                       bytes(12), b"acsp")  # fmt: skip
    head += bytes(28) + b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


# Display P3's primaries, adapted to D50: the columns of Apple's own "Display P3.icc".
DISPLAY_P3 = [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)]
# Linear Display P3 to linear sRGB (CSS Color 4, 18: lin_P3_to_XYZ, then XYZ_to_lin_sRGB).
P3_TO_SRGB = np.array([[1.22494, -0.22494, 0], [-0.042057, 1.042057, 0], [-0.019638, -0.078636, 1.098274]])


def test_converts_display_p3() -> None:
    """A phone's (200, 100, 50) in Display P3, worked out with CSS Color 4's matrix, within two levels."""
    levels = np.array([200, 100, 50]) / 255
    linear = P3_TO_SRGB @ np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    wanted = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    assert 205 < wanted[0] < 220  # it is a real change
    image = Image.new("RGB", (32, 32), (200, 100, 50))
    for form in ("PNG", "JPEG"):
        content = encoded(image, form, icc_profile=icc_profile("Display P3", DISPLAY_P3))
        decoded = decode_photo(content, LIMITS)
        assert np.abs(decoded.image_hwc[16, 16] - wanted).max() <= 2.5
        assert not decoded.verbatim


def test_leaves_srgb_alone() -> None:
    """A photo that says it is sRGB is kept byte for byte."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encoded(photo(), "JPEG", icc_profile=profile)
    decoded = decode_photo(content, LIMITS)
    assert np.array_equal(decoded.image_hwc, pixels_of(content))
    assert decoded.verbatim


def test_a_broken_profile_is_left_aside() -> None:
    """Garbage, a profile cut short, and one for another number of channels: the levels are read as sRGB."""
    good = icc_profile("Display P3", DISPLAY_P3)
    for broken in (b"not a profile", good[:200], good[:-60], bytes(200)):
        content = encoded(photo(), "PNG", icc_profile=broken)
        assert np.array_equal(decode_photo(content, LIMITS).image_hwc, np.asarray(photo()))
    grey = encoded(photo().convert("L"), "PNG", icc_profile=good)
    assert np.array_equal(decode_photo(grey, LIMITS).image_hwc, np.asarray(photo().convert("L").convert("RGB")))


# --- size ------------------------------------------------------------------------------------------------------------


def test_scales_down_with_antialiasing() -> None:
    """1600 x 800 becomes 1024 x 512; columns one pixel wide average to grey instead of being picked from."""
    stripes = np.zeros((800, 1600, 3), np.uint8)
    stripes[:, ::2] = 255
    decoded = decode_photo(encoded(Image.fromarray(stripes), "PNG"), PhotoLimits(max_side_px=400))
    assert decoded.image_hwc.shape == (200, 400, 3)
    assert np.abs(decoded.image_hwc[:, 10:-10].astype(int) - 127).max() <= 2
    assert not decoded.verbatim
    image = photo(1600, 800)
    wanted = np.asarray(image.resize((1024, 512), Image.Resampling.BICUBIC))
    assert np.array_equal(decode_photo(encoded(image, "PNG"), LIMITS).image_hwc, wanted)


@pytest.mark.parametrize(("width", "height"), [(2048, 1024), (1500, 2000), (4001, 2999), (2047, 900)])
def test_a_large_jpeg_is_decoded_smaller(width: int, height: int) -> None:
    """In a third of the time, and what comes out is within a level of all its pixels scaled down; never as it lies."""
    content = encoded(photo(200, 100).resize((width, height), Image.Resampling.BICUBIC), "JPEG", quality=95)
    decoded = decode_photo(content, LIMITS)
    with Image.open(io.BytesIO(content)) as whole:
        wanted = whole.resize(decoded.image_hwc.shape[1::-1], Image.Resampling.BICUBIC)
    assert max(decoded.image_hwc.shape) == 1024
    assert np.abs(decoded.image_hwc.astype(int) - np.asarray(wanted)).mean() < 1
    assert not decoded.verbatim


def test_never_scales_up() -> None:
    """At the limit and under it nothing happens."""
    content = encoded(photo(64, 20), "PNG")
    assert decode_photo(content, PhotoLimits(max_side_px=64)).verbatim


def test_scales_after_turning() -> None:
    """The sides of a turned photo change places first."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(photo(200, 100), "JPEG", exif=exif)
    assert decode_photo(content, PhotoLimits(max_side_px=50)).image_hwc.shape == (50, 25, 3)


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(content: bytes, reason: Reason, match: str, limits: PhotoLimits = LIMITS) -> None:
    """Refused for this reason, in one line that says so."""
    with pytest.raises(ImageError, match=match) as raised:
        decode_photo(content, limits)
    assert raised.value.reason == reason
    assert "\n" not in str(raised.value)


def test_refuses_an_empty_file() -> None:
    """0 bytes."""
    refused(b"", Reason.EMPTY_FILE, r"empty_file: 0 bytes; send the photo again")


def test_refuses_a_file_too_large() -> None:
    """Before anything of it is read."""
    limits = PhotoLimits(max_bytes=100)
    refused(bytes(101), Reason.FILE_TOO_LARGE, r"101 bytes, at most 100 are read; send a smaller copy", limits)


@pytest.mark.parametrize(
    "content",
    [
        b"hello, I am not a photo\n",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64"/></svg>',
        b"<!DOCTYPE html><html><body>404 not found</body></html>",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"\x89PNG\r\n",
        b"\xff",
        bytes(1000),
    ],
    ids=["text", "svg", "html", "pdf", "signature", "one byte", "zeros"],
)
def test_refuses_what_is_no_photo(content: bytes) -> None:
    """Text, SVG, HTML, PDF, a signature and nothing behind it."""
    refused(content, Reason.NOT_AN_IMAGE, rf"{len(content)} bytes that are none of JPEG, MPO, PNG, WEBP, GIF")


def test_refuses_other_formats_of_pillow() -> None:
    """Readers that no shop needs are never reached: PPM, PSD, EPS, ICO ..."""
    for form in ("PPM", "ICO", "TGA", "PCX", "SGI"):
        refused(encoded(photo(), form), Reason.NOT_AN_IMAGE, "none of JPEG")


def test_refuses_floating_point() -> None:
    """A TIFF of floats has no levels to show."""
    content = encoded(photo().convert("F"), "TIFF")
    refused(content, Reason.UNSUPPORTED_FORMAT, "floating-point or 32-bit pixels; save it as 8-bit sRGB")


def test_refuses_a_bomb() -> None:
    """30,000 x 30,000 pixels in a few hundred bytes; Pillow alone would stop it, at its own limit."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, RGB, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")
    assert len(bomb) < 300
    refused(bomb, Reason.TOO_MANY_PIXELS, "at most 64000000 pixels are decoded")


def test_refuses_more_pixels_than_the_limit() -> None:
    """100 x 100 where 5,000 are allowed: Pillow would not mind. 8,001 x 8,000 at the default limit."""
    wanted = r"100 x 100 px, at most 5000 pixels are decoded; send a smaller copy"
    refused(encoded(photo(100, 100), "PNG"), Reason.TOO_MANY_PIXELS, wanted, PhotoLimits(max_pixels=5000))
    row = bytes(-(-8001 // 8))
    refused(png(8001, 8000, 1, GREY, row), Reason.TOO_MANY_PIXELS, "8001 x 8000 px, at most 64000000 pixels")


@pytest.mark.parametrize(("width", "height"), [(1, 1), (15, 200), (200, 15)])
def test_refuses_what_is_too_small(width: int, height: int) -> None:
    """By its shorter side."""
    wanted = rf"{width} x {height} px, at least 16 a side are needed"
    refused(encoded(photo(width, height), "PNG"), Reason.TOO_SMALL, wanted)


def test_takes_the_smallest() -> None:
    """16 x 16."""
    assert decode_photo(encoded(photo(16, 16), "PNG"), LIMITS).image_hwc.shape == (16, 16, 3)


def test_refuses_a_jpeg_cut_anywhere() -> None:
    """At every byte of a small one; the header alone is no photo either."""
    content = encoded(photo(), "JPEG")
    for cut in range(1, len(content)):
        with pytest.raises(ImageError, match=r"truncated_image|not_an_image"):
            decode_photo(content[:cut], LIMITS)
    refused(content[: len(content) - 100], Reason.TRUNCATED_IMAGE, "cut short or damaged JPEG .*; send the photo again")
    refused(content[:100], Reason.TRUNCATED_IMAGE, "its header can't be read")


def test_refuses_a_real_jpeg_cut_anywhere(shared_data: Path) -> None:
    """At 40 places of a shop's photo, `verify()` would pass most of them."""
    content = min((shared_data / "luma").rglob("*.jpg")).read_bytes()
    for cut in [*range(1000, len(content), len(content) // 36), len(content) - 2, len(content) - 1]:
        refused(content[:cut], Reason.TRUNCATED_IMAGE, "truncated_image")


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_a_file_cut_anywhere_is_refused_or_whole(form: str) -> None:
    """Of some formats the last bytes hold no pixel; then all pixels are the whole file's."""
    content = encoded(photo(), form)
    whole = decode_photo(content, LIMITS).image_hwc
    refusals = 0
    for cut in range(1, len(content), 7):
        try:
            decoded = decode_photo(content[:cut], LIMITS)
        except ImageError as error:
            assert error.reason in (Reason.TRUNCATED_IMAGE, Reason.NOT_AN_IMAGE)
            refusals += 1
        else:
            assert np.array_equal(decoded.image_hwc, whole)
    assert refusals > 0.9 * len(range(1, len(content), 7))


# --- whatever the bytes ----------------------------------------------------------------------------------------------


def seed_files() -> dict[str, bytes]:
    """Small whole files of every kind that the mutations start from."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    image = photo()
    sequence = {"save_all": True, "append_images": [photo(seed=1)]}
    return {
        "jpeg": encoded(image, "JPEG", exif=exif),
        "jpeg_progressive": encoded(image, "JPEG", progressive=True, icc_profile=icc_profile("P3", DISPLAY_P3)),
        "jpeg_cmyk": encoded(image.convert("CMYK"), "JPEG"),
        "mpo": encoded(image, "MPO", **sequence),
        "png": encoded(image, "PNG", exif=exif, icc_profile=icc_profile("P3", DISPLAY_P3)),
        "png_palette": encoded(image.quantize(20), "PNG", transparency=3),
        "png_16": png(32, 32, 16, GREY, struct.pack(">32H", *range(0, 64000, 2000)), chunk(b"tRNS", b"\x07\xd0")),
        "png_alpha": encoded(image.convert("LA"), "PNG"),
        "apng": encoded(image, "PNG", **sequence),
        "gif": encoded(image, "GIF", **sequence),
        "webp": encoded(image, "WEBP", **sequence),
        "tiff": encoded(photo(), "TIFF", save_all=True, append_images=[photo(seed=2)]),
        "bmp": encoded(image, "BMP"),
        "avif": encoded(image, "AVIF"),
    }


SEEDS = seed_files()
changes = st.lists(
    st.tuples(st.sampled_from(["set", "flip", "cut", "insert", "end"]), st.integers(0, 10**6), st.binary(max_size=6)),
    min_size=1,
    max_size=6,
)


def changed(content: bytes, made: list[tuple[str, int, bytes]]) -> bytes:
    """Bytes with some set, flipped, cut out or put in, or cut short; places are nearer to the start than not."""
    mutated = bytearray(content)
    for kind, number, extra in made:
        if not mutated:
            break
        place = number % (min(len(mutated), 200) if number % 3 else len(mutated))
        if kind == "set" and extra:
            mutated[place] = extra[0]
        elif kind == "flip":
            mutated[place] ^= 1 << number % 8
        elif kind == "cut":
            del mutated[place : place + len(extra)]
        elif kind == "insert":
            mutated[place:place] = extra
        elif kind == "end" and number % 5 == 0:
            del mutated[place:]
    return bytes(mutated)


def decode_or_refuse(content: bytes, limits: PhotoLimits) -> None:
    """Whole pixels or an ImageError of a known reason; `verbatim` only of bytes that really are these pixels."""
    try:
        decoded = decode_photo(content, limits, "a.jpg")
    except ImageError as error:
        assert Reason(error.reason)
        return
    image = decoded.image_hwc
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert limits.min_side_px <= min(image.shape[:2])
    assert max(image.shape[:2]) <= limits.max_side_px
    if decoded.verbatim:
        assert np.array_equal(pixels_of(content), image)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    """Random ones, alone and behind each format's signature."""
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBP", b"BM", b"II*\0"):
        decode_or_refuse(start + content, LIMITS)


@pytest.mark.parametrize("kind", sorted(SEEDS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=changes, max_side_px=st.sampled_from([20, 1024]))
def test_any_damage(kind: str, made: list[tuple[str, int, bytes]], max_side_px: int) -> None:
    """To a whole file of each kind, small or scaled down."""
    limits = PhotoLimits(max_side_px=max_side_px, max_pixels=1_000_000)
    decode_or_refuse(changed(SEEDS[kind], made), limits)


def test_an_animation_whose_later_frames_are_broken() -> None:
    """A GIF whose second frame is damaged: refused in our words, not with the decoder's own IndexError."""
    content = bytearray(encoded(photo(), "GIF", save_all=True, append_images=[photo(seed=1)]))
    for place in range(13, len(content)):
        decode_or_refuse(bytes(content[:place]) + b"\x2c\xff" + bytes(content[place + 2 :]), LIMITS)
