"""From a photo's bytes to upright sRGB pixels, safely. Where photos come from is not decided here."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from catalog.errors import ImageError
from catalog.records import Reason

# Pillow's name of a format -> the extensions it goes by. MPO is a JPEG with further pictures behind the first.
FORMAT_EXTENSIONS = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "MPO": {".jpg", ".jpeg", ".mpo"},
    "PNG": {".png", ".apng"},
    "WEBP": {".webp"},
    "GIF": {".gif"},
    "BMP": {".bmp", ".dib"},
    "TIFF": {".tif", ".tiff"},
    "AVIF": {".avif", ".avifs"},
}
_OPENED_AS = [name for name in FORMAT_EXTENSIONS if name != "MPO"]  # Pillow knows MPO as a JPEG; as a name: KeyError
WHITE = 255
_ORIENTATION = 0x0112  # the EXIF tag; its values 2 to 8 and what makes each upright (EXIF 2.32, 4.6.4)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, kw_only=True)
class PhotoLimits:
    """What a photo may cost before it is turned away, and the size it is brought down to."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 64_000_000  # checked before a pixel is decoded; 48 MP phones pass
    min_side_px: int = 16
    max_side_px: int = 1024  # a longer side is scaled down to this, antialiased


@dataclass(frozen=True)
class DecodedPhoto:
    """Upright sRGB pixels, and what a shop may want to know about the file they came from."""

    image_hwc: np.ndarray  # (height, width, 3) uint8
    remarks: tuple[tuple[Reason, str], ...] = ()
    verbatim: bool = False  # the file's own pixels are these: nothing was turned, scaled, composited or converted


def decode_photo(content: bytes, limits: PhotoLimits, name: str = "") -> DecodedPhoto:
    """Decode one photo: EXIF-turned, to sRGB, transparency over white, the first frame, at most `max_side_px`.

    `name` is the file's name, only to compare its extension with what the bytes are.
    Raises: ImageError with the `Reason`, for anything that is not one whole picture within `limits`.
    """
    if not content:
        raise ImageError(Reason.EMPTY_FILE, "0 bytes; send the photo again")
    if len(content) > limits.max_bytes:
        raise ImageError(
            Reason.FILE_TOO_LARGE, f"{len(content)} bytes, at most {limits.max_bytes} are read; send a smaller copy"
        )
    image = _open(content, limits)
    remarks = []
    extension = PurePath(name).suffix.lower()
    own_format = image.format or ""
    if extension and extension not in FORMAT_EXTENSIONS.get(own_format, {extension}):
        remarks.append((Reason.WRONG_EXTENSION, f"the bytes are {own_format}, the name ends in {extension}"))
    width, height = image.size
    image.draft(None, _within(width, height, limits.max_side_px))  # a JPEG is decoded at the next larger half
    drafted = image.size != (width, height)
    with _damage_told(f"cut short or damaged {own_format}"):
        frames = getattr(image, "n_frames", 1)
        image.load()
    if frames > 1 and own_format != "MPO":
        remarks.append((Reason.ANIMATED_IMAGE, f"the first of {frames} frames is used"))
    upright = _turn_upright(image)
    scaled = _scale_down(upright, limits.max_side_px)
    rgb = _to_srgb(scaled)
    if min(rgb.size) < limits.min_side_px:
        raise ImageError(
            Reason.TOO_SMALL, f"{rgb.width} x {rgb.height} px, at least {limits.min_side_px} a side are needed"
        )
    verbatim = (
        not drafted
        and upright is image
        and scaled is upright
        and rgb is scaled
        and frames == 1
        and own_format in ("JPEG", "PNG")
    )
    return DecodedPhoto(np.asarray(rgb), tuple(remarks), verbatim)


def _open(content: bytes, limits: PhotoLimits) -> ImageFile.ImageFile:
    with _damage_told("its header can't be read"), warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit below is stricter
        try:
            image = Image.open(io.BytesIO(content), formats=_OPENED_AS)
        except Image.DecompressionBombError as error:
            raise ImageError(
                Reason.TOO_MANY_PIXELS,
                f"at most {limits.max_pixels} pixels are decoded; send a smaller copy",
            ) from error
        except UnidentifiedImageError as error:
            known = ", ".join(FORMAT_EXTENSIONS)
            raise ImageError(Reason.NOT_AN_IMAGE, f"{len(content)} bytes that are none of {known}") from error
    if image.width * image.height > limits.max_pixels:
        raise ImageError(
            Reason.TOO_MANY_PIXELS,
            f"{image.width} x {image.height} px, at most {limits.max_pixels} pixels are decoded; send a smaller copy",
        )
    return image


@contextlib.contextmanager
def _damage_told(what: str) -> Iterator[None]:
    """Decoders raise whatever they like on damaged bytes: all of it is an ImageError; MemoryError stays fatal."""
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        raise ImageError(Reason.TRUNCATED_IMAGE, f"{what} ({error}); send the photo again") from error


def _turn_upright(image: Image.Image) -> Image.Image:
    # Not ImageOps.exif_transpose: it writes the EXIF anew, which fails on damaged tags that nobody needs.
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return image  # EXIF that can't be parsed says nothing of the turn; the pixels are sound
    return image.transpose(_UPRIGHT[int(turn)]) if turn in range(2, 9) else image


def _within(width: int, height: int, max_side_px: int) -> tuple[int, int]:
    """A photo's size, scaled down where its longer side is more than `max_side_px`."""
    longest = max(width, height, max_side_px)
    return max(1, round(width * max_side_px / longest)), max(1, round(height * max_side_px / longest))


def _scale_down(image: Image.Image, max_side_px: int) -> Image.Image:
    width, height = _within(*image.size, max_side_px)
    if (width, height) == image.size:
        return image
    if image.mode.startswith("I;16"):
        image = _eight_bit(image)
    elif image.mode in ("P", "PA", "1") or "transparency" in image.info:  # none of these can be averaged
        image = image.convert("RGBA" if _has_alpha(image) else "RGB")
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring 16-bit grey to 8 bits by the high byte, as Pillow itself does for 16-bit colour; the key to alpha."""
    values = np.asarray(image).astype(np.int64)
    grey = Image.fromarray(np.clip(values >> 8, 0, 255).astype(np.uint8))
    if "transparency" not in image.info:
        return grey
    opaque = np.where(values == image.info["transparency"], np.uint8(0), np.uint8(255))
    return Image.merge("LA", (grey, Image.fromarray(opaque)))


def _to_srgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        image = _eight_bit(image)
    elif image.mode in ("F", "I"):  # nothing says which of their values is white
        raise ImageError(Reason.UNSUPPORTED_FORMAT, "floating-point or 32-bit pixels; save it as 8-bit sRGB")
    alpha = None
    if _has_alpha(image):
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")  # drops alpha, keeps the colours beneath; they are composited below
    rgb = _apply_colour_profile(image)
    if alpha is not None:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, (WHITE, WHITE, WHITE)), alpha)
    return rgb


def _apply_colour_profile(image: Image.Image) -> Image.Image:
    """Convert by the embedded ICC profile (Display P3 phones, CMYK prints); without one take sRGB as given."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(source).lower():
                target = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile that doesn't fit its pixels is common; the plain conversion is the usual reading
    return image if image.mode == "RGB" else image.convert("RGB")
