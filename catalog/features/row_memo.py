"""Rows memoised by content: of the rows wanted, compute only those whose key is new, and keep the rest.

A key is the digest of all that shapes a row: the pixels that go in, the model, the parameters and the code's own
version. Rows are committed in batches, so a killed run loses the batch in hand at most. What a row holds, and what
computes it, is the stage's business; this module knows keys only.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.errors import FormatError, ImageError
from catalog.formats import digests, tables
from catalog.records import Outcome, Reason, Rejection

Row = dict[str, Any]
Item = tuple[str, str, int]
BATCH_ROWS = 64  # computed between two commits


class State(StrEnum):
    """What a refresh did for a row that was wanted."""

    REUSED = "reused"
    COMPUTED = "computed"
    FAILED = "failed"


@dataclass(frozen=True)
class Wanted:
    """A row that the stage's table is to have."""

    source: Mapping[str, Any]  # the row it is computed from; its item columns name it
    key: str


@dataclass
class Refresh:
    """What a refresh did: the table as it stands now, the failures, and the counts to report."""

    table: pa.Table  # of the rows wanted, in their order, but for the failed ones
    states: dict[Item, State]  # of every item wanted
    errors: dict[Item, ImageError]  # of the failed ones
    rejected: list[Rejection] = field(default_factory=list)  # the same, for the rejected table
    computed: int = 0  # keys, not items: two items may share one
    removed: int = 0
    note: str = ""

    @cached_property
    def rows(self) -> list[Row]:
        """The table's rows as dicts, without vectors: those are the table's `vector` column."""
        kept = [name for name in self.table.column_names if name != "vector"]
        rows: list[Row] = self.table.select(kept).to_pylist()
        return rows

    @property
    def reused(self) -> int:
        """How many of the items wanted cost nothing."""
        return sum(state is State.REUSED for state in self.states.values())


@dataclass(frozen=True)
class Files:
    """The files that a row stands for: the column that names them, and whether one is there."""

    column: str
    holds: Callable[[str], bool]


def row_key(*parts: Any) -> str:
    """The key of a row: digest of plain values that together fix its content."""
    if all(type(part) is str for part in parts):  # as nearly all are, of every row of every refresh
        return digests.of_texts(*parts)
    return digests.of_values(*parts)


def refresh(
    path: Path,
    schema: pa.Schema,
    stage: str,
    wanted: Sequence[Wanted],
    compute_batch: Callable[[Sequence[Mapping[str, Any]]], Sequence[Row | ImageError]],
    *,
    files: Files | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Refresh:
    """Bring the table at `path` to the rows wanted, in their order.

    `compute_batch` gives, for each source row, the columns that are the stage's own, or the ImageError why it can't;
    two items with one key are computed once. A standing row whose file is gone is computed again.
    Failed rows are not in the table: they are in `rejected`, and are tried again by the next refresh.
    """
    table, parts, note = _standing(path, schema)
    known = pa.concat_tables([table, *parts])
    place_of = {key: place for place, key in enumerate(known.column("key").to_pylist())}
    if files:
        names = known.column(files.column).to_pylist()
        place_of = {key: place for key, place in place_of.items() if files.holds(names[place])}
    new: dict[str, Mapping[str, Any]] = {}
    for row in wanted:
        if row.key not in place_of:
            new.setdefault(row.key, row.source)
    failed: dict[str, ImageError] = {}
    for done, batch in _batches(list(new.items())):
        progress(done, len(new))
        batch_rows: list[Row] = []
        for (key, source), computed in zip(batch, compute_batch([source for _, source in batch]), strict=True):
            if isinstance(computed, ImageError):
                failed[key] = computed
                continue
            place_of[key] = known.num_rows + len(batch_rows)
            batch_rows.append({**_item(source), "key": key, **computed})
        if batch_rows:
            part = _parts(path) / f"{batch[0][0]}.parquet"
            known = pa.concat_tables([known, tables.write(part, schema, batch_rows)])
    progress(len(new), len(new))
    rejected, errors, states, good = [], {}, {}, []
    fresh = set(new)  # the first item of a key that was computed; others of it cost nothing
    for row in wanted:
        item = tables.item_of(row.source)
        if error := failed.get(row.key):
            rejected.append(rejection(stage, row.source, Reason(error.reason), error.detail, Outcome.REJECTED))
            states[item], errors[item] = State.FAILED, error
        else:
            states[item] = State.COMPUTED if row.key in fresh else State.REUSED
            fresh.discard(row.key)
            good.append(row)
    standing_items = set(_items(table))
    now = _assembled(schema, [row.source for row in good], known, [place_of[row.key] for row in good])
    if note or not path.exists() or not now.equals(table):
        tables.write_table(path, now)
    shutil.rmtree(_parts(path), ignore_errors=True)
    removed = len(standing_items - set(_items(now)))
    return Refresh(now, states, errors, rejected, len(new) - len(failed), removed, note)


def _assembled(schema: pa.Schema, sources: Sequence[Mapping[str, Any]], known: pa.Table, places: list[int]) -> pa.Table:
    """The rows at `places` of the known ones, each under the item it is wanted for."""
    own = known.take(np.array(places, np.int64)).combine_chunks()
    columns = [
        pa.array([source[name] for source in sources], schema.field(name).type)
        if name in tables.ITEM_COLUMNS
        else own.column(name)
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def _parts(path: Path) -> Path:
    """Where batches wait until all are done."""
    return path.with_suffix(".parts")


def _item(row: Mapping[str, Any]) -> Row:
    return {name: row[name] for name in tables.ITEM_COLUMNS}


def _items(table: pa.Table) -> list[Item]:
    return list(zip(*[table.column(name).to_pylist() for name in tables.ITEM_COLUMNS], strict=True))


def _standing(path: Path, schema: pa.Schema) -> tuple[pa.Table, list[pa.Table], str]:
    """The table, the batches that a killed run left beside it, and a note where one of them can't be read."""
    found, note = [], ""
    for file in [path, *sorted(_parts(path).glob("*.parquet"))]:
        try:
            found.append(tables.read_table(file, schema) if file.exists() else schema.empty_table())
        except FormatError as error:
            note = f"standing rows computed again: {error}"
            found.append(schema.empty_table())
    return found[0], found[1:], note


def _batches(entries: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, len(entries), BATCH_ROWS):
        yield start, entries[start : start + BATCH_ROWS]


def where(item: Item) -> str:
    """What names an item in the rejected table."""
    product_id, _, image_index = item
    return f"photo {image_index} of {product_id!r}"


def rejection(stage: str, row: Mapping[str, Any], reason: Reason, detail: str, outcome: Outcome) -> Rejection:
    """What a stage says of one item in the rejected table."""
    item = _item(row)
    return Rejection(
        stage=stage,
        reason=reason,
        outcome=outcome,
        detail=detail,
        where=where(tables.item_of(row)),
        product_id=item["product_id"],
        variant=item["variant"],
        image=row.get("image", ""),
    )
