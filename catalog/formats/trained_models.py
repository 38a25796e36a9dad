"""models/trained/<name>/: the models that a home trained itself, a folder each, with the row that a profile names.

| file | what it is |
|---|---|
| `row.json` | version 1: the model's row, the same fields as in `catalog/model_descriptions.py`; written last |
| `model.onnx` | the bare float32 network, whose sha256 the row has |
| `learnt_photos.json` | version 1: the sha256 of each photo that it learnt or was chosen by; never to be scored on |
| `card.md`, `report.json`, `*.png` | what it is worth, for people |
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import ModelError
from catalog.formats import atomic
from catalog.model_descriptions import SHIPPED_MODELS, ModelDescription, Quantization, Role

VERSION, ROW, NETWORK = 1, "row.json", "model.onnx"
LEARNT, LEARNT_FORMAT = "learnt_photos.json", "lookbook-learnt-photos"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
MEND = "remove its folder, or train it again with `lookbook train`"

Triple = Annotated[list[float], Field(min_length=3, max_length=3)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    name: str
    role: Literal["semantic"]
    source: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(gt=0)]
    licence: str
    licence_terms: str
    network_input: str
    network_output: str
    output: str
    input_side_px: Annotated[int, Field(ge=16, le=1024)]
    mean: Triple
    std: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]
    embedding_dim: Annotated[int, Field(ge=1, le=4096)]
    pooling: str
    opset: Annotated[int, Field(ge=18, le=21)]
    quantization: list[str]


def check_name(name: str) -> None:
    """Raises: ModelError for a name that no folder should have, or that a model of Lookbook's own table has."""
    if not NAME.fullmatch(name):
        raise ModelError(
            f"model name {name!r}: use up to 63 lower-case letters, digits, '.', '_' and '-', a letter or digit first"
        )
    if name in SHIPPED_MODELS:
        raise ModelError(f"model name {name!r}: is a model of Lookbook's own; give yours another, with --name")


def write_learnt(folder: Path, sha256: Iterable[str]) -> None:
    """Keep the digests of the files that a model was trained and validated on, beside it."""
    told = {"format": LEARNT_FORMAT, "format_version": 1, "sha256": sorted(set(sha256))}
    atomic.write_text(folder / LEARNT, json.dumps(told, indent=1) + "\n")


def read_learnt(folder: Path) -> set[str] | None:
    """The digests that `write_learnt` kept; None where there are none: of another home, or of before they were kept."""
    try:
        return set(json.loads((folder / LEARNT).read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_row(folder: Path, row: ModelDescription) -> None:
    """Put a model's row beside its network: from then on a profile may name it."""
    values = {name: value for name, value in asdict(row).items() if name in _Row.model_fields}
    atomic.write_text(folder / ROW, json.dumps({"version": VERSION, **values}, indent=1) + "\n")


def read_rows(root: Path) -> list[ModelDescription]:
    """The rows of every model below `root`, by name; a folder without one is of a training that has not ended.

    Raises: ModelError, one line, for a row that can't be used.
    """
    return [_read(file) for file in sorted(root.glob(f"*/{ROW}"))]


def _read(file: Path) -> ModelDescription:
    try:
        row = _Row.model_validate(json.loads(file.read_text(encoding="utf-8")))
        ways = tuple(Quantization(way) for way in row.quantization)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise ModelError(f"{file}: {place}: {problem['msg']} (got {problem['input']!r}); {MEND}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: can't be read ({error}); {MEND}") from error
    check_name(row.name)
    if row.name != file.parent.name or row.source != f"trained:{row.name}/{NETWORK}":
        raise ModelError(f"{file}: is the row of {row.name!r} from {row.source!r}, in another folder; {MEND}")
    values = row.model_dump(exclude={"version", "role", "mean", "std", "quantization"})
    mean, std = ((one[0], one[1], one[2]) for one in (row.mean, row.std))
    return ModelDescription(role=Role.SEMANTIC, mean=mean, std=std, quantization=ways, **values)
