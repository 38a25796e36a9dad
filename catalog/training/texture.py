"""Training of the embedded texture encoder. Import inside functions: it imports torch."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.model_descriptions import ModelDescription
from catalog.torch_models import devices
from catalog.training import crops, loop, networks, warm_start
from catalog.training.semantic import Views, contrast, neighbours

PRODUCTS_A_BATCH = 40  # two windows of each
SHARES: Mapping[crops.Kind, float] = {"alone": 0.35, "worn": 0.25, "drawn": 0.4}
UNKNOWN_PRINT = -100  # cross_entropy's own mark of a row to leave out


def train_texture(
    products: Sequence[crops.TrainingProduct],
    windows: Views,
    prints: Sequence[str],
    model: ModelDescription,
    course: loop.Course,
) -> nn.Module:
    """Train a TextureEncoder, from random weights or from the course's start, on two windows of each product.

    Of each it has `windows`, whose fourth channel is the mask. Four losses: the same product's window among all others
    of the batch (InfoNCE), the print class where it is known (cross-entropy through a cosine head that is thrown away),
    the teacher's texture through a linear head that is thrown away, and the teacher's neighbours within the batch.
    """
    torch.manual_seed(course.seed)
    labels = np.array([prints.index(p.pattern) if p.pattern in prints else UNKNOWN_PRINT for p in products])
    known = [p.pattern if p.pattern in prints else "" for p in products]
    shares = crops.balanced_shares(products, known, SHARES)
    head = nn.Linear(model.embedding_dim, len(prints), bias=False)
    to_teacher = nn.Linear(model.embedding_dim, windows.teacher[0].shape[-1])

    def loss_of(network: nn.Module, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Tensor:
        seen, teacher, label = batch
        device = loop.device_of(network)
        embedding = network(*_inputs(seen, model, device)).float()
        logits = 12 * embedding @ F.normalize(head.weight).float().T
        target, wanted = (torch.from_numpy(array).to(device) for array in (label, teacher))
        distance = 1 - F.cosine_similarity(to_teacher(embedding).float(), wanted).mean()
        loss = contrast(embedding) + 2 * distance + neighbours(embedding, wanted)
        if (target != UNKNOWN_PRINT).any():
            loss = loss + F.cross_entropy(logits, target, label_smoothing=0.05)
        return loss

    def batch_of(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = rng.choice(len(products), min(PRODUCTS_A_BATCH, len(products)), replace=False, p=shares)
        first = rng.integers(crops.WINDOWS, size=len(chosen))
        second = (first + rng.integers(1, crops.WINDOWS, size=len(chosen))) % crops.WINDOWS
        places = np.concatenate([chosen, chosen])
        seen, teacher = windows.taken(places, np.concatenate([first, second]))
        mirrored = rng.random(len(seen)) < 0.5
        seen[mirrored] = seen[mirrored, :, ::-1]
        turned = rng.random(len(seen)) < 0.5
        seen[turned] = seen[turned].transpose(0, 2, 1, 3)
        return seen, teacher, labels[places]

    network = networks.TextureEncoder(model.embedding_dim)
    if course.start is not None:
        seen, _, _ = batch_of(np.random.default_rng(course.seed))
        warm_start.start_from(network, course.start, *_inputs(seen, model))
    schedule = loop.Schedule(steps=course.steps, learning_rate=course.learning_rate)
    network.to(devices.best_device())
    batches = loop.prefetch(batch_of, course.seed, course.workers)
    heads = nn.ModuleList([head, to_teacher])
    return loop.train(network, batches, loss_of, schedule, extra=heads, report=course.report)


def window_side_px(model: ModelDescription) -> int:
    """How large the windows are that the encoder learns from: as a quarter of what it is given where it ships."""
    return model.input_side_px // 2


def centred(said: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A teacher's L2-normalised (n, views, dim) textures less their mean over all parts, L2-normalised again.

    Maps are never negative, so all textures lie close together: only what is left over tells them apart.
    """
    mean = np.concatenate([part.reshape(-1, part.shape[-1]) for part in said]).mean(axis=0)
    return [(part - mean) / np.linalg.norm(part - mean, axis=-1, keepdims=True).clip(1e-9) for part in said]


def _inputs(seen: np.ndarray, model: ModelDescription, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """The network's pixels and mask of (n, side, side, 4) uint8 windows."""
    mask = torch.from_numpy(np.ascontiguousarray(seen[..., 3])).to(device)[:, None].float()
    return loop.normalized(np.ascontiguousarray(seen[..., :3]), model.mean, model.std, device), mask
