"""Open an encoder's checkpoint as a torch module that does what its row says: prepared pixels in, features out.

A module takes (n, 3, side, side) float32 pixels as the row prepares them, and (n, 1, side, side) mask in [0, 1] where
the row takes one; it gives (n, embedding_dim), not normalised. It is exported to ONNX, or run in torch as it is.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import checkpoint_files
from catalog.checkpoint_files import check_config, needs_extra, read_config
from catalog.errors import ModelError
from catalog.formats import open_clip
from catalog.model_descriptions import Architecture, ModelDescription

if TYPE_CHECKING:
    import torch

WEIGHTS, CONFIG, PREPROCESSING = "model.safetensors", "config.json", "preprocessor_config.json"
RESAMPLE = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers, as preprocessor_config.json has them
TIMM_NAME = "vit_base_patch16_siglip_224"


def open_network(folder: Path, model: ModelDescription) -> "torch.nn.Module":
    """Open the checkpoint in `folder` as the encoder that `model` describes, in eval mode and float32.

    Raises: ModelError when torch is missing, a file is missing or damaged, or is not what the row describes.
    """
    with needs_extra(f"model {model.name}"):
        import torch
        import transformers  # noqa: F401
    openers: dict[Architecture, Callable[[Path, ModelDescription], torch.nn.Module]] = {
        Architecture.SIGLIP: _open_siglip,
        Architecture.OPEN_CLIP_SIGLIP: _open_open_clip,
        Architecture.CLIP: _open_clip,
        Architecture.DINOV2: _open_dinov2,
    }
    if model.architecture not in openers:
        raise ModelError(f"model {model.name}: a {model.architecture} checkpoint is no encoder of photos; name another")
    return openers[model.architecture](folder, model).requires_grad_(False)


def clip_config(folder: Path, model: ModelDescription, config_class: Any, model_type: str) -> Any:
    """transformers' config of a checkpoint with two towers, held to its row.

    Raises: ModelError when it is missing, damaged, or another model's.
    """
    path = folder / CONFIG
    values = read_config(path)
    check_config(path, model.name, values, {"model_type": model_type})
    return build_config(path, config_class, values)


def build_config(path: Path, config_class: Any, values: Mapping[str, Any]) -> Any:
    """transformers' config object of a config file's values. Raises: ModelError when the library refuses them."""
    try:
        with checkpoint_files.quiet():
            return config_class.from_dict(dict(values))
    except Exception as error:  # the library's own errors share no public base
        told = " ".join(str(error).split())
        raise ModelError(f"{path}: {config_class.__name__} refuses it ({told}); {checkpoint_files.ANEW}") from error


def open_clip_config(folder: Path, model: ModelDescription) -> Any:
    """transformers' SiglipConfig of the network that an open_clip_config.json describes, held to its row.

    timm's and open_clip's GELU is the exact one, where transformers' SigLIP approximates it by tanh.
    Raises: ModelError when it is missing, damaged, or describes another network.
    """
    from transformers import SiglipConfig

    path = folder / open_clip.CONFIG
    whole = read_config(path)
    said = _table(path, whole, "model_cfg")
    vision, text = _table(path, said, "vision_cfg"), _table(path, said, "text_cfg")
    check_config(path, model.name, said, {"embed_dim": model.embedding_dim})
    check_config(path, model.name, vision, {"image_size": model.input_side_px, "timm_model_name": TIMM_NAME})
    check_config(path, model.name, vision, {"timm_pool": "map", "timm_proj": ("none", None)})
    check_config(path, model.name, text, {"context_length": model.text_length, "pool_type": "last"})
    if "preprocess_cfg" in whole:
        preprocess = _table(path, whole, "preprocess_cfg")
        wanted = {
            "mean": list(model.mean),
            "std": list(model.std),
            "interpolation": model.resample,
            "resize_mode": model.resize.replace("shortest_edge", "shortest"),
        }
        check_config(path, model.name, {**wanted, **preprocess}, wanted)
    width = text.get("width")
    return build_config(
        path,
        SiglipConfig,
        {
            "vision_config": {"image_size": model.input_side_px, "hidden_act": "gelu"},
            "text_config": {
                "vocab_size": text.get("vocab_size"),
                "max_position_embeddings": model.text_length,
                "hidden_size": width,
                "intermediate_size": 4 * width if isinstance(width, int) else width,
                "num_hidden_layers": text.get("layers"),
                "num_attention_heads": text.get("heads"),
                "projection_size": model.embedding_dim,
                "hidden_act": "gelu",
            },
        },
    )


def open_clip_weights(folder: Path) -> Path:
    """The safetensors file of an open_clip checkpoint, by either of its two names."""
    return next(
        (folder / name for name in open_clip.TENSORS if (folder / name).is_file()), folder / open_clip.TENSORS[0]
    )


def check_preprocessing(path: Path, row: ModelDescription) -> str:
    """Hold a preprocessor_config.json to its row: another mean or size would go unseen.

    Returns: how it resamples, "bilinear" or "bicubic"; "" where it doesn't say. Whether that is the row's is not asked:
    a first pull records it, and completes the row.
    Raises: ModelError with the key, the value got and the value wanted.
    """
    said = read_config(path)
    side = {"height": row.input_side_px, "width": row.input_side_px}
    wanted: dict[str, object] = {"image_mean": list(row.mean), "image_std": list(row.std)}
    if row.resize == "shortest_edge":
        resize = row.resize_side_px or row.input_side_px
        wanted |= {"size": ({"shortest_edge": resize}, resize), "crop_size": (side, row.input_side_px)}
        wanted["do_center_crop"] = (True, None)
    else:
        wanted |= {"size": (side, row.input_side_px), "do_center_crop": (False, None)}
    wanted |= {f"do_{step}": (True, None) for step in ("resize", "normalize", "rescale")}
    wanted["resample"] = (*RESAMPLE, None)
    check_config(path, row.name, said, wanted)
    factor = said.get("rescale_factor", 1 / 255)
    if not isinstance(factor, float) or abs(factor * 255 - 1) > 1e-4:
        raise ModelError(f"{path}: rescale_factor is {factor!r}, model {row.name} takes pixels as 1/255 of their value")
    number = said.get("resample")
    return RESAMPLE[number] if isinstance(number, int) else ""


def _open_siglip(folder: Path, model: ModelDescription) -> "torch.nn.Module":
    from transformers import SiglipConfig, SiglipVisionModel

    _check_preprocessing(folder, model)
    config = clip_config(folder, model, SiglipConfig, "siglip").vision_config
    _check_vision(folder / CONFIG, model, config, "hidden_size")
    tensors = checkpoint_files.read_tensors(
        folder / WEIGHTS, _of_tower("vision_model."), lambda name: name.startswith(("text_model.", "logit_"))
    )
    return _pooled(checkpoint_files.load(SiglipVisionModel, config, tensors, folder / WEIGHTS), "pooler_output")


def _open_open_clip(folder: Path, model: ModelDescription) -> "torch.nn.Module":
    from transformers import SiglipVisionModel

    config = open_clip_config(folder, model).vision_config
    path = open_clip_weights(folder)
    tensors = checkpoint_files.read_open_clip(path, _of_tower("vision_model."))
    return _pooled(checkpoint_files.load(SiglipVisionModel, config, tensors, path), "pooler_output")


def _open_clip(folder: Path, model: ModelDescription) -> "torch.nn.Module":
    from transformers import CLIPConfig, CLIPVisionModelWithProjection

    _check_preprocessing(folder, model)
    whole = clip_config(folder, model, CLIPConfig, "clip")
    config = whole.vision_config
    config.projection_dim = whole.projection_dim  # the whole model's is the one that both towers were trained to
    _check_vision(folder / CONFIG, model, config, "projection_dim")
    tensors = checkpoint_files.read_tensors(
        folder / WEIGHTS,
        _of_tower("vision_model.", "visual_projection."),
        lambda name: name.startswith(("text_model.", "text_projection.", "logit_")) or is_table(name),
    )
    return _pooled(
        checkpoint_files.load(CLIPVisionModelWithProjection, config, tensors, folder / WEIGHTS), "image_embeds"
    )


def _open_dinov2(folder: Path, model: ModelDescription) -> "torch.nn.Module":
    import torch
    import transformers

    _check_preprocessing(folder, model)
    path = folder / CONFIG
    values = read_config(path)
    check_config(path, model.name, values, {"model_type": ("dinov2", "dinov2_with_registers")})
    name = "Dinov2WithRegisters" if values["model_type"] == "dinov2_with_registers" else "Dinov2"
    config = build_config(path, getattr(transformers, f"{name}Config"), values)
    check_config(path, model.name, config.to_dict(), {"hidden_size": model.embedding_dim})
    side, patch_size = model.input_side_px, config.patch_size
    if side % patch_size:
        raise ModelError(f"{path}: patch_size {patch_size} does not divide the row's side of {side}; correct the row")
    tensors = checkpoint_files.read_tensors(folder / WEIGHTS, lambda _: True)
    network = checkpoint_files.load(getattr(transformers, f"{name}Model"), config, tensors, folder / WEIGHTS)
    with torch.inference_mode(False), torch.no_grad():  # once: a graph with a fixed side has no table to interpolate
        patches = torch.empty(1, 1 + (side // patch_size) ** 2, config.hidden_size)
        table = network.embeddings.interpolate_pos_encoding(patches, side, side)
        network.embeddings.position_embeddings = torch.nn.Parameter(table.clone())
    first_patch = 1 + getattr(config, "num_register_tokens", 0)

    class Texture(torch.nn.Module):
        """DINOv2 with the row's pooling."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixels: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
            tokens: torch.Tensor = self.network(pixels).last_hidden_state
            if mask is None:
                return tokens[:, 0]
            weights = torch.nn.functional.avg_pool2d(mask, patch_size).flatten(1)
            total = weights.sum(dim=1, keepdim=True)
            weights = torch.where(total > 0, weights, 1.0)  # no patch is the product's: all of them, never zeros
            weights = weights / weights.sum(dim=1, keepdim=True)
            return (tokens[:, first_patch:] * weights[:, :, None]).sum(dim=1)

    if model.pooling != ("patch_mean" if model.takes_mask else "cls"):
        raise ModelError(
            f"model {model.name}: pooling {model.pooling!r} with network_mask {model.network_mask!r}; "
            "DINOv2 has 'patch_mean' with a mask and 'cls' without: correct the row"
        )
    return Texture().eval()


def _pooled(network: Any, output: str) -> "torch.nn.Module":
    """A vision tower that gives one of its outputs alone."""
    import torch

    class Tower(torch.nn.Module):
        """Pixels in, one vector a photo out."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = getattr(self.network(pixel_values=pixels), output)
            return found

    return Tower().eval()


def _check_vision(path: Path, model: ModelDescription, config: Any, width: str) -> None:
    wanted = {width: model.embedding_dim, "image_size": model.input_side_px}
    check_config(path, model.name, config.to_dict(), wanted)


def _check_preprocessing(folder: Path, model: ModelDescription) -> None:
    path = folder / PREPROCESSING
    if PREPROCESSING in model.files and check_preprocessing(path, model) not in ("", model.resample):
        numbers = {name: number for number, name in RESAMPLE.items()}
        check_config(path, model.name, read_config(path), {"resample": numbers[model.resample]})


def _of_tower(*prefixes: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(prefixes) and not is_table(name)


def is_table(name: str) -> bool:
    """Older checkpoints hold the row numbers 0 to n - 1 of their position table as a tensor."""
    return name.endswith(".position_ids")


def _table(path: Path, values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    if not isinstance(found, dict):
        raise ModelError(f"{path}: {key!r} is missing or is no table; {checkpoint_files.ANEW}")
    return found
