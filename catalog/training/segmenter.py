"""Training of the embedded segmenter. Import inside functions: it imports torch."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.model_descriptions import ModelDescription
from catalog.torch_models import devices
from catalog.training import loop, networks, segmenter_data, warm_start

BATCH = 16


def train_segmenter(
    alone: Sequence[segmenter_data.MaskedPhoto],
    worn: Sequence[segmenter_data.MaskedPhoto],
    drawn: Sequence[segmenter_data.MaskedPhoto],
    model: ModelDescription,
    course: loop.Course,
) -> nn.Module:
    """Train a Segmenter, from random weights or from the course's start.

    Photos of garments alone and of people are under a teacher's saliency or exact masks, drawn ones under exact masks.

    The loss is binary cross-entropy on the soft saliency plus 1 - soft IoU.
    """
    torch.manual_seed(course.seed)
    batch_of = partial(segmenter_data.batch, alone, worn, drawn, model.input_side_px, BATCH)

    def loss_of(network: nn.Module, batch: tuple[np.ndarray, np.ndarray]) -> Tensor:
        images, saliency = batch
        device = loop.device_of(network)
        target = torch.from_numpy(saliency).to(device)[:, None]
        logits = network(loop.normalized(images, model.mean, model.std, device)).float()
        probability = torch.sigmoid(logits)
        both = (probability * target).sum((1, 2, 3))
        either = (probability + target - probability * target).sum((1, 2, 3))
        cross_entropy: Tensor = F.binary_cross_entropy_with_logits(logits, target)
        return cross_entropy + (1 - (both + 1) / (either + 1)).mean()

    network = networks.Segmenter()
    if course.start is not None:
        images, _ = batch_of(np.random.default_rng(course.seed))
        warm_start.start_from(network, course.start, loop.normalized(images, model.mean, model.std))
    schedule = loop.Schedule(steps=course.steps, learning_rate=course.learning_rate)
    network.to(devices.best_device())
    return loop.train(
        network, loop.prefetch(batch_of, course.seed, course.workers), loss_of, schedule, report=course.report
    )
