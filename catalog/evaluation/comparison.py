"""Two tables of per-query values compared: ways of searching in one run, or one run and the run before it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from catalog.evaluation.measures import Estimate, estimate
from catalog.evaluation.significance import Difference, holm, paired

Column = Sequence[float | None]  # a value a query; None where the query's label does not allow the measure


@dataclass(frozen=True)
class Asked:
    """The values of one query in one run."""

    group: Hashable  # product or sender
    values: Mapping[str, float]  # by measure


@dataclass(frozen=True)
class Row:
    """One way of searching, by one measure, against the way that all are compared with."""

    name: str
    estimate: Estimate
    difference: Difference | None  # None of the way that the others are compared with
    p_holm: float | None  # adjusted for all rows of the table


def against_first(columns: Mapping[str, Column], groups: Sequence[Hashable]) -> list[Row]:
    """The table of one measure: each way's mean, and how far it is from that of the first, query by query.

    Args: a value a query for every way, all over the same queries in the same order; the group of each query.
    Returns: a row a way, in order; none where no query has the measure.
    Raises: ValueError for ways whose values are not of the same queries.
    """
    names = list(columns)
    asked = [place for place, value in enumerate(columns[names[0]]) if value is not None]
    kept, numbers = [groups[place] for place in asked], {}
    for name, column in columns.items():
        present = [value for value in column if value is not None]
        if len(column) != len(groups) or [p for p, value in enumerate(column) if value is not None] != asked:
            raise ValueError(f"{name!r} has not the values of the same queries as {names[0]!r}")
        numbers[name] = present
    if not asked:
        return []
    first = numbers[names[0]]
    differences = {name: paired(first, numbers[name], kept) for name in names[1:]}
    adjusted = holm({name: found.p for name, found in differences.items()})
    return [
        Row(name, estimate(numbers[name], kept), differences.get(name), adjusted.get(name))  # the first has neither
        for name in names
    ]


def with_the_run_before(before: Mapping[Hashable, Asked], now: Mapping[Hashable, Asked]) -> dict[str, Difference]:
    """How every measure of this run differs from the run before, over the queries that both asked.

    Args: what each query scored, by what names it. A measure that one of the runs does not have is left out.
    """
    common = [query for query in now if query in before]
    names = dict.fromkeys(name for query in common for name in now[query].values)
    found = {}
    for name in names:
        both = [query for query in common if name in now[query].values and name in before[query].values]
        if both:
            found[name] = paired(
                [before[query].values[name] for query in both],
                [now[query].values[name] for query in both],
                [now[query].group for query in both],
            )
    return found
