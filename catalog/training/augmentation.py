"""Random changes of light and view as a phone makes them; numpy and Pillow, every draw from a passed generator."""

import numpy as np
from PIL import Image, ImageFilter

Generator = np.random.Generator


def jitter_light(rng: Generator, image: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Exposure, contrast, white balance and saturation of an (h, w, 3) uint8 photo; `strength` 1 is a phone indoors."""
    pixels = image.astype(np.float32) / 255.0
    pixels **= np.exp(rng.normal(0, 0.18 * strength))
    gains = np.exp(rng.normal(0, 0.07 * strength, 3) + rng.normal(0, 0.10 * strength))
    pixels *= gains.astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * np.float32(np.exp(rng.normal(0, 0.18 * strength)))
    middle = pixels.mean()
    pixels = middle + (pixels - middle) * np.float32(np.exp(rng.normal(0, 0.12 * strength)))
    if rng.random() < 0.5:  # light from one side
        height, width = image.shape[:2]
        slope = rng.normal(0, 0.15 * strength, 2)
        rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
        columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
        pixels *= (1 + slope[0] * rows + slope[1] * columns).astype(np.float32)
    return np.asarray(np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8))


def soften_and_grain(rng: Generator, image: np.ndarray) -> np.ndarray:
    """Now and then out of focus, now and then noisy."""
    if rng.random() < 0.3:
        blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
        image = np.asarray(blurred)
    if rng.random() < 0.4:
        noise = rng.normal(0, rng.uniform(1, 8), image.shape).astype(np.float32)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def random_view(
    rng: Generator,
    layers: list[tuple[np.ndarray, int]],
    side: int,
    *,
    turn_degrees: float,
    scale: tuple[float, float],
    shift: float = 0.1,
    squeeze: float = 0.12,
) -> list[np.ndarray]:
    """One random affine view, (side, side), of several aligned layers, each given with the value that fills outside.

    `scale` is how many times the whole layer is enlarged; `shift` the largest move, as a share of the side.
    """
    height, width = layers[0][0].shape[:2]
    turn = np.deg2rad(rng.uniform(-turn_degrees, turn_degrees))
    enlarge = np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1])))
    stretch = np.exp(rng.uniform(-squeeze, squeeze))
    step_x = width / side / (enlarge * stretch)
    step_y = height / side / (enlarge / stretch)
    if rng.random() < 0.5:
        step_x = -step_x
    cos, sin = np.cos(turn), np.sin(turn)
    a, b, d, e = cos * step_x, -sin * step_y, sin * step_x, cos * step_y
    centre_x = width * (0.5 + rng.uniform(-shift, shift))
    centre_y = height * (0.5 + rng.uniform(-shift, shift))
    middle = side / 2
    matrix = (a, b, centre_x - a * middle - b * middle, d, e, centre_y - d * middle - e * middle)
    views = []
    for layer, fill in layers:
        image = Image.fromarray(layer)
        if abs(step_x) > 1.5:  # reduce first: an affine transform does not antialias
            factor = int(min(abs(step_x), abs(step_y)))
            if factor > 1:
                image = image.reduce(factor)
        ratio_x, ratio_y = image.width / width, image.height / height
        scaled = (
            matrix[0] * ratio_x,
            matrix[1] * ratio_x,
            matrix[2] * ratio_x,
            matrix[3] * ratio_y,
            matrix[4] * ratio_y,
            matrix[5] * ratio_y,
        )
        outside = (fill, fill, fill) if image.mode == "RGB" else fill
        view = image.transform(
            (side, side), Image.Transform.AFFINE, scaled, Image.Resampling.BILINEAR, fillcolor=outside
        )
        views.append(np.asarray(view))
    return views
