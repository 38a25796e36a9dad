"""From a model's source to the float32 model that a build runs: checked against its row, behind pixel input."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from catalog.errors import ModelError
from catalog.formats import digests
from catalog.model_descriptions import ModelDescription
from catalog.onnx_export import pixel_input

CATEGORIES_KEY, PROTOTYPES_KEY = "lookbook.categories", "lookbook.prototypes"


def float_model_of_checkpoint(folder: Path, model: ModelDescription) -> bytes:
    """Make the float32 model with pixel input from a checkpoint in its hub's format, through torch."""
    raise NotImplementedError


def float_model(source: bytes, model: ModelDescription, where: str) -> bytes:
    """Make the float32 model with pixel input from a source ONNX file's bytes; `where` names that file in messages.

    Raises: ModelError when the bytes are not the ones that the row describes.
    """
    digest = digests.of_bytes(source)
    if digest != model.sha256:
        raise ModelError(
            f"{where}: sha256 {digest} ({len(source)} bytes), but the row {model.name!r} of "
            f"catalog/model_descriptions.py says {model.sha256} ({model.size_bytes} bytes); "
            "it was cut short or exchanged: restore the file"
        )
    try:
        network = onnx.load_model_from_string(source)
    except DecodeError as error:
        raise ModelError(f"{where}: not an ONNX file ({error})") from error
    wrapped: bytes = pixel_input.with_pixel_input(network, model).SerializeToString(deterministic=True)
    return wrapped


def model_version(model: ModelDescription) -> str:
    """Digest of all that decides what the float model computes: part of row keys and code versions."""
    size = [model.input_side_px, model.resize, model.resize_side_px, model.resample]
    shape = [*size, list(model.mean), list(model.std), model.pooling, model.opset]
    return digests.of_values(digests.of_code(pixel_input), model.sha256, *shape)


def head_prototypes(source: bytes) -> dict[str, np.ndarray]:
    """The category head that an encoder's source file carries: a unit vector a category name; {} where it has none.

    It is kept in the file's metadata, `lookbook.categories` (names) and `lookbook.prototypes` (rows of float32,
    base64), since the graph itself does not need it.
    """
    properties = {entry.key: entry.value for entry in onnx.load_model_from_string(source).metadata_props}
    if CATEGORIES_KEY not in properties:
        return {}
    names = json.loads(properties[CATEGORIES_KEY])
    vectors = np.frombuffer(base64.b64decode(properties[PROTOTYPES_KEY]), "<f4").reshape(len(names), -1)
    return dict(zip(names, vectors, strict=True))


def with_head_prototypes(network: onnx.ModelProto, names: Sequence[str], vectors: np.ndarray) -> onnx.ModelProto:
    """The network with a category head in its metadata; `vectors` is (len(names), dim) float32 of length 1."""
    encoded = base64.b64encode(vectors.astype("<f4").tobytes()).decode("ascii")
    onnx.helper.set_model_props(network, {CATEGORIES_KEY: json.dumps(list(names)), PROTOTYPES_KEY: encoded})
    return network
