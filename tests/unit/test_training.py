"""The parts of training that can be held to something: the split, the views, the losses, the loop, the export."""

import csv
import itertools
import json
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from PIL import Image
from torch import nn

from catalog.errors import FormatError, ModelError
from catalog.features.inference import PixelModel
from catalog.model_descriptions import MODELS
from catalog.onnx_export.float_models import head_prototypes, with_head_prototypes
from catalog.onnx_export.pixel_input import with_pixel_input
from catalog.onnx_export.torch_export import export
from catalog.training import (
    crops,
    loop,
    networks,
    photos,
    segmenter_data,
    semantic,
    street,
    teachers,
    texture,
    warm_start,
)
from tests.conftest import CHECKOUT

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture
def striped_crop() -> crops.TrainingCrop:
    """A red and blue striped disc on white."""
    rows, columns = np.mgrid[:200, :200]
    mask = np.hypot(rows - 100, columns - 100) < 80
    stripes = np.where((columns // 10 % 2)[..., None], (200, 30, 30), (30, 30, 200)).astype(np.uint8)
    return crops.TrainingCrop(np.where(mask[..., None], stripes, np.uint8(255)), mask)


# --- what is learnt from ---------------------------------------------------------------------------------------------


def test_no_held_out_sender_is_ever_trained_on(shared_data: Path) -> None:
    """The two parts share no sender, hold CC0 photos only, and the held part is of `clothing`, all ten classes."""
    training, held_out = photos.cc0_photos(shared_data)
    assert not {photo.sender_id for photo in training} & {photo.sender_id for photo in held_out}
    with (shared_data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        licence = {row["path"]: row["licence"] for row in csv.DictReader(file)}
    assert {licence[photo.name] for photo in [*training, *held_out]} == {"CC0-1.0"}
    assert {photo.name.partition("/")[0] for photo in held_out} == {"clothing"}
    assert len({photo.category for photo in held_out}) == 10
    assert len(training) > 1900
    assert len(held_out) > 300


def test_no_held_out_style_or_street_photo_is_trained_on(shared_data: Path) -> None:
    """The shop's styles are held out in all their colours; both parts are there; a product's photos go together."""
    with (shared_data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    styles = {row["product_id"] for row in rows.values() if row["source"] == "luma"}
    learnt = {rows[photo.name]["product_id"] for photo in photos.shop_photos(shared_data)}
    assert 0.5 < len(learnt) / len(styles) < 0.7
    assert not {style for style in learnt if photos.is_held_out_style(style)}
    assert all(photo.product == rows[photo.name]["variant_id"] for photo in photos.shop_photos(shared_data))
    street_photos = [photo.name for photo in photos.street_photos(shared_data)]
    assert 100 < len(street_photos) < 140
    assert not [name for name in street_photos if photos.is_held_out_photo(name)]


def test_garments_are_cut_out_by_their_labels(tmp_path: Path) -> None:
    """Of a skirt, a coat, a hat too small and skin: two garments under the head's names; the person is all of them."""
    names = ["null", "skin", "coat", "skirt", "hat"]
    (tmp_path / "labels.json").write_text(json.dumps(names), encoding="utf-8")
    pixels = np.zeros((40, 40), np.uint8)
    pixels[2:20, 10:30], pixels[20:34, 12:28], pixels[0, 10:30], pixels[34:38, 12:16] = 2, 3, 4, 1
    (tmp_path / "mask").mkdir()
    labels = tmp_path / "mask" / "one.png"
    Image.fromarray(pixels).save(labels)
    found = dict(street.garments(labels))
    assert sorted(found) == ["outwear", "skirt"]
    assert found["outwear"].sum() == 18 * 20
    assert found["skirt"].sum() == 14 * 16
    assert street.person(labels).sum() == 18 * 20 + 14 * 16 + 20 + 16


@pytest.mark.parametrize("name", ["lookbook-segmenter", "lookbook-semantic", "lookbook-texture"])
def test_a_network_starts_from_what_shipped(name: str) -> None:
    """In eval mode as in training it answers at first what the shipped graph does, on photos it was not scaled on."""
    exported = onnx.load(CHECKOUT / "models" / "embedded" / f"{name}.onnx")
    side, rng = MODELS[name].input_side_px, np.random.default_rng(4)
    coarse = rng.normal(size=(12, 3, side // 8, side // 8)).astype(np.float32)
    pixels = torch.from_numpy(coarse.repeat(8, axis=2).repeat(8, axis=3))
    others = [torch.ones(12, 1, side, side)] if name == "lookbook-texture" else []
    networks_of = {
        "lookbook-segmenter": networks.Segmenter,
        "lookbook-semantic": lambda: networks.SemanticEncoder(128, 20),
        "lookbook-texture": lambda: networks.WholeAndQuarters(networks.TextureEncoder(128)),
    }
    network = networks_of[name]()
    warm_start.start_from(network, exported, *(given[:8] for given in (pixels, *others)))
    session = ort.InferenceSession(exported.SerializeToString())
    last = [given[8:].numpy() for given in (pixels, *others)]
    wanted = np.concatenate(
        [
            session.run(None, {i.name: value[n : n + 1] for i, value in zip(session.get_inputs(), last, strict=True)})[
                0
            ]
            for n in range(4)
        ]
    )
    with torch.no_grad():
        found = network(*map(torch.from_numpy, last))
        learning = network.train()(*(given[:8] for given in (pixels, *others)))
        at_rest = network.eval()(*(given[:8] for given in (pixels, *others)))
    found = torch.sigmoid(found) if name == "lookbook-segmenter" else found
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-4)
    assert float((learning - at_rest).abs().max()) < 0.2  # random weights: far more


def test_weights_of_another_network_are_refused() -> None:
    """By the tensor's name and both shapes."""
    exported = onnx.load(CHECKOUT / "models" / "embedded" / "lookbook-texture.onnx")
    with pytest.raises(
        ModelError, match=r"features\.0\.0\.weight: .* hold nothing .* \(24, 3, 3, 3\) is wanted; start from"
    ):
        warm_start.start_from(networks.SemanticEncoder(128, 20), exported, torch.zeros(2, 3, 160, 160))


def test_views_are_numbered_through_all_parts() -> None:
    """Of parts of two and three products: place 3 is the second of the second part."""
    images = [np.arange(n * 6, dtype=np.uint8).reshape(n, 6, 1, 1, 1) + 100 * part for part, n in ((0, 2), (1, 3))]
    views = semantic.Views(images, [part.reshape(len(part), 6, 1).astype(np.float32) for part in images])
    assert len(views) == 5
    taken, teacher = views.taken(np.array([1, 3]), np.array([0, 5]))
    assert taken.ravel().tolist() == teacher.ravel().tolist() == [6, 111]


def test_a_folder_without_photos_says_what_is_wanted(tmp_path: Path) -> None:
    """No manifest, no teacher."""
    with pytest.raises(FormatError, match=r"manifest\.csv: not there; name the folder"):
        photos.cc0_photos(tmp_path)
    with pytest.raises(ModelError, match=r"u2netp_320_fp32\.onnx: not there; training needs the teacher"):
        teachers.open_teacher(tmp_path, teachers.SALIENCY_FILE)


def test_photo_views_keep_the_product_on_white(striped_crop: crops.TrainingCrop) -> None:
    """Corners are white, the middle is not, and no two views are alike."""
    views = [crops.photo_view(np.random.default_rng(seed), striped_crop, 96) for seed in range(8)]
    for view in views:
        assert view.shape == (96, 96, 3)
        assert (view[0, 0] == 255).all()
        assert view[48, 48].min() < 200
    assert all((a != b).any() for a, b in itertools.combinations(views, 2))


def test_a_view_from_close_by_is_mostly_product(striped_crop: crops.TrainingCrop) -> None:
    """A third of the view at the least, and on average more than of a whole view."""
    covered = {
        near: [
            (crops.photo_view(np.random.default_rng(seed), striped_crop, 96, close_by=near) < 250).any(axis=2).mean()
            for seed in range(12)
        ]
        for near in (False, True)
    }
    assert min(covered[True]) >= 0.3
    assert np.mean(covered[True]) > np.mean(covered[False]) + 0.1


def test_windows_show_fabric_and_their_mask_says_where(striped_crop: crops.TrainingCrop) -> None:
    """Outside the mask there is white and nothing else; inside there is enough to see."""
    for seed in range(12):
        image, mask = crops.window_view(np.random.default_rng(seed), striped_crop, 96)
        assert mask.mean() >= 0.15
        assert (image[~mask] == 255).all()
        assert image[mask].std() > 5


def test_product_windows_carry_their_mask(striped_crop: crops.TrainingCrop) -> None:
    """Four windows of two photos in turn, all different; the fourth channel is 1 on fabric and 0 on white."""
    grey = np.where(striped_crop.mask[..., None], np.full(3, 90, np.uint8), np.uint8(255))
    plain = crops.TrainingCrop(grey, striped_crop.mask)
    product = crops.TrainingProduct((striped_crop, plain), "", "", "alone")
    windows = crops.product_windows(product, 96, np.random.default_rng(2))
    assert windows.shape == (crops.WINDOWS, 96, 96, 4)
    assert set(np.unique(windows[..., 3])) == {0, 1}
    assert (windows[..., :3][windows[..., 3] == 0] == 255).all()
    colored = [np.ptp(window[window[..., 3] > 0][:, :3].mean(axis=0)) for window in windows[[1, 3]]]
    assert max(colored) < 40  # the plain grey one, but for the light
    assert all((a != b).any() for a, b in itertools.combinations(windows, 2))


def test_the_texture_teacher_knows_fabrics_and_heeds_the_mask(shared_data: Path, shared_weights: Path) -> None:
    """Of nine real fabrics its nearest is mostly the same one; what lies outside a mask hardly counts."""
    with (shared_data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file) if row["source"] == "fingercam" and "uncertain" not in row["notes"]
        ][::4]
    photos_of = [
        np.asarray(Image.open(shared_data / row["path"]).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC))
        for row in rows
    ]
    teacher = teachers.open_teacher(shared_weights, teachers.TEXTURE_FILE)
    seen = teachers.textures(teacher, np.stack(photos_of), np.ones((len(rows), 224, 224), bool))
    assert np.abs(np.linalg.norm(seen, axis=1) - 1).max() < 1e-5
    cosines = seen @ seen.T
    np.fill_diagonal(cosines, -1)
    fabrics = np.array([row["product_id"] for row in rows])
    assert (fabrics[cosines.argmax(axis=1)] == fabrics).mean() > 0.6  # 0.11 by chance
    half = np.zeros((224, 224), bool)
    half[:, :112] = True
    beside = np.where(half[..., None], photos_of[0], np.uint8(255))
    other = np.where(half[..., None], photos_of[0], photos_of[-1])
    pair = np.stack([beside, other])
    within, without = (
        np.prod(teachers.textures(teacher, pair, np.stack([mask, mask])), axis=0).sum()
        for mask in (half, np.ones_like(half))
    )
    assert within > without + 0.05


def test_the_same_seed_gives_the_same_batch() -> None:
    """Batches depend on the generator alone."""
    rng = np.random.default_rng(3)
    real = [
        segmenter_data.MaskedPhoto(rng.integers(0, 255, (120, 90, 3), np.uint8), np.full((120, 90), 255, np.uint8))
        for _ in range(3)
    ]
    first, again = (segmenter_data.batch(real, real, real, 64, 8, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[1].min() >= 0
    assert first[1].max() <= 1


def test_shares_balance_labels_and_kinds(striped_crop: crops.TrainingCrop) -> None:
    """Of 9 dresses, 1 hat and 10 drawn mugs: the hat comes thrice as often as a dress, drawn ones 0.4 of the time."""
    labels = ["dress"] * 9 + ["hat"] + ["mug"] * 10
    products = [
        crops.TrainingProduct((striped_crop,), label, "", "drawn" if label == "mug" else "alone") for label in labels
    ]
    shares = crops.balanced_shares(products, labels, {"alone": 0.6, "worn": 0.5, "drawn": 0.4})
    assert shares.sum() == pytest.approx(1)
    assert shares[10:].sum() == pytest.approx(0.4)
    assert shares[9] / shares[0] == pytest.approx(3)


# --- losses and loop -------------------------------------------------------------------------------------------------


def test_contrast_is_least_when_partners_agree() -> None:
    """Two products, two views each: orthogonal pairs give -log(e^10 / (e^10 + 2)) at temperature 0.1, by hand."""
    aligned = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    crossed = torch.tensor([[1.0, 0], [0, 1], [0, 1], [1, 0]])
    assert float(semantic.contrast(aligned)) == pytest.approx(np.log1p(2 * np.exp(-10)), abs=1e-6)
    assert float(semantic.contrast(crossed)) > 9


def test_what_all_textures_share_is_taken_off() -> None:
    """Two that lie 0.28 radians apart on either side of (1, 0), in two parts: what is left is up and down."""
    angle = 0.14
    said = [np.array([[[np.cos(angle), sign * np.sin(angle)]]], np.float32) for sign in (1, -1)]
    left = [part.ravel().tolist() for part in texture.centred(said)]
    assert left == [[pytest.approx(0, abs=1e-6), pytest.approx(1)], [pytest.approx(0, abs=1e-6), pytest.approx(-1)]]


def test_the_loop_learns_and_keeps_the_average() -> None:
    """A linear map is found; what is returned is the averaged network, in eval mode; the report hears it."""
    torch.manual_seed(0)
    wanted = torch.randn(4, 1)
    heard: list[tuple[int, float]] = []

    def batch_of(rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = torch.from_numpy(rng.normal(size=(32, 4)).astype(np.float32))
        return inputs, inputs @ wanted

    def loss_of(network: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return (network(batch[0]).float() - batch[1]).square().mean()

    schedule = loop.Schedule(steps=400, learning_rate=0.05, weight_decay=0.0, warm_up_steps=10, average_decay=0.9)
    found = loop.train(
        nn.Linear(4, 1), loop.prefetch(batch_of, 0), loss_of, schedule, report=lambda *told: heard.append(told)
    )
    assert not found.training
    assert isinstance(found, nn.Linear)
    np.testing.assert_allclose(found.weight.detach().numpy(), wanted.numpy().T, atol=0.05)
    assert heard[-1][0] == 400
    assert heard[-1][1] < heard[0][1]


def test_the_loop_stops_where_the_loss_is_no_number() -> None:
    """NaN is told with its step, and what to do."""
    with pytest.raises(FloatingPointError, match="the loss is nan at step 0: lower the learning rate"):
        loop.train(
            nn.Linear(1, 1),
            itertools.repeat(torch.full((1, 1), float("nan"))),
            lambda network, batch: network(batch).float().sum(),
            loop.Schedule(steps=2),
        )


def test_an_error_in_the_making_of_batches_is_raised_where_they_are_used() -> None:
    """The thread that makes batches does not die alone."""

    def broken(rng: np.random.Generator) -> int:
        raise ValueError("no such photo")

    with pytest.raises(ValueError, match="no such photo"):
        next(loop.prefetch(broken, 0))


def test_batches_are_the_same_whoever_makes_them() -> None:
    """One thread or seven, in order, though the first take the longest; another seed makes others."""

    def slow_at_first(rng: np.random.Generator) -> float:
        drawn = float(rng.random())
        time.sleep(drawn / 50)
        return drawn

    one, seven, other = (
        list(itertools.islice(loop.prefetch(slow_at_first, seed, workers), 20))
        for seed, workers in ((3, 1), (3, 7), (4, 7))
    )
    assert one == seven
    assert not set(one) & set(other)


def test_a_quarter_counts_by_how_much_of_it_is_product() -> None:
    """Of an encoder that tells mean pixel and mask apart: an upper left quarter alone, by hand."""

    class Means(nn.Module):
        def forward(self, pixels: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return nn.functional.normalize(torch.cat([pixels.mean((2, 3))[:, :1], mask.mean((2, 3))], 1))

    pixels, mask = torch.zeros(2, 3, 8, 8), torch.zeros(2, 1, 8, 8)
    pixels[:, :, :4, :4], mask[:, :, :4, :4] = 1, 1
    pixels[1], mask[1] = 1, 0.5  # the second all alike, so its quarters say what the whole says
    found = networks.WholeAndQuarters(Means())(pixels, mask)
    diagonal = 0.5**0.5  # the whole: a quarter lit, a quarter product; the quarter: all lit, all product
    np.testing.assert_allclose(found[0], [diagonal, diagonal], atol=1e-6)
    np.testing.assert_allclose(found[1], [0.8**0.5, 0.2**0.5], atol=1e-6)


# --- networks and export ---------------------------------------------------------------------------------------------


def test_sizes_are_what_the_cards_say() -> None:
    """Parameters, counted; 12 MB of float32 in all at the most."""
    counts = [
        sum(weights.numel() for weights in network.parameters())
        for network in (networks.Segmenter(), networks.SemanticEncoder(128, 20), networks.TextureEncoder(128))
    ]
    assert 1.0e6 < counts[0] < 1.3e6
    assert sum(counts) * 4 < 12e6


@pytest.mark.parametrize("name", ["lookbook-semantic", "lookbook-texture"])
def test_the_shipped_graph_computes_what_torch_does(name: str, shared_data: Path) -> None:
    """From uint8 pixels of a real photo: cosine at least 0.9999 to torch behind Pillow's own resize."""
    from PIL import Image

    model = MODELS[name]
    torch.manual_seed(1)
    network = networks.SemanticEncoder(128, 3)
    if model.takes_mask:
        network = networks.WholeAndQuarters(networks.TextureEncoder(128))
    network.eval()
    shipped = PixelModel(with_pixel_input(export(network, model), model).SerializeToString(), model.output)
    for path in sorted((shared_data / "luma").glob("*.jpg"))[::120]:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        image = np.asarray(picture)
        mask = np.zeros(image.shape[:2], bool)
        mask[100:500, 100:400] = True
        side = (model.input_side_px, model.input_side_px)
        pixels = loop.normalized(np.array(picture.resize(side, Image.Resampling.BICUBIC))[None], MEAN, STD)
        small_mask = Image.fromarray(mask.astype(np.float32)).resize(side, Image.Resampling.BILINEAR)
        inputs = [pixels, torch.from_numpy(np.array(small_mask))[None, None]] if model.takes_mask else [pixels]
        with torch.no_grad():
            wanted = network(*inputs)[0].numpy()
        got = shipped.run(image, mask)
        assert float(got @ wanted) >= 0.9999


def test_exported_graphs_say_nothing_of_this_machine(capfd: pytest.CaptureFixture[str]) -> None:
    """No path, no source line in the file; nothing printed while it is made; the same module gives the same bytes."""
    model = MODELS["lookbook-semantic"]
    torch.manual_seed(1)
    network = networks.SemanticEncoder(128, 3)
    first, again = (export(network, model).SerializeToString(deterministic=True) for _ in range(2))
    assert first == again
    for word in (b"site-packages", b".py", str(Path.home()).encode()):
        assert word not in first
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")


def test_the_head_travels_in_the_files_metadata() -> None:
    """Names and unit vectors come back as they were put; a file without a head has none."""
    model = MODELS["lookbook-semantic"]
    network = export(networks.SemanticEncoder(128, 2), model)
    assert head_prototypes(network.SerializeToString()) == {}
    vectors = np.eye(2, 128, dtype=np.float32)
    kept = head_prototypes(with_head_prototypes(network, ["dress", "crème"], vectors).SerializeToString())
    assert list(kept) == ["dress", "crème"]
    np.testing.assert_array_equal(np.stack(list(kept.values())), vectors)


def test_the_embedded_models_are_the_ones_of_the_table() -> None:
    """Every committed file has its row's sha256 and size; at most 12 MB in all; a card beside each."""
    from catalog.formats import digests
    from resources.model_store import EMBEDDED

    total = 0
    for model in [row for row in MODELS.values() if row.source.startswith("embedded:")]:
        path = EMBEDDED / model.source.removeprefix("embedded:")
        assert digests.of_file(path) == model.sha256, f"{path.name}: put its sha256 into catalog/model_descriptions.py"
        assert path.stat().st_size == model.size_bytes
        assert path.with_suffix(".md").is_file(), f"{path.name} has no model card"
        onnx.checker.check_model(str(path))
        total += path.stat().st_size
    assert total <= 12e6
