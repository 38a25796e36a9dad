"""A stage with a row a photo: its table is brought up to date, and what that cost, and spared, is told."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pyarrow as pa

from assets import reporting
from catalog.errors import ImageError, LookbookError
from catalog.features import row_memo
from catalog.features.row_memo import State
from catalog.formats import atomic, tables
from resources.data_lake import DataLake
from resources.progress import Progress

Compute = Callable[[Sequence[Mapping[str, Any]]], Sequence[row_memo.Row | ImageError]]


@dataclass
class MemoisedStage:
    """One refresh of one stage."""

    name: str
    schema: pa.Schema
    data_lake: DataLake
    progress: Progress
    _started: float = field(default_factory=time.perf_counter)
    _computing_s: float = 0.0

    def refresh(
        self, wanted: Sequence[row_memo.Wanted], compute: Compute, files: row_memo.Files | None = None
    ) -> row_memo.Refresh:
        """Bring the stage's table to the rows wanted; see `catalog.features.row_memo.refresh`."""

        def timed(batch: Sequence[Mapping[str, Any]]) -> Sequence[row_memo.Row | ImageError]:
            started = time.perf_counter()
            try:
                return compute(batch)
            finally:
                self._computing_s += time.perf_counter() - started

        table, bar = self.data_lake.table(self.name), self.progress.bar(self.name)
        return row_memo.refresh(table, self.schema, self.name, wanted, timed, files=files, progress=bar)

    def result(self, refresh: row_memo.Refresh, metadata: Mapping[str, Any]) -> dg.MaterializeResult:
        """End the stage: its rejected rows, its data version, its counts and what else it has to show.

        Raises: LookbookError when not one row of the stage is left: nothing further on could be built.
        """
        self.data_lake.write_rejected(self.name, refresh.rejected)
        if not refresh.table.num_rows:
            first = refresh.rejected[0] if refresh.rejected else None
            told = f"; the first: {first.reason}: {first.detail}" if first else ""
            raise LookbookError(f"{self.name}: not one of {len(refresh.rejected)} photos could be used{told}")
        return dg.MaterializeResult(
            data_version=dg.DataVersion(tables.content_digest(refresh.table)),
            metadata={**metadata, **self._counts(refresh), **reporting.size(self.data_lake.table(self.name))},
        )

    def _counts(self, refresh: row_memo.Refresh) -> dict[str, Any]:
        """What the refresh did: reused, computed, removed, failed, in all and by category, and what that cost."""
        counts: dict[str, Any] = {
            "items": refresh.table.num_rows,
            "products": len(set(refresh.table.column("product_id").to_pylist())),
            "reused": refresh.reused,
            "computed": refresh.computed,
            "removed": refresh.removed,
            "failed": sum(state is State.FAILED for state in refresh.states.values()),
            "by_category": self._by_category(refresh),  # what left the catalogue has no category any more
            "seconds": round(time.perf_counter() - self._started, 2),
        }
        per_row = self._seconds_per_row(refresh)
        if refresh.computed:
            counts["milliseconds_per_computed_item"] = round(1000 * self._computing_s / refresh.computed, 1)
        if per_row is not None:
            counts["seconds_saved"] = round(refresh.reused * per_row, 3)  # by what a row cost when it was computed
        if refresh.rejected:
            counts["rejected_by_reason"] = reporting.reasons(refresh.rejected)
        if refresh.note:
            counts["note"] = refresh.note
        return counts

    def _by_category(self, refresh: row_memo.Refresh) -> dg.MetadataValue:
        category_of = reporting.categories(self.data_lake)
        counts: dict[str, dict[State, int]] = {}
        for item, state in refresh.states.items():
            of_category = counts.setdefault(category_of.get(item, reporting.GONE), dict.fromkeys(State, 0))
            of_category[state] += 1
        if refresh.removed:
            counts.setdefault(reporting.GONE, dict.fromkeys(State, 0))
        return reporting.table(
            [
                {
                    "category": name,
                    "photos": sum(of.values()),
                    **{state.value: of[state] for state in State},
                    "removed": refresh.removed if name == reporting.GONE else 0,
                }
                for name, of in sorted(counts.items())
            ]
        )

    def _seconds_per_row(self, refresh: row_memo.Refresh) -> float | None:
        """What computing a row took, by all refreshes since the table was last made anew; None where none is known."""
        path = self.data_lake.row_costs(self.name)
        known = {"rows": 0, "seconds": 0.0}
        if refresh.reused:
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # none yet, or damaged: it only tells
                noted = json.loads(path.read_text(encoding="utf-8"))
                known = {"rows": int(noted["rows"]), "seconds": float(noted["seconds"])}
        if refresh.computed:
            known = {"rows": known["rows"] + refresh.computed, "seconds": known["seconds"] + self._computing_s}
            atomic.write_text(path, json.dumps(known) + "\n")
        return known["seconds"] / known["rows"] if known["rows"] else None
