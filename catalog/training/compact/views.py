"""Random views of a batch of cut-outs, all at once in torch: place, light, ground, holes. Import inside functions."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from catalog.training.compact.network import SIDE_PX
from catalog.training.compact.samples import INSIDE, PRODUCT

MEAN, STD = (0.65, 0.63, 0.62), (0.30, 0.30, 0.30)  # of products on white
GROUND_SHARE = 0.1  # of the views keep the photo's own ground: segmenters err
HOLE_SHARE, GREY_SHARE = 0.3, 0.08
TURN_RADIANS, SHIFT = 0.17, 0.12
MIX_SHARE = 0.5  # of the batches, half of those by a window, half all over
MIX_ALPHA = 0.4


@dataclass(frozen=True)
class Mixed:
    """A batch that was mixed with itself in another order: row i is `share` of i and the rest of order[i]."""

    pixels: Tensor
    order: Tensor
    share: float


def random_views(images: np.ndarray, draw: Generator) -> Tensor:
    """(n, side, side, 5) uint8 of `samples` -> (n, 3, 64, 64) float32 pixels in [0, 1]."""
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)
    planes = _placed(planes, draw)
    count = len(planes)
    lit = _lit(planes[:, :3], draw)
    ground = torch.rand(count, generator=draw) < GROUND_SHARE
    shown = torch.where(_each(ground), planes[:, INSIDE : INSIDE + 1], planes[:, PRODUCT : PRODUCT + 1])
    return _with_holes(lit * shown + (1 - shown), draw)


def plain_views(images: np.ndarray) -> Tensor:
    """The products on white as they are, brought to the network's side: (n, 3, 64, 64) float32 in [0, 1]."""
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)
    small = F.interpolate(planes, (SIDE_PX, SIDE_PX), mode="bilinear", antialias=True, align_corners=False)
    shown = small[:, PRODUCT : PRODUCT + 1]
    return small[:, :3] * shown + (1 - shown)


def normalized(pixels: Tensor) -> Tensor:
    """(pixel - mean) / std per channel, in the layout that convolutions are fastest in."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


def mixed(pixels: Tensor, draw: Generator) -> Mixed:
    """A window of each picture from another one (CutMix), or two pictures over each other (mixup)."""
    order = torch.randperm(len(pixels), generator=draw)
    if _one(draw) < 0.5:
        share = _beta(MIX_ALPHA, draw)
        return Mixed(share * pixels + (1 - share) * pixels[order], order, share)
    side = int(SIDE_PX * math.sqrt(_one(draw)))
    top, left = (int(_one(draw) * (SIDE_PX - side + 1)) for _ in range(2))
    pixels = pixels.clone()
    window = (slice(None), slice(None), slice(top, top + side), slice(left, left + side))
    pixels[window] = pixels[order][window]
    return Mixed(pixels, order, 1 - side * side / SIDE_PX**2)


def _placed(planes: Tensor, draw: Generator) -> Tensor:
    count = len(planes)
    turn = TURN_RADIANS * torch.randn(count, generator=draw)
    scale = torch.exp(_between(count, -0.22, 0.18, draw))
    squeeze = torch.exp(_between(count, -0.12, 0.12, draw))
    mirror = torch.sign(torch.rand(count, generator=draw) - 0.5)
    cos, sin = torch.cos(turn), torch.sin(turn)
    across = torch.stack([cos * scale * squeeze * mirror, -sin * scale / squeeze, _shift(count, draw)], 1)
    down = torch.stack([sin * scale * squeeze * mirror, cos * scale / squeeze, _shift(count, draw)], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), [count, 5, SIDE_PX, SIDE_PX], align_corners=False)
    return F.grid_sample(planes, grid, align_corners=False)


def _lit(pixels: Tensor, draw: Generator) -> Tensor:
    count = len(pixels)

    def about_one(sigma: float, *more: int) -> Tensor:
        drawn = torch.exp(sigma * torch.randn(count, *more, generator=draw))
        return drawn.reshape(count, -1, 1, 1)

    pixels = pixels.clamp(1e-4, 1) ** about_one(0.2) * about_one(0.12) * about_one(0.07, 3)
    grey = pixels.mean(1, keepdim=True)
    saturation = about_one(0.25) * _each(torch.rand(count, generator=draw) >= GREY_SHARE)
    pixels = grey + (pixels - grey) * saturation
    middle = pixels.mean((1, 2, 3), keepdim=True)
    return (middle + (pixels - middle) * about_one(0.15)).clamp(0, 1)


def _with_holes(pixels: Tensor, draw: Generator) -> Tensor:
    count, places = len(pixels), torch.arange(float(SIDE_PX))
    on = torch.rand(count, generator=draw) < HOLE_SHARE
    inside = []
    for _ in range(2):
        size, middle = SIDE_PX * _between(count, 0.1, 0.45, draw), _between(count, 0, SIDE_PX, draw)
        inside.append((places[None] - middle[:, None]).abs() < size[:, None] / 2)
    hole = inside[0][:, None, :] & inside[1][:, :, None] & on[:, None, None]
    white = torch.rand(count, 1, generator=draw) < 0.5
    color = torch.where(white, torch.ones(count, 3), torch.rand(count, 3, generator=draw))
    return torch.where(hole[:, None], color[:, :, None, None], pixels)


def _between(count: int, low: float, high: float, draw: Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=draw)


def _shift(count: int, draw: Generator) -> Tensor:
    return _between(count, -SHIFT, SHIFT, draw)


def _each(flags: Tensor) -> Tensor:
    return flags[:, None, None, None]


def _one(draw: Generator) -> float:
    return float(torch.rand((), generator=draw))


def _beta(alpha: float, draw: Generator) -> float:
    """Johnk's way, which needs uniform draws only."""
    while True:
        first, second = _one(draw) ** (1 / alpha), _one(draw) ** (1 / alpha)
        if 0 < first + second <= 1:
            share: float = first / (first + second)
            return share
