"""The training itself: a classifier, then metric learning on the same network, each loss tried and the best kept.

Every random draw of an epoch comes from a generator seeded with the training's seed, the phase and the epoch, so what
is done from a checkpoint is what would have been done anyway. A batch is halved between two threads of our own, and
torch is held to one in each: torch's threads wait for each other at every layer, which on a machine that does other
work as well made a step 15 times as long, and their number shows in the weights; ours does not. Import inside
functions: it imports torch.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from catalog.errors import ModelError
from catalog.torch_models.devices import fast_bfloat16
from catalog.training.compact import checkpoints, losses, views
from catalog.training.compact.network import EMBEDDING_DIM, MOST_PARAMETERS, CompactNetwork, parameter_count
from catalog.training.compact.progress import CLASSIFIER, PHASES, Epoch, Plan, Progress
from catalog.training.compact.samples import Samples
from catalog.training.loop import average

AVERAGE_DECAY = 0.998  # of the moving average of weights, which is what is validated and kept
WARM_UP_STEPS = 150
TEACHER_WEIGHT, METRIC_WEIGHT = 5.0, 1.0
EVALUATED_AT_ONCE = 256
SHARDS = 2  # of a batch, whatever the machine: each is normalised by its own statistics

Clock = Callable[[], float]


@dataclass
class Trained:
    """The network that won, and how it came about."""

    network: CompactNetwork
    phase: str  # that it comes from
    history: list[Epoch]
    best: dict[str, Epoch]  # of each phase


@dataclass
class Trainer:
    """Trains one network on one dataset's samples, and saves where it stands in `folder` after each epoch."""

    samples: Samples
    classes: tuple[str, ...]
    plan: Plan
    folder: Path
    origin: Mapping[str, Any]  # what it can't be gone on with when it changes, as JSON knows it
    clock: Clock
    report: Callable[[str, int, int], None] = lambda phase, done, of: None  # `of` is 0 while nobody can know it

    def __post_init__(self) -> None:
        torch.manual_seed(self.plan.seed)
        self.network = CompactNetwork(len(self.classes))
        if (count := parameter_count(self.network)) > MOST_PARAMETERS:
            raise ModelError(
                f"{len(self.classes)} classes make {count} parameters, at most {MOST_PARAMETERS} are allowed; "
                "train with fewer classes"
            )
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        teacher_dim = self.samples.teacher.shape[1]
        self.to_teacher = nn.Linear(EMBEDDING_DIM, teacher_dim) if teacher_dim else None
        self.shards = [self.network, *(_with_its_weights(self.network) for _ in range(SHARDS - 1))]
        self.averaged = deepcopy(self.network).eval()
        self.kept = {phase: deepcopy(self.averaged) for phase in PHASES}  # the best of each phase
        index = {name: place for place, name in enumerate(self.classes)}
        self.labels = torch.tensor([index[photo.label] for photo in self.samples.photos])
        self.training, self.validation = self.samples.rows("train"), self.samples.rows("validation")
        counts = np.bincount(self.labels[self.training], minlength=len(self.classes))
        shares = 1 / np.sqrt(counts)[self.labels[self.training]]  # rare classes more often, but not as often
        self.shares = torch.from_numpy(shares / shares.sum())
        self.teacher = torch.from_numpy(self.samples.teacher)
        self.seen = views.normalized(views.plain_views(self.samples.images[self.validation]))
        self.state = Progress()
        self.optimizer = self._optimizer()
        self.turn = 0

    def run(self, *, resume: bool) -> Trained:
        """Train to the end, from where a killed training stood with `resume`, else from the beginning.

        Raises: FormatError when what stands is damaged, or is of another dataset or plan; FloatingPointError when the
        loss is no longer finite.
        """
        if not (resume and self._resumed()):
            checkpoints.clear(self.folder)
        torch.set_num_threads(1)
        with ThreadPoolExecutor(SHARDS, initializer=torch.set_num_threads, initargs=(1,)) as self.threads:
            return self._run()

    def _run(self) -> Trained:
        while self.state.phase < len(PHASES):
            phase = PHASES[self.state.phase]
            if self.state.epoch == 0 and phase != CLASSIFIER:
                self._begin_from(self.kept[CLASSIFIER])
            self._tell(phase)
            while not self.state.is_over(self.plan):
                self._epoch(phase)
                self._save()
                self._tell(phase)
            self.state.phase, self.state.epoch, self.state.phase_seconds = self.state.phase + 1, 0, 0.0
        best = max(PHASES, key=lambda phase: self.state.best[phase].score)
        return Trained(self.kept[best].eval(), best, self.state.history, self.state.best)

    def _tell(self, phase: str) -> None:
        """Report where the phase stands; one that is over has had all its epochs, however many were planned."""
        done, known = self.state.epoch, self.state.epoch or not self.plan.minutes
        planned = self.state.epochs(self.plan) if known else 0
        self.report(phase, done, done if self.state.is_over(self.plan) else planned)

    def _epoch(self, phase: str) -> None:
        began = self.clock()
        draw = torch.Generator().manual_seed(_seed(self.plan.seed, phase, self.state.epoch))
        planned = self.state.epochs(self.plan)
        steps = max(1, len(self.training) // self.plan.batch)
        top = self.plan.learning_rate if phase == CLASSIFIER else self.plan.metric_learning_rate
        for shard in self.shards:
            shard.train()
        total = rate = 0.0
        for step in range(steps):
            done = self.state.epoch * steps + step
            warm_up = min(1.0, (done + 1) / min(WARM_UP_STEPS, max(1, planned * steps // 5)))
            rate = top * warm_up * 0.5 * (1 + math.cos(math.pi * done / (planned * steps)))
            total += self._step(phase, rate, draw, done)
        accuracy, top_1 = self._validate()
        came = Epoch(phase, self.state.epoch, planned, rate, total / steps, accuracy, top_1)
        self.state.history.append(came)
        before = self.state.best.get(phase)
        if before is None or came.score >= before.score:
            self.state.best[phase] = came
            self.kept[phase].load_state_dict(self.averaged.state_dict())
        self.state.epoch += 1
        seconds = self.clock() - began
        self.state.seconds, self.state.phase_seconds = self.state.seconds + seconds, self.state.phase_seconds + seconds

    def _step(self, phase: str, rate: float, draw: torch.Generator, done: int) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        size = min(self.plan.batch, len(self.training))
        chosen = self.training[torch.multinomial(self.shares, size, replacement=False, generator=draw).numpy()]
        seeds = torch.randint(2**62, (SHARDS,), generator=draw).tolist()
        parts = [(phase, shard, chosen[place::SHARDS], seeds[place]) for place, shard in enumerate(self.shards)]
        came = list(self.threads.map(lambda part: self._gradients(*part), parts))
        value = sum(loss for loss, _ in came) / SHARDS
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at learning rate {rate:g}: lower it")
        for place, parameter in enumerate(self._learnt()):
            parameter.grad = torch.stack([gradients[place] for _, gradients in came]).mean(0)
        nn.utils.clip_grad_norm_(self._learnt(), 5.0)
        self.optimizer.step()
        self._share_statistics()
        decay = min(AVERAGE_DECAY, (1 + done) / (10 + done)) if phase == CLASSIFIER else AVERAGE_DECAY
        average(self.averaged, self.network, decay)
        return value

    def _gradients(
        self, phase: str, network: CompactNetwork, chosen: np.ndarray, seed: int
    ) -> tuple[float, Sequence[Tensor]]:
        """The loss of one part of a batch, and where it pulls each of the parameters."""
        draw = torch.Generator().manual_seed(seed)
        pixels, labels = views.random_views(self.samples.images[chosen], draw), self.labels[chosen]
        targets, teacher = losses.smoothed(labels, len(self.classes)), self.teacher[chosen]
        if phase == CLASSIFIER and float(torch.rand((), generator=draw)) < views.MIX_SHARE:
            blend = views.mixed(pixels, draw)
            pixels = blend.pixels
            targets = blend.share * targets + (1 - blend.share) * targets[blend.order]
            teacher = blend.share * teacher + (1 - blend.share) * teacher[blend.order]
        with torch.autocast("cpu", torch.bfloat16, enabled=fast_bfloat16(pixels.device), cache_enabled=False):
            logits, embedding = network(views.normalized(pixels))
        loss = losses.cross_entropy(logits.float(), targets)
        if self.to_teacher is not None:
            loss = loss + TEACHER_WEIGHT * losses.towards(self.to_teacher(embedding), teacher)
        if phase != CLASSIFIER:
            loss = loss + METRIC_WEIGHT * losses.METRIC_LOSSES[phase](embedding, labels)
        return float(loss.detach()), torch.autograd.grad(loss, self._learnt())

    def _learnt(self) -> list[nn.Parameter]:
        return [*self.network.parameters(), *(self.to_teacher.parameters() if self.to_teacher else [])]

    @torch.no_grad()
    def _share_statistics(self) -> None:
        """Give all shards the mean of their batch norms' running statistics."""
        for same in zip(*(shard.buffers() for shard in self.shards), strict=True):
            if same[0].is_floating_point():
                mean = torch.stack(same).mean(0)
                for buffer in same:
                    buffer.copy_(mean)

    @torch.inference_mode()
    def _validate(self) -> tuple[float, float]:
        parts = [self.averaged(part) for part in torch.split(self.seen, EVALUATED_AT_ONCE)]
        logits, embedding = (torch.cat([part[place] for part in parts]) for place in (0, 1))
        labels = self.labels[self.validation]
        cosines = (embedding @ embedding.T).fill_diagonal_(-2.0)
        nearest = labels[cosines.argmax(1)] == labels if len(labels) > 1 else torch.zeros(1)
        return float((logits.argmax(1) == labels).float().mean()), float(nearest.float().mean())

    def _optimizer(self) -> torch.optim.AdamW:
        parameters = self._learnt()
        decayed = {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.plan.weight_decay}
        return torch.optim.AdamW([decayed, {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}])

    def _begin_from(self, network: CompactNetwork) -> None:
        for own in (*self.shards, self.averaged):
            own.load_state_dict(network.state_dict())
        self.optimizer = self._optimizer()

    def _parts(self) -> dict[str, nn.Module]:
        teacher = {"to_teacher": self.to_teacher} if self.to_teacher is not None else {}
        return {"network": self.network, "averaged": self.averaged, **teacher, **self.kept}

    def _save(self) -> None:
        tensors = {
            f"{part}.{name}": tensor for part, of in self._parts().items() for name, tensor in of.state_dict().items()
        }
        for place, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{place}.{name}": tensor for name, tensor in values.items()}
        self.turn += 1
        state = {"state": self.state.plain(timed=bool(self.plan.minutes)), "origin": dict(self.origin)}
        checkpoints.save(self.folder, tensors, state, self.turn)

    def _resumed(self) -> bool:
        checkpoints.check_origin(self.folder, self.origin)
        loaded = checkpoints.load(self.folder)
        if loaded is None:
            return False
        tensors, said = loaded
        for part, of in self._parts().items():
            of.load_state_dict({name: tensors[f"{part}.{name}"] for name in of.state_dict()})
        for shard in self.shards:
            shard.load_state_dict(self.network.state_dict())
        kept: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimizer."):
                _, place, key = name.split(".", 2)
                kept.setdefault(int(place), {})[key] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": kept})
        self.state = Progress.of_plain(said["state"])
        self.turn = said["turn"]
        return True


def _with_its_weights(network: CompactNetwork) -> CompactNetwork:
    """A copy that has the network's very parameters and statistics of its own."""
    parameters = {id(parameter): parameter for parameter in network.parameters()}
    return deepcopy(network, parameters)  # a memo: what is in it is not copied


def _seed(seed: int, phase: str, epoch: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {phase} {epoch}".encode()).digest()[:7], "little")
