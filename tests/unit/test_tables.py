"""The lake's tables: same rows, same bytes; a damaged or foreign file is refused, whatever is wrong with it."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import FormatError
from catalog.formats import tables


def image_row(number: int) -> dict[str, Any]:
    """A row of `product_images`."""
    return {
        "product_id": f"p{number}/ü 👗",
        "variant": "v" * number,
        "image_index": number,
        "key": f"{number:064x}",
        "image_blob": f"{number:064x}.png",
        "width": 10 + number,
        "height": 20 + number,
        "remarks": ["wrong_extension: the bytes are PNG"] * (number % 3),
    }


ROWS = [image_row(number) for number in range(9)]


def vector_row(product: str, vector: list[float], key: str = "k") -> dict[str, Any]:
    """A row of a table of vectors."""
    return {
        "product_id": product, "variant": "", "image_index": 0, "key": key, "space": "s",
        "vector": np.array(vector, np.float32),
    }  # fmt: skip


def test_rows_come_back(tmp_path: Path) -> None:
    """In their order, with their types, through any Parquet reader."""
    path = tmp_path / "deep" / "a.parquet"
    tables.write(path, tables.PRODUCT_IMAGES, reversed(ROWS))
    assert tables.read(path, tables.PRODUCT_IMAGES) == ROWS[::-1]
    assert pq.read_table(path).to_pylist() == ROWS[::-1]
    assert [entry.name for entry in path.parent.iterdir()] == ["a.parquet"]


def test_no_rows_is_a_table(tmp_path: Path) -> None:
    """With its columns."""
    tables.write(tmp_path / "a.parquet", tables.PRODUCT_IMAGES, [])
    assert tables.read(tmp_path / "a.parquet", tables.PRODUCT_IMAGES) == []


def test_same_rows_same_bytes_in_two_processes(tmp_path: Path) -> None:
    """Each with another seed of Python's own hashing."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom catalog.formats import tables\n"
        "rows = [{'product_id': f'p{n}', 'variant': '', 'image_index': n, 'key': str(n), 'space': 's',"
        " 'vector': [n, n / 3]} for n in range(500)]\n"
        "tables.write(Path(sys.argv[1]), tables.vectors(2), rows)\n"
    )
    for seed in "12":
        environment = {"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"}
        path = tmp_path / f"{seed}.parquet"
        subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=True)
    first, second = ((tmp_path / f"{seed}.parquet").read_bytes() for seed in "12")
    assert first == second


def test_vectors_come_back_as_a_matrix(tmp_path: Path) -> None:
    """(rows, dim) float32, bit for bit; also of no rows and of a slice."""
    path, schema = tmp_path / "a.parquet", tables.vectors(3)
    vectors = [[1, 0, -2], [0.1, 3, 1e-40], [5, 6, 7]]
    tables.write(path, schema, [vector_row(f"p{n}", vector) for n, vector in enumerate(vectors)])
    table = tables.read_table(path, schema)
    matrix = tables.matrix(table)
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, np.array(vectors, np.float32))
    assert np.array_equal(tables.matrix(table.slice(1, 1)), np.array(vectors[1:2], np.float32))
    assert tables.matrix(table.slice(0, 0)).shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"width": "ten"}, "a row does not fit the table's schema .*'ten' with type str"),
        ({"width": 2**40}, "too large to fit in C integer"),
        ({"width": 2**70}, "too large to convert"),
        ({"product_id": 3}, "Expected bytes, got a 'int' object"),
        ({"product_id": "\ud800"}, "surrogates not allowed"),
        ({"colour": "red"}, r"row 1 has the columns \[.*'colour'\], wanted \['product_id', 'variant'"),
    ],
)
def test_refuses_a_row_that_does_not_fit(tmp_path: Path, change: dict[str, Any], match: str) -> None:
    """Of another type, too large, or with a column that the table hasn't; the file that was there stays."""
    path = tmp_path / "a.parquet"
    path.write_bytes(b"old")
    with pytest.raises(FormatError, match=rf"a\.parquet: .*({match})"):
        tables.write(path, tables.PRODUCT_IMAGES, [ROWS[0], {**ROWS[1], **change}])
    assert path.read_bytes() == b"old"


def test_refuses_a_row_without_a_column(tmp_path: Path) -> None:
    """A null in its place would only be noticed stages later."""
    row = {name: value for name, value in ROWS[0].items() if name != "image_blob"}
    with pytest.raises(FormatError, match=r"row 0 has the columns \['product_id', .*\], wanted \[.*'image_blob'"):
        tables.write(tmp_path / "a.parquet", tables.PRODUCT_IMAGES, [row])


def test_refuses_a_vector_of_another_length(tmp_path: Path) -> None:
    """Three floats where four are wanted."""
    with pytest.raises(FormatError, match="expected 4 but got array of size 3"):
        tables.write(tmp_path / "a.parquet", tables.vectors(4), [vector_row("p", [1, 2, 3])])


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    """By its path, with what makes it."""
    with pytest.raises(FormatError, match=r"none\.parquet: not there yet; materialize the asset that makes it"):
        tables.read(tmp_path / "none.parquet", tables.PRODUCT_IMAGES)


def test_another_versions_table_is_told(tmp_path: Path) -> None:
    """Other columns, and the same columns of another type."""
    path = tmp_path / "a.parquet"
    tables.write(path, tables.PRODUCT_IMAGES, ROWS)
    with pytest.raises(
        FormatError, match=r"columns \['product_id', .*'remarks'\], wanted \[.*'crop_blob'.*another version"
    ):
        tables.read(path, tables.PRODUCT_CROPS)
    tables.write(path, tables.vectors(2), [vector_row("p", [1, 2])])
    with pytest.raises(FormatError, match="or other types"):
        tables.read(path, tables.vectors(3))


def test_a_table_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """At every fifth byte, and at each of the footer's last hundred."""
    path = tmp_path / "a.parquet"
    tables.write(path, tables.PRODUCT_IMAGES, ROWS)
    content = path.read_bytes()
    for cut in [*range(0, len(content), 5), *range(len(content) - 100, len(content))]:
        path.write_bytes(content[:cut])
        with pytest.raises(FormatError, match=r"a\.parquet: damaged \(.*\); `lookbook build` makes it again"):
            tables.read(path, tables.PRODUCT_IMAGES)


@pytest.mark.parametrize(
    "content", [b"PAR1", b"PAR1PAR1", bytes(5000), b"product_id,variant\n", b"PAR1" + bytes(90) + b"PAR1"]
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """Signatures, zeros, a CSV."""
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(FormatError, match="damaged"):
        tables.read(tmp_path / "a.parquet", tables.PRODUCT_IMAGES)


def test_any_flipped_bit_is_refused_or_harmless(tmp_path: Path) -> None:
    """A bit of every third byte: these rows or none; without page checksums one flip in twenty gave other rows."""
    path = tmp_path / "a.parquet"
    tables.write(path, tables.PRODUCT_IMAGES, ROWS)
    content = path.read_bytes()
    refused = 0
    places = range(0, len(content), 3)
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :])
        try:
            assert tables.read(path, tables.PRODUCT_IMAGES) == ROWS
        except FormatError:
            refused += 1
    assert refused > len(places) / 2


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """Nor is anything else that can't be read as a file."""
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(FormatError, match=r"a\.parquet: damaged"):
        tables.read(tmp_path / "a.parquet", tables.PRODUCT_IMAGES)


def test_content_digest_is_of_what_a_table_says() -> None:
    """Not of its keys, nor of how its pages lie; but of every value, its row and its column's name."""

    def table(*rows: tuple[str, list[float], str]) -> pa.Table:
        return pa.Table.from_pylist([vector_row(*row) for row in rows], schema=tables.vectors(2))

    first = table(("a", [1, 2], "k1"), ("b", [3, 4], "k2"))
    rekeyed = table(("a", [1, 2], "k8"), ("b", [3, 4], "k9"))
    pieces = pa.concat_tables([first.slice(0, 1), first.slice(1)])
    assert tables.content_digest(rekeyed) == tables.content_digest(first) == tables.content_digest(pieces)
    others = [
        table(("a", [1, 2], "k1"), ("c", [3, 4], "k2")),
        table(("a", [1, 2], "k1"), ("b", [3, 5], "k2")),
        table(("b", [3, 4], "k2"), ("a", [1, 2], "k1")),
        table(("a", [1, 2], "k1")),
        table(),
        first.rename_columns(["product_id", "variant", "image_index", "key", "space", "other"]),
    ]
    assert len({tables.content_digest(other) for other in [first, *others]}) == len(others) + 1
    assert tables.content_digest(first, leave_out=()) != tables.content_digest(rekeyed, leave_out=())
    assert tables.content_digest(first, leave_out=["vector", "key"]) == tables.content_digest(
        others[1], leave_out=["vector", "key"]
    )


def test_content_digest_is_worked_out_by_hand() -> None:
    """One row of one text column: sha256 of canonical JSON, number of rows first."""
    table = pa.table({"product_id": ["é"], "key": ["k"]})
    assert tables.content_digest(table) == hashlib.sha256('[1,["product_id",["é"]]]'.encode()).hexdigest()
