"""Training of the embedded semantic encoder and its category head. Import inside functions: it imports torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from catalog.model_descriptions import ModelDescription
from catalog.torch_models import devices
from catalog.training import crops, loop, networks, warm_start
from catalog.training.crops import VIEWS

PRODUCTS_A_BATCH = 56  # two views of each
SCENES_A_BATCH = 32  # one view of each, for the teacher's losses only
HEAD_SCALE = 16.0  # of the cosines before the softmax over categories
CONTRAST_TEMPERATURE = 0.1
NEIGHBOUR_TEMPERATURE = 0.07  # of the teacher's cosines between the batch's photos
SHARES: Mapping[crops.Kind, float] = {"alone": 0.35, "worn": 0.4, "drawn": 0.25}
UNKNOWN = -100  # cross_entropy's own mark of a row to leave out


@dataclass(frozen=True)
class Views:
    """Views of every product, and what the teacher makes of them, in as many parts as they were made in."""

    images: Sequence[np.ndarray]  # each (products, VIEWS, side, side, 3) uint8
    teacher: Sequence[np.ndarray]  # each (products, VIEWS, teacher_dim) float32, L2-normalised

    def __len__(self) -> int:
        return sum(map(len, self.images))

    def taken(self, places: np.ndarray, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, side, side, 3) uint8 and (n, teacher_dim) of n places, numbered through all parts, and their views."""
        ends = np.cumsum([len(part) for part in self.images])
        parts = np.searchsorted(ends, places, side="right")
        within = places - np.concatenate([[0], ends])[parts]
        where = list(zip(parts, within, views, strict=True))
        return (
            np.stack([self.images[part][place, view] for part, place, view in where]),
            np.stack([self.teacher[part][place, view] for part, place, view in where]),
        )


def train_semantic(
    products: Sequence[crops.TrainingProduct],
    views: Views,
    scenes: Views,
    categories: Sequence[str],
    model: ModelDescription,
    course: loop.Course,
    head: Mapping[str, np.ndarray] | None = None,
) -> networks.SemanticEncoder:
    """Train a SemanticEncoder by four losses on two views of each product.

    It starts from random weights, or from the course's own start and the directions of its `head`.
    Its category (cross-entropy on cosines to the head's prototypes), the same product among all others of the batch
    (InfoNCE), the teacher's embedding through a linear head that is thrown away, and the teacher's neighbours within
    the batch (Kullback-Leibler divergence of the two softmaxed cosine matrices). Scenes, windows of whole photos, have
    part in the last two only: what they show is as varied as the rooms of those who took them.
    """
    torch.manual_seed(course.seed)
    labels = np.array([categories.index(p.category) if p.category else UNKNOWN for p in products])
    shares = crops.balanced_shares(products, [product.category for product in products], SHARES)
    to_teacher = nn.Linear(model.embedding_dim, views.teacher[0].shape[-1])
    to_teacher.train()

    def loss_of(network: nn.Module, batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Tensor:
        images, teacher, label = batch
        device = loop.device_of(network)
        embedding = network(loop.normalized(images, model.mean, model.std, device)).float()
        target, wanted = (torch.from_numpy(array).to(device) for array in (teacher, label))
        head = F.normalize(network.categories)  # type: ignore[arg-type]
        known = embedding[: len(label)]
        category = F.cross_entropy(HEAD_SCALE * known @ head.T, wanted, label_smoothing=0.05)
        distance = 1 - F.cosine_similarity(to_teacher(embedding).float(), target).mean()
        return category + contrast(known) + 4 * distance + 2 * neighbours(embedding, target)

    def batch_of(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = rng.choice(len(products), min(PRODUCTS_A_BATCH, len(products)), replace=False, p=shares)
        first = rng.integers(VIEWS, size=len(chosen))
        second = (first + rng.integers(1, VIEWS, size=len(chosen))) % VIEWS
        places = np.concatenate([chosen, chosen])
        which = np.concatenate([first, second])
        scene = rng.integers(len(scenes), size=SCENES_A_BATCH)
        scene_view = rng.integers(VIEWS, size=SCENES_A_BATCH)
        seen, surroundings = views.taken(places, which), scenes.taken(scene, scene_view)
        images, teacher = (np.concatenate(both) for both in zip(seen, surroundings, strict=True))
        mirrored = rng.random(len(images)) < 0.5
        images[mirrored] = images[mirrored, :, ::-1]
        return images, teacher, labels[places]

    network = networks.SemanticEncoder(model.embedding_dim, len(categories))
    if course.start is not None:
        images, _, _ = batch_of(np.random.default_rng(course.seed))
        warm_start.start_from(network, course.start, loop.normalized(images, model.mean, model.std))
        for place, name in enumerate(categories):
            if head and name in head:
                network.categories.data[place] = torch.from_numpy(head[name].copy())
    schedule = loop.Schedule(steps=course.steps, learning_rate=course.learning_rate, weight_decay=0.05)
    batches = loop.prefetch(batch_of, course.seed, course.workers)
    network.to(devices.best_device())
    trained = loop.train(network, batches, loss_of, schedule, extra=to_teacher, report=course.report)
    assert isinstance(trained, networks.SemanticEncoder)
    return trained


def contrast(embedding: Tensor, temperature: float = CONTRAST_TEMPERATURE) -> Tensor:
    """InfoNCE of (2n, dim) embeddings whose row i and row n + i are two views of one product."""
    count = len(embedding)
    cosines = embedding @ embedding.T / temperature
    cosines = cosines.masked_fill(torch.eye(count, dtype=torch.bool, device=cosines.device), float("-inf"))
    partner = (torch.arange(count, device=cosines.device) + count // 2) % count
    loss: Tensor = F.cross_entropy(cosines, partner)
    return loss


def neighbours(embedding: Tensor, teacher: Tensor) -> Tensor:
    """Kullback-Leibler divergence of (n, dim) embeddings' neighbours in the batch from a teacher's, (n, other dim)."""
    itself = torch.eye(len(embedding), dtype=torch.bool, device=embedding.device)
    wanted = (teacher @ teacher.T / NEIGHBOUR_TEMPERATURE).masked_fill(itself, -1e4).softmax(1)
    got = (embedding @ embedding.T / NEIGHBOUR_TEMPERATURE).masked_fill(itself, -1e4).log_softmax(1)
    return F.kl_div(got, wanted, reduction="batchmean")
