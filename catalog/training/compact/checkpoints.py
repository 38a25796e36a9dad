"""A training's state on disk: tensors in safetensors, the rest as JSON beside, which names the tensors' file.

The JSON is replaced last, so that a process killed at any moment leaves the state before or the one after, whole.
Import inside functions: it imports torch.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from catalog.errors import FormatError
from catalog.formats import atomic, digests

STATE, VERSION = "state.json", 1
ANEW = "leave out --resume to begin again"


def save(folder: Path, tensors: dict[str, Tensor], state: dict[str, Any], turn: int) -> None:
    """Put a state in the place of the one before; `turn` is how many were saved before it."""
    path = folder / f"checkpoint-{turn:05d}.safetensors"
    with atomic.write_beside(path) as beside:
        safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, beside)
    named = {"version": VERSION, "checkpoint": path.name, "sha256": digests.of_file(path), "turn": turn, **state}
    atomic.write_text(folder / STATE, json.dumps(named, indent=1) + "\n")
    for other in folder.glob("checkpoint-*.safetensors"):
        if other != path:
            other.unlink(missing_ok=True)


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The state that stands; None where none was saved. Raises: FormatError when it was damaged."""
    state = _state(folder)
    if state is None:
        return None
    path = folder / state["checkpoint"]
    if not path.is_file() or digests.of_file(path) != state["sha256"]:
        raise FormatError(f"{path}: missing, damaged or exchanged: its sha256 is not the one in {STATE}; {ANEW}")
    try:
        return safetensors.torch.load_file(path), state
    except SafetensorError as error:
        raise FormatError(f"{path}: not a safetensors file ({error}); {ANEW}") from error


def check_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Raises: FormatError when what stands was begun otherwise, naming in what; or was damaged."""
    state = _state(folder)
    if state is None or state.get("origin") == origin:
        return
    begun = state.get("origin")
    before: Mapping[str, Any] = begun if isinstance(begun, dict) else {}
    changed = [name for name in origin if before.get(name) != origin[name]]
    raise FormatError(
        f"{folder / STATE}: was begun with another dataset or other options ({', '.join(changed)}); give the same "
        f"ones, or {ANEW}"
    )


def _state(folder: Path) -> dict[str, Any] | None:
    file = folder / STATE
    if not file.exists():
        return None
    try:
        state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version, _ = state["version"], (state["checkpoint"], state["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{file}: is no state of a training ({error!r}); {ANEW}") from error
    if version != VERSION:
        raise FormatError(f"{file}: is of version {version}, this code reads {VERSION}; {ANEW}")
    return state


def clear(folder: Path) -> None:
    """Remove what was saved."""
    (folder / STATE).unlink(missing_ok=True)
    for path in folder.glob("checkpoint-*.safetensors"):
        path.unlink()
