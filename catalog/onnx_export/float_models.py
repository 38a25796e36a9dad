"""From a model's source to the float32 model that a build runs: checked against its row, behind pixel input."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from catalog import checkpoint_files, checkpoints
from catalog.errors import ModelError
from catalog.features.inference import PixelModel
from catalog.formats import digests, open_clip
from catalog.model_descriptions import Architecture, ModelDescription
from catalog.onnx_export import bare_network, fusions, pixel_input, torch_export

if TYPE_CHECKING:
    import torch

LEAST_COSINE = 0.9999  # of an exported model with the torch module it was made from
CATEGORIES_KEY, PROTOTYPES_KEY = "lookbook.categories", "lookbook.prototypes"


def float_model_of_checkpoint(folder: Path, model: ModelDescription) -> bytes:
    """Make the float32 model with pixel input from the checkpoint in `folder`, in its hub's format, through torch.

    What comes out is run once beside the torch module it was made from, so that nothing else is ever kept.
    Raises: ModelError when the checkpoint is not what the row describes, or the two don't agree.
    """
    module = checkpoints.open_network(folder, model)
    content = _with_pixel_input(fusions.fuse(torch_export.export(module, model)), model)
    _check_export(module, content, model, folder)
    return content


def _check_export(module: "torch.nn.Module", content: bytes, model: ModelDescription, folder: Path) -> None:
    """Grain over a slope, of a size that the graph need not resize, through both."""
    import torch

    side, whole = model.input_side_px, model.resize_side_px or model.input_side_px
    grain = np.random.default_rng(0).integers(-40, 41, (whole, whole, 3))
    slope = np.linspace(60, 190, whole)[:, None, None]
    image = (slope + grain).astype(np.uint8)
    first = (whole - side) // 2
    cut = image[first : first + side, first : first + side].astype(np.float32) / 255
    pixels = ((cut - np.array(model.mean, np.float32)) / np.array(model.std, np.float32)).transpose(2, 0, 1)[None]
    mask = np.zeros((whole, whole), bool)
    mask[whole // 4 :, : whole // 2] = True
    feeds = [torch.from_numpy(np.ascontiguousarray(pixels))]
    if model.takes_mask:
        feeds.append(torch.from_numpy(mask[first : first + side, first : first + side].astype(np.float32)[None, None]))
    with torch.inference_mode():
        wanted = module(*feeds)[0].numpy()
    try:
        found = PixelModel(content, model.output).run(image, mask)
    except ModelError as error:
        raise ModelError(f"{folder}: model {model.name} does not run: {error}; {checkpoint_files.ANEW}") from error
    cosine = float(found @ wanted / max(float(np.linalg.norm(wanted)), 1e-12))
    if not cosine >= LEAST_COSINE:
        raise ModelError(
            f"{folder}: model {model.name} exported to ONNX gives other numbers than in torch (cosine {cosine:.6f}, at "
            f"least {LEAST_COSINE} is wanted); its weights may be damaged: pull it again, or report it with your "
            f"torch {torch.__version__}"
        )


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
    return _with_pixel_input(network, model)


def _with_pixel_input(network: onnx.ModelProto, model: ModelDescription) -> bytes:
    content: bytes = pixel_input.with_pixel_input(network, model).SerializeToString(deterministic=True)
    return content


def model_version(model: ModelDescription) -> str:
    """Digest of all that decides what the float model computes: part of row keys and code versions."""
    size = [model.input_side_px, model.resize, model.resize_side_px, model.resample]
    names = [model.network_input, model.network_mask, model.network_output, model.output]
    shape = [*size, list(model.mean), list(model.std), model.pooling, model.opset, *names]
    code = [bare_network, pixel_input]
    if model.architecture is not Architecture.ONNX:
        code += [checkpoint_files, checkpoints, fusions, open_clip, torch_export]
    return digests.of_values(digests.of_code(*code), model.sha256, *shape)


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
