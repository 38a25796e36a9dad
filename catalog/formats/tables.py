"""The lake's Parquet tables: one schema each, written whole or not at all; same rows, same bytes."""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import FormatError
from catalog.formats import atomic, digests

# What names an item, a product's photo; these columns open every table of the lake.
ITEM_COLUMNS = ("product_id", "variant", "image_index")
_ITEM = [pa.field("product_id", pa.string()), pa.field("variant", pa.string()), pa.field("image_index", pa.int32())]
_KEY = pa.field("key", pa.string())  # content key of the row: see catalog.features.row_memo


# What names a row's item: (product_id, variant, image_index). Asked a dozen times a row of every refresh.
item_of: Callable[[Mapping[str, Any]], tuple[str, str, int]] = itemgetter(*ITEM_COLUMNS)


def _strings(*names: str) -> list[pa.Field]:
    return [pa.field(name, pa.string()) for name in names]


RAW_CATALOG = pa.schema(
    [
        *_ITEM,
        *_strings("category", "title"),
        pa.field("price", pa.float64()),
        *_strings("currency", "url", "brand", "availability", "color", "pattern"),
        *_strings("image", "image_path", "image_sha256", "mask_path"),
    ]
)
PRODUCT_IMAGES = pa.schema(
    [
        *_ITEM,
        _KEY,
        *_strings("image_blob"),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("remarks", pa.list_(pa.string())),  # "reason: detail", of photos that were kept all the same
    ]
)
SAM2_MASKS = pa.schema(
    [
        *_ITEM,
        _KEY,
        *_strings("image_blob", "mask_blob"),
        *[pa.field(name, pa.float64()) for name in ("area_fraction", "border_fraction", "confidence")],
        pa.field("pieces", pa.int32()),
        pa.field("flags", pa.list_(pa.string())),
        *_strings("model"),  # that made the mask
        *_strings("prompted_by"),  # "saliency", "detector" or "grid"; "" of a segmenter that wants no prompt
        pa.field("prompt_box", pa.list_(pa.float64())),  # left, top, right, bottom in pixels; [] where there is none
        pa.field("prompt_points", pa.list_(pa.list_(pa.float64()))),  # x, y in pixels, all on the product
        # What a prompted segmenter's mask was taken for; null where the mask is another's.
        *[pa.field(name, pa.float64()) for name in ("predicted_iou", "stability", "saliency_iou")],
    ]
)
PRODUCT_CROPS = pa.schema(
    [
        *_ITEM,
        _KEY,
        *_strings("crop_blob"),
        *[pa.field(name, pa.int32()) for name in ("side_px", "left", "top", "right", "bottom")],
    ]
)
PHOTO_HASHES = pa.schema(
    [
        *_ITEM,
        _KEY,
        *_strings("image_blob"),
        pa.field("hash", pa.uint64()),
        pa.field("cells", pa.list_(pa.uint8(), 192)),  # see catalog.vision.photo_hashes
    ]
)
PHOTO_DUPLICATES = pa.schema(
    [
        *_ITEM,
        *[field.with_name(f"other_{field.name}") for field in _ITEM],
        *_strings("kind"),  # "exact": the same pixels; "near": as after another resize or compression
        pa.field("bits", pa.int32()),  # of 64 that the hashes differ in
        pa.field("levels", pa.int32()),  # of 255 that the colour of a cell differs by, at most
        pa.field("same_product", pa.bool_()),
    ]
)
DOWNLOADS = pa.schema(
    [
        *_strings("url", "sha256", "etag", "last_modified"),  # of the content that is held
        *_strings("status"),  # what came of the last time: "downloaded", "not_modified" or a reason
        pa.field("checked_at", pa.timestamp("ms", tz="UTC")),  # the server last gave or confirmed the content
        pa.field("wanted_at", pa.timestamp("ms", tz="UTC")),  # a feed last named the URL
    ]
)
DESCRIBED_QUERIES = pa.schema(
    [
        *_ITEM,
        _KEY,
        pa.field("spaces", pa.list_(pa.string())),
        pa.field("embeddings", pa.list_(pa.float32())),  # of every space, one after the other
        pa.field("texture", pa.list_(pa.float32())),
        pa.field("color", pa.list_(pa.float32())),
        pa.field("mask_iou", pa.float64()),  # null without an exact mask
        *_strings("mask_problem"),
        pa.field("stages", pa.list_(pa.string())),
        pa.field("milliseconds", pa.list_(pa.float64())),
        pa.field("photo_png", pa.binary()),  # small, for contact sheets
        pa.field("crop_png", pa.binary()),
        pa.field("photo_hash", pa.uint64()),
        pa.field("photo_cells", pa.list_(pa.uint8(), 192)),  # see catalog.vision.photo_hashes
    ]
)
BENCHMARK_VALUES = pa.schema(
    [
        *_ITEM,
        *_strings("photo"),  # sha256 of the query photo's file
        *_strings("bundle_version", "score"),  # what was searched, and how: "full score", "semantic only" ...
        pa.field("measures", pa.list_(pa.string())),  # those that the query's label allows
        pa.field("values", pa.list_(pa.float64())),
    ]
)
MASK_IOUS = pa.schema([*_ITEM, _KEY, pa.field("mask_iou", pa.float64())])  # of two segmenters' masks of one photo
REJECTED = pa.schema(_strings("stage", "reason", "outcome", "detail", "where", "product_id", "variant", "image"))


def vectors(dim: int) -> pa.Schema:
    """The schema of a table with a `dim`-float vector an item, and the space (encoder) that the vector is in."""
    return pa.schema([*_ITEM, _KEY, *_strings("space"), pa.field("vector", pa.list_(pa.float32(), dim))])


def prototypes(dim: int) -> pa.Schema:
    """The schema of category prototypes, all of one encoder's space: a line of the router each."""
    return pa.schema(
        [
            *_strings("category", "space", "basis"),
            pa.field("products", pa.int32()),
            pa.field("bias", pa.float32()),
            pa.field("vector", pa.list_(pa.float32(), dim)),
        ]
    )


def matrix(table: pa.Table, name: str = "vector") -> np.ndarray:
    """A column of equally long vectors as (rows, dim), of the column's own dtype."""
    column = table.column(name).combine_chunks()
    values: np.ndarray = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(table.num_rows, column.type.list_size)


def write(path: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Write rows in their order under `schema`, whole or not at all; returns them as a table.

    Raises: FormatError, a row that doesn't fit the schema: a value of another type, a column missing or too many.
    """
    listed = list(rows)
    for place, row in enumerate(listed):  # pyarrow would fill a missing column with nulls, and drop one it doesn't know
        if row.keys() != set(schema.names):
            raise FormatError(f"{path}: row {place} has the columns {list(row)}, wanted {schema.names}")
    try:
        table = pa.Table.from_pylist(listed, schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError) as error:
        raise FormatError(f"{path}: a row does not fit the table's schema ({error})") from error
    write_table(path, table)
    return table


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table, whole or not at all; its pages carry checksums, so that a flipped bit is found out."""
    with atomic.write_beside(path) as beside:
        pq.write_table(table, beside, compression="zstd", write_page_checksum=True)


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Read a table of `schema`.

    Raises: FormatError when it is missing, damaged or has other columns.
    """
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        names = table.schema.names
    except FileNotFoundError as error:
        raise FormatError(f"{path}: not there yet; materialize the asset that makes it") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: damaged ({error}); `lookbook build` makes it again") from error
    if not table.schema.equals(schema):
        raise FormatError(
            f"{path}: columns {names}, wanted {schema.names} (or other types); "
            "another version wrote it: `lookbook build` makes it again"
        )
    return table


def read(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    """Read a table's rows as dicts in their order; raises as `read_table`."""
    rows: list[dict[str, Any]] = read_table(path, schema).to_pylist()
    return rows


def content_digest(table: pa.Table, leave_out: Iterable[str] = ("key",)) -> str:
    """Digest of a table's values, without the columns left out: the data version of what the table says.

    Keys are left out as a rule: a row computed anew by other code to the same values is the same row.
    """
    parts: list[Any] = [table.num_rows]
    for name in table.column_names:
        if name in leave_out:
            continue
        column = table.column(name)
        if pa.types.is_fixed_size_list(column.type):
            values = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
            parts.append([name, digests.of_array(values)])
        else:
            parts.append([name, column.to_pylist()])
    return digests.of_values(*parts)
