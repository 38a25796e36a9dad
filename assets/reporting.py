"""What assets tell Dagster's UI: counts, pictures and tables, said the same way by every stage."""

import heapq
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
from PIL import Image

from catalog.formats import atomic, tables
from catalog.records import Rejection
from catalog.vision import contact_sheets
from resources.data_lake import DataLake

GONE = "(left the catalogue)"  # where a category is asked of what has none any more
SHEET_PHOTOS = 24
SHEET_COLUMNS = 8
TILE_PX = 104  # keeps a sheet's data URI at some tens of KB: it lands in the event store


def picture(pictures: Sequence[np.ndarray], words: str) -> dg.MetadataValue:
    """A contact sheet that the UI shows."""
    sheet = contact_sheets.contact_sheet(pictures, SHEET_COLUMNS, TILE_PX)
    return dg.MetadataValue.md(f"![{words}]({contact_sheets.data_uri(sheet)})")


def tiles(
    rows: Sequence[Mapping[str, Any]],
    blob: str,
    kept: Callable[[Mapping[str, Any]], Path],
    draw: Callable[[Mapping[str, Any]], np.ndarray],
) -> list[np.ndarray]:
    """A small picture of some of the rows, drawn once and `kept`: of those whose blobs' names come first.

    Names are digests of what is shown, so a refresh shows mostly the same ones, and draws only what is new.
    """
    chosen = heapq.nsmallest(SHEET_PHOTOS, rows, key=itemgetter(blob))
    return [_tile(kept(row), lambda row=row: draw(row)) for row in chosen]


def _tile(kept: Path, draw: Callable[[], np.ndarray]) -> np.ndarray:
    try:
        with Image.open(kept) as known:
            return np.asarray(known.convert("RGB"))
    except OSError:  # not there yet, or damaged
        picture, encoded = Image.fromarray(draw()), io.BytesIO()
    picture.thumbnail((TILE_PX, TILE_PX), Image.Resampling.BICUBIC)
    picture.save(encoded, "PNG")
    atomic.write_bytes(kept, encoded.getvalue())
    return np.asarray(picture)


def whole_row(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Pictures filled up with blanks to one row of a contact sheet."""
    blank = np.full((8, 8, 3), contact_sheets.PAPER, np.uint8)
    return [*pictures[:SHEET_COLUMNS], *[blank] * (SHEET_COLUMNS - len(pictures))]


def spread(rows: Sequence[Any], count: int = SHEET_PHOTOS) -> list[Any]:
    """`count` of the rows, evenly spread: the same ones for the same rows."""
    if len(rows) <= count:
        return list(rows)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, count).astype(int)]


def categories(data_lake: DataLake) -> dict[tuple[str, str, int], str]:
    """The category of every item of the catalogue."""
    catalog = tables.read_table(data_lake.table("raw_catalog"), tables.RAW_CATALOG)
    rows = catalog.select([*tables.ITEM_COLUMNS, "category"]).to_pylist()
    return {tables.item_of(row): row["category"] for row in rows}


def by_category(
    items: Iterable[Mapping[str, Any]], category_of: Callable[[Mapping[str, Any]], str]
) -> dg.MetadataValue:
    """How many products and photos some items are, category by category."""
    photos: Counter[str] = Counter()
    products: dict[str, set[str]] = {}
    for item in items:
        category = category_of(item)
        photos[category] += 1
        products.setdefault(category, set()).add(item["product_id"])
    return table(
        [{"category": name, "products": len(products[name]), "photos": photos[name]} for name in sorted(photos)]
    )


def reasons(rejected: Iterable[Rejection]) -> dg.MetadataValue:
    """How many rows were turned away, or kept with a remark, for each reason."""
    counts = Counter((row.reason.value, row.outcome.value) for row in rejected)
    return table(
        [{"reason": reason, "outcome": outcome, "rows": count} for (reason, outcome), count in sorted(counts.items())]
    )


def table(records: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """A small table of plain values, in the order of the records' keys."""
    kinds = {bool: "bool", int: "int", float: "float"}
    first = records[0] if records else {}
    columns = [dg.TableColumn(name, kinds.get(type(value), "string")) for name, value in first.items()]
    return dg.MetadataValue.table(
        [dg.TableRecord(dict(record)) for record in records], schema=dg.TableSchema(columns=columns)
    )


def size(*files: Path) -> dict[str, Any]:
    """The size of files, in MB of a million bytes, as stores and phones count."""
    return {"megabytes": round(sum(file.stat().st_size for file in files) / 1e6, 3)}
