"""Whether a run's stages show how they get on: with someone at the terminal they do, under Dagster's daemon not."""

from collections.abc import Callable

import dagster as dg

from resources.progress_bars import progress_bar


class Progress(dg.ConfigurableResource):
    """How a stage tells that it gets on."""

    shown: bool = False

    def bar(self, stage: str, unit: str = "photo") -> Callable[[int, int], None]:
        """A function to call with (done, total); the bar ends by itself when they are equal."""
        return progress_bar(stage, unit) if self.shown else lambda done, total: None
