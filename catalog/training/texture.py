"""Training of the embedded texture encoder. Import inside functions: it imports torch."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.model_descriptions import ModelDescription
from catalog.training import crops, loop, networks, warm_start
from catalog.training.semantic import contrast

PRODUCTS_A_BATCH = 40  # two windows of each
SHARES: Mapping[crops.Kind, float] = {"alone": 0.35, "worn": 0.25, "drawn": 0.4}
UNKNOWN_PRINT = -100  # cross_entropy's own mark of a row to leave out


def train_texture(
    products: Sequence[crops.TrainingProduct],
    prints: Sequence[str],
    model: ModelDescription,
    course: loop.Course,
) -> nn.Module:
    """Train a TextureEncoder, from random weights or from the course's start, on two windows of each product.

    Two losses: the same product's window among all others of the batch (InfoNCE), and the print class where it is
    known (cross-entropy through a cosine head that is thrown away).
    """
    torch.manual_seed(course.seed)
    labels = np.array([prints.index(p.pattern) if p.pattern in prints else UNKNOWN_PRINT for p in products])
    known = [p.pattern if p.pattern in prints else "" for p in products]
    shares = crops.balanced_shares(products, known, SHARES)
    head = nn.Linear(model.embedding_dim, len(prints), bias=False)

    def loss_of(network: nn.Module, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Tensor:
        images, masks, label = batch
        device = loop.device_of(network)
        pixels = loop.normalized(images, model.mean, model.std, device)
        embedding = network(pixels, torch.from_numpy(masks).to(device)[:, None].float()).float()
        logits = 12 * embedding @ F.normalize(head.weight).float().T
        target = torch.from_numpy(label).to(device)
        loss = contrast(embedding)
        if (target != UNKNOWN_PRINT).any():
            loss = loss + F.cross_entropy(logits, target, label_smoothing=0.05)
        return loss

    def batch_of(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = rng.choice(len(products), min(PRODUCTS_A_BATCH, len(products)), replace=False, p=shares)
        seen = [crops.any_crop(rng, products[place]) for place in [*chosen, *chosen]]
        windows = [crops.window_view(rng, crop, model.input_side_px) for crop in seen]
        images = np.stack([image for image, _ in windows])
        masks = np.stack([mask for _, mask in windows])
        return images, masks, labels[np.concatenate([chosen, chosen])]

    network = networks.TextureEncoder(model.embedding_dim)
    if course.start is not None:
        images, masks, _ = batch_of(np.random.default_rng(course.seed))
        pixels = loop.normalized(images, model.mean, model.std)
        warm_start.start_from(network, course.start, pixels, torch.from_numpy(masks)[:, None].float())
    schedule = loop.Schedule(steps=course.steps, learning_rate=course.learning_rate)
    network.to(loop.fastest_device())
    batches = loop.prefetch(batch_of, course.seed, course.workers)
    return loop.train(network, batches, loss_of, schedule, extra=head, report=course.report)
