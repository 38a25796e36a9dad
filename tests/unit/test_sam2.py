"""SAM 2 by transformers and by Meta's package: prompts, candidates and what is refused. Random weights throughout."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.errors import ModelError
from catalog.model_descriptions import MODELS
from catalog.torch_models import sam2_meta
from catalog.torch_models.sam2 import Sam2, TransformersSam2, image_tensors
from catalog.vision.preparing import prepare_image
from catalog.vision.prompts import Prompt, grid

torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [pretrained] is not installed")

SIDE = 256
ROW = replace(MODELS["sam2.1-hiera-tiny"], input_side_px=SIDE)
BOX_AND_POINTS = Prompt((30.0, 20.0, 200.0, 140.0), ((50.0, 60.0), (100.5, 90.25)))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small SAM 2 for video, as the hub has it; no norm or bias is left at 0 or 1, which would hide an exchange."""
    folder = tmp_path_factory.mktemp("sam2")
    torch.manual_seed(0)
    backbone = {
        "hidden_size": 16,
        "num_attention_heads": 1,
        "image_size": [SIDE, SIDE],
        "embed_dim_per_stage": [16, 32, 64, 128],
        "num_attention_heads_per_stage": [1, 2, 4, 8],
    }
    config = transformers.Sam2VideoConfig(
        image_size=SIDE,
        vision_config={
            "model_type": "sam2_vision_model",
            "backbone_config": {"model_type": "sam2_hiera_det_model", **backbone},
            "backbone_channel_list": [128, 64, 32, 16],
            "backbone_feature_sizes": [[64, 64], [32, 32], [16, 16]],
        },
        prompt_encoder_config={"image_size": SIDE},
    )
    model = transformers.Sam2VideoModel(config)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.add_(0.1 * torch.randn_like(tensor))
    model.prompt_encoder.shared_embedding.positional_embedding.copy_(model.shared_image_embedding.positional_embedding)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """240 x 160 pixels of noise, smoothed."""
    rng = np.random.default_rng(5)
    small = Image.fromarray(rng.integers(0, 255, (20, 30, 3), np.uint8))
    return np.asarray(small.resize((240, 160), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def segmenter(checkpoint: Path) -> Sam2:
    return Sam2(TransformersSam2(checkpoint, ROW), ROW, "float32", threads=2)


def test_pixels_are_prepared_as_torchs_own_resize_does(photo: np.ndarray) -> None:
    """torchvision's resize of uint8 is torch's, antialiased: at most a level off, in the network's units."""
    planes = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None]
    for row in (ROW, MODELS["sam2.1-hiera-tiny"]):  # smaller, and larger, than the photo
        side = row.input_side_px
        resized = torch.nn.functional.interpolate(planes, (side, side), mode="bilinear", antialias=True)
        mean, std = (torch.tensor(values)[:, None, None] for values in (row.mean, row.std))
        wanted = (resized[0].float() / 255 - mean) / std
        assert np.abs(prepare_image(photo, row) - wanted.numpy()).max() <= 1.01 / 255 / min(row.std)


def test_answers_as_transformers_own_forward(checkpoint: Path, segmenter: Sam2, photo: np.ndarray) -> None:
    """Coordinates by the library's processor, photo and prompt in one call."""
    reference = transformers.Sam2Model.from_pretrained(checkpoint).eval()
    processor = transformers.Sam2Processor.__new__(transformers.Sam2Processor)  # its image processor needs torchvision
    processor.target_size, processor.point_pad_value = SIDE, -10
    points = torch.tensor([[BOX_AND_POINTS.points]])
    box = torch.tensor([[BOX_AND_POINTS.box]])
    processor._normalize_tensor_coordinates(points, [[160, 240]])
    processor._normalize_tensor_coordinates(box, [[160, 240]], is_bounding_box=True)
    for multimask, count in ((True, 3), (False, 1)):
        with torch.inference_mode():
            wanted = reference(
                pixel_values=torch.from_numpy(prepare_image(photo, ROW))[None],
                input_points=points,
                input_labels=torch.ones(1, 1, 2, dtype=torch.int64),
                input_boxes=box,
                multimask_output=multimask,
            )
        found = segmenter.candidates(segmenter.encode(photo), [BOX_AND_POINTS], multimask=multimask)
        assert len(found) == count
        for place, candidate in enumerate(found):
            assert candidate.logits.shape == (64, 64)
            assert candidate.logits == pytest.approx(wanted.pred_masks[0, 0, place].numpy(), abs=1e-4)
            assert candidate.predicted_iou == pytest.approx(float(wanted.iou_scores[0, 0, place]), abs=1e-5)


def test_prompts_asked_together_are_those_asked_alone(segmenter: Sam2, photo: np.ndarray) -> None:
    """A grid's points in one batch; a box without points."""
    encoded = segmenter.encode(photo)
    points = grid(240, 160, side=2)
    together = segmenter.candidates(encoded, points, multimask=True)
    alone = [found for point in points for found in segmenter.candidates(encoded, [point], multimask=True)]
    assert len(together) == len(alone) == 12
    for first, second in zip(together, alone, strict=True):
        assert first.logits == pytest.approx(second.logits, abs=1e-4)
        assert first.predicted_iou == pytest.approx(second.predicted_iou, abs=1e-5)
    boxed = segmenter.candidates(encoded, [Prompt(BOX_AND_POINTS.box, ())], multimask=False)
    with_points = segmenter.candidates(encoded, [BOX_AND_POINTS], multimask=False)
    assert np.abs(boxed[0].logits - with_points[0].logits).max() > 1e-3


def test_threads_do_not_disturb_each_other(segmenter: Sam2, photo: np.ndarray) -> None:
    """Four photos at once give what each gives alone."""
    photos = [np.roll(photo, 40 * shift, axis=1) for shift in range(4)]

    def logits(image: np.ndarray) -> np.ndarray:
        return segmenter.candidates(segmenter.encode(image), [BOX_AND_POINTS], multimask=False)[0].logits

    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(logits, photos))
    for found, image in zip(at_once, photos, strict=True):
        assert np.array_equal(found, logits(image))


def test_the_video_modules_are_left_aside(checkpoint: Path) -> None:
    """The hub's file holds them; the network of single photos has none."""
    from safetensors import safe_open

    with safe_open(checkpoint / "model.safetensors", framework="pt") as file:
        names = set(file.keys())
    kept = set(image_tensors(checkpoint))
    assert kept < names
    assert {"memory_encoder", "memory_attention"} <= {name.partition(".")[0] for name in names - kept}


def changed(checkpoint: Path, folder: Path, change) -> Path:
    """A copy of the checkpoint with other tensors."""
    from safetensors.torch import load_file, save_file

    (folder / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    tensors = load_file(checkpoint / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_a_missing_tensor_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """transformers alone would fill it with random numbers."""
    changed(checkpoint, tmp_path, lambda tensors: tensors.pop("mask_decoder.iou_token.weight"))
    with pytest.raises(ModelError, match=r"model.safetensors: not the tensors of Sam2Model.*mask_decoder.iou_token.we"):
        TransformersSam2(tmp_path, ROW)


def test_a_tensor_too_many_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """One that is neither the photo's network nor the video's."""
    changed(checkpoint, tmp_path, lambda tensors: tensors.update({"classifier.weight": torch.zeros(2)}))
    with pytest.raises(ModelError, match=r"classifier\.weight"):
        TransformersSam2(tmp_path, ROW)


def test_a_file_cut_short_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    """By its name."""
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((checkpoint / "model.safetensors").read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"model\.safetensors: can't be read as safetensors.*pull the model again"):
        TransformersSam2(tmp_path, ROW)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"sam2_video"', '"sam3"', r"config\.json: model_type is 'sam3', the row 'sam2.1-hiera-tiny'.*'sam2_video'"),
        ('"mask_decoder_config"', '"mask_decoder"', r"config\.json: 'mask_decoder_config' is missing or is no table"),
        ('"mlp_dim": 2048', '"mlp_dim": "wide"', r"config\.json: Sam2Config refuses it"),
    ],
)
def test_another_config_is_refused(checkpoint: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    """With the key, the value got and the value wanted."""
    said = (checkpoint / "config.json").read_text("utf-8")
    assert old in said
    (tmp_path / "config.json").write_text(said.replace(old, new), "utf-8")
    (tmp_path / "model.safetensors").write_bytes((checkpoint / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match=message):
        TransformersSam2(tmp_path, ROW)


def test_another_side_than_the_rows_is_refused(checkpoint: Path) -> None:
    """Prompts would be scaled wrongly, in silence."""
    with pytest.raises(ModelError, match=r"image_size is 256, the row 'sam2.1-hiera-tiny'.*wants 1024"):
        TransformersSam2(checkpoint, MODELS["sam2.1-hiera-tiny"])


def test_what_is_not_finite_fails_the_photo(checkpoint: Path, tmp_path: Path, photo: np.ndarray) -> None:
    """A NaN in one weight of the score's head."""

    def spoil(tensors) -> None:
        tensors["mask_decoder.iou_prediction_head.proj_out.bias"][1] = float("nan")

    broken = Sam2(TransformersSam2(changed(checkpoint, tmp_path, spoil), ROW), ROW, "float32", threads=1)
    with pytest.raises(ModelError, match=r"sam2.1-hiera-tiny: a mask or its score is not finite on this photo"):
        broken.candidates(broken.encode(photo), [BOX_AND_POINTS], multimask=True)


def test_bfloat16_says_nearly_the_same(checkpoint: Path, segmenter: Sam2, photo: np.ndarray) -> None:
    """Masks and scores come back in float32, a few thousandths off."""
    rough = Sam2(TransformersSam2(checkpoint, ROW), ROW, "bfloat16", threads=2)
    asked = {"prompts": [BOX_AND_POINTS], "multimask": True}
    for exact, found in zip(
        segmenter.candidates(segmenter.encode(photo), **asked),
        rough.candidates(rough.encode(photo), **asked),
        strict=True,
    ):
        assert found.logits.dtype == np.float32
        assert np.corrcoef(exact.logits.ravel(), found.logits.ravel())[0, 1] > 0.99
        assert found.predicted_iou == pytest.approx(exact.predicted_iou, abs=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_on_a_gpu_as_on_the_processor(checkpoint: Path, photo: np.ndarray) -> None:
    """bfloat16 by autocast; the network lies on the GPU and masks come back to the host."""
    on_gpu = Sam2(TransformersSam2(checkpoint, ROW), ROW, "auto", threads=1)
    assert on_gpu.precision == "bfloat16"
    reference = transformers.Sam2Model.from_pretrained(checkpoint).eval()
    found = on_gpu.candidates(on_gpu.encode(photo), [Prompt(None, ((120.0, 80.0),))], multimask=True)
    with torch.inference_mode():
        wanted = reference(
            pixel_values=torch.from_numpy(prepare_image(photo, ROW))[None],
            input_points=torch.tensor([[[[128.0, 128.0]]]]),
            input_labels=torch.ones(1, 1, 1, dtype=torch.int64),
        )
    for candidate, expected in zip(found, wanted.pred_masks[0, 0].numpy(), strict=True):
        assert np.corrcoef(candidate.logits.ravel(), expected.ravel())[0, 1] > 0.98


def test_metas_names(checkpoint: Path) -> None:
    """Names of SAM2Base as sam2 1.1.0 has them; its tensors for photos, and no two of ours become one of them."""
    ours = image_tensors(checkpoint)
    metas = sam2_meta.metas_tensors(ours, checkpoint)
    assert {
        "no_mem_embed",
        "image_encoder.trunk.pos_embed_window",
        "image_encoder.trunk.patch_embed.proj.weight",
        "image_encoder.trunk.blocks.1.norm1.bias",
        "image_encoder.trunk.blocks.1.attn.qkv.weight",
        "image_encoder.trunk.blocks.1.mlp.layers.0.weight",
        "image_encoder.trunk.blocks.1.mlp.layers.1.weight",
        "image_encoder.trunk.blocks.1.proj.weight",
        "image_encoder.neck.convs.3.conv.bias",
        "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "sam_prompt_encoder.point_embeddings.3.weight",
        "sam_prompt_encoder.not_a_point_embed.weight",
        "sam_prompt_encoder.mask_downscaling.6.weight",
        "sam_mask_decoder.transformer.layers.1.norm4.weight",
        "sam_mask_decoder.transformer.layers.0.cross_attn_image_to_token.out_proj.weight",
        "sam_mask_decoder.transformer.layers.0.mlp.layers.1.bias",
        "sam_mask_decoder.transformer.norm_final_attn.weight",
        "sam_mask_decoder.output_upscaling.1.bias",
        "sam_mask_decoder.output_hypernetworks_mlps.2.layers.1.weight",
        "sam_mask_decoder.iou_prediction_head.layers.2.bias",
        "sam_mask_decoder.pred_obj_score_head.layers.0.weight",
        "sam_mask_decoder.conv_s1.weight",
    } <= set(metas)
    assert len(metas) == len(ours) - 2 + 4  # one table of positions fewer, one of points in four
    assert metas["sam_prompt_encoder.point_embeddings.2.weight"].equal(ours[sam2_meta.POINTS][2:3])
    assert metas["sam_mask_decoder.iou_prediction_head.layers.1.weight"].equal(
        ours["mask_decoder.iou_prediction_head.layers.0.weight"]
    )


def test_two_tables_of_positions_are_no_network_of_metas(checkpoint: Path) -> None:
    """It would answer, wrongly."""
    tensors = image_tensors(checkpoint)
    tensors[sam2_meta.IMAGE_POSITIONS] = tensors[sam2_meta.IMAGE_POSITIONS] + 1
    with pytest.raises(ModelError, match=r"shared_image_embedding.*differ.*backend to 'transformers'"):
        sam2_meta.metas_tensors(tensors, checkpoint)
    del tensors[sam2_meta.POINTS]
    with pytest.raises(ModelError, match=r"prompt_encoder\.point_embed\.weight is missing"):
        sam2_meta.metas_tensors(tensors, checkpoint)


def test_metas_package_is_asked_for(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it isn't installed."""
    monkeypatch.delitem(sys.modules, "sam2", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"backend 'meta' needs Meta's package sam2.*pip install --no-deps sam2"):
        sam2_meta.MetaSam2(checkpoint, ROW)


def test_metas_network_answers_alike(tmp_path: Path, photo: np.ndarray) -> None:
    """Tiny at full size, by Meta's own package, on the same random weights."""
    if importlib.util.find_spec("sam2") is None:
        pytest.skip("Meta's package sam2 is not installed")
    row = MODELS["sam2.1-hiera-tiny"]
    torch.manual_seed(1)
    model = transformers.Sam2Model(transformers.Sam2Config())
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.add_(0.02 * torch.randn_like(tensor))
    model.prompt_encoder.shared_embedding.positional_embedding.copy_(model.shared_image_embedding.positional_embedding)
    model.save_pretrained(tmp_path)
    both = [Sam2(kind(tmp_path, row), row, "float32", threads=2) for kind in (TransformersSam2, sam2_meta.MetaSam2)]
    for prompts, multimask in (
        ([BOX_AND_POINTS], True),
        ([Prompt(BOX_AND_POINTS.box, ())], False),
        (grid(240, 160, side=2), True),
    ):
        ours, metas = [one.candidates(one.encode(photo), prompts, multimask=multimask) for one in both]
        for first, second in zip(ours, metas, strict=True):
            assert first.logits == pytest.approx(second.logits, abs=1e-4)
            assert first.predicted_iou == pytest.approx(second.predicted_iou, abs=1e-5)
