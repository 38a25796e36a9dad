"""What a photo looks like in a few bytes, so that the same photo is known again in another size or compression.

A perceptual hash alone takes a product in red and in blue for one photo, and many a thing on white for another: it is
a first sieve, and the colours of 8 x 8 cells decide. Who compares them is `catalog.features.duplicates`.
"""

import imagehash
import numpy as np
from PIL import Image

HASH_SIDE = 8  # 64 bits
CELLS_SIDE = 8
LOOKED_AT_PX = 128  # about: the hash sees 32 x 32 pixels of a photo, whatever its size


def photo_hash(image_hwc: np.ndarray) -> int:
    """The 64-bit perceptual hash (signs of the lowest cosine frequencies of the grey photo) of (h, w, 3) uint8 pixels.

    Source: ImageHash's `phash`, first bit highest.
    """
    bits = imagehash.phash(_reduced(image_hwc), hash_size=HASH_SIDE).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def photo_cells(image_hwc: np.ndarray) -> np.ndarray:
    """The mean colour of 8 x 8 cells of a (h, w, 3) uint8 photo: (192,) uint8, RGB, row by row."""
    cells = _reduced(image_hwc).resize((CELLS_SIDE, CELLS_SIDE), Image.Resampling.BOX)
    return np.asarray(cells).reshape(-1)


def _reduced(image_hwc: np.ndarray) -> Image.Image:
    """A smaller one by a whole factor: means of squares, a twentieth of the time of a finer way."""
    image = Image.fromarray(image_hwc)
    return image.reduce(max(1, min(image.size) // LOOKED_AT_PX))
