"""The head of a safetensors file, held to the file's size: finds one that was cut short, or is something else.

Layout: header length in bytes, uint64 little-endian; the header, JSON, a table by tensor name of
{"dtype", "shape", "data_offsets": [begin, end]} and "__metadata__"; the tensors' bytes, without a gap, to the file's
end. Offsets count from the header's end. Tensors themselves are read by the library, elsewhere.
Source: the safetensors format, github.com/huggingface/safetensors.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from catalog.errors import FormatError

MAX_HEADER_BYTES = 100_000_000  # the library's own limit
DTYPE_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}
_OTHERS = (  # what is found under the name of a safetensors file, by its first bytes
    (b"PK\x03\x04", "it is a zip, as torch.save writes it, and may hold a pickle, which runs code when it is opened"),
    (b"\x80", "it is a pickle, which runs code when it is opened"),
    (b"version https://git-lfs", "it is git-lfs's pointer, not the file: run `git lfs pull` where it was cloned"),
    (b"<", "it is a web page: what stands between here and the source, a proxy or a login, answered in its place"),
)


class Tensor(NamedTuple):
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name.

    Raises: FormatError when the file is something else, is cut short, or its offsets don't fit it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(32)
        for mark, told in _OTHERS:
            # A pickle's 0x80 may begin a length too; no header is longer than the file.
            if start.startswith(mark) and (len(start) < 8 or int.from_bytes(start[:8], "little") + 8 > size):
                raise FormatError(f"{path}: not a safetensors file: {told}")
        length = int.from_bytes(start[:8], "little")
        if size < 8 or length > MAX_HEADER_BYTES or length + 8 > size:
            raise FormatError(
                f"{path}: not a safetensors file, or cut short: {size} bytes, its first 8 promise {length} of header"
            )
        file.seek(8)
        raw = file.read(length)
    try:
        table = json.loads(raw.decode("utf-8"))
        if not isinstance(table, dict):
            raise ValueError(f"a {type(table).__name__}, not a table")
        table.pop("__metadata__", None)
        entries = {name: _entry(entry) for name, entry in table.items()}
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not a safetensors file: its header can't be read ({error})") from error
    reached = 0
    for name, (tensor, begin, end) in sorted(entries.items(), key=lambda item: item[1][1:]):
        wanted = math.prod(tensor.shape) * DTYPE_BYTES[tensor.dtype] if tensor.dtype in DTYPE_BYTES else end - begin
        if begin != reached or end - begin != wanted:
            raise FormatError(
                f"{path}: tensor {name!r}, {tensor.dtype} of {list(tensor.shape)}, lies at {begin} to {end}, "
                f"but {reached} to {reached + wanted} is where it belongs; the header is damaged"
            )
        reached = end
    if 8 + length + reached != size:
        raise FormatError(f"{path}: {size} bytes, its header says {8 + length + reached}; it was cut short or added to")
    if not entries:
        raise FormatError(f"{path}: a safetensors file without a tensor")
    return {name: tensor for name, (tensor, _, _) in entries.items()}


def _entry(said: Any) -> tuple[Tensor, int, int]:
    try:
        dtype, shape, (begin, end) = said["dtype"], said["shape"], said["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError("a tensor needs dtype, shape and data_offsets") from error
    numbers = [*shape, begin, end] if isinstance(shape, list) else [None]
    if not isinstance(dtype, str) or any(type(number) is not int or number < 0 for number in numbers) or end < begin:
        raise ValueError("a tensor's dtype, shape or data_offsets is no such thing")
    return Tensor(dtype, tuple(shape)), begin, end
