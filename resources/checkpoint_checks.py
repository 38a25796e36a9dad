"""Is a folder of files the model that its row describes? Told by its files' heads and configs; no torch, no inference.

Whether the bytes are the recorded ones is not asked here: this is what can be seen at a first pull, when there is
nothing to compare with. Weights themselves are read, and held to the row again, when a model is first built with.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from catalog.checkpoint_files import check_config, read_config
from catalog.checkpoints import CONFIG, PREPROCESSING, RESAMPLE, check_preprocessing
from catalog.errors import FormatError, ModelError
from catalog.formats import open_clip, safetensors_header
from catalog.model_descriptions import Architecture, ModelDescription
from catalog.onnx_export import bare_network

MODEL_TYPES = {
    Architecture.SIGLIP: ("siglip",),
    Architecture.CLIP: ("clip",),
    Architecture.SAM2: ("sam2", "sam2_video"),  # the hub's are of the video model, which holds the image model
    Architecture.GROUNDING_DINO: ("grounding-dino",),
}
# Such networks come in several sizes that take the same photo: only their weight tells which one it is.
TOLD_BY_SIZE = (Architecture.ONNX, Architecture.YOLOX, Architecture.SAM2)
SIZE_TOLERANCE = 0.1


def check_checkpoint(folder: Path, names: tuple[str, ...], row: ModelDescription) -> str:
    """Hold the files called `names` in `folder` to their row.

    Returns: how the checkpoint's own preprocessing resamples, "bilinear" or "bicubic"; "" where it doesn't say.
    Raises: ModelError with the file, the value got and the value wanted.
    """
    for name in names:
        path = folder / name
        if name.endswith(".safetensors"):
            _check_tensors(path, row)
            _check_size(path, row)
        elif name.endswith(".onnx"):
            _check_onnx(path, row)
            _check_size(path, row)
        else:
            read_config(path)
    if CONFIG in names:
        _check_network(folder / CONFIG, row)
    if open_clip.CONFIG in names:
        return _check_open_clip(folder / open_clip.CONFIG, row)
    return check_preprocessing(folder / PREPROCESSING, row) if PREPROCESSING in names else ""


def _check_tensors(path: Path, row: ModelDescription) -> None:
    try:
        tensors = safetensors_header.read(path)
        if row.architecture is Architecture.OPEN_CLIP_SIGLIP:
            open_clip.siglip_names(list(tensors))
    except FormatError as error:
        raise ModelError(f"{error}; model {row.name} is taken as safetensors only: fetch it again") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _check_size(path: Path, row: ModelDescription) -> None:
    size = path.stat().st_size
    if row.architecture in TOLD_BY_SIZE and abs(size / row.size_bytes - 1) > SIZE_TOLERANCE:
        raise ModelError(
            f"{path}: {size / 1e6:.2f} MB, the row {row.name!r} of catalog/model_descriptions.py says about "
            f"{row.size_bytes / 1e6:.2f} MB; it is another size of the model: bring the right one, or correct the row"
        )


def _check_onnx(path: Path, row: ModelDescription) -> None:
    try:
        network = onnx.load_model_from_string(path.read_bytes())
        onnx.checker.check_model(network)
    except (DecodeError, onnx.checker.ValidationError) as error:
        told = " ".join(str(error).split())[:200]
        raise ModelError(f"{path}: not an ONNX file, or cut short ({told}); fetch it again") from error
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in network.graph.initializer):
        raise ModelError(f"{path}: keeps its weights in another file; bring one that holds them itself")
    try:
        if row.becomes_onnx:
            bare_network.find_names(bare_network.at_opset(network, row), row)
        else:
            _check_input(network, row)
    except ModelError as error:
        raise ModelError(f"{path}: {error}; it is another model's file: bring the right one") from error


def _check_input(network: onnx.ModelProto, row: ModelDescription) -> None:
    weights = {tensor.name for tensor in network.graph.initializer}
    photos = [entry for entry in network.graph.input if entry.name not in weights]
    shape = [size.dim_value or "any" for size in photos[0].type.tensor_type.shape.dim] if photos else []
    wanted = [1, 3, row.input_side_px, row.input_side_px]
    if len(shape) != 4 or any(got not in ("any", right) for got, right in zip(shape, wanted, strict=True)):
        raise ModelError(f"model {row.name}: its graph takes {shape}, its row makes it {wanted}")


def _check_network(path: Path, row: ModelDescription) -> None:
    """A value that config.json leaves out is transformers' default for the architecture."""
    values = read_config(path)
    if row.architecture is Architecture.DINOV2:
        types: tuple[str, ...] = ("dinov2_with_registers" if "with-registers" in row.source else "dinov2",)
    else:
        types = MODEL_TYPES[row.architecture]
    check_config(path, row.name, values, {"model_type": types})
    vision = _table(path, values, "vision_config")
    if row.architecture is Architecture.DINOV2:  # its image_size is the largest of training, another than the row's
        check_config(path, row.name, {"hidden_size": 768, **values}, {"hidden_size": row.embedding_dim})
    elif row.architecture is Architecture.SIGLIP:
        said = {"hidden_size": 768, "image_size": 224, **vision}
        check_config(path, row.name, said, {"hidden_size": row.embedding_dim, "image_size": row.input_side_px})
        said = {"max_position_embeddings": 64, **_table(path, values, "text_config")}
        check_config(path, row.name, said, {"max_position_embeddings": row.text_length})
    elif row.architecture is Architecture.CLIP:
        check_config(path, row.name, {"projection_dim": 512, **values}, {"projection_dim": row.embedding_dim})
        check_config(path, row.name, {"image_size": 224, **vision}, {"image_size": row.input_side_px})
        said = {"max_position_embeddings": 77, **_table(path, values, "text_config")}
        check_config(path, row.name, said, {"max_position_embeddings": row.text_length})
    elif row.architecture is Architecture.SAM2:
        side = row.input_side_px
        said = {"image_size": side, **_table(path, vision, "backbone_config")}
        check_config(path, row.name, said, {"image_size": (side, [side, side])})


def _check_open_clip(path: Path, row: ModelDescription) -> str:
    whole = read_config(path)
    values = _table(path, whole, "model_cfg")
    vision, text = _table(path, values, "vision_cfg"), _table(path, values, "text_cfg")
    check_config(path, row.name, values, {"embed_dim": row.embedding_dim})
    check_config(path, row.name, vision, {"image_size": row.input_side_px})
    check_config(path, row.name, text, {"context_length": row.text_length})
    said = _table(path, whole, "preprocess_cfg")
    mode = row.resize.replace("shortest_edge", "shortest")
    wanted = {"mean": (list(row.mean), None), "std": (list(row.std), None), "resize_mode": (mode, None)}
    check_config(path, row.name, said, {**wanted, "interpolation": (*RESAMPLE.values(), None)})
    return str(said.get("interpolation") or "")


def _table(path: Path, values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A table in a config; {} where it is left out."""
    found = values.get(key, {})
    if not isinstance(found, dict):
        raise ModelError(f"{path}: {key} is a {type(found).__name__}, a table is wanted; it is damaged: fetch it again")
    return found
