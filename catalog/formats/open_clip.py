"""open_clip's names of a ViT-B-16-SigLIP's tensors, and what each is in transformers' SiglipModel; no torch here.

open_clip keeps timm's vision transformer under `visual.trunk.` and its own text transformer under `text.`. Three things
differ beside the names: query, key and value are one tensor there and three here; in the pooling head query is apart
and key and value are one there, all three are one here; a position table or a scale may have one axis more or less.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from catalog.errors import ModelError

TENSORS, CONFIG = ("open_clip_model.safetensors", "model.safetensors"), "open_clip_config.json"

_PARTS = ("weight", "bias")
_BOTH = {  # tensors that come once: transformers' name, open_clip's
    "logit_scale": "logit_scale",
    "logit_bias": "logit_bias",
    "vision_model.embeddings.position_embedding.weight": "visual.trunk.pos_embed",
    "vision_model.head.probe": "visual.trunk.attn_pool.latent",
    "text_model.embeddings.token_embedding.weight": "text.token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "text.positional_embedding",
}
_LAYERS_ONCE = {  # the same, each with a weight and a bias
    "vision_model.embeddings.patch_embedding": "visual.trunk.patch_embed.proj",
    "vision_model.post_layernorm": "visual.trunk.norm",
    "vision_model.head.attention.out_proj": "visual.trunk.attn_pool.proj",
    "vision_model.head.layernorm": "visual.trunk.attn_pool.norm",
    "vision_model.head.mlp.fc1": "visual.trunk.attn_pool.mlp.fc1",
    "vision_model.head.mlp.fc2": "visual.trunk.attn_pool.mlp.fc2",
    "text_model.final_layer_norm": "text.ln_final",
    "text_model.head": "text.text_projection",
}
_VISION_BLOCK = {
    "layer_norm1": "norm1",
    "layer_norm2": "norm2",
    "self_attn.out_proj": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_TEXT_BLOCK = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn.out_proj": "attn.out_proj",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_PREFIX = "model."  # before every name, where a wrapper's whole state was saved


@dataclass(frozen=True)
class Pieces:
    """Where one of transformers' tensors comes from: open_clip's tensors joined along their first axis, or a part."""

    sources: tuple[str, ...]  # joined in this order
    third: int | None = None  # 0, 1 or 2: only that third of the first axis (query, key or value)


def siglip_names(names: Collection[str]) -> dict[str, Pieces]:
    """What makes each tensor of transformers' SiglipModel, from the names of an open_clip checkpoint, every one used.

    A `model.` before all names is passed over. Layers are as many as the names tell.
    Raises: ModelError that names the tensors that are missing, or that no such network has.
    """
    prefix = _PREFIX if names and all(name.startswith(_PREFIX) for name in names) else ""
    bare = {name.removeprefix(prefix) for name in names}
    wanted = {target: Pieces((source,)) for target, source in _BOTH.items()}
    for target, source in _LAYERS_ONCE.items():
        wanted |= {f"{target}.{part}": Pieces((f"{source}.{part}",)) for part in _PARTS}
    for part in _PARTS:
        pool = "visual.trunk.attn_pool"
        wanted[f"vision_model.head.attention.in_proj_{part}"] = Pieces((f"{pool}.q.{part}", f"{pool}.kv.{part}"))
    wanted |= _blocks(bare, "vision_model", "visual.trunk.blocks", _VISION_BLOCK, "attn.qkv.")
    wanted |= _blocks(bare, "text_model", "text.transformer.resblocks", _TEXT_BLOCK, "attn.in_proj_")
    used = {source for pieces in wanted.values() for source in pieces.sources}
    if used != bare:
        told = [
            f"{what}: {_some(sorted(found))}"
            for what, found in (("missing", used - bare), ("unknown", bare - used))
            if found
        ]
        raise ModelError(f"not the tensors of open_clip's ViT-B-16-SigLIP; {'; '.join(told)}")
    return {
        target: Pieces(tuple(prefix + source for source in pieces.sources), pieces.third)
        for target, pieces in wanted.items()
    }


def _blocks(bare: Collection[str], tower: str, source: str, parts: dict[str, str], joined: str) -> dict[str, Pieces]:
    numbers = {int(found[1]) for name in bare if (found := re.match(rf"{re.escape(source)}\.(\d+)\.", name))}
    wanted = {}
    for number in range(max(numbers, default=0) + 1):
        for kind in _PARTS:
            for target, part in parts.items():
                wanted[f"{tower}.encoder.layers.{number}.{target}.{kind}"] = Pieces(
                    (f"{source}.{number}.{part}.{kind}",)
                )
            for third, letter in enumerate("qkv"):
                target = f"{tower}.encoder.layers.{number}.self_attn.{letter}_proj.{kind}"
                wanted[target] = Pieces((f"{source}.{number}.{joined}{kind}",), third)
    return wanted


def _some(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
