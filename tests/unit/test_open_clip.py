"""open_clip's SigLIP read as transformers': a round trip at full size (random weights), and what is refused."""

from pathlib import Path

import pytest

from catalog import checkpoint_files
from catalog.errors import ModelError
from catalog.formats.open_clip import Pieces, siglip_names

torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")

LAYERS = 12


def inverse(state: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """open_clip's state dict of the same network, written from open_clip's and timm's side: their modules in order."""
    left = dict(state)

    def take(name: str) -> "torch.Tensor":
        return left.pop(name)

    def linear(target: str, source: str) -> "dict[str, torch.Tensor]":
        return {f"{target}.weight": take(f"{source}.weight"), f"{target}.bias": take(f"{source}.bias")}

    def fused(target: str, source: str) -> "dict[str, torch.Tensor]":
        return {
            target.format(kind): torch.cat([take(f"{source}.{letter}_proj.{kind}") for letter in "qkv"], dim=0)
            for kind in ("weight", "bias")
        }

    made = {
        "logit_scale": take("logit_scale").squeeze(),
        "logit_bias": take("logit_bias").squeeze(),
        "visual.trunk.pos_embed": take("vision_model.embeddings.position_embedding.weight").unsqueeze(0),
        **linear("visual.trunk.patch_embed.proj", "vision_model.embeddings.patch_embedding"),
    }
    for layer in range(LAYERS):
        block, source = f"visual.trunk.blocks.{layer}", f"vision_model.encoder.layers.{layer}"
        made |= linear(f"{block}.norm1", f"{source}.layer_norm1")
        made |= fused(f"{block}.attn.qkv.{{}}", f"{source}.self_attn")
        made |= linear(f"{block}.attn.proj", f"{source}.self_attn.out_proj")
        made |= linear(f"{block}.norm2", f"{source}.layer_norm2")
        made |= linear(f"{block}.mlp.fc1", f"{source}.mlp.fc1") | linear(f"{block}.mlp.fc2", f"{source}.mlp.fc2")
    made |= linear("visual.trunk.norm", "vision_model.post_layernorm")
    pool, head = "visual.trunk.attn_pool", "vision_model.head"
    made[f"{pool}.latent"] = take(f"{head}.probe")
    for kind in ("weight", "bias"):
        query, key, value = take(f"{head}.attention.in_proj_{kind}").chunk(3)
        made[f"{pool}.q.{kind}"], made[f"{pool}.kv.{kind}"] = query, torch.cat([key, value])
    made |= linear(f"{pool}.proj", f"{head}.attention.out_proj") | linear(f"{pool}.norm", f"{head}.layernorm")
    made |= linear(f"{pool}.mlp.fc1", f"{head}.mlp.fc1") | linear(f"{pool}.mlp.fc2", f"{head}.mlp.fc2")
    made["text.positional_embedding"] = take("text_model.embeddings.position_embedding.weight")
    made["text.token_embedding.weight"] = take("text_model.embeddings.token_embedding.weight")
    for layer in range(LAYERS):
        block, source = f"text.transformer.resblocks.{layer}", f"text_model.encoder.layers.{layer}"
        made |= linear(f"{block}.ln_1", f"{source}.layer_norm1") | linear(f"{block}.ln_2", f"{source}.layer_norm2")
        made |= fused(f"{block}.attn.in_proj_{{}}", f"{source}.self_attn")
        made |= linear(f"{block}.attn.out_proj", f"{source}.self_attn.out_proj")
        made |= linear(f"{block}.mlp.c_fc", f"{source}.mlp.fc1") | linear(f"{block}.mlp.c_proj", f"{source}.mlp.fc2")
    made |= linear("text.ln_final", "text_model.final_layer_norm")
    made |= linear("text.text_projection", "text_model.head")
    assert left == {}
    return {name: tensor.contiguous().clone() for name, tensor in made.items()}


@pytest.fixture(scope="module")
def original() -> "torch.nn.Module":
    """The whole network, 203 million random weights, biases and scales too (transformers starts those at 0 and 1)."""
    from transformers import SiglipConfig, SiglipModel

    torch.manual_seed(0)
    with checkpoint_files.quiet():
        model = SiglipModel(SiglipConfig(text_config={"vocab_size": 32_000}, vision_config={"image_size": 224}))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


@pytest.fixture(scope="module")
def saved(original, tmp_path_factory) -> Path:
    """Its tensors under open_clip's names."""
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("open_clip") / "open_clip_model.safetensors"
    save_file(inverse(original.state_dict()), path)
    return path


def test_the_round_trip_gives_the_same_network(original, saved) -> None:
    """All tensors bit for bit, and the same numbers out of both towers, as far as a sum's order lets them."""
    from transformers import SiglipModel

    tensors = checkpoint_files.read_open_clip(saved, lambda _: True)
    state = original.state_dict()
    assert set(tensors) == set(state)
    assert [name for name in state if not torch.equal(tensors[name], state[name])] == []
    assert tensors["vision_model.encoder.layers.0.self_attn.q_proj.weight"].untyped_storage().nbytes() == 4 * 768**2
    read = checkpoint_files.load(SiglipModel, original.config, tensors, saved)
    pixels, tokens = torch.rand(1, 3, 224, 224) * 2 - 1, torch.randint(2, 32_000, (1, 64))
    with torch.inference_mode():
        found, wanted = (m(pixel_values=pixels, input_ids=tokens) for m in (read, original))
    for name in ("image_embeds", "text_embeds", "logits_per_image"):
        torch.testing.assert_close(found[name], wanted[name], atol=1e-5, rtol=1e-4)


def test_a_prefix_before_all_names_is_passed_over(saved) -> None:
    """A wrapper's own state dict; before only some it is no prefix."""
    names = names_of(saved)
    target = "vision_model.encoder.layers.3.self_attn.k_proj.bias"
    assert siglip_names(names)[target] == Pieces(("visual.trunk.blocks.3.attn.qkv.bias",), 1)
    found = siglip_names([f"model.{name}" for name in names])
    assert found[target] == Pieces(("model.visual.trunk.blocks.3.attn.qkv.bias",), 1)
    assert set(found) == set(siglip_names(names))
    with pytest.raises(ModelError, match=r"missing: text\.ln_final\.bias; unknown: model\.text\.ln_final\.bias"):
        siglip_names([f"model.{name}" if name == "text.ln_final.bias" else name for name in names])


def test_every_name_is_used_and_none_is_wanting(saved) -> None:
    """Each tensor once, but the fused ones, which are three."""
    names = names_of(saved)
    used = [source for pieces in siglip_names(names).values() for source in pieces.sources]
    assert sorted(set(used)) == sorted(names)
    thrice = {name for name in used if used.count(name) > 1}
    assert thrice == {name for name in names if ".qkv." in name or ".in_proj_" in name}
    for name in ("visual.trunk.blocks.7.attn.qkv.weight", "text.text_projection.bias", "logit_bias"):
        with pytest.raises(ModelError, match=rf"missing: {name.replace('.', '[.]')}$"):
            siglip_names([other for other in names if other != name])
    with pytest.raises(ModelError, match=r"unknown: visual\.trunk\.head\.weight$"):
        siglip_names([*names, "visual.trunk.head.weight"])
    with pytest.raises(ModelError, match=r"missing: logit_bias, .* and \d+ more$"):
        siglip_names([])


def names_of(path: Path) -> list[str]:
    """The names of a file's tensors."""
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        return list(file.keys())
