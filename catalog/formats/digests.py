"""Content hashes: what an artefact is called, what a row's key is made of. SHA-256, written as lower-case hex."""

import ast
import functools
import hashlib
import inspect
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def of_bytes(content: bytes) -> str:
    """SHA-256 of bytes in memory."""
    return hashlib.sha256(content).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_array(array: np.ndarray) -> str:
    """SHA-256 of an array's dtype, shape and values: two photos with one digest have the same pixels."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def of_values(*values: Any) -> str:
    """SHA-256 of plain values (str, number, bool, None, lists and dicts of them) by their canonical JSON."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return of_bytes(text.encode("utf-8", "surrogatepass"))


def of_texts(*texts: str) -> str:
    """SHA-256 of texts, each behind its length so that they don't run together: a tenth of what `of_values` takes."""
    return of_bytes("".join([f"{len(text)}:{text}" for text in texts]).encode("utf-8", "surrogatepass"))


def of_code(*modules: ModuleType) -> str:
    """Digest of what modules do: of their syntax trees without docstrings, so that only real changes count.

    Versions derived from it can't be forgotten, and a comment or a new line recomputes nothing.
    """
    return of_values(*[_code_without_words(module) for module in modules])


@functools.cache
def _code_without_words(module: ModuleType) -> str:
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return ast.dump(tree)
