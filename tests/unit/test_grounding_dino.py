"""Grounding DINO: pixels, tokens and boxes as transformers' own processor has them. Random weights throughout."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import ModelError
from catalog.model_descriptions import MODELS
from catalog.torch_models import grounding_dino
from catalog.torch_models.grounding_dino import GroundingDino, caption, prepare, prepared_size
from catalog.vision.boxes import without_doubles

torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [pretrained] is not installed")

ROW = replace(MODELS["grounding-dino-tiny"], input_side_px=96)
WORDS = ("Bag", "tote bag")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Grounding DINO, as the hub has it, and a BERT tokenizer of a few words."""
    folder = tmp_path_factory.mktemp("dino")
    torch.manual_seed(0)
    swin = transformers.SwinConfig(
        embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 4], window_size=4, image_size=96, out_indices=[2, 3, 4]
    )
    text = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "encoder_layers": 1, "decoder_layers": 2}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "num_queries": 30}
    config = transformers.GroundingDinoConfig(
        backbone_config=swin, text_config={"model_type": "bert", "vocab_size": 1100, **text}, **sizes, **heads
    )
    model = transformers.GroundingDinoForObjectDetection(config)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.add_(0.05 * torch.randn_like(tensor))
    model.save_pretrained(folder)
    words = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "bag": 200, "tote": 201, ".": 1012, "?": 1029}
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordPiece(vocab=words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 101), ("[SEP]", 102)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)


def test_sizes_as_transformers_has_them() -> None:
    """The shorter side to 800, the longer to 1,333 at most, roundings included."""
    from transformers.image_transforms import get_size_with_aspect_ratio

    rng = np.random.default_rng(0)
    sizes = [
        (550, 842),
        (800, 800),
        (800, 1333),
        (1024, 300),
        (300, 1024),
        (512, 512),
        *rng.integers(16, 1100, (300, 2)),
    ]
    for width, height in sizes:
        wanted = get_size_with_aspect_ratio((int(height), int(width)), 800, 1333)
        assert prepared_size(int(width), int(height), 800) == wanted[::-1], (width, height)


def test_pixels_as_transformers_own_processor(photo: np.ndarray) -> None:
    """Its form for Pillow, which needs no torchvision."""
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    wanted = GroundingDinoImageProcessorPil()(photo, return_tensors="np")["pixel_values"][0]
    assert np.abs(prepare(photo, MODELS["grounding-dino-tiny"]) - wanted).max() < 1e-5


def test_words_become_a_caption() -> None:
    """In lower case, each with a full stop."""
    assert caption(("T-Shirt", " tote bag. ")) == "t-shirt. tote bag."


def test_boxes_as_transformers_own_pipeline(checkpoint: Path, photo: np.ndarray, monkeypatch) -> None:
    """Processor, model and post-processing of the library, then our own removal of doubles."""
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(checkpoint / "tokenizer.json"), pad_token="[PAD]"
    )
    pixels = GroundingDinoImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 1333})
    inputs = {**tokenizer("bag. tote bag.", return_tensors="pt"), **pixels(photo, return_tensors="pt")}
    assert inputs["input_ids"].tolist() == [[101, 200, 1012, 201, 200, 1012, 102]]
    model = transformers.GroundingDinoForObjectDetection.from_pretrained(checkpoint).eval()
    with torch.inference_mode():
        outputs = model(**inputs)
    likely = outputs.logits.sigmoid().amax(-1).flatten().sort().values
    middle = len(likely) // 3
    gap = middle + int((likely[middle + 1 : 2 * middle] - likely[middle : 2 * middle - 1]).argmax())
    threshold = float(likely[gap : gap + 2].mean())  # no box lies so near that a sum's order decides
    processor = transformers.GroundingDinoProcessor.__new__(transformers.GroundingDinoProcessor)
    processor.tokenizer = tokenizer
    wanted = processor.post_process_grounded_object_detection(
        outputs, inputs["input_ids"], threshold=threshold, target_sizes=[(120, 160)]
    )[0]
    monkeypatch.setattr(grounding_dino, "MIN_CONFIDENCE", threshold)
    monkeypatch.setattr(grounding_dino, "MOST_IOU", 1.0)  # nothing is a double
    detector = GroundingDino(checkpoint, ROW, threads=2)
    found = detector.detect(photo, WORDS)
    assert len(found) == len(wanted["scores"]) > 5
    order = torch.argsort(wanted["scores"], descending=True, stable=True)
    inside = wanted["boxes"][order].clamp(min=0).minimum(torch.tensor([160.0, 120.0, 160.0, 120.0]))
    assert np.array([entry.confidence for entry in found]) == pytest.approx(wanted["scores"][order].numpy(), abs=1e-5)
    assert np.array([entry.box for entry in found]) == pytest.approx(inside.numpy(), abs=1e-2)
    monkeypatch.setattr(grounding_dino, "MOST_IOU", 0.7)
    assert detector.detect(photo, WORDS) == without_doubles(found, 0.7)


def copied(checkpoint: Path, folder: Path) -> Path:
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_what_is_no_such_checkpoint_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """Another model's config, another tokenizer, a tensor too few: each by its file."""
    folder = copied(checkpoint, tmp_path)
    said = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**said, "model_type": "detr"}), "utf-8")
    with pytest.raises(ModelError, match=r"config\.json: model_type is 'detr'.*wants 'grounding-dino'"):
        GroundingDino(folder, ROW, threads=1)
    (folder / "config.json").write_text(json.dumps({**said, "max_text_len": 77}), "utf-8")
    with pytest.raises(ModelError, match=r"config\.json: max_text_len is 77.*wants 256"):
        GroundingDino(folder, ROW, threads=1)
    (folder / "config.json").write_text(json.dumps(said), "utf-8")
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json: can't be read as a tokenizer.*pull the model again"):
        GroundingDino(folder, ROW, threads=1)
    (folder / "tokenizer.json").write_bytes((checkpoint / "tokenizer.json").read_bytes())
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(tensors) if "text_projection" in name)
    del tensors[name]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=rf"model\.safetensors: not the tensors.*missing: {re.escape(name)}"):
        GroundingDino(folder, ROW, threads=1)


def test_what_is_not_finite_fails_the_photo(checkpoint: Path, tmp_path: Path, photo: np.ndarray) -> None:
    """A NaN in the text's projection."""
    from safetensors.torch import load_file, save_file

    folder = copied(checkpoint, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in sorted(tensors) if "text_projection" in name)
    tensors[name] = tensors[name] * float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="grounding-dino-tiny: its output is not finite on this photo"):
        GroundingDino(folder, ROW, threads=1).detect(photo, WORDS)
