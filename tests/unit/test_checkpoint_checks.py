"""What is seen of a checkpoint without a second copy of it: configs as the hub publishes them, and others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from catalog.errors import ModelError
from catalog.model_descriptions import MODELS
from resources.checkpoint_checks import check_checkpoint

# As published, without what says nothing of the network's shape.
SIGLIP = {
    "model_type": "siglip",
    "text_config": {"hidden_size": 768, "vocab_size": 256000, "model_type": "siglip_text_model"},
    "vision_config": {"hidden_size": 768, "image_size": 224, "model_type": "siglip_vision_model"},
}
CLIP = {"model_type": "clip", "projection_dim": 512, "text_config": {}, "vision_config": {"patch_size": 32}}
OPEN_CLIP = {
    "model_cfg": {
        "embed_dim": 768,
        "vision_cfg": {"image_size": 224, "timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map"},
        "text_cfg": {"context_length": 64, "vocab_size": 32000, "width": 768},
    },
    "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"},
}
SAM2 = {
    "model_type": "sam2_video",
    "vision_config": {"model_type": "sam2_vision_model", "backbone_config": {"image_size": [1024, 1024]}},
}
DINO = {"model_type": "grounding-dino"}
REGISTERS = {"model_type": "dinov2_with_registers", "hidden_size": 384, "image_size": 518}
CLIP_PREPROCESSING = {  # in an old spelling, sizes as bare numbers
    "crop_size": 224,
    "do_center_crop": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": 224,
}
SIGLIP_PREPROCESSING = {
    "do_convert_rgb": None,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224},
}
Config = dict[str, Any]


def checked(folder: Path, name: str, **files: Config) -> str:
    """Write configs and hold them to the row called `name`."""
    names = {key: f"{key}.json" for key in files}
    for key, values in files.items():
        (folder / names[key]).write_text(json.dumps(values))
    return check_checkpoint(folder, tuple(names.values()), MODELS[name])


def changed(config: Config, path: str, value: object) -> Config:
    """A copy of a config with another value at a dotted path."""
    copy: Config = json.loads(json.dumps(config))
    *tables, key = path.split(".")
    table = copy
    for step in tables:
        table = table.setdefault(step, {})
    table[key] = value
    return copy


def test_the_hubs_own_configs_fit(tmp_path: Path) -> None:
    """And tell how they resample, where they do; a value left out is the architecture's own."""
    siglip = "siglip2-base-patch16-224"
    assert checked(tmp_path, siglip, config=SIGLIP, preprocessor_config=SIGLIP_PREPROCESSING) == "bilinear"
    assert checked(tmp_path, "fashion-clip", config=CLIP, preprocessor_config=CLIP_PREPROCESSING) == "bicubic"
    assert checked(tmp_path, "marqo-fashionsiglip", open_clip_config=OPEN_CLIP) == "bicubic"
    assert checked(tmp_path, "sam2.1-hiera-tiny", config=SAM2) == ""
    assert checked(tmp_path, "grounding-dino-tiny", config=DINO) == ""
    assert checked(tmp_path, "dinov2-with-registers-small", config=REGISTERS) == ""


@pytest.mark.parametrize(
    ("name", "file", "config", "path", "value", "told"),
    [
        ("siglip2-base-patch16-224", "config", SIGLIP, "model_type", "siglip2", "'siglip2', the row .* wants 'siglip'"),
        (
            "siglip2-base-patch16-224",
            "config",
            SIGLIP,
            "vision_config.hidden_size",
            1152,
            "hidden_size is 1152, .* 768",
        ),
        ("siglip2-base-patch16-224", "config", SIGLIP, "vision_config.image_size", 384, "image_size is 384, .* 224"),
        ("siglip2-base-patch16-224", "config", SIGLIP, "text_config.max_position_embeddings", 77, "is 77, .* 64"),
        (
            "siglip2-base-patch16-224",
            "config",
            SIGLIP,
            "vision_config",
            [],
            "vision_config is a list, a table is wanted",
        ),
        ("fashion-clip", "config", CLIP, "projection_dim", 768, "projection_dim is 768, .* wants 512"),
        ("fashion-clip", "config", CLIP, "vision_config.image_size", 336, "image_size is 336, .* wants 224"),
        ("marqo-fashionsiglip", "open_clip_config", OPEN_CLIP, "model_cfg.embed_dim", 512, "embed_dim is 512, .* 768"),
        ("marqo-fashionsiglip", "open_clip_config", OPEN_CLIP, "model_cfg.vision_cfg.image_size", 384, "384, .* 224"),
        ("marqo-fashionsiglip", "open_clip_config", OPEN_CLIP, "preprocess_cfg.mean", [0.4] * 3, "mean is .* wants"),
        (
            "marqo-fashionsiglip",
            "open_clip_config",
            OPEN_CLIP,
            "preprocess_cfg.interpolation",
            "random",
            "'random', .*",
        ),
        ("sam2.1-hiera-tiny", "config", SAM2, "model_type", "sam", "model_type is 'sam', .* 'sam2' or 'sam2_video'"),
        ("sam2.1-hiera-tiny", "config", SAM2, "vision_config.backbone_config.image_size", 512, "512, .* 1024"),
        ("grounding-dino-tiny", "config", DINO, "model_type", "detr", "'detr', .* wants 'grounding-dino'"),
        ("dinov2-small", "config", REGISTERS, "hidden_size", 384, "'dinov2_with_registers', .* wants 'dinov2'"),
        (
            "siglip2-base-patch16-224",
            "preprocessor_config",
            SIGLIP_PREPROCESSING,
            "rescale_factor",
            1.0,
            r"rescale_factor is 1\.0, model siglip2-base-patch16-224 takes pixels as 1/255",
        ),
        (
            "siglip2-base-patch16-224",
            "preprocessor_config",
            SIGLIP_PREPROCESSING,
            "do_center_crop",
            True,
            "do_center_crop is True, .* wants False or None",
        ),
        ("fashion-clip", "preprocessor_config", CLIP_PREPROCESSING, "crop_size", 256, "crop_size is 256, .* 224"),
        ("fashion-clip", "preprocessor_config", CLIP_PREPROCESSING, "do_normalize", False, "do_normalize is False, .*"),
    ],
)
def test_another_models_config_is_refused(
    tmp_path: Path, name: str, file: str, config: Config, path: str, value: object, told: str
) -> None:
    """With the value got and the value wanted."""
    with pytest.raises(ModelError, match=told):
        checked(tmp_path, name, **{file: changed(config, path, value)})


def test_sam2_of_another_size_is_told_by_its_weight(tmp_path: Path) -> None:
    """Tiny's tensors weigh 156 MB, small's 184."""
    save_file({"zeros": np.zeros(156_000_000, np.uint8)}, tmp_path / "model.safetensors")
    check_checkpoint(tmp_path, ("model.safetensors",), MODELS["sam2.1-hiera-tiny"])
    with pytest.raises(
        ModelError, match=r"156\.00 MB, the row 'sam2\.1-hiera-small' of .* says about 184\.00 MB; it is"
    ):
        check_checkpoint(tmp_path, ("model.safetensors",), MODELS["sam2.1-hiera-small"])


def test_tensors_of_another_network_are_refused(tmp_path: Path) -> None:
    """FashionSigLIP's are known by name before torch is asked."""
    save_file({"weight": np.zeros(4, np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(
        ModelError, match=r"model\.safetensors: not the tensors of open_clip's ViT-B-16-SigLIP; missing:"
    ):
        check_checkpoint(tmp_path, ("model.safetensors",), MODELS["marqo-fashionsiglip"])
