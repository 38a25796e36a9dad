"""Progress bars on a terminal, a line a stage elsewhere; both on standard error."""

import sys
import time
from collections.abc import Callable

from tqdm import tqdm


def progress_bar(stage: str, unit: str = "photo") -> Callable[[int, int], None]:
    """A function to call with (done, total); the bar ends by itself when they are equal."""
    started = time.perf_counter()
    bars: list[tqdm] = []  # made at the first call, which knows the total

    def show(done: int, total: int) -> None:
        if not total:
            return
        if sys.stderr.isatty():
            if not bars:
                bars.append(tqdm(total=total, desc=f"{stage:22}", unit=f" {unit}", file=sys.stderr, leave=True))
                bars[0].start_t -= time.perf_counter() - started
            bars[0].total = total  # how long a training takes shows on the way
            bars[0].update(done - bars[0].n)
            if done >= total:
                bars[0].close()
        elif done >= total:
            seconds = time.perf_counter() - started
            print(f"{stage:22} {total} {unit}s in {seconds:.1f} s", file=sys.stderr, flush=True)  # noqa: T201

    return show
