"""Rows memoised by content: of the rows wanted, compute only those whose key is new, and keep the rest.

A key is the digest of all that shapes a row: the pixels that go in, the model, the parameters and the code's own
version. Rows are committed in batches, so a killed run loses the batch in hand at most. What a row holds, and what
computes it, is the stage's business; this module knows keys only.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import FormatError, ImageError
from catalog.formats import digests, tables
from catalog.records import Outcome, Reason, Rejection

Row = dict[str, Any]
BATCH_ROWS = 64  # computed between two commits


@dataclass(frozen=True)
class Wanted:
    """A row that the stage's table is to have."""

    source: Mapping[str, Any]  # the row it is computed from; its item columns name it
    key: str


@dataclass
class Refresh:
    """What a refresh did: the table's rows in the order wanted, the failures, and the counts to report."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    reused: int = 0
    computed: int = 0
    removed: int = 0
    note: str = ""


def row_key(*parts: Any) -> str:
    """The key of a row: digest of plain values that together fix its content."""
    return digests.of_values(*parts)


def refresh(
    path: Path,
    schema: Any,
    stage: str,
    wanted: Sequence[Wanted],
    compute_batch: Callable[[Sequence[Mapping[str, Any]]], Sequence[Row | ImageError]],
    *,
    is_whole: Callable[[Row], bool] = lambda row: True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Refresh:
    """Bring the table at `path` to the rows wanted, in their order.

    `compute_batch` gives, for each source row, the columns that are the stage's own, or the ImageError why it can't;
    two items with one key are computed once. `is_whole` says whether a standing row's files are still there.
    Failed rows are not in the table: they are in `rejected`, and are tried again by the next refresh.
    """
    result = Refresh()
    known, removed_candidates = _standing_rows(path, schema, result)
    known = {key: row for key, row in known.items() if is_whole(row)}
    new: dict[str, Mapping[str, Any]] = {}
    for row in wanted:
        if row.key not in known:
            new.setdefault(row.key, row.source)
    failed: dict[str, ImageError] = {}
    parts = path.with_suffix(".parts")
    own_columns = [name for name in schema.names if name not in tables.ITEM_COLUMNS]
    for done, batch in _batches(list(new.items())):
        progress(done, len(new))
        batch_rows = []
        for (key, source), computed in zip(batch, compute_batch([source for _, source in batch]), strict=True):
            if isinstance(computed, ImageError):
                failed[key] = computed
                continue
            known[key] = {"key": key, **computed}
            batch_rows.append({**_item(source), **known[key]})
        if batch_rows:
            tables.write(parts / f"{batch[0][0]}.parquet", schema, batch_rows)
    progress(len(new), len(new))
    for row in wanted:
        if row.key in failed:
            error = failed[row.key]
            said = rejection(stage, row.source, Reason(error.reason), error.detail, Outcome.REJECTED)
            result.rejected.append(said)
            continue
        own = {name: known[row.key][name] for name in own_columns}
        result.rows.append({**_item(row.source), **own})
    result.computed = len(new) - len(failed)
    result.reused = sum(row.key not in new for row in wanted)
    kept = {tuple(_item(row).values()) for row in result.rows}
    result.removed = len(removed_candidates - kept)
    tables.write(path, schema, result.rows)
    shutil.rmtree(parts, ignore_errors=True)
    return result


def _item(row: Mapping[str, Any]) -> Row:
    return {name: row[name] for name in tables.ITEM_COLUMNS}


def _standing_rows(path: Path, schema: Any, result: Refresh) -> tuple[dict[str, Row], set[tuple[Any, ...]]]:
    """Rows by key of the table and of the batches that a killed run left beside it; and the table's items."""
    rows: list[Row] = []
    items: set[tuple[Any, ...]] = set()
    files = [path, *sorted(path.with_suffix(".parts").glob("*.parquet"))]
    for file in files:
        if not file.exists():
            continue
        try:
            standing = tables.read(file, schema)
        except FormatError as error:
            result.note = f"standing rows computed again: {error}"
            continue
        rows.extend(standing)
        if file == path:
            items = {tuple(_item(row).values()) for row in standing}
    return {row["key"]: row for row in rows}, items


def _batches(entries: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, len(entries), BATCH_ROWS):
        yield start, entries[start : start + BATCH_ROWS]


def rejection(stage: str, row: Mapping[str, Any], reason: Reason, detail: str, outcome: Outcome) -> Rejection:
    """What a stage says of one item in the rejected table."""
    item = _item(row)
    return Rejection(
        stage=stage,
        reason=reason,
        outcome=outcome,
        detail=detail,
        where=f"photo {item['image_index']} of {item['product_id']!r}",
        product_id=item["product_id"],
        variant=item["variant"],
        image=row.get("image", ""),
    )
