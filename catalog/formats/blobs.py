"""Pictures stored once by content: `<store>/<first two hex digits>/<sha256 of the pixels>.<png or jpg>`.

The name is the digest of the decoded pixels, so two files with the same pixels are one blob, and a blob that was
damaged on disk is found out when it is read. No name from a feed ever becomes a path.
"""

import io
import os
import threading
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import FormatError
from catalog.formats import atomic, digests

PNG_COMPRESS_LEVEL = 3  # of 9: level 6 takes twice the time for 4 % smaller photos


class DecodedPictures:
    """Pixels that a run has decoded or stored already, so that its stages decode a picture once.

    First come, first kept, up to a budget: stages go over a catalogue in one order, and dropping the oldest would
    lose every picture just before it is asked for again. Safe to use from several threads.
    """

    def __init__(self, budget_bytes: int) -> None:
        """Nothing is kept beyond `budget_bytes` of pixels."""
        self._budget = budget_bytes
        self._kept: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> np.ndarray | None:
        """The blob's pixels, not to be written to, where they are kept."""
        return self._kept.get(name)

    def offer(self, name: str, pixels: np.ndarray) -> None:
        """Keep a blob's pixels if there is room."""
        with self._lock:
            if name not in self._kept and pixels.nbytes <= self._budget:
                self._budget -= pixels.nbytes
                kept = pixels.copy() if pixels.flags.writeable or pixels.base is not None else pixels
                kept.flags.writeable = False
                self._kept[name] = kept


class BlobStore:
    """A folder of pictures named by the digest of their pixels."""

    def __init__(self, folder: Path, made_by: str, decoded: DecodedPictures | None = None) -> None:
        """`made_by` is the asset that fills the store: error messages name it. `decoded` spares decoding again."""
        self.folder = folder
        self.made_by = made_by
        self._decoded = decoded or DecodedPictures(0)

    def path(self, name: str) -> Path:
        """Where the blob called `name` (`<sha256>.<extension>`) lies."""
        return self.folder / name[:2] / name

    def holds(self, name: str) -> bool:
        """Is there a file, not empty, under this name? Its pixels are checked when they are read."""
        try:
            return os.stat(f"{self.folder}/{name[:2]}/{name}").st_size > 0  # noqa: PTH116  # asked of every row
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
        self._decoded.offer(name, pixels)
        return name

    def put_verbatim(self, pixels: np.ndarray, content: bytes) -> str:
        """Store a photo's own bytes, which decode to `pixels`; returns the blob's name."""
        extension = "png" if content.startswith(b"\x89PNG") else "jpg"
        name = f"{digests.of_array(pixels)}.{extension}"
        if not self.holds(name):
            atomic.write_bytes(self.path(name), content)
        self._decoded.offer(name, pixels)
        return name

    def get(self, name: str) -> np.ndarray:
        """Read a blob's pixels in the shape and dtype they were put.

        Raises: FormatError when the blob is missing or its pixels are not the ones its name tells.
        """
        if (kept := self._decoded.get(name)) is not None:
            return kept
        path = self.path(name)
        mend = f"delete it and run `lookbook build`: `{self.made_by}` makes it again"
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise FormatError(f"{path}: can't be read ({error}); {mend}") from error
        if pixels.dtype == np.bool_:  # Pillow's bools are 0 and 255, which numpy counts and compares wrongly
            pixels = pixels.view(np.uint8) != 0
        if digests.of_array(pixels) != name.partition(".")[0]:
            raise FormatError(f"{path}: its pixels are not the ones its name tells; it was damaged: {mend}")
        self._decoded.offer(name, pixels)
        return pixels
