"""Write checkpoints of the real models' architectures, at full size and in their hub's own format, with random weights.

They stand for the real ones where no hub can be reached: loading, export, speed, memory and size can be shown with
them; quality can't. Weights are seeded by the model's name. About 4.5 GB for all.

    python benchmarks/random_checkpoints.py --out ~/random-checkpoints
    lookbook models import u2netp U2NETP.onnx --home ~/random-home
    lookbook models pull --profile imagesearch --from ~/random-checkpoints --home ~/random-home
"""

import argparse
import json
import logging
import string
import sys
import warnings
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from catalog.model_descriptions import MODELS, Architecture

SAM2_BACKBONES = {  # what differs from the tiny one, as Meta published them
    "tiny": {},
    "small": {"blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]},
    "large": {
        "hidden_size": 144,
        "num_attention_heads": 2,
        "blocks_per_stage": [2, 6, 36, 4],
        "embed_dim_per_stage": [144, 288, 576, 1152],
        "num_attention_heads_per_stage": [2, 4, 8, 16],
        "window_size_per_stage": [8, 4, 16, 8],
        "global_attention_blocks": [23, 33, 43],
    },
}
SMALL_LAYERS = 3  # of 12
# Per LayerNorm, attention or MLP: transformers' name under a layer, open_clip's under a block.
VISION_LAYER = {
    "layer_norm1": "norm1", "self_attn.out_proj": "attn.proj", "layer_norm2": "norm2", "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}  # fmt: skip
TEXT_LAYER = {
    "layer_norm1": "ln_1", "self_attn.out_proj": "attn.out_proj", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}  # fmt: skip


def main() -> None:
    """Write the checkpoints that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for a folder a model")
    parser.add_argument("--only", help="names of models, comma separated")
    parser.add_argument(
        "--small",
        action="store_true",
        help="SigLIP 2, and FashionSigLIP's text tower, with 3 of 12 layers and an eighth of the words",
    )
    arguments = parser.parse_args()
    there = [name for name, row in MODELS.items() if row.source.startswith("hub:")]
    names = arguments.only.split(",") if arguments.only else there
    if unknown := sorted(set(names) - set(there)):
        sys.exit(f"no such hub models: {', '.join(unknown)}; there are {', '.join(there)}")
    for name in names:
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        write_checkpoint(name, folder, small=arguments.small)
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{folder}: random weights, {size / 1e6:,.0f} MB")


def write_checkpoint(name: str, folder: Path, *, small: bool = False) -> None:
    """Write one model's files into `folder`."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    torch.manual_seed(zlib.crc32(name.encode()))
    row = MODELS[name]
    writers: dict[Architecture, Callable[[str, Path], None]] = {
        Architecture.SAM2: _write_sam2,
        Architecture.SIGLIP: partial(_write_siglip2, small=small),
        Architecture.OPEN_CLIP_SIGLIP: partial(_write_open_clip, small=small),
        Architecture.CLIP: _write_clip,
        Architecture.DINOV2: _write_dinov2,
        Architecture.GROUNDING_DINO: _write_grounding_dino,
    }
    writers[row.architecture](name, folder)
    if "preprocessor_config.json" in row.files:
        _write_json(folder / "preprocessor_config.json", _preprocessor(name))


def _write_sam2(name: str, folder: Path) -> None:
    """As on the hub: the video model, whose memory modules an image model leaves aside."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    backbone = SAM2_BACKBONES[name.rpartition("-")[2]]
    vision: dict[str, Any] = {"backbone_config": {"model_type": "sam2_hiera_det_model", **backbone}}
    if "embed_dim_per_stage" in backbone:
        vision["backbone_channel_list"] = backbone["embed_dim_per_stage"][::-1]
    model = Sam2VideoModel(Sam2VideoConfig(vision_config={"model_type": "sam2_vision_model", **vision}))
    own = model.prompt_encoder.shared_embedding.positional_embedding  # one table, which the hub's files hold twice
    own.data.copy_(model.shared_image_embedding.positional_embedding)
    _save(model, folder)


def _write_siglip2(name: str, folder: Path, *, small: bool) -> None:
    from transformers import SiglipConfig, SiglipModel

    shape = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
    if small:
        shape["num_hidden_layers"] = SMALL_LAYERS
    words = 32_000 if small else 256_000
    text = {**shape, "vocab_size": words, "max_position_embeddings": 64, "pad_token_id": 0, "eos_token_id": 1}
    _save(SiglipModel(SiglipConfig(text_config=text, vision_config={**shape, "image_size": 224})), folder)
    _write_tokenizer(folder, ["<pad>", "<eos>", "<bos>", "<unk>"], end="<eos>")


def _write_open_clip(name: str, folder: Path, *, small: bool) -> None:
    """The network as transformers', its tensors under open_clip's names, as on the hub."""
    from safetensors.torch import save_file
    from transformers import SiglipConfig, SiglipModel

    layers, words = (SMALL_LAYERS, 4_000) if small else (12, 32_000)
    text = {"vocab_size": words, "max_position_embeddings": 64, "num_hidden_layers": layers}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config={"image_size": 224}))
    save_file(open_clip_tensors(model.state_dict()), folder / "open_clip_model.safetensors")
    text_cfg = {"context_length": 64, "vocab_size": words, "width": 768, "heads": 12, "layers": layers}
    text_cfg |= {"hf_tokenizer_name": "timm/ViT-B-16-SigLIP", "tokenizer_kwargs": {"clean": "canonicalize"}}
    text_cfg |= {"no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}
    vision_cfg = {"image_size": 224, "timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map"}
    model_cfg = {"embed_dim": 768, "init_logit_bias": -10, "custom_text": True}
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    config = {"model_cfg": {**model_cfg, "vision_cfg": vision_cfg, "text_cfg": text_cfg}, "preprocess_cfg": preprocess}
    _write_json(folder / "open_clip_config.json", config)
    _write_tokenizer(folder, ["<pad>", "</s>", "<unk>"], end="</s>")


def open_clip_tensors(state: dict[str, Any]) -> dict[str, Any]:
    """The tensors of a SiglipModel under the names of open_clip's ViT-B-16-SigLIP, joined and shaped as there."""
    import torch

    named: dict[str, Any] = {"logit_scale": state["logit_scale"][0], "logit_bias": state["logit_bias"][0]}

    def put(target: str, source: str) -> None:
        for kind in ("weight", "bias"):
            named[f"{target}.{kind}"] = state[f"{source}.{kind}"]

    for tower, block, parts in (
        ("vision_model", "visual.trunk.blocks", VISION_LAYER),
        ("text_model", "text.transformer.resblocks", TEXT_LAYER),
    ):
        layers = f"{tower}.encoder.layers"
        count = sum(name.startswith(layers) and name.endswith("layer_norm1.weight") for name in state)
        for place in range(count):
            source, target = f"{layers}.{place}", f"{block}.{place}"
            for part, other in parts.items():
                put(f"{target}.{other}", f"{source}.{part}")
            for kind in ("weight", "bias"):
                joined = torch.cat([state[f"{source}.self_attn.{which}_proj.{kind}"] for which in "qkv"])
                named[f"{target}.attn." + (f"qkv.{kind}" if "visual" in target else f"in_proj_{kind}")] = joined
    named["visual.trunk.pos_embed"] = state["vision_model.embeddings.position_embedding.weight"][None]
    put("visual.trunk.patch_embed.proj", "vision_model.embeddings.patch_embedding")
    put("visual.trunk.norm", "vision_model.post_layernorm")
    named["visual.trunk.attn_pool.latent"] = state["vision_model.head.probe"]
    for kind in ("weight", "bias"):
        whole = state[f"vision_model.head.attention.in_proj_{kind}"]
        named[f"visual.trunk.attn_pool.q.{kind}"] = whole[:768].clone()
        named[f"visual.trunk.attn_pool.kv.{kind}"] = whole[768:].clone()
    put("visual.trunk.attn_pool.proj", "vision_model.head.attention.out_proj")
    put("visual.trunk.attn_pool.norm", "vision_model.head.layernorm")
    put("visual.trunk.attn_pool.mlp.fc1", "vision_model.head.mlp.fc1")
    put("visual.trunk.attn_pool.mlp.fc2", "vision_model.head.mlp.fc2")
    named["text.token_embedding.weight"] = state["text_model.embeddings.token_embedding.weight"]
    named["text.positional_embedding"] = state["text_model.embeddings.position_embedding.weight"]
    put("text.ln_final", "text_model.final_layer_norm")
    put("text.text_projection", "text_model.head")
    return {name: tensor.contiguous() for name, tensor in named.items()}


def _write_clip(name: str, folder: Path) -> None:
    from transformers import CLIPConfig, CLIPModel

    text = {"pad_token_id": 1, "bos_token_id": 49406, "eos_token_id": 49407}
    _save(CLIPModel(CLIPConfig(text_config=text)), folder)  # ViT-B/32, 512-d, is the default
    _write_tokenizer(
        folder, ["<|startoftext|>", "<|endoftext|>"], start="<|startoftext|>", end="<|endoftext|>", at=49406
    )


def _write_dinov2(name: str, folder: Path) -> None:
    from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    shape: dict[str, Any] = {"hidden_size": 384, "num_attention_heads": 6, "image_size": 518, "patch_size": 14}
    if "registers" in name:
        _save(Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**shape, num_register_tokens=4)), folder)
    else:
        _save(Dinov2Model(Dinov2Config(**shape)), folder)


def _write_grounding_dino(name: str, folder: Path) -> None:
    """Swin-T and BERT, as IDEA-Research/grounding-dino-tiny."""
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection, SwinConfig

    swin = SwinConfig(
        embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], window_size=7, image_size=224,
        out_indices=[2, 3, 4],
    )  # fmt: skip
    _save(GroundingDinoForObjectDetection(GroundingDinoConfig(backbone_config=swin)), folder)
    _write_bert_tokenizer(folder)


def _save(model: Any, folder: Path) -> None:
    model.save_pretrained(folder, max_shard_size="20GB")


def _letters(joined: str = "") -> list[str]:
    return [letter + joined for letter in string.ascii_lowercase + string.digits + string.punctuation]


def _write_tokenizer(folder: Path, special: list[str], *, end: str, start: str = "", at: int = 0) -> None:
    """A small tokenizer, a token a letter, whose special tokens have the real one's names and places."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

    words = ["\u2581", *_letters()]
    ids = [
        *range(at, at + len(special)),
        *(place for place in range(1000) if place not in range(at, at + len(special))),
    ]
    vocabulary = dict(zip([*special, *words], ids, strict=False))
    unknown = "<unk>" if "<unk>" in special else special[-1]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    whole = [token for token in (start, "$A", end) if token]
    places = [(token, vocabulary[token]) for token in (start, end) if token]
    tokenizer.post_processor = processors.TemplateProcessing(single=" ".join(whole), special_tokens=places)
    tokenizer.save(str(folder / "tokenizer.json"))


def _write_bert_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    fixed = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
    free: Iterable[int] = (place for place in range(2000, 4000))
    pieces = [piece for piece in [*_letters(), *(f"##{letter}" for letter in _letters())] if piece not in fixed]
    vocabulary = {**fixed, **dict(zip(pieces, free, strict=False))}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 101), ("[SEP]", 102)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def _preprocessor(name: str) -> dict[str, Any]:
    """preprocessor_config.json as the hub's repositories have it."""
    row = MODELS[name]
    values: dict[str, Any] = {
        "do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
        "resample": {"bilinear": 2, "bicubic": 3}[row.resample],
        "image_mean": list(row.mean), "image_std": list(row.std),
    }  # fmt: skip
    side = row.input_side_px
    if row.architecture is Architecture.SIGLIP:
        return {"image_processor_type": "SiglipImageProcessor", "size": {"height": side, "width": side}, **values}
    kind = "BitImageProcessor" if row.architecture is Architecture.DINOV2 else "CLIPImageProcessor"
    cut = {"do_center_crop": True, "crop_size": {"height": side, "width": side}}
    return {"image_processor_type": kind, "size": {"shortest_edge": row.resize_side_px or side}, **cut, **values}


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
