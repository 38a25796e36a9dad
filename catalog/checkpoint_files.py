"""Read the files of a checkpoint, in its hub's own format: JSON configs and safetensors, into transformers' modules.

Below both packages that run torch. Whether the bytes are the recorded ones is the model store's business; here a file
that is not what it should be is refused with its name. A pickle is never opened.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import ModelError
from catalog.formats import open_clip

if TYPE_CHECKING:
    import torch

EXTRA = (
    "install the extra in the checkout: .venv/bin/pip install --constraint constraints.txt --editable '.[pretrained]'"
)
ANEW = (
    "it was cut short or exchanged: pull the model again; if that is how it was pulled, first remove it from lock.toml"
)
OTHER = "it is another model's checkpoint: remove the model from models/lock.toml and pull the right one"

Choose = Callable[[str], bool]


@contextlib.contextmanager
def needs_extra(what: str) -> Iterator[None]:
    """Around imports of torch and its kin: where one is missing, a ModelError says that `what` needs the extra."""
    try:
        yield
    except ImportError as error:
        raise ModelError(f"{what} needs {error.name or 'torch'}, which is not installed; {EXTRA}") from error


def read_config(path: Path) -> dict[str, Any]:
    """A checkpoint's JSON config. Raises: ModelError when it is missing or is no table."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: can't be read as JSON ({error}); {ANEW}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: holds a {type(values).__name__}, a config is a table; {ANEW}")
    return values


def check_config(path: Path, name: str, said: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    """Hold a config's values to what the row called `name` wants; of a tuple, any of its values will do.

    Raises: ModelError with the key, the value got and the value wanted.
    """
    for key, value in wanted.items():
        allowed = value if isinstance(value, tuple) else (value,)
        if said.get(key) not in allowed:
            told = " or ".join(map(repr, allowed))
            raise ModelError(
                f"{path}: {key} is {said.get(key)!r}, the row {name!r} of catalog/model_descriptions.py wants {told}; "
                f"{OTHER}"
            )


def read_tensors(path: Path, keep: Choose, leave: Choose = lambda _: False) -> "dict[str, torch.Tensor]":
    """The tensors of a safetensors file whose names `keep` takes; of the rest `leave` must know every one.

    Raises: ModelError when the file can't be read, or holds a tensor that neither knows.
    """
    with _opened(path) as file:
        names = list(file.keys())
        strange = [name for name in names if not keep(name) and not leave(name)]
        if strange:
            raise ModelError(f"{path}: holds {some(strange)}, which this network has not; {OTHER}")
        return {name: file.get_tensor(name) for name in names if keep(name)}


def read_open_clip(path: Path, keep: Choose) -> "dict[str, torch.Tensor]":
    """The tensors of an open_clip ViT-B-16-SigLIP under the names of transformers' SiglipModel; those `keep` takes.

    Raises: ModelError as `read_tensors`, or when the names are not that network's.
    """
    with _opened(path) as file:
        try:
            pieces = open_clip.siglip_names(list(file.keys()))
        except ModelError as error:
            raise ModelError(f"{path}: {error}; {OTHER}") from error
        return {
            target: _put_together(path, target, made_of, [file.get_tensor(source) for source in made_of.sources])
            for target, made_of in pieces.items()
            if keep(target)
        }


def load(module_class: Any, config: Any, tensors: "dict[str, torch.Tensor]", path: Path) -> Any:
    """A transformers model of `module_class` in eval mode and float32, every tensor from `tensors`, none left over.

    `path` names their file in messages; names may be of an older transformers, which the library knows to rename.
    Raises: ModelError that names what is missing, unexpected or of another shape.
    """
    with needs_extra(f"{path}: loading it"):
        import torch
    with quiet():
        module, told = module_class.from_pretrained(
            None,
            config=config,
            state_dict=tensors,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that it is told below, in our own words
            dtype=torch.float32,
        )
    wrong = [
        f"{what}: {some(sorted(str(entry[0] if isinstance(entry, tuple) else entry) for entry in told[key]))}"
        for what, key in (
            ("missing", "missing_keys"),
            ("unexpected", "unexpected_keys"),
            ("of another shape", "mismatched_keys"),
        )
        if told[key]
    ]
    if wrong:
        what = f"not the tensors of {module_class.__name__} as its config describes it"
        raise ModelError(f"{path}: {what}; {'; '.join(wrong)}; {OTHER}")
    return module.eval()


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few of many names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers while it loads: bars, and warnings that no user can act on."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with needs_extra(f"{path}: reading it"):
        import torch  # noqa: F401  # safetensors gives torch's tensors
        from safetensors import SafetensorError, safe_open
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: can't be read as safetensors ({error}); {ANEW}") from error


def _put_together(path: Path, target: str, made_of: open_clip.Pieces, parts: "list[torch.Tensor]") -> "torch.Tensor":
    import torch

    tensor = parts[0] if len(parts) == 1 else torch.cat(parts)
    if made_of.third is not None:
        rows = len(tensor)
        if rows % 3:
            raise ModelError(f"{path}: {made_of.sources[0]} has {rows} rows, query, key and value need 3 x n; {OTHER}")
        tensor = tensor.chunk(3)[made_of.third].clone()  # a view would hold on to all three
    if target.endswith("position_embedding.weight") and tensor.ndim == 3:
        tensor = tensor.squeeze(0)
    return tensor.reshape(1) if target.startswith("logit_") and tensor.ndim == 0 else tensor
