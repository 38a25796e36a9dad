"""What a camera makes of light: exposure, white balance, falloff, blur, noise, bytes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from catalog.sample_catalog.drawing.curves import Floats

Bytes = npt.NDArray[np.uint8]
_GRAIN = 1024  # side of the kept noise; a photo takes a window of it


@lru_cache(maxsize=1)
def _grain() -> npt.NDArray[np.int16]:
    """Sensor noise kept for all photos, (_GRAIN, _GRAIN, 3) of spread 64: a part each channel's own, a part shared."""
    rng = np.random.default_rng(20)
    own = rng.standard_normal((_GRAIN, _GRAIN, 3), dtype=np.float32)
    shared = rng.standard_normal((_GRAIN, _GRAIN, 1), dtype=np.float32)
    smooth = (shared + np.roll(shared, 1, 0) + np.roll(shared, 1, 1) + np.roll(shared, (1, 1), (0, 1))) * np.float32(
        0.5
    )
    return np.asarray(((own * 0.55 + shared * 0.5 + smooth * 0.6) * 64).astype(np.int16))


_CURVE_STEPS = 4096


@lru_cache(maxsize=1)
def _tone_curve() -> Bytes:
    """sRGB byte of each step of linear light in [0, 1.25): gamma 2 with a soft shoulder above .8."""
    light = np.arange(_CURVE_STEPS, dtype=np.float32) * np.float32(1.25 / _CURVE_STEPS)
    shoulder = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) * 3.0), light)
    return np.asarray((np.sqrt(np.clip(shoulder, 0, 1)) * 255 + 0.5).astype(np.uint8))


def develop(light: Floats) -> Bytes:
    """(H, W, 3) linear light to sRGB bytes."""
    place = (light * np.float32(_CURVE_STEPS / 1.25)).astype(np.int32)
    return np.take(_tone_curve(), place, mode="clip")


def add_noise(image: Bytes, spread: float, rng: np.random.Generator) -> Bytes:
    """Sensor noise of about `spread` levels."""
    tall, wide = image.shape[:2]
    row, column = int(rng.integers(0, _GRAIN)), int(rng.integers(0, _GRAIN))
    rows, columns = (np.arange(tall) + row) % _GRAIN, (np.arange(wide) + column) % _GRAIN
    if row + tall <= _GRAIN and column + wide <= _GRAIN:
        grain = _grain()[row : row + tall, column : column + wide]
    else:
        grain = _grain()[np.ix_(rows, columns)]
    scaled = (grain * np.int16(round(spread * 16))) >> 10 if spread < 30 else grain
    return np.asarray(np.clip(image.astype(np.int16) + scaled, 0, 255).astype(np.uint8))


@dataclass(frozen=True, kw_only=True)
class Phone:
    """How one phone photo was taken."""

    exposure: float
    gains: tuple[float, float, float]  # white balance left over
    vignette: float
    ramp: tuple[float, float]  # light falling off across the photo, in x and y
    blur_px: float
    motion_px: tuple[float, float]  # camera shake
    noise: float
    sharpen: float  # weight that the 8 pixels about one are taken away with
    jpeg_quality: int
    hard_shadow: tuple[float, float, float, float] | None  # turn, place, softness, depth of a shadow's edge


def make_phone(rng: np.random.Generator) -> Phone:
    """One careless photographer."""
    warm = float(rng.normal(0.02, 0.07))
    green = float(rng.normal(0, 0.02))
    shake = rng.random() < 0.22
    turn = rng.uniform(0, 2 * np.pi)
    length = float(rng.uniform(1.5, 4.5)) if shake else 0.0
    return Phone(
        exposure=float(np.exp(rng.normal(-0.08, 0.2))),
        gains=(1 + warm, 1 + green, 1 - 1.15 * warm),
        vignette=float(rng.uniform(0.05, 0.35)),
        ramp=(float(rng.normal(0, 0.16)), float(rng.normal(0, 0.16))),
        blur_px=float(rng.choice((0.0, 0.5, 0.8, 1.4), p=(0.3, 0.35, 0.25, 0.1))),
        motion_px=(length * float(np.cos(turn)), length * float(np.sin(turn))),
        noise=float(np.exp(rng.uniform(np.log(1.0), np.log(6.0)))),
        sharpen=float(rng.choice((0.0, 0.04, 0.09))),
        jpeg_quality=int(rng.integers(60, 91)),
        hard_shadow=(
            float(rng.uniform(0, 2 * np.pi)),
            float(rng.uniform(-0.3, 0.35)),
            float(rng.uniform(0.01, 0.12)),
            float(rng.uniform(0.25, 0.55)),
        )
        if rng.random() < 0.3
        else None,
    )


def light_field(phone: Phone, tall: int, wide: int) -> Floats:
    """How much light reaches each place of the photo, (H, W): ramp, vignette, a hard shadow's edge."""
    y = (np.arange(tall, dtype=np.float32)[:, None] / np.float32(tall) - np.float32(0.5)) * np.float32(
        tall / max(tall, wide)
    )
    x = (np.arange(wide, dtype=np.float32)[None, :] / np.float32(wide) - np.float32(0.5)) * np.float32(
        wide / max(tall, wide)
    )
    field = 1 + np.float32(phone.ramp[0]) * x * 2 + np.float32(phone.ramp[1]) * y * 2
    field = field * (1 - np.float32(phone.vignette * 1.6) * (x * x + y * y))
    if phone.hard_shadow is not None:
        turn, place, soft, deep = phone.hard_shadow
        along = x * np.float32(np.cos(turn)) + y * np.float32(np.sin(turn))
        side = x * np.float32(-np.sin(turn)) + y * np.float32(np.cos(turn))
        edge = np.clip((along - np.float32(place) - np.float32(0.12) * side * side) / np.float32(soft), 0, 1)
        field = field * (1 - np.float32(deep) * edge)
    return np.maximum(field * np.float32(phone.exposure), 0.03)


def _shaken(image: Bytes, dx: float, dy: float) -> Bytes:
    """The mean of five takes along a camera's shake of (dx, dy) pixels; the rim is held, not wrapped."""
    tall, wide = image.shape[:2]
    row, column = np.arange(tall)[:, None], np.arange(wide)[None, :]
    total = np.zeros(image.shape, np.uint16)
    for share in (-0.5, -0.25, 0.0, 0.25, 0.5):
        rows, columns = np.clip(row - round(dy * share), 0, tall - 1), np.clip(column - round(dx * share), 0, wide - 1)
        total += image[rows, columns]
    return (total // 5).astype(np.uint8)


def expose(light: Floats, phone: Phone, rng: np.random.Generator) -> Bytes:
    """Linear light in the scene to the phone's bytes (before JPEG)."""
    tall, wide = light.shape[:2]
    balanced = light * light_field(phone, tall, wide)[..., None]
    balanced *= np.array(phone.gains, np.float32)
    image = develop(balanced)
    if phone.motion_px != (0.0, 0.0):
        image = _shaken(image, *phone.motion_px)
    picture = Image.fromarray(image)
    if phone.blur_px:
        picture = picture.filter(ImageFilter.GaussianBlur(phone.blur_px))
    image = add_noise(np.asarray(picture), phone.noise, rng)
    if phone.sharpen:
        less = -phone.sharpen
        kernel = ImageFilter.Kernel((3, 3), (less, less, less, less, 1 - 8 * less, less, less, less, less), 1)
        image = np.asarray(Image.fromarray(image).filter(kernel))
    return image
