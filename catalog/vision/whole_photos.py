"""Is a file that came from elsewhere one whole photo? Asked before it takes an earlier one's place."""

import contextlib
import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from catalog.errors import ImageError
from catalog.records import Reason
from catalog.vision.decoding import FORMAT_EXTENSIONS, PhotoLimits

_EXTENSIONS = {
    "JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif",
    "AVIF": ".avif",
}  # fmt: skip
_OPENED_AS = [name for name in FORMAT_EXTENSIONS if name != "MPO"]
_DRAFT_PX = 64  # a JPEG is read to its end, at an eighth of its size: damage shows, in a quarter of the time


def photo_extension(path: Path) -> str:
    """The extension that goes with the bytes of one whole photo.

    A photo of more pixels than are ever decoded is not read further than its header: who decodes it turns it away.
    Raises: ImageError, an empty file, no image of a kind that is read, one that ends in the middle.
    """
    if path.stat().st_size == 0:
        raise ImageError(Reason.EMPTY_FILE, "0 bytes came")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(path, formats=_OPENED_AS)
        except Image.DecompressionBombError as error:
            raise ImageError(Reason.TOO_MANY_PIXELS, "far more pixels than any photo: give a smaller one") from error
        except UnidentifiedImageError as error:
            raise ImageError(Reason.NOT_AN_IMAGE, f"what came is none of {', '.join(FORMAT_EXTENSIONS)}") from error
        except MemoryError:
            raise
        except Exception as error:  # decoders raise whatever they like on damaged bytes
            raise ImageError(Reason.TRUNCATED_IMAGE, f"its header can't be read ({error})") from error
        with contextlib.closing(image):
            if image.width * image.height <= PhotoLimits().max_pixels:
                try:
                    image.draft("RGB", (_DRAFT_PX, _DRAFT_PX))
                    image.load()
                except MemoryError:
                    raise
                except Exception as error:
                    raise ImageError(Reason.TRUNCATED_IMAGE, f"cut short or damaged ({error})") from error
            return _EXTENSIONS[image.format or ""]
