"""Text towers give what transformers' own tokenizers and models give, from checkpoints in their hub's format."""

import json
import string
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import ModelError
from catalog.model_descriptions import MODELS, ModelDescription
from catalog.torch_models.text_tokens import Tokens, canonicalize
from catalog.torch_models.text_towers import BATCH_TEXTS, TextTower, has_text_tower
from tests.unit.test_open_clip import LAYERS, inverse

torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [pretrained] is not installed")

DIM = 32
SHAPE = {"hidden_size": DIM, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
LETTERS = [*string.ascii_letters, *string.digits, *string.punctuation]
TEXTS = [
    "a photo of a red dress",
    "A Photo of a RED dress!",
    "",
    "  two   spaces\tand a tab ",
    "crème brûlée, 5-pocket jeans (men's) #1",
    "日本の着物",
    "red dress " * 60,
]


@dataclass(frozen=True)
class Checkpoint:
    """A folder in its hub's format, its row, and transformers' own answers."""

    folder: Path
    row: ModelDescription
    ids: Callable[[list[str]], Any]  # (n, length) by transformers' tokenizer
    model: Any  # transformers' whole model


def random_model(kind: Any, config: Any, seed: int = 1) -> Any:
    """transformers' `kind` of model, every parameter away from its neutral start, as training leaves it; scale and bias
    as published."""
    torch.manual_seed(seed)  # before its own start: torch's first seed is another in every process
    model = kind(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        model.logit_scale.fill_(4.7)
        if hasattr(model, "logit_bias"):
            model.logit_bias.fill_(-16.5)
    return model.eval()


def write_siglip2(folder: Path, seed: int = 1) -> Any:
    """A small SigLIP 2 in its hub's format, 32 wide, for photos of 32 px and 16 tokens; returns transformers' model.

    Gemma's tokenizer is as the hub has it, upper case and all: transformers lower-cases in a class of its own.
    """
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    merged = ["re", "red", "▁red", "dr", "ss", "ess", "dress", "▁dress"]
    words = [*special, *[f"<0x{byte:02X}>" for byte in range(256)], "▁", *LETTERS, *merged]
    merges = [("r", "e"), ("re", "d"), ("▁", "red"), ("d", "r"), ("s", "s"), ("e", "ss"), ("dr", "ess"), ("▁", "dress")]
    vocabulary = {word: place for place, word in enumerate(words)}
    gemma = transformers.GemmaTokenizer(
        vocab=vocabulary, merges=merges, padding_side="right", add_eos_token=True, add_bos_token=False
    )
    gemma.save_pretrained(folder)
    text = {**SHAPE, "vocab_size": len(words), "max_position_embeddings": 16}
    config = transformers.SiglipConfig(text_config=text, vision_config={**SHAPE, "image_size": 32, "patch_size": 16})
    model = random_model(transformers.SiglipModel, config, seed)
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def siglip2(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """SigLIP 2, with the tokenizer that transformers has for it."""
    folder = tmp_path_factory.mktemp("siglip2")
    model = write_siglip2(folder)
    tokenizer = transformers.Siglip2Tokenizer.from_pretrained(folder)
    row = replace(MODELS["siglip2-base-patch16-224"], embedding_dim=DIM, text_length=16)
    return Checkpoint(folder, row, lambda texts: padded(tokenizer, texts, 16), model)


@pytest.fixture(scope="module")
def fashion_siglip(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """T5's tokenizer with the filling that timm's ViT-B-16-SigLIP names, and open_clip's names and GELU."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("fashion_siglip")
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0)]
    words = [*special, ("▁", -2.0), ("▁red", -3.0), ("▁dress", -3.0), *[(letter, -6.0) for letter in LETTERS]]
    tokenizer = transformers.T5Tokenizer(vocab=words, pad_token="</s>", extra_ids=0)
    tokenizer.save_pretrained(folder)
    shape = {**SHAPE, "intermediate_size": 4 * DIM, "num_hidden_layers": LAYERS, "hidden_act": "gelu"}  # as open_clip
    text = {**shape, "vocab_size": len(words), "max_position_embeddings": 16}
    config = transformers.SiglipConfig(text_config=text, vision_config={**shape, "image_size": 32, "patch_size": 16})
    model = random_model(transformers.SiglipModel, config)
    tensors = {name: tensor.contiguous() for name, tensor in inverse(model.state_dict()).items()}
    save_file(tensors, folder / "open_clip_model.safetensors")
    text_cfg = {"context_length": 16, "vocab_size": len(words), "width": DIM, "heads": 4, "layers": LAYERS}
    vision_cfg = {"image_size": 224, "timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map"}
    said = {"embed_dim": DIM, "vision_cfg": vision_cfg, "text_cfg": {**text_cfg, "pool_type": "last"}}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": said}))
    row = replace(MODELS["marqo-fashionsiglip"], embedding_dim=DIM, text_length=16)
    return Checkpoint(
        folder, row, lambda texts: padded(tokenizer, [canonical_by_hand(text) for text in texts], 16), model
    )


@pytest.fixture(scope="module")
def fashion_clip(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Bytes as CLIP writes them, its own pooling at the closing token, and a projection to another width."""
    folder = tmp_path_factory.mktemp("fashion_clip")
    plain = [chr(code) for code in [*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324)]]
    words = [*plain, *[f"{letter}</w>" for letter in plain], "re", "red</w>", "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: place for place, word in enumerate(words)}
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=[("r", "e"), ("re", "d</w>")])
    tokenizer.save_pretrained(folder)
    ends = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": 1}
    text = {**SHAPE, "vocab_size": len(words), "max_position_embeddings": 20, **ends}
    vision = {**SHAPE, "image_size": 32, "patch_size": 16}
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
    model = random_model(transformers.CLIPModel, config)
    model.save_pretrained(folder)
    row = replace(MODELS["fashion-clip"], embedding_dim=24, text_length=20)
    return Checkpoint(folder, row, lambda texts: padded(tokenizer, texts, 20), model)


def padded(tokenizer: Any, texts: list[str], length: int) -> Any:
    """As the models' pages say to call it."""
    return tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids


def canonical_by_hand(text: str) -> str:
    """big_vision's rule, letter by letter."""
    kept = "".join(" " if letter == "_" or letter.isspace() else letter for letter in text)
    kept = "".join(letter for letter in kept if letter not in string.punctuation).lower()
    while "  " in kept:
        kept = kept.replace("  ", " ")
    return kept.strip()


@pytest.fixture(params=["siglip2", "fashion_siglip", "fashion_clip"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    """Each of the three."""
    found: Checkpoint = request.getfixturevalue(request.param)
    return found


def test_ids_are_transformers_own(checkpoint: Checkpoint) -> None:
    """Cleaned, closed, cut with the closing token kept, and filled up, id by id."""
    vocabulary = checkpoint.model.config.text_config.vocab_size
    found = Tokens(checkpoint.folder, checkpoint.row, vocabulary).ids(TEXTS)
    assert found.dtype == np.int64
    assert found.tolist() == checkpoint.ids(TEXTS).tolist()


def test_special_ids_are_those_of_the_training(siglip2: Checkpoint, fashion_siglip: Checkpoint) -> None:
    """Gemma closes with 1 and fills with 0; T5's vocabulary closes with 1 and, as big_vision did it, fills with 1."""
    for checkpoint, filling in ((siglip2, 0), (fashion_siglip, 1)):
        tokens = Tokens(checkpoint.folder, checkpoint.row, 10_000)
        [empty, long] = tokens.ids(["", "red dress " * 60])
        assert empty.tolist() == [1, *[filling] * 15]
        assert (long[-1], 1 in long[:-1]) == (1, False)


def test_embeddings_are_transformers_own(checkpoint: Checkpoint) -> None:
    """The whole model's text features, to length 1; more texts than a batch, in order."""
    texts = TEXTS * 6
    assert len(texts) > BATCH_TEXTS
    tower = TextTower(checkpoint.folder, checkpoint.row)
    found = tower.embed(texts)
    with torch.inference_mode():
        features = checkpoint.model.get_text_features(input_ids=checkpoint.ids(texts))
        wanted = torch.nn.functional.normalize(getattr(features, "pooler_output", features), dim=-1).numpy()
    assert (found.shape, found.dtype) == ((len(texts), checkpoint.row.embedding_dim), np.float32)
    assert np.abs(found - wanted).max() < 2e-6
    assert np.abs(found[0] - found[4]).max() > 0.01, "different words, different vectors"
    assert tower.logit_scale == pytest.approx(np.exp(4.7), rel=1e-6)
    assert tower.logit_bias == (0.0 if checkpoint.row.name == "fashion-clip" else -16.5)
    assert tower.embed([]).shape == (0, checkpoint.row.embedding_dim)


def test_case_does_not_count(checkpoint: Checkpoint) -> None:
    """Nor does punctuation where the training had none."""
    tower = TextTower(checkpoint.folder, checkpoint.row)
    first, second, third = tower.embed(["red dress", "Red DRESS", "red, dress!"])
    assert first == pytest.approx(second, abs=1e-6)
    assert (np.abs(first - third).max() < 1e-6) == (checkpoint.row.name == "marqo-fashionsiglip")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A Photo of a T-Shirt.", "a photo of a tshirt"),
        ("women's_bag", "womens bag"),
        ("men\u2019s \u201cslim\u201d  jeans\n", "mens slim jeans"),
        ("Black &amp; white &lt;3", "black white 3"),
        ("ÉTÉ", "été"),
        ("!?", ""),
    ],
)
def test_canonical_text(text: str, wanted: str) -> None:
    """By hand, from open_clip's description."""
    assert canonicalize(text) == wanted


def test_who_has_a_text_tower() -> None:
    """A detector reads words as well, but embeds none."""
    found = {name for name, row in MODELS.items() if has_text_tower(row)}
    assert found == {"siglip2-base-patch16-224", "marqo-fashionsiglip", "fashion-clip"}
    with pytest.raises(ModelError, match="model lookbook-semantic: has no text tower"):
        TextTower(Path(), MODELS["lookbook-semantic"])


def copied(checkpoint: Checkpoint, folder: Path, *without: str) -> Path:
    """The checkpoint's files, free to be changed."""
    for file in checkpoint.folder.iterdir():
        if file.name not in without:
            (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_a_tokenizer_that_can_not_be_used(siglip2: Checkpoint, fashion_clip: Checkpoint, tmp_path: Path) -> None:
    """Missing, damaged, another model's, or of another vocabulary."""
    folder, name = copied(siglip2, tmp_path, "tokenizer.json"), "tokenizer.json"
    with pytest.raises(ModelError, match=r"tokenizer\.json: not there; .*lookbook models pull siglip2-base-patch16"):
        TextTower(folder, siglip2.row)
    (folder / name).write_text((siglip2.folder / name).read_text("utf-8")[:-30], "utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json: can't be read as a tokenizer .*cut short"):
        TextTower(folder, siglip2.row)
    with pytest.raises(ModelError, match=r"tokenizer\.json: gives token 3\d\d, the network knows 300"):
        Tokens(siglip2.folder, siglip2.row, 300).ids(["red dress"])
    with pytest.raises(ModelError, match=r"tokenizer\.json: has no token '<eos>'; it is another model's"):
        Tokens(fashion_clip.folder, siglip2.row, 10_000)


def test_a_checkpoint_of_another_kind(checkpoint: Checkpoint) -> None:
    """Another width, another length of text."""
    wider = replace(checkpoint.row, embedding_dim=48)
    with pytest.raises(ModelError, match=r"config\.json: \w+ is (32|24), the row .* wants 48"):
        TextTower(checkpoint.folder, wider)
    with pytest.raises(ModelError, match=r"config\.json: \w+ is (16|20), the row .* wants 64"):
        TextTower(checkpoint.folder, replace(checkpoint.row, text_length=64))


def test_no_scale_or_nothing_finite(siglip2: Checkpoint, tmp_path: Path) -> None:
    """A checkpoint without its bias, and one whose head was damaged."""
    from safetensors.torch import load_file, save_file

    folder, name = copied(siglip2, tmp_path), "model.safetensors"
    tensors = load_file(siglip2.folder / name)
    save_file({key: value for key, value in tensors.items() if key != "logit_bias"}, folder / name)
    with pytest.raises(ModelError, match=r"model\.safetensors: logit_bias is missing or is no finite number"):
        TextTower(folder, siglip2.row)
    head = torch.full_like(tensors["text_model.head.bias"], float("nan"))
    save_file({**tensors, "text_model.head.bias": head}, folder / name)
    with pytest.raises(ModelError, match="siglip2-base-patch16-224: its text tower gives nothing finite"):
        TextTower(folder, siglip2.row).embed(["red"])


@pytest.mark.parametrize("missing", ["torch", "transformers", "tokenizers"])
def test_without_the_extra(siglip2: Checkpoint, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """One line says what is missing and what to install."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModelError, match=rf"needs {missing}, which is not installed; .*pip install"):
        TextTower(siglip2.folder, siglip2.row)
