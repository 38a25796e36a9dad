"""The .bin files: bytes as documented, and nothing that is not them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from catalog.errors import FormatError
from catalog.formats import matrices

# Two rows of three float32, little-endian, no header: 1, 0, -2 and 0.5, 3, 100.
GOLDEN = bytes.fromhex("0000803f 00000000 000000c0 0000003f 00004040 0000c842")
VALUES = np.array([[1, 0, -2], [0.5, 3, 100]], np.float32)


def test_writes_the_documented_bytes(tmp_path: Path) -> None:
    """Row by row, whatever the order of the array in memory or of its bytes."""
    for number, matrix in enumerate([VALUES, np.asfortranarray(VALUES), VALUES[::-1].copy()[::-1]]):
        path = tmp_path / f"{number}.bin"
        matrices.write(path, matrix)
        assert path.read_bytes() == GOLDEN


def test_reads_the_documented_bytes(tmp_path: Path) -> None:
    """With rows known or not; what is read can't be written over."""
    path = tmp_path / "a.bin"
    path.write_bytes(GOLDEN)
    for rows in (None, 2):
        matrix = matrices.read(path, 3, rows)
        assert matrix.dtype == np.float32
        assert np.array_equal(matrix, VALUES)
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 9


def test_no_rows(tmp_path: Path) -> None:
    """An empty file is a matrix without rows."""
    path = tmp_path / "a.bin"
    matrices.write(path, np.zeros((0, 7), np.float32))
    assert path.read_bytes() == b""
    assert matrices.read(path, 7).shape == (0, 7)
    assert matrices.read(path, 7, 0).shape == (0, 7)


def test_a_file_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    """The message gives the file, its size and the size wanted."""
    path = tmp_path / "a.bin"
    for cut in range(len(GOLDEN)):
        path.write_bytes(GOLDEN[:cut])
        with pytest.raises(FormatError, match=rf"a\.bin: {cut} bytes, but 2 x 3 float32 = 24; it was cut short"):
            matrices.read(path, 3, 2)
        if cut % 12:
            with pytest.raises(FormatError, match=rf"a\.bin: {cut} bytes, but {cut // 12} x 3 float32"):
                matrices.read(path, 3)
    path.write_bytes(GOLDEN + b"\0")
    with pytest.raises(FormatError, match="25 bytes, but 2 x 3 float32 = 24"):
        matrices.read(path, 3, 2)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """With what makes it."""
    with pytest.raises(FormatError, match=r"none\.bin: can't be read \(No such file or directory\); materialize"):
        matrices.read(tmp_path / "none.bin", 3)


@pytest.mark.parametrize(
    ("matrix", "match"),
    [
        (VALUES.astype(np.float64), r"got float64 of shape \(2, 3\), wanted float32"),
        (VALUES.astype(np.float16), "got float16"),
        (VALUES.astype(">f4"), "got >f4"),
        (VALUES[0], r"got float32 of shape \(3,\), wanted float32 of \(rows, columns\)"),
        (VALUES[None], r"of shape \(1, 2, 3\)"),
        (np.array([[0, 1], [np.nan, 0]], np.float32), "row 1 holds a value that is not finite"),
        (np.array([[0, 1], [2, 0], [0, -np.inf]], np.float32), "row 2 holds a value that is not finite"),
    ],
)
def test_refuses_to_write_anything_else(tmp_path: Path, matrix: np.ndarray, match: str) -> None:
    """And leaves the file that was there."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(FormatError, match=match):
        matrices.write(path, matrix)
    assert path.read_bytes() == b"old"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    matrix=hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 6), st.integers(1, 6)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_any_matrix_comes_back(tmp_path: Path, matrix: np.ndarray) -> None:
    """Bit for bit, -0.0 and the smallest numbers included."""
    path = tmp_path / "a.bin"
    matrices.write(path, matrix)
    assert matrices.read(path, matrix.shape[1], len(matrix)).tobytes() == matrix.tobytes()


def test_half_the_size_by_the_documented_bytes(tmp_path: Path) -> None:
    """float16: 1, 0, -2 and 0.5, 3, 100 are exact in it; a third is the nearest of its 11 bits."""
    path = tmp_path / "a.bin"
    matrices.write(path, VALUES, matrices.FLOAT16)
    assert path.read_bytes() == bytes.fromhex("003c 0000 00c0 0038 0042 4056")
    matrix = matrices.read(path, 3, 2, matrices.FLOAT16)
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, VALUES)
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 9
    matrices.write(path, np.array([[1 / 3]], np.float32), matrices.FLOAT16)
    assert matrices.read(path, 1, 1, matrices.FLOAT16)[0, 0] == 1365 / 4096


def test_what_float16_can_not_hold_is_refused(tmp_path: Path) -> None:
    """65,504 is its largest; a file of one kind is not read as the other."""
    path = tmp_path / "a.bin"
    matrices.write(path, VALUES, matrices.FLOAT16)
    with pytest.raises(FormatError, match=r"a\.bin: 12 bytes, but 2 x 3 float32 = 24"):
        matrices.read(path, 3, 2)
    with np.errstate(over="ignore"), pytest.raises(FormatError, match="row 1 holds a value that is not finite"):
        matrices.write(path, np.array([[1.0], [70_000.0]], np.float32), matrices.FLOAT16)
    assert path.stat().st_size == 12
