"""The benchmark's per-query values, this bundle's and those of the bundle before it, and how the two differ."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets.trials import Trials
from catalog.errors import FormatError
from catalog.evaluation import retrieval
from catalog.evaluation.comparison import Asked, with_the_run_before
from catalog.evaluation.evaluation_report import FULL
from catalog.evaluation.significance import Difference
from catalog.formats import tables
from resources.data_lake import DataLake

VALUES, BEFORE = "benchmark_values", "benchmark_values_before"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """This run against the one before it."""

    bundle_version: str  # that the run before searched
    differences: Mapping[str, Difference]  # by measure, over the queries that both asked


def rows(trials: Trials, bundle_version: str) -> list[Row]:
    """A row a query and a way of putting it, with the value of every measure that its label allows."""
    listed = []
    for score, answers in trials.answers.items():
        columns = retrieval.values(answers)
        for place, asked in enumerate(trials.asked):
            values = {name: column[place] for name, column in columns.items() if column[place] is not None}
            listed.append(
                {
                    **dict(zip(tables.ITEM_COLUMNS, asked.query.item, strict=True)),
                    "photo": asked.query.content,
                    "bundle_version": bundle_version,
                    "score": score,
                    "measures": list(values),
                    "values": list(values.values()),
                }
            )
    return listed


def remember(data_lake: DataLake, bundle_version: str, listed: Sequence[Row]) -> Change | None:
    """Put a run's rows in place of those that stand, and compare it with the last run of another bundle.

    Rows of another bundle are kept beside; of the same bundle, asked again, they are not: what it is compared with
    stays. Returns None where there is no such run, or it has no query in common.
    """
    standing, before = data_lake.table(VALUES), data_lake.table(BEFORE)
    known = _readable(data_lake, VALUES)
    if known and known[0]["bundle_version"] != bundle_version:
        tables.write(before, tables.BENCHMARK_VALUES, known)
    tables.write(standing, tables.BENCHMARK_VALUES, listed)
    earlier = _readable(data_lake, BEFORE)
    differences = with_the_run_before(_asked(earlier), _asked(listed))
    return Change(earlier[0]["bundle_version"], differences) if differences else None


def _readable(data_lake: DataLake, name: str) -> list[Row]:
    """The rows of a table that only a comparison needs: none of one that is damaged, or another version's."""
    try:
        return tables.read(data_lake.table(name), tables.BENCHMARK_VALUES) if data_lake.table(name).exists() else []
    except FormatError:  # it can't be made again, and must not stop what is measured now
        return []


def _asked(listed: Sequence[Row]) -> dict[Hashable, Asked]:
    """What each query scored by the full score; a query is its label and its photo's content."""
    return {
        (row["product_id"], row["variant"], row["photo"]): Asked(
            row["product_id"], dict(zip(row["measures"], row["values"], strict=True))
        )
        for row in listed
        if row["score"] == FULL
    }
