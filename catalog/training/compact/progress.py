"""How long a compact model learns: what was planned, what each epoch came to, and when a phase is over."""

from dataclasses import asdict, dataclass, field
from typing import Any

from catalog.training.compact import losses

CLASSIFIER = "classifier"
PHASES = (CLASSIFIER, *losses.METRIC_LOSSES)
LEAST_PATIENCE = 2  # epochs
CLASSIFIER_SHARE = 0.7  # of the epochs, or of the time; the metric losses share the rest


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how a network learns."""

    epochs: int  # of the classifier and the metric losses together; with `minutes`, what they are bounded by
    minutes: float = 0.0  # of training, all sessions together; 0: just `epochs`
    patience: float = 0.4  # share of a phase's epochs without a better validation score that ends it
    batch: int = 64
    learning_rate: float = 3e-3
    metric_learning_rate: float = 6e-4
    weight_decay: float = 0.05
    seed: int = 0

    def phase_epochs(self, phase: str) -> int:
        """The epochs of a phase, as planned."""
        first = max(1, round(self.epochs * CLASSIFIER_SHARE))
        return first if phase == CLASSIFIER else max(1, (self.epochs - first) // (len(PHASES) - 1))


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to."""

    phase: str
    epoch: int
    of: int  # epochs that the phase was to have, as seen from this one
    learning_rate: float  # of its last step
    loss: float
    accuracy: float  # of the averaged weights on validation
    top_1: float  # share of validation photos whose nearest other validation photo is of their class

    @property
    def score(self) -> float:
        """What is to be highest."""
        return (self.accuracy + self.top_1) / 2


@dataclass
class Progress:
    """Where a training stands; all of it is saved."""

    phase: int = 0
    epoch: int = 0
    seconds: float = 0.0  # of training so far; only counted where time is planned
    phase_seconds: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Epoch] = field(default_factory=dict)

    def plain(self, *, timed: bool) -> dict[str, Any]:
        """As JSON knows it."""
        kept = asdict(self)
        return kept if timed else {**kept, "seconds": 0.0, "phase_seconds": 0.0}

    @classmethod
    def of_plain(cls, kept: dict[str, Any]) -> "Progress":
        """What `plain` gave."""
        return cls(
            **{
                **kept,
                "history": [Epoch(**entry) for entry in kept["history"]],
                "best": {phase: Epoch(**entry) for phase, entry in kept["best"].items()},
            }
        )

    def is_over(self, plan: Plan) -> bool:
        """Whether the phase that it stands in has had its epochs, or waited too long for a better one."""
        if not self.epoch:
            return False
        waited = self.epoch - 1 - self.best[PHASES[self.phase]].epoch
        epochs = self.epochs(plan)
        return self.epoch >= epochs or waited >= max(LEAST_PATIENCE, round(plan.patience * epochs))

    def epochs(self, plan: Plan) -> int:
        """How many epochs the phase has: as planned, or as many as its time allows at the pace so far."""
        phase, done = PHASES[self.phase], self.epoch
        planned = plan.phase_epochs(phase)
        if not plan.minutes or not done:
            return planned
        left = [name for name in PHASES[self.phase :] if name != CLASSIFIER]
        remaining = 60 * plan.minutes - (self.seconds - self.phase_seconds)
        share = CLASSIFIER_SHARE if phase == CLASSIFIER else 1 / len(left)
        return min(planned, max(done, int(share * remaining / (self.phase_seconds / done))))
