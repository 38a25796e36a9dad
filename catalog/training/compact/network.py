"""The compact network: inverted residuals, one backbone for classes and embeddings. Import inside functions (torch).

Early blocks expand by a whole 3 x 3 convolution, the last ones by a point-wise and a depthwise one. With depthwise ones
from the third stage on a training step took 4.3 ms of a core a photo, so it takes 1.8; all depthwise, 13.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE_PX, EMBEDDING_DIM = 64, 128
MOST_PARAMETERS = 429_000
HEAD_SCALE = 16.0  # of the cosines with the classes' vectors, before the softmax


class Stage(NamedTuple):
    """Blocks of one width; the first of them strides."""

    outputs: int
    blocks: int
    stride: int
    expand: int
    whole: bool  # expand by a 3 x 3 convolution over all channels


STEM, LAST, LEAST_LAST = 16, 288, 96  # channels; the last are fewer where there are very many classes
MOST_CLASSES = 688  # beside which there is room for `LEAST_LAST`
STAGES = (
    Stage(24, 1, 1, 2, whole=True),
    Stage(40, 2, 2, 2, whole=True),
    Stage(64, 2, 2, 2, whole=True),
    Stage(96, 3, 2, 3, whole=False),
)


def convolution(
    inputs: int, outputs: int, side: int, stride: int = 1, groups: int = 1, *, active: bool = True
) -> nn.Sequential:
    """Convolution, batch norm and (if `active`) hard swish."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.Hardswish()) if active else nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Few channels, expanded and brought back; with a short-cut where nothing changes its shape."""

    def __init__(self, inputs: int, outputs: int, stride: int, expand: int, *, whole: bool) -> None:
        super().__init__()
        wide = inputs * expand
        if whole:
            inside = [convolution(inputs, wide, 3, stride)]
        else:
            inside = [convolution(inputs, wide, 1), convolution(wide, wide, 3, stride, wide)]
        self.inside = nn.Sequential(*inside, convolution(wide, outputs, 1, active=False))
        self.short_cut = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.inside(features)
        return features + changed if self.short_cut else changed


class CompactNetwork(nn.Module):
    """Pixels (n, 3, 64, 64) normalised -> logits (n, classes) and an L2-normalised embedding (n, 128).

    A class is a vector in the embedding's own space: the classifier is reused as it is for retrieval, and its vectors
    are the zero-shot prototypes of a shop's router.
    """

    def __init__(self, class_count: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [convolution(3, STEM, 3, 2)]
        inputs = STEM
        for stage in STAGES:
            for place in range(stage.blocks):
                stride = stage.stride if place == 0 else 1
                layers.append(InvertedResidual(inputs, stage.outputs, stride, stage.expand, whole=stage.whole))
                inputs = stage.outputs
        last = _last_channels(class_count)
        self.features = nn.Sequential(*layers, convolution(inputs, last, 1))
        self.project = nn.Linear(last, EMBEDDING_DIM)
        self.classes = nn.Parameter(F.normalize(torch.randn(class_count, EMBEDDING_DIM)))

    def embedding(self, pixels: Tensor) -> Tensor:
        """(n, 128) of length 1."""
        return F.normalize(self.project(self.features(pixels).mean((2, 3))).float())

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.embedding(pixels)
        return HEAD_SCALE * embedding @ F.normalize(self.classes).T, embedding


class Mirrored(nn.Module):
    """What ships: the embedding of a photo and of its mirror image, averaged; (1, 3, 64, 64) -> (1, 128)."""

    def __init__(self, network: CompactNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        both = self.network.embedding(torch.cat([pixels, pixels.flip(3)], 0))
        return F.normalize(both.mean(0, keepdim=True))


def _last_channels(class_count: int) -> int:
    """As many as `MOST_PARAMETERS` leaves room for beside the classes' vectors, at most `LAST`."""
    spare = (MOST_CLASSES - class_count) * EMBEDDING_DIM // (STAGES[-1].outputs + EMBEDDING_DIM + 2)
    return max(LEAST_LAST, min(LAST, LEAST_LAST + spare))


def parameter_count(network: nn.Module) -> int:
    """All numbers that are learnt."""
    return sum(parameter.numel() for parameter in network.parameters())
