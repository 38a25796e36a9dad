"""The head of a safetensors file: what the library writes is read, what was cut, swapped or forged is refused."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from catalog.errors import FormatError
from catalog.formats import safetensors_header
from catalog.formats.safetensors_header import Tensor


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file of the library's own."""
    path = tmp_path / "model.safetensors"
    tensors = {"weight": np.ones((3, 5), np.float32), "half": np.ones(7, np.float16), "scale": np.array(2.0)}
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def test_reads_what_the_library_writes(written: Path) -> None:
    """Names, types and shapes; a scalar has no axis."""
    assert safetensors_header.read(written) == {
        "weight": Tensor("F32", (3, 5)),
        "half": Tensor("F16", (7,)),
        "scale": Tensor("F64", ()),
    }


def test_cut_at_any_byte_is_refused(written: Path) -> None:
    """And so is one byte too many."""
    whole = written.read_bytes()
    for size in range(len(whole)):
        written.write_bytes(whole[:size])
        with pytest.raises(FormatError, match=r"model\.safetensors: (not a safetensors|\d+ bytes, its header says)"):
            safetensors_header.read(written)
    written.write_bytes(whole + b"\0")
    with pytest.raises(FormatError, match=rf"{len(whole) + 1} bytes, its header says {len(whole)}; it was cut"):
        safetensors_header.read(written)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickle.dumps({"weight": [1.0] * 99}), "it is a pickle, which runs code when it is opened"),
        (b"PK\x03\x04" + bytes(99), r"it is a zip, as torch\.save writes it, and may hold a pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs's pointer, not the file: run `git"),
        (b"<!DOCTYPE html><title>Sign in</title>" + bytes(99), "it is a web page: .* a proxy or a login"),
        (bytes(8), "its header can't be read"),
        (b"", "0 bytes, its first 8 promise 0 of header"),
    ],
)
def test_tells_what_is_there_instead(tmp_path: Path, content: bytes, told: str) -> None:
    """The usual things found under the name."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=told):
        safetensors_header.read(path)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ([], "a list, not a table"),
        ({}, "without a tensor"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "a tensor needs dtype, shape and data_offsets"),
        ({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, "is no such thing"),
        ({"a": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}}, "is no such thing"),
        ({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, "0 to 12 is where it belongs"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, "0 to 4 is where it belongs"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, "it was cut short or added to"),
    ],
)
def test_refuses_a_header_that_lies(tmp_path: Path, header: object, told: str) -> None:
    """Eight bytes of tensors behind each."""
    path = tmp_path / "model.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + (b"" if header == {} else bytes(8)))
    with pytest.raises(FormatError, match=told):
        safetensors_header.read(path)
