"""SAM 2 by Meta's own package, `sam2`, from the same safetensors as transformers' form of it: only names differ.

Its network and its configs are used, pixels and masks are ours, so that torchvision, which it asks for, is not needed.
Nor is hydra, which it reads configs with: hydra's parser needs another antlr4 runtime than Dagster's does.
"""

import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog import checkpoint_files
from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription
from catalog.torch_models import devices, sam2

if TYPE_CHECKING:
    import torch

# transformers' names to Meta's; every rule is tried, in this order.
RENAMED = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^vision_encoder\.backbone\.", "image_encoder.trunk."),
        (r"^vision_encoder\.neck\.convs\.(\d+)\.", r"image_encoder.neck.convs.\1.conv."),
        (r"^(prompt_encoder|mask_decoder)\.", r"sam_\1."),
        (r"^no_memory_embedding$", "no_mem_embed"),
        (r"\.patch_embed\.projection\.", ".patch_embed.proj."),
        (r"\.shared_embedding\.positional_embedding$", ".pe_layer.positional_encoding_gaussian_matrix"),
        (r"\.mask_embed\.conv1\.", ".mask_downscaling.0."),
        (r"\.mask_embed\.layer_norm1\.", ".mask_downscaling.1."),
        (r"\.mask_embed\.conv2\.", ".mask_downscaling.3."),
        (r"\.mask_embed\.layer_norm2\.", ".mask_downscaling.4."),
        (r"\.mask_embed\.conv3\.", ".mask_downscaling.6."),
        (r"\.upscale_conv1\.", ".output_upscaling.0."),
        (r"\.upscale_layer_norm\.", ".output_upscaling.1."),
        (r"\.upscale_conv2\.", ".output_upscaling.3."),
        (r"\.layer_norm_final_attn\.", ".norm_final_attn."),
        (r"\.layer_norm(\d)\.", r".norm\1."),
        (r"\.o_proj\.", ".out_proj."),
        (r"(_head|_mlps\.\d)\.layers\.0\.", r"\1.layers.1."),
        (r"(_head|_mlps\.\d)\.proj_out\.", r"\1.layers.2."),
        (r"\.mlp\.proj_out\.", ".mlp.layers.1."),
        (r"\.proj_in\.", ".layers.0."),
    )
)
POINTS, IMAGE_POSITIONS = "prompt_encoder.point_embed.weight", "shared_image_embedding.positional_embedding"
POSITIONS = "prompt_encoder.shared_embedding.positional_embedding"
INSTALL = "run: pip install --no-deps sam2 iopath portalocker, or set the profile's backend to 'transformers'"
DECODER = {  # what sam2.build_sam adds to its configs: one unsteady mask gives way to the best of three
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}
OF_VIDEO = ("maskmem_", "memory_", "no_mem_pos_", "no_obj_", "obj_ptr_", "mask_downsample.")  # Meta's names


class MetaSam2:
    """The network as Meta's package has it."""

    def __init__(self, folder: Path, model: ModelDescription) -> None:
        """Open the verified checkpoint in `folder`, in float32.

        Raises: ModelError when the package isn't installed, or the checkpoint is not one that the row describes.
        """
        with checkpoint_files.needs_extra(f"model {model.name}"):
            import torch  # noqa: F401
        path = folder / sam2.WEIGHTS
        size = model.name.rpartition("-")[2]
        try:
            network = _build(size)
        except ImportError as error:
            raise ModelError(
                f"model {model.name}: segmentation.backend 'meta' needs Meta's package sam2 ({error}); {INSTALL}"
            ) from error
        tensors = metas_tensors(sam2.image_tensors(folder), path)
        try:
            told = network.load_state_dict(tensors, strict=False)
        except RuntimeError as error:  # torch says so of tensors of another shape
            raise ModelError(
                f"{path}: not the tensors of Meta's {size} SAM 2.1 ({' '.join(str(error).split())}); "
                f"{checkpoint_files.OTHER}"
            ) from error
        wrong = [name for name in told.missing_keys if not name.startswith(OF_VIDEO)] + told.unexpected_keys
        if wrong:
            raise ModelError(
                f"{path}: missing or unexpected as Meta's {size} SAM 2.1: {checkpoint_files.some(wrong)}; "
                f"{checkpoint_files.OTHER}"
            )
        self._network: Any = network.requires_grad_(False).eval().to(devices.best_device())

    def features(self, pixels: "torch.Tensor") -> "list[torch.Tensor]":
        """As `sam2.Network.features`."""
        levels = self._network.forward_image(pixels)["backbone_fpn"][-self._network.num_feature_levels :]
        found: list[torch.Tensor] = [*levels[:-1], levels[-1] + self._network.no_mem_embed.reshape(1, -1, 1, 1)]
        return found

    def answer(
        self,
        features: "list[torch.Tensor]",
        points: "torch.Tensor | None",
        boxes: "torch.Tensor | None",
        *,
        multimask: bool,
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        """As `sam2.Network.answer`."""
        import torch

        # A box is two points, labelled 2 and 3, before those on the thing, labelled 1.
        asked = [part for part in (None if boxes is None else boxes.reshape(-1, 2, 2), points) if part is not None]
        labels = [2, 3] * (boxes is not None) + [1] * (0 if points is None else points.shape[1])
        coordinates = torch.cat(asked, dim=1)
        kinds = torch.tensor([labels], dtype=torch.int32, device=coordinates.device).repeat(len(coordinates), 1)
        sparse, dense = self._network.sam_prompt_encoder(points=(coordinates, kinds), boxes=None, masks=None)
        logits, scores, _, _ = self._network.sam_mask_decoder(
            image_embeddings=features[-1],
            image_pe=self._network.sam_prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask,
            repeat_image=len(coordinates) > 1,
            high_res_features=features[:-1],
        )
        return logits, scores


def metas_tensors(tensors: "dict[str, torch.Tensor]", path: Path) -> "dict[str, torch.Tensor]":
    """Tensors of transformers' Sam2Model under the names of Meta's SAM2Base; `path` names their file in messages.

    Raises: ModelError when the photo's and the prompts' positions are not embedded alike: Meta's has one embedding.
    """
    for name in (POINTS, POSITIONS, IMAGE_POSITIONS):
        if name not in tensors:
            raise ModelError(f"{path}: {name} is missing; {checkpoint_files.OTHER}")
    if not tensors[IMAGE_POSITIONS].equal(tensors[POSITIONS]):
        raise ModelError(
            f"{path}: {IMAGE_POSITIONS} and {POSITIONS} differ, Meta's network has one for both; "
            "set the profile's backend to 'transformers'"
        )
    named: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        if name == POINTS:
            named |= {
                f"sam_prompt_encoder.point_embeddings.{row}.weight": tensor[row : row + 1] for row in range(len(tensor))
            }
        elif name != IMAGE_POSITIONS:
            named[_metas_name(name)] = tensor
    return named


def _build(size: str) -> Any:
    """Meta's network as its own config describes it. Raises: ImportError without the package."""
    import yaml

    if "sam2" not in sys.modules:
        found = importlib.util.find_spec("sam2")
        if found is None or not found.submodule_search_locations:
            raise ImportError("No module named 'sam2'")
        package = types.ModuleType("sam2")  # not `import sam2`, which starts hydra
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["sam2"] = package
    folder = importlib.import_module("sam2.modeling").__path__[0]
    config = Path(folder).parent / "configs" / "sam2.1" / f"sam2.1_hiera_{size[0]}.yaml"
    described = yaml.safe_load(config.read_text(encoding="utf-8"))["model"]
    return _made({**described, "sam_mask_decoder_extra_args": DECODER})


def _made(value: Any) -> Any:
    """What a config's value stands for: a table with `_target_` is a call of that class of the package."""
    if isinstance(value, list):
        return [_made(entry) for entry in value]
    if isinstance(value, str) and re.fullmatch(r"\d+e-?\d+", value):
        return float(value)  # YAML 1.1 wants a point in it
    if not isinstance(value, dict):
        return value
    arguments = {name: _made(entry) for name, entry in value.items()}
    module, _, name = arguments.pop("_target_", "").rpartition(".")
    return getattr(importlib.import_module(module), name)(**arguments) if module else arguments


def _metas_name(name: str) -> str:
    for pattern, replacement in RENAMED:
        name = pattern.sub(replacement, name)
    return name
