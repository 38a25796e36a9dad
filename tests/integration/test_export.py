"""Checkpoints in the hub's formats to ONNX behind pixels, held to transformers' own networks and processors.

Random weights, at full width but two layers deep, so that it takes seconds; open_clip's at its full twelve, and not
exported. benchmarks/quantized_models.py does all of them at full size.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from catalog import checkpoint_files
from catalog.checkpoints import open_network
from catalog.errors import ModelError
from catalog.features.inference import PixelModel
from catalog.model_descriptions import MODELS, ModelDescription
from catalog.onnx_export.float_models import float_model_of_checkpoint

torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")

pytestmark = pytest.mark.endurance

CHECKOUT = Path(__file__).resolve().parents[2]
ENCODERS = ("siglip2-base-patch16-224", "fashion-clip", "dinov2-small", "dinov2-with-registers-small")
LEAST_COSINE = 0.9999


def preprocessing(model: ModelDescription) -> dict[str, object]:
    """preprocessor_config.json as on the hub."""
    side = model.input_side_px
    values = {"image_mean": list(model.mean), "image_std": list(model.std), "rescale_factor": 1 / 255}
    if model.resize == "squash":
        return {**values, "resample": 2, "size": {"height": side, "width": side}}
    crop = {"do_center_crop": True, "crop_size": {"height": side, "width": side}}
    return {**values, **crop, "resample": 3, "size": {"shortest_edge": model.resize_side_px or side}}


def write_checkpoint(name: str, folder: Path) -> None:
    """Two layers of a model with seeded weights, its biases not left at zero, as transformers saves it."""
    import transformers as hub

    torch.manual_seed(len(name))
    tower = {"num_hidden_layers": 2}
    with checkpoint_files.quiet():
        if name == "siglip2-base-patch16-224":
            config = hub.SiglipConfig(text_config={**tower, "vocab_size": 100}, vision_config=tower)
            model = hub.SiglipModel(config)
        elif name == "fashion-clip":
            text = {**tower, "vocab_size": 100, "bos_token_id": 1, "eos_token_id": 2}
            model = hub.CLIPModel(hub.CLIPConfig(text_config=text, vision_config=tower))
        else:
            shape = {**tower, "hidden_size": 384, "num_attention_heads": 6, "image_size": 518, "patch_size": 14}
            if name == "dinov2-small":
                model = hub.Dinov2Model(hub.Dinov2Config(**shape))
            else:
                model = hub.Dinov2WithRegistersModel(hub.Dinov2WithRegistersConfig(**shape, num_register_tokens=4))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.02)
        model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing(MODELS[name])), encoding="utf-8")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder a model; half a gigabyte, removed again."""
    root = tmp_path_factory.mktemp("checkpoints")
    for name in ENCODERS:
        write_checkpoint(name, root / name)
    command = [sys.executable, "benchmarks/random_checkpoints.py", "--only", "marqo-fashionsiglip", "--out", root]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": "."})
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def exported(checkpoints: Path) -> Callable[[str], bytes]:
    """The float32 model with pixel input of a checkpoint, made once."""
    made: dict[str, bytes] = {}

    def export(name: str) -> bytes:
        if name not in made:
            made[name] = float_model_of_checkpoint(checkpoints / name, MODELS[name])
        return made[name]

    return export


def photos(shared_data: Path) -> list[Image.Image]:
    """Real ones: upright, square, and of 198 to 842 px; one cut to a wide strip, one to a tall one."""
    folders = ("luma", "clothing", "clothing_extra", "grocery", "fingercam", "ccp")
    found = [Image.open(sorted((shared_data / folder).rglob("*.jpg"))[3]).convert("RGB") for folder in folders]
    wide, tall = found[0].resize((901, 300)), found[1].resize((230, 700))
    return [*found, wide, tall]


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Of two vectors of any length."""
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


# --- against transformers --------------------------------------------------------------------------------------------


def test_siglip_is_transformers_own(checkpoints: Path, exported: Callable[[str], bytes], shared_data: Path) -> None:
    """The whole SiglipModel, loaded by the library, behind its own processor; the pooling head's output."""
    from transformers import SiglipImageProcessorPil, SiglipModel

    folder = checkpoints / ENCODERS[0]
    with checkpoint_files.quiet():
        model, processor = SiglipModel.from_pretrained(folder), SiglipImageProcessorPil.from_pretrained(folder)
    session = PixelModel(exported(ENCODERS[0]), "semantic_embedding")
    for photo in photos(shared_data):
        with torch.inference_mode():
            wanted = model.get_image_features(**processor(photo, return_tensors="pt")).pooler_output[0].numpy()
        found = session.run(np.asarray(photo))
        assert cosine(found, wanted) >= LEAST_COSINE, photo.size
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_clip_is_transformers_own(checkpoints: Path, exported: Callable[[str], bytes], shared_data: Path) -> None:
    """With its projection to 512; the shorter side to 224, then the centre."""
    from transformers import CLIPImageProcessorPil, CLIPModel

    folder = checkpoints / "fashion-clip"
    with checkpoint_files.quiet():
        model, processor = CLIPModel.from_pretrained(folder), CLIPImageProcessorPil.from_pretrained(folder)
    session = PixelModel(exported("fashion-clip"), "semantic_embedding")
    for photo in photos(shared_data):
        with torch.inference_mode():
            wanted = model.get_image_features(**processor(photo, return_tensors="pt")).pooler_output[0].numpy()
        assert wanted.shape == (512,)
        assert cosine(session.run(np.asarray(photo)), wanted) >= LEAST_COSINE, photo.size


@pytest.mark.parametrize(("name", "first_patch"), [("dinov2-small", 1), ("dinov2-with-registers-small", 5)])
def test_dinov2_pools_the_products_patches(
    checkpoints: Path, exported: Callable[[str], bytes], shared_data: Path, name: str, first_patch: int
) -> None:
    """transformers' tokens, weighted by the share of each patch that Pillow's mask covers; registers are no patches."""
    from transformers import AutoModel, BitImageProcessorPil

    folder = checkpoints / name
    with checkpoint_files.quiet():
        model, processor = AutoModel.from_pretrained(folder), BitImageProcessorPil.from_pretrained(folder)
    session = PixelModel(exported(name), "texture_features")
    for photo in photos(shared_data):
        width, height = photo.size
        mask = np.zeros((height, width), bool)
        mask[height // 3 :, width // 4 : width // 2] = True
        shorter = min(photo.size)
        size = (256 * width // shorter, 256 * height // shorter)
        left, top = (size[0] - 224) // 2, (size[1] - 224) // 2
        covered = Image.fromarray(mask.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
        shares = np.asarray(covered.crop((left, top, left + 224, top + 224))).reshape(16, 14, 16, 14).mean(axis=(1, 3))
        with torch.inference_mode():
            tokens = model(**processor(photo, return_tensors="pt")).last_hidden_state[0, first_patch:].numpy()
        assert tokens.shape == (256, 384)
        wanted = (tokens * shares.reshape(256, 1)).sum(axis=0) / shares.sum()
        assert cosine(session.run(np.asarray(photo), mask), wanted) >= LEAST_COSINE, photo.size
        # no patch is the product's, or only what the crop cuts away: all patches, never zeros
        edge = np.zeros_like(mask)
        edge[0, 0] = True
        for nothing in (np.zeros_like(mask), edge):
            assert cosine(session.run(np.asarray(photo), nothing), tokens.mean(axis=0)) >= LEAST_COSINE


def test_dinov2_may_give_its_class_token(checkpoints: Path) -> None:
    """A row that takes no mask and says "cls"."""
    from transformers import AutoModel

    row = replace(MODELS["dinov2-small"], network_mask="", pooling="cls")
    found = PixelModel(float_model_of_checkpoint(checkpoints / "dinov2-small", row), "texture_features")
    with checkpoint_files.quiet():
        model = AutoModel.from_pretrained(checkpoints / "dinov2-small")
    image = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    pixels = (image[16:240, 16:240] / 255 - row.mean) / row.std
    with torch.inference_mode():
        tokens = model(torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))).last_hidden_state
    assert cosine(found.run(image), tokens[0, 0].numpy()) >= LEAST_COSINE
    with pytest.raises(ModelError, match=r"pooling 'patch_mean' with network_mask ''"):
        open_network(checkpoints / "dinov2-small", replace(row, pooling="patch_mean"))


def test_open_clips_weights_give_the_same_vectors(checkpoints: Path, shared_data: Path) -> None:
    """Twelve layers; held to torch's own layers put together by hand from open_clip's tensors, GELU exact as there."""
    from safetensors.torch import load_file

    folder = checkpoints / "marqo-fashionsiglip"
    state = load_file(folder / "open_clip_model.safetensors")
    network = open_network(folder, MODELS["marqo-fashionsiglip"])
    for photo in photos(shared_data)[:3]:
        levels = np.asarray(photo.resize((224, 224), Image.Resampling.BICUBIC), np.float32)
        pixels = torch.from_numpy(levels.transpose(2, 0, 1)[None] / 127.5 - 1)
        with torch.inference_mode():
            found, wanted = network(pixels)[0].numpy(), timm_siglip(state, pixels)[0].numpy()
        assert found == pytest.approx(wanted, abs=1e-4 * float(np.abs(wanted).max()))


def timm_siglip(state: "dict[str, torch.Tensor]", pixels: "torch.Tensor") -> "torch.Tensor":
    """timm's vision transformer with attention pooling, as its paper and its tensors' names tell it."""
    from torch.nn import functional as F

    def named(name: str) -> "dict[str, torch.Tensor]":
        return {kind: state[f"visual.trunk.{name}.{kind}"] for kind in ("weight", "bias")}

    def norm(x: "torch.Tensor", name: str) -> "torch.Tensor":
        return F.layer_norm(x, (768,), **named(name), eps=1e-6)

    def mlp(x: "torch.Tensor", name: str) -> "torch.Tensor":
        return F.linear(F.gelu(F.linear(x, **named(f"{name}.fc1"))), **named(f"{name}.fc2"))

    def attend(*parts: "torch.Tensor") -> "torch.Tensor":
        heads = [part.unflatten(-1, (12, 64)).transpose(1, 2) for part in parts]
        return F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)

    x = F.conv2d(pixels, **named("patch_embed.proj"), stride=16).flatten(2).transpose(1, 2)
    x = x + state["visual.trunk.pos_embed"]
    for layer in range(12):
        block = f"blocks.{layer}"
        qkv = F.linear(norm(x, f"{block}.norm1"), **named(f"{block}.attn.qkv")).chunk(3, dim=-1)
        x = x + F.linear(attend(*qkv), **named(f"{block}.attn.proj"))
        x = x + mlp(norm(x, f"{block}.norm2"), f"{block}.mlp")
    x = norm(x, "norm")
    query = F.linear(state["visual.trunk.attn_pool.latent"], **named("attn_pool.q"))
    pooled = attend(query, *F.linear(x, **named("attn_pool.kv")).chunk(2, dim=-1))
    pooled = F.linear(pooled, **named("attn_pool.proj"))
    return (pooled + mlp(norm(pooled, "attn_pool.norm"), "attn_pool.mlp"))[:, 0]


# --- the graph -------------------------------------------------------------------------------------------------------


def test_the_graph_is_fixed_quiet_and_the_same_again(checkpoints: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No table is resized at run time, GELU is one node, nothing is printed, and the bytes come out the same."""
    row = MODELS["dinov2-small"]
    content = float_model_of_checkpoint(checkpoints / row.name, row)
    assert capfd.readouterr() == ("", "")
    graph = onnx.load_model_from_string(content).graph
    inside = [node.op_type for node in graph.node if node.name.startswith("network_")]
    assert inside.count("BiasGelu") == 2
    assert not {"Resize", "Erf", "IsNaN", "If", "Loop"} & set(inside)
    assert str(checkpoints).encode() not in content
    assert str(CHECKOUT).encode() not in content
    assert float_model_of_checkpoint(checkpoints / row.name, row) == content


def test_every_large_matrix_can_be_quantized(exported: Callable[[str], bytes]) -> None:
    """torch keeps query, key and value of SigLIP's head in one tensor; cut in the graph, no quantiser would see it."""
    graph = onnx.load_model_from_string(exported("siglip2-base-patch16-224")).graph
    taken = {name: node.op_type for node in graph.node for name in node.input}
    large = {taken[entry.name] for entry in graph.initializer if np.prod(entry.dims) > 200_000}
    assert large <= {"MatMul", "Gemm", "Conv"}


def test_arrays_need_not_be_contiguous(exported: Callable[[str], bytes]) -> None:
    """A photo mirrored, or every other pixel of it, by a view."""
    session = PixelModel(exported("dinov2-small"), "texture_features")
    image = np.random.default_rng(2).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    mask = np.tri(400, 300, dtype=bool)
    for view in (np.s_[:, ::-1], np.s_[::2, ::2]):
        assert not image[view].flags.c_contiguous
        wanted = session.run(image[view].copy(), mask[view].copy())
        assert np.array_equal(session.run(image[view], mask[view]), wanted)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.fixture
def siglip(checkpoints: Path, tmp_path: Path) -> Path:
    """A copy of a checkpoint, free to be damaged; its large file by a link."""
    folder = tmp_path / "siglip"
    shutil.copytree(checkpoints / ENCODERS[0], folder, copy_function=os.link)
    return folder


def change(path: Path, **values: object) -> None:
    """Other values in a JSON file; a table's are put into its table."""
    said = json.loads(path.read_text(encoding="utf-8"))
    for key, value in values.items():
        said[key] = {**said[key], **value} if isinstance(value, dict) and key.endswith("_config") else value
    path.unlink()
    path.write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "values", "match"),
    [
        ("config.json", {"model_type": "clip"}, r"model_type is 'clip', the row .* wants 'siglip'; it is another"),
        ("config.json", {"vision_config": {"hidden_size": 384}}, r"hidden_size is 384, the row .* wants 768"),
        ("config.json", {"vision_config": {"image_size": 256}}, r"image_size is 256, the row .* wants 224"),
        ("config.json", {"vision_config": {"num_hidden_layers": 3}}, r"missing: encoder\.layers\.2\..* and 11 more"),
        ("config.json", {"vision_config": {"num_hidden_layers": 1}}, r"unexpected: .*encoder\.layers\.1\."),
        ("config.json", {"vision_config": {"intermediate_size": 100}}, r"of another shape: encoder\.layers\.0\.mlp"),
        ("config.json", {"vision_config": {"num_hidden_layers": "two"}}, r"SiglipConfig refuses it"),
        ("preprocessor_config.json", {"image_mean": [0.4, 0.5, 0.5]}, r"image_mean is \[0\.4, 0\.5, 0\.5\], the row"),
        ("preprocessor_config.json", {"resample": 3}, r"resample is 3, the row .* wants 2"),
        ("preprocessor_config.json", {"size": {"shortest_edge": 224}}, r"size is \{'shortest_edge': 224\}, the row"),
    ],
)
def test_refuses_a_config_that_does_not_fit(siglip: Path, file: str, values: dict[str, object], match: str) -> None:
    """With the file, the value got and the value wanted."""
    change(siglip / file, **values)
    with pytest.raises(ModelError, match=match) as told:
        float_model_of_checkpoint(siglip, MODELS[ENCODERS[0]])
    assert str(told.value).startswith(str(siglip))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"model_type": ' + b"[" * 100_000])
def test_refuses_a_config_that_is_none(siglip: Path, content: bytes) -> None:
    """Cut short, no table, or nested without end."""
    (siglip / "config.json").unlink()
    (siglip / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"config\.json: (can't be read as JSON|holds a list)"):
        open_network(siglip, MODELS[ENCODERS[0]])


@pytest.mark.parametrize("share", [0, 1e-8, 1e-5, 0.5, 0.999999])
def test_refuses_weights_cut_at_any_place(siglip: Path, share: float) -> None:
    """In the header's length, in the header, among the tensors."""
    path = siglip / "model.safetensors"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match=r"model\.safetensors: can't be read as safetensors \(.*pull the model again"):
        open_network(siglip, MODELS[ENCODERS[0]])


def test_refuses_a_pickle_and_a_missing_file(siglip: Path) -> None:
    """pytorch_model.bin is not looked at."""
    (siglip / "model.safetensors").rename(siglip / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"model\.safetensors: can't be read as safetensors"):
        open_network(siglip, MODELS[ENCODERS[0]])


def test_refuses_another_models_weights(siglip: Path, checkpoints: Path) -> None:
    """CLIP's, and a network that is like it but for one tensor too many, or too few."""
    from safetensors.torch import load_file, save_file

    path = siglip / "model.safetensors"
    own = load_file(path)
    for strange, match in (
        (load_file(checkpoints / "fashion-clip" / "model.safetensors"), r"text_projection\.weight"),
        ({**own, "classifier.weight": torch.zeros(3)}, r"holds classifier\.weight, which this network has not"),
        ({**own, "vision_model.extra": torch.zeros(3)}, r"unexpected: (vision_model\.)?extra"),
        ({n: t for n, t in own.items() if n != "vision_model.head.probe"}, r"missing: head\.probe"),
    ):
        path.unlink()
        save_file(strange, path)
        with pytest.raises(ModelError, match=match):
            open_network(siglip, MODELS[ENCODERS[0]])


@pytest.mark.parametrize("value", [float("nan"), 0.0])
def test_refuses_weights_that_give_nothing(checkpoints: Path, tmp_path: Path, value: float) -> None:
    """A damaged norm: no number comes out, or zeros, and no file is made of it."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "dinov2-small"
    shutil.copytree(checkpoints / "dinov2-small", folder)
    state = load_file(folder / "model.safetensors")
    for name in ("layernorm.weight", "layernorm.bias"):
        state[name] = torch.full_like(state[name], value)
    save_file(state, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"dinov2-small does not run: .* is not finite or all zeros .* pull the model"):
        float_model_of_checkpoint(folder, MODELS["dinov2-small"])


def test_refuses_what_is_no_encoder(checkpoints: Path) -> None:
    """SAM 2 is prompted, and runs in torch."""
    with pytest.raises(ModelError, match=r"model sam2\.1-hiera-tiny: a sam2 checkpoint is no encoder"):
        open_network(checkpoints, MODELS["sam2.1-hiera-tiny"])


def test_says_which_extra_is_missing(checkpoints: Path) -> None:
    """In a process that has no torch: the command that mends it."""
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\nfrom catalog.errors import ModelError\n"
        "from catalog.model_descriptions import MODELS\n"
        "from catalog.onnx_export.float_models import float_model_of_checkpoint\n"
        "try:\n    float_model_of_checkpoint(Path(sys.argv[1]), MODELS['dinov2-small'])\n"
        "except ModelError as error:\n    print(error)\n"
    )
    command = [sys.executable, "-c", program, checkpoints / "dinov2-small"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    wanted = "model dinov2-small needs torch, which is not installed; install the extra in the checkout: "
    assert wanted in done.stdout
