"""The one training loop: AdamW, warm-up, cosine decay, averaged weights. Import inside functions."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from catalog.torch_models.devices import fast_bfloat16


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast a network learns."""

    steps: int
    learning_rate: float = 2e-3
    weight_decay: float = 0.03
    warm_up_steps: int = 200
    average_decay: float = 0.998  # of the exponential moving average of weights, which is what is kept


@dataclass(frozen=True, kw_only=True)
class Course:
    """How one embedded model is to learn, whichever it is."""

    steps: int
    seed: int
    workers: int = 1  # threads that make its batches
    start: onnx.ModelProto | None = None  # its own export, to go on from; else random weights
    report: Callable[[int, float], None] = lambda step, loss: None

    @property
    def learning_rate(self) -> float:
        """Half of the usual for a network that has learnt before."""
        return Schedule.learning_rate / (1 if self.start is None else 2)


def train(
    network: nn.Module,
    batches: Iterator[Any],
    loss_of: Callable[[nn.Module, Any], Tensor],
    schedule: Schedule,
    extra: nn.Module | None = None,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> nn.Module:
    """Train `network` (and `extra`, heads thrown away later) on `batches`; returns the averaged network, in eval mode.

    It learns on the device that it lies on, and comes back to the CPU. `loss_of(network, batch)` is called under
    bfloat16 autocast, where that is the faster way. `report` hears the running loss every 50 steps.
    Raises: FloatingPointError when the loss is no longer finite.
    """
    device = device_of(network)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if extra is not None:
        extra.to(device)
    averaged = deepcopy(network)
    parameters = [*network.parameters(), *(extra.parameters() if extra else [])]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": schedule.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=schedule.learning_rate,
    )
    running = math.nan
    for step in range(schedule.steps):
        rate = schedule.learning_rate * _rate_share(step, schedule)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device)):
            loss = loss_of(network, next(batches))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at step {step}: lower the learning rate ({rate:g})")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        average(averaged, network, min(schedule.average_decay, (1 + step) / (10 + step)))
        running = value if math.isnan(running) else 0.98 * running + 0.02 * value
        if step % 50 == 49 or step == schedule.steps - 1:
            report(step + 1, running)
    return averaged.eval().cpu()


def _rate_share(step: int, schedule: Schedule) -> float:
    if step < schedule.warm_up_steps:
        return (step + 1) / schedule.warm_up_steps
    done = (step - schedule.warm_up_steps) / max(1, schedule.steps - schedule.warm_up_steps)
    return 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the exponential moving average of a network's weights and statistics one step on; counts are copied."""
    for mean, now in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)


def prefetch(batch_of: Callable[[np.random.Generator], Any], seed: int, workers: int = 1) -> Iterator[Any]:
    """Endless batches, made by `workers` threads while the network learns.

    They are the same, in the same order, for any number of threads: each has a generator of its own, seeded with
    `seed` and its number.
    """
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(workers) as threads:
        for number in range(2**31):
            waiting.append(threads.submit(lambda place: batch_of(np.random.default_rng([seed, place])), number))
            if len(waiting) > 3 * workers:
                yield waiting.popleft().result()


def device_of(network: nn.Module) -> torch.device:
    """Where a network lies, and its batches are wanted."""
    return next(network.parameters()).device


def normalized(
    images: np.ndarray,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    device: torch.device | None = None,
) -> Tensor:
    """(n, h, w, 3) uint8 pixels as a (n, 3, h, w) float32 tensor, channels last: (pixel / 255 - mean) / std."""
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)
    scaled = (pixels - pixels.new_tensor(mean)[:, None, None]) / pixels.new_tensor(std)[:, None, None]
    return scaled.contiguous(memory_format=torch.channels_last)
