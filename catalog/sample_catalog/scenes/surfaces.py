"""What a customer's photo is taken on: floors, rugs, tiles, table tops, walls, as textures kept per process."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from catalog.sample_catalog.drawing.curves import Floats
from catalog.sample_catalog.prints.field import wrapped_noise

Bytes = npt.NDArray[np.uint8]
SIDE = 512  # texels a texture
KINDS = (
    "planks",
    "parquet",
    "carpet",
    "rug",
    "tiles",
    "marble",
    "sheet",
    "table",
    "plaster",
    "brick",
    "panels",
    "concrete",
)
VARIANTS = 3  # textures a kind; tint, turn and scale make many more

# Texels a cm of each kind when taken as it is.
TEXELS_PER_CM = {
    "planks": 5.0,
    "parquet": 6.0,
    "carpet": 8.0,
    "rug": 4.4,
    "tiles": 4.6,
    "marble": 6.0,
    "sheet": 8.0,
    "table": 8.0,
    "plaster": 4.0,
    "brick": 4.6,
    "panels": 3.4,
    "concrete": 4.0,
}


def _place() -> tuple[Floats, Floats]:
    place = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIDE)
    return place[None, :], place[:, None]


def _tone(base: tuple[int, int, int], light: Floats) -> Floats:
    return np.array(base, np.float32) * light[..., None]


def _grain(rng: np.random.Generator, fine: float, stretch: float) -> Floats:
    """Noise of unit spread that repeats, about `fine` humps across; round humps come in many sizes, not in one."""
    if stretch == 1.0 and fine >= 20:
        speckle = rng.standard_normal((SIDE, SIDE), dtype=np.float32)
        smooth = ndimage.gaussian_filter(speckle, 0.16 * SIDE / fine, mode="wrap")
        coarse = ndimage.gaussian_filter(speckle, 0.5 * SIDE / fine, mode="wrap")
        return np.asarray(smooth / smooth.std() * np.float32(0.8) + coarse / coarse.std() * np.float32(0.5))
    return wrapped_noise(SIDE, fine, rng, stretch=stretch)


def _planks(rng: np.random.Generator) -> Floats:
    base = ((168, 122, 78), (122, 84, 54), (190, 160, 124))[int(rng.integers(3))]
    x, y = _place()
    boards = int(rng.integers(5, 8))
    board = np.floor(x * boards).astype(int)
    tone = rng.normal(1, 0.09, (boards, 2))
    joint = rng.uniform(0, 1, boards)
    second = ((y - joint[board]) % 1) > 0.52
    streak = _grain(rng, 26, 0.05) * 0.055 + _grain(rng, 60, 0.04) * 0.035
    rings = np.sin((x * 90 + _grain(rng, 3, 0.3) * 3.2) * 2) * 0.03
    light = np.where(second, tone[board, 1], tone[board, 0]) * (1 + streak + rings)
    gap = np.minimum((x * boards) % 1, 1 - (x * boards) % 1) / boards * SIDE
    butt = np.abs(((y - joint[board]) % 1) - 0.52) * SIDE
    butt = np.minimum(butt, np.minimum((y - joint[board]) % 1, 1 - (y - joint[board]) % 1) * SIDE)
    light = light * np.where((gap < 1.2) | (butt < 1.2), 0.45, 1.0)
    return _tone(base, light.astype(np.float32))


def _parquet(rng: np.random.Generator) -> Floats:
    base = ((176, 128, 82), (148, 104, 66), (202, 168, 126))[int(rng.integers(3))]
    x, y = _place()
    n = 6
    cell = (np.floor(x * n) + np.floor(y * n)) % 2
    u, v = (x * n) % 1, (y * n) % 1
    along = np.where(cell == 0, u, v)
    strip = np.floor(along * 4).astype(int)
    tone = rng.normal(1, 0.08, (n, n, 4))
    light = tone[np.floor(y * n).astype(int), np.floor(x * n).astype(int), strip]
    light = light * (1 + np.where(cell == 0, _grain(rng, 40, 0.05), _grain(rng, 40, 20.0)) * 0.05)
    edge = np.minimum(
        np.minimum((along * 4) % 1, 1 - (along * 4) % 1) / 4, np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v))
    )
    return _tone(base, (light * np.where(edge * SIDE / n < 0.9, 0.6, 1.0)).astype(np.float32))


def _carpet(rng: np.random.Generator) -> Floats:
    base = ((190, 180, 164), (120, 118, 120), (150, 128, 104))[int(rng.integers(3))]
    fluff = _grain(rng, 90, 1.0) * 0.09 + _grain(rng, 28, 1.0) * 0.05 + _grain(rng, 5, 1.0) * 0.05
    return _tone(base, 1 + fluff)


def _rug(rng: np.random.Generator) -> Floats:
    inks = (
        ((134, 40, 40), (224, 204, 168), (38, 46, 72), (178, 126, 62)),
        ((52, 70, 98), (220, 212, 196), (148, 64, 48), (110, 128, 120)),
        ((196, 186, 168), (96, 92, 88), (150, 120, 92), (226, 220, 208)),
    )[int(rng.integers(3))]
    image = Image.new("RGB", (SIDE, SIDE), inks[0])
    pen = ImageDraw.Draw(image)
    for k, (inset, ink) in enumerate(((14, 1), (22, 2), (46, 3), (54, 0))):
        pen.rectangle((inset, inset, SIDE - inset, SIDE - inset), fill=inks[ink])
        del k
    for k in range(15):  # border medallions
        place = 34 + k * 31.7
        for x, y in ((place, 34), (place, SIDE - 34), (34, place), (SIDE - 34, place)):
            pen.polygon([(x, y - 8), (x + 8, y), (x, y + 8), (x - 8, y)], fill=inks[1 + k % 2])
    for ring, ink in ((190, 1), (176, 2), (130, 3), (104, 1), (70, 0), (40, 2), (18, 1)):
        pen.polygon(
            [(256, 256 - ring), (256 + ring * 0.8, 256), (256, 256 + ring), (256 - ring * 0.8, 256)], fill=inks[ink]
        )
    for _ in range(60):
        x, y = rng.uniform(70, SIDE - 70, 2)
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=inks[int(rng.integers(4))])
    wool = 1 + _grain(rng, 110, 1.0) * 0.07 + _grain(rng, 12, 0.4) * 0.04
    return np.asarray(image, np.float32) * wool[..., None]


def _tiles(rng: np.random.Generator) -> Floats:
    base = ((206, 200, 190), (150, 140, 130), (226, 226, 224))[int(rng.integers(3))]
    x, y = _place()
    n = 3
    tone = rng.normal(1, 0.025, (n, n))
    light = tone[np.floor(y * n).astype(int), np.floor(x * n).astype(int)] * (
        1 + _grain(rng, 7, 1.0) * 0.025 + _grain(rng, 80, 1.0) * 0.018
    )
    edge = np.minimum(np.minimum((x * n) % 1, 1 - (x * n) % 1), np.minimum((y * n) % 1, 1 - (y * n) % 1)) / n * SIDE
    return _tone(base, np.where(edge < 2.0, 0.62, np.where(edge < 3.4, light * 1.03, light)).astype(np.float32))


def _marble(rng: np.random.Generator) -> Floats:
    base = ((232, 230, 226), (62, 60, 62), (222, 208, 190))[int(rng.integers(3))]
    cloud = _grain(rng, 2, 1.0)
    veins = np.exp(-np.square(_grain(rng, 3, 1.0) + 0.5 * _grain(rng, 11, 1.0) + 0.2 * _grain(rng, 30, 1.0)) * 160)
    sign = -0.22 if base[0] > 150 else 0.9
    return _tone(base, 1 + sign * veins * np.clip(0.35 + 0.6 * cloud, 0, 1) + 0.03 * cloud + _grain(rng, 5, 1.0) * 0.02)


def _sheet(rng: np.random.Generator) -> Floats:
    kind = int(rng.integers(4))
    base = ((236, 234, 228), (196, 206, 216), (206, 178, 172), (110, 116, 128))[kind]
    x, y = _place()
    weave = 1 + _grain(rng, 120, 1.0) * 0.02
    color = _tone(base, weave)
    pale = np.array((250, 248, 244), np.float32)
    if kind == 1:
        stripe = np.clip(np.abs(((x * 18) % 1) - 0.5) * 20 - 4.5, 0, 1)[..., None]
        color = color * stripe + pale * (1 - stripe) * weave[..., None]
    if kind == 2:
        u, v = (x * 12) % 1 - 0.5, (y * 12 + 0.5 * np.floor(x * 12)) % 1 - 0.5
        dot = np.clip((0.11 - np.hypot(u, v)) * 40, 0, 1)[..., None]
        color = color * (1 - dot) + pale * dot
    return color


def _table(rng: np.random.Generator) -> Floats:
    base = ((184, 138, 92), (110, 74, 50), (228, 226, 222))[int(rng.integers(3))]
    if base[2] > 200:
        return _tone(base, 1 + _grain(rng, 70, 1.0) * 0.012)
    x, _ = _place()
    rings = np.sin((_grain(rng, 2.0, 0.1) * 1.4 + x * 14) * 2 * np.pi)
    return _tone(base, 1 + 0.028 * rings + _grain(rng, 55, 0.03) * 0.05 + _grain(rng, 18, 0.05) * 0.05)


def _plaster(rng: np.random.Generator) -> Floats:
    base = ((228, 224, 216), (196, 204, 206), (214, 196, 172))[int(rng.integers(3))]
    return _tone(base, 1 + _grain(rng, 60, 1.0) * 0.02 + _grain(rng, 4, 1.0) * 0.015)


def _brick(rng: np.random.Generator) -> Floats:
    base = ((164, 92, 70), (212, 206, 198), (124, 84, 72))[int(rng.integers(3))]
    x, y = _place()
    rows, count = 14, 5
    row = np.floor(y * rows).astype(int)
    place = x * count + 0.5 * (row % 2)
    tone = rng.normal(1, 0.1, (rows, count + 1))[row, np.floor(place).astype(int) % count]
    edge = (
        np.minimum(np.minimum(place % 1, 1 - place % 1) / count, np.minimum((y * rows) % 1, 1 - (y * rows) % 1) / rows)
        * SIDE
    )
    light = tone * (1 + _grain(rng, 50, 1.0) * 0.07)
    mortar = np.array((190, 184, 176), np.float32) * (1 + _grain(rng, 90, 1.0) * 0.04)[..., None]
    inside = np.clip((edge - 2.2) / 1.5, 0, 1)[..., None]
    return (_tone(base, light.astype(np.float32)) * inside + mortar * (1 - inside)).astype(np.float32)


def _panels(rng: np.random.Generator) -> Floats:
    base = ((222, 222, 218), (116, 130, 122), (168, 150, 130))[int(rng.integers(3))]
    x, _ = _place()
    n = 5
    edge = np.minimum((x * n) % 1, 1 - (x * n) % 1) / n * SIDE
    light = np.where(edge < 1.5, 0.6, np.where(edge < 3.5, 1.06, 1.0)) * (1 + _grain(rng, 40, 0.1) * 0.012)
    return _tone(base, light.astype(np.float32))


def _concrete(rng: np.random.Generator) -> Floats:
    base = ((168, 166, 162), (128, 128, 130), (190, 182, 170))[int(rng.integers(3))]
    return _tone(base, 1 + _grain(rng, 5, 1.0) * 0.05 + _grain(rng, 24, 1.0) * 0.04 + _grain(rng, 110, 1.0) * 0.05)


_DRAW = {
    "planks": _planks,
    "parquet": _parquet,
    "carpet": _carpet,
    "rug": _rug,
    "tiles": _tiles,
    "marble": _marble,
    "sheet": _sheet,
    "table": _table,
    "plaster": _plaster,
    "brick": _brick,
    "panels": _panels,
    "concrete": _concrete,
}


@lru_cache(maxsize=len(KINDS) * VARIANTS)
def _texture(kind: str, variant: int) -> Image.Image:
    """Two by two repeats of a texture, so that any window of one repeat lies inside."""
    rng = np.random.default_rng([KINDS.index(kind), variant, 77])
    one = np.clip(_DRAW[kind](rng), 0, 255).astype(np.uint8)
    return Image.fromarray(np.tile(one, (2, 2, 1)))


def surface(kind: str, variant: int, from_pixels: npt.NDArray[np.float64], width: int, height: int) -> Floats:
    """The surface as seen, (H, W, 3) linear: `from_pixels` (3, 3) maps photo pixels to texels, wrapped."""
    texture = _texture(kind, variant % VARIANTS)
    m = from_pixels / from_pixels[2, 2]
    corners = m @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1.0]])
    corners = corners[:2] / corners[2]
    span = corners.max(axis=1) - corners.min(axis=1)
    while span.max() > SIDE * 2 - 4:  # a wide view: take the next coarser repeat instead of leaving the picture
        m[:2] *= 0.5
        corners, span = corners * 0.5, span * 0.5
    start = corners.min(axis=1) - 2
    base = np.mod(start, SIDE) if span.max() <= SIDE - 4 else np.zeros(2)
    shift = np.eye(3)
    shift[:2, 2] = base - start
    m = shift @ m
    m /= m[2, 2]
    seen = texture.transform(
        (width, height), Image.Transform.PERSPECTIVE, m.ravel()[:8].tolist(), Image.Resampling.BILINEAR
    )
    return np.asarray(np.square(np.asarray(seen, np.float32) * np.float32(1 / 255)))
