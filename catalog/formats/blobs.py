"""Pictures stored once by content: `<store>/<first two hex digits>/<sha256 of the pixels>.<png or jpg>`.

The name is the digest of the decoded pixels, so two files with the same pixels are one blob, and a blob that was
damaged on disk is found out when it is read. No name from a feed ever becomes a path.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import FormatError
from catalog.formats import atomic, digests

PNG_COMPRESS_LEVEL = 3  # of 9: level 6 takes twice the time for 4 % smaller photos


class BlobStore:
    """A folder of pictures named by the digest of their pixels."""

    def __init__(self, folder: Path, made_by: str) -> None:
        """`made_by` is the asset that fills the store: error messages name it."""
        self.folder = folder
        self.made_by = made_by

    def path(self, name: str) -> Path:
        """Where the blob called `name` (`<sha256>.<extension>`) lies."""
        return self.folder / name[:2] / name

    def holds(self, name: str) -> bool:
        """Is there a file, not empty, under this name? Its pixels are checked when they are read."""
        try:
            return self.path(name).stat().st_size > 0
        except OSError:
            return False

    def put(self, pixels: np.ndarray) -> str:
        """Store uint8 (h, w), (h, w, 3) or (h, w, 4) pixels, or a bool mask (h, w), as PNG; returns its name."""
        name = f"{digests.of_array(pixels)}.png"
        if not self.holds(name):
            encoded = io.BytesIO()
            image = Image.fromarray(pixels)
            image.save(encoded, "PNG", compress_level=PNG_COMPRESS_LEVEL)
            atomic.write_bytes(self.path(name), encoded.getvalue())
        return name

    def put_verbatim(self, pixels: np.ndarray, content: bytes) -> str:
        """Store a photo's own bytes, which decode to `pixels`; returns the blob's name."""
        extension = "png" if content.startswith(b"\x89PNG") else "jpg"
        name = f"{digests.of_array(pixels)}.{extension}"
        if not self.holds(name):
            atomic.write_bytes(self.path(name), content)
        return name

    def get(self, name: str) -> np.ndarray:
        """Read a blob's pixels in the shape and dtype they were put.

        Raises: FormatError when the blob is missing or its pixels are not the ones its name tells.
        """
        path = self.path(name)
        mend = f"delete it and materialize asset `{self.made_by}` again"
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise FormatError(f"{path}: can't be read ({error}); {mend}") from error
        if pixels.dtype == np.bool_:  # Pillow's bools are 0 and 255, which numpy counts and compares wrongly
            pixels = pixels.view(np.uint8) != 0
        if digests.of_array(pixels) != name.partition(".")[0]:
            raise FormatError(f"{path}: its pixels are not the ones its name tells; it was damaged: {mend}")
        return pixels
