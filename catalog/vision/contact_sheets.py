"""Many small pictures on one sheet: what a person looks at to trust a stage."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

GAP_PX = 4
PAPER = (246, 246, 246)
OUTSIDE = np.array((225, 70, 150), np.float32)  # tints what a mask leaves out


def contact_sheet(pictures: Sequence[np.ndarray], columns: int, tile_px: int) -> np.ndarray:
    """Lay (h, w, 3) uint8 pictures of any size on tiles, row by row: (height, width, 3) uint8."""
    rows = max(1, -(-len(pictures) // columns))
    step = tile_px + GAP_PX
    sheet = Image.new("RGB", (columns * step + GAP_PX, rows * step + GAP_PX), PAPER)
    for place, picture in enumerate(pictures):
        tile = Image.fromarray(picture)
        tile.thumbnail((tile_px, tile_px), Image.Resampling.BICUBIC)
        left = GAP_PX + place % columns * step + (tile_px - tile.width) // 2
        top = GAP_PX + place // columns * step + (tile_px - tile.height) // 2
        sheet.paste(tile, (left, top))
    return np.asarray(sheet)


def tinted(image_hwc: np.ndarray, binary_mask: np.ndarray) -> np.ndarray:
    """A photo whose pixels outside the (h, w) mask are tinted: what was cut away shows at a glance."""
    outside = image_hwc.astype(np.float32) * 0.35 + OUTSIDE * 0.65
    return np.asarray(np.where(binary_mask[..., None], image_hwc, outside.astype(np.uint8)))


def data_uri(picture: np.ndarray, quality: int = 78) -> str:
    """A picture as a JPEG data URI, for pages that can't load files."""
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode("ascii")
