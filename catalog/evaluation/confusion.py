"""What is taken for what: counts of pairs of classes, the frequent ones by name. Arrays and names only."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

MOST_CLASSES = 12  # that are told apart; more can't be read in a picture
OTHERS, UNKNOWN = "(others)", "(no label)"


@dataclass(frozen=True)
class Confusion:
    """How often each class was answered with each: classes asked down, classes answered across."""

    asked: tuple[str, ...]
    answered: tuple[str, ...]
    counts: np.ndarray  # (len(asked), len(answered)) int64

    @property
    def shares(self) -> np.ndarray:
        """Of each row's count: (len(asked), len(answered)) float64, each row summing to 1."""
        return np.asarray(self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1), np.float64)


def confusion(pairs: Iterable[tuple[str, str]], most: int = MOST_CLASSES) -> Confusion:
    """Count (class asked, class answered); "" is shown as having no label.

    The `most` classes that are asked most often have a row and a column by name, in alphabetical order, so that what is
    right stands on the diagonal; answers of classes that nobody asked for, and what is rarer, are put together.
    """
    counted = Counter((asked or UNKNOWN, answered or UNKNOWN) for asked, answered in pairs)
    rows: Counter[str] = Counter()
    for (asked, _), count in counted.items():
        rows[asked] += count
    named = sorted(sorted(rows, key=lambda name: (-rows[name], name))[:most])
    folded: Counter[tuple[str, str]] = Counter()
    for (asked, answered), count in counted.items():
        right = asked if asked in named else OTHERS
        folded[right, answered if answered in (*named, UNKNOWN) else OTHERS] += count
    down = [*named, *([OTHERS] if any(asked == OTHERS for asked, _ in folded) else [])]
    extra = [name for name in (OTHERS, UNKNOWN) if name not in named and any(found == name for _, found in folded)]
    across = [*named, *extra]
    counts = np.array([[folded[asked, found] for found in across] for asked in down], np.int64)
    return Confusion(tuple(down), tuple(across), counts.reshape(len(down), len(across)))
