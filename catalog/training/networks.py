"""The three embedded networks: plain residual convolutions, which two CPU cores train fast and int8 keeps whole.

Import this module inside functions: it imports torch. Depthwise convolutions were tried and left: a quarter of the
multiplications, but 4 times slower to train in bfloat16 on a CPU, and the first to suffer from int8.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def convolution(inputs: int, outputs: int, side: int = 3, stride: int = 1, *, active: bool = True) -> nn.Sequential:
    """Convolution, batch norm and (if `active`) ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if active else nn.Sequential(*layers)


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a short-cut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, active=False)
        same = stride == 1 and inputs == outputs
        self.short_cut = nn.Identity() if same else convolution(inputs, outputs, 1, stride, active=False)

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(self.second(self.first(features)) + self.short_cut(features))


def stage(inputs: int, outputs: int, blocks: int, stride: int = 2) -> nn.Sequential:
    """`blocks` residual blocks, the first of which strides."""
    return nn.Sequential(Residual(inputs, outputs, stride), *[Residual(outputs, outputs) for _ in range(blocks - 1)])


class Segmenter(nn.Module):
    """U-shaped, 1.2 M parameters: pixels (n, 3, side, side) normalised -> saliency logits (n, 1, side, side).

    `side` is a multiple of 32. The last step is sub-pixel: four logits a half-resolution pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(3, 16, 3, 2)
        self.stage1 = stage(16, 32, 1)
        self.stage2 = stage(32, 64, 1)
        self.stage3 = stage(64, 112, 1)
        self.stage4 = stage(112, 128, 2)
        self.context = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), nn.Sigmoid())
        self.up3 = convolution(128 + 112, 96)
        self.up2 = convolution(96 + 64, 64)
        self.up1 = convolution(64 + 32, 32)
        self.up0 = convolution(32 + 16, 16)
        self.logits = nn.Conv2d(16, 4, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        half = self.stem(pixels)
        quarter = self.stage1(half)
        eighth = self.stage2(quarter)
        sixteenth = self.stage3(eighth)
        deepest = self.stage4(sixteenth)
        gate = self.context(deepest.mean((2, 3)))
        features = self.up3(_beside(deepest * gate[:, :, None, None], sixteenth))
        features = self.up2(_beside(features, eighth))
        features = self.up1(_beside(features, quarter))
        features = self.up0(_beside(features, half))
        return F.pixel_shuffle(self.logits(features), 2)


def _beside(coarse: Tensor, fine: Tensor) -> Tensor:
    enlarged = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
    return torch.cat([enlarged, fine], 1)


class SemanticEncoder(nn.Module):
    """1.2 M parameters: pixels (n, 3, side, side) normalised -> L2-normalised embedding (n, dim).

    `categories` is the head: a unit vector a category in the embedding's own space, so that its rows serve as
    zero-shot prototypes of categories that a shop has no product of yet.
    """

    def __init__(self, dim: int, category_count: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            convolution(3, 24, 3, 2), stage(24, 32, 1), stage(32, 64, 2), stage(64, 128, 2), stage(128, 176, 1)
        )
        self.project = nn.Linear(176, dim)
        self.categories = nn.Parameter(F.normalize(torch.randn(category_count, dim)))

    def forward(self, pixels: Tensor) -> Tensor:
        return F.normalize(self.project(self.features(pixels).mean((2, 3))))


class TextureEncoder(nn.Module):
    """0.4 M parameters: pixels (n, 3, side, side) and mask (n, 1, side, side) in [0, 1] -> L2-normalised (n, dim).

    Features a quarter and an eighth of the side apart, mean and standard deviation of each over the mask's pixels:
    what a print is made of and how it varies, wherever on the product it sits.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.stem = convolution(3, 32, 3, 2)
        self.fine = stage(32, 48, 2)
        self.coarse = stage(48, 96, 2)
        self.project = nn.Linear(2 * (48 + 96), dim)

    def forward(self, pixels: Tensor, mask: Tensor) -> Tensor:
        fine = self.fine(self.stem(pixels))
        coarse = self.coarse(fine)
        quarter = F.avg_pool2d(mask, 4)
        pooled = _mean_and_deviation(fine, quarter) + _mean_and_deviation(coarse, F.avg_pool2d(quarter, 2))
        return F.normalize(self.project(torch.cat(pooled, 1)))


class WholeAndQuarters(nn.Module):
    """The texture encoder as it ships, which looks twice: at the whole product, and at its quarters from twice as near.

    Pixels (n, 3, side, side) and mask (n, 1, side, side) -> L2-normalised (n, dim): the whole at half the side plus the
    mean of the four quarters by how much of each is product. A quarter shows a print as large as training did; the
    whole keeps what a close-up shows anyway.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor, mask: Tensor) -> Tensor:
        covered = _quarters(mask)
        seen = torch.cat([F.avg_pool2d(pixels, 2), *_quarters(pixels)])
        described = self.encoder(seen, torch.cat([F.avg_pool2d(mask, 2), *covered]))
        whole, *quarters = described.chunk(5)
        shares = [quarter.mean((1, 2, 3))[:, None] for quarter in covered]
        near = sum(share * quarter for share, quarter in zip(shares, quarters, strict=True))
        return F.normalize(whole + near / (sum(shares) + 1e-6))


def _quarters(picture: Tensor) -> list[Tensor]:
    return [part for rows in picture.chunk(2, 2) for part in rows.chunk(2, 3)]


def _mean_and_deviation(features: Tensor, weights: Tensor) -> list[Tensor]:
    # Cells that the mask hardly covers see the white around the product: they are left out, unless nothing else is.
    weights = weights * weights * weights + 1e-6
    share = weights / weights.sum((2, 3), keepdim=True)
    mean = (features * share).sum((2, 3))
    variance = (features * features * share).sum((2, 3)) - mean * mean
    return [mean, torch.sqrt(torch.clamp(variance, min=0) + 1e-5)]
