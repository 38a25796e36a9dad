"""Training of the embedded texture encoder. Import inside functions: it imports torch."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import onnx
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
    *,
    steps: int,
    seed: int,
    report: Callable[[int, float], None],
    start: onnx.ModelProto | None = None,
) -> nn.Module:
    """Train a TextureEncoder, from random weights or from the export `start`, on two windows of each product.

    Two losses: the same product's window among all others of the batch (InfoNCE), and the print class where it is
    known (cross-entropy through a cosine head that is thrown away).
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    labels = np.array([prints.index(p.pattern) if p.pattern in prints else UNKNOWN_PRINT for p in products])
    known = [p.pattern if p.pattern in prints else "" for p in products]
    shares = crops.balanced_shares(products, known, SHARES)
    head = nn.Linear(model.embedding_dim, len(prints), bias=False)

    def loss_of(network: nn.Module, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Tensor:
        images, masks, label = batch
        pixels = loop.normalized(images, model.mean, model.std).contiguous(memory_format=torch.channels_last)
        embedding = network(pixels, torch.from_numpy(masks)[:, None].float()).float()
        logits = 12 * embedding @ F.normalize(head.weight).float().T
        target = torch.from_numpy(label)
        loss = contrast(embedding)
        if (target != UNKNOWN_PRINT).any():
            loss = loss + F.cross_entropy(logits, target, label_smoothing=0.05)
        return loss

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        while True:
            chosen = rng.choice(len(products), min(PRODUCTS_A_BATCH, len(products)), replace=False, p=shares)
            seen = [crops.any_crop(rng, products[place]) for place in [*chosen, *chosen]]
            windows = [crops.window_view(rng, crop, model.input_side_px) for crop in seen]
            images = np.stack([image for image, _ in windows])
            masks = np.stack([mask for _, mask in windows])
            yield images, masks, labels[np.concatenate([chosen, chosen])]

    network, made = networks.TextureEncoder(model.embedding_dim), batches()
    if start is not None:
        images, masks, _ = next(made)
        pixels = loop.normalized(images, model.mean, model.std)
        warm_start.start_from(network, start, pixels, torch.from_numpy(masks)[:, None].float())
    schedule = loop.Schedule(steps=steps, learning_rate=loop.rate(start))
    return loop.train(network, loop.prefetch(made), loss_of, schedule, extra=head, report=report)
