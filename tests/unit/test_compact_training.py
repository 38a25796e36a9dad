"""The compact network, its losses, its views and its checkpoints."""

import math
import time
from dataclasses import asdict

import numpy as np
import pytest
import torch

from assets.compact_training import shown_epochs
from catalog.errors import FormatError, ModelError
from catalog.training.compact import checkpoints, losses, progress, training, views
from catalog.training.compact.dataset import Photo
from catalog.training.compact.network import MOST_CLASSES, MOST_PARAMETERS, CompactNetwork, Mirrored, parameter_count
from catalog.training.compact.samples import Samples
from resources.progress import Progress


@pytest.mark.parametrize("classes", [2, 10, 349, 350, MOST_CLASSES])
def test_the_network_has_at_most_429000_parameters(classes):
    network = CompactNetwork(classes)
    assert parameter_count(network) == sum(p.numel() for p in network.parameters()) <= MOST_PARAMETERS == 429_000


def test_logits_are_cosines_with_the_classes_and_what_ships_sees_no_left_or_right():
    torch.manual_seed(0)
    network = CompactNetwork(5).eval()
    pixels = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        logits, embedding = network(pixels)
        one, other = Mirrored(network)(pixels[:1]), Mirrored(network)(pixels[:1].flip(3))
        heads = network.classes / network.classes.norm(dim=1, keepdim=True)
        wanted = embedding @ heads.T
    assert embedding.norm(dim=1).numpy() == pytest.approx(np.ones(3), abs=1e-5)
    assert (logits / 16).numpy() == pytest.approx(wanted.numpy(), abs=1e-5)
    assert one.numpy() == pytest.approx(other.numpy(), abs=1e-6)


def at(*degrees: float) -> torch.Tensor:
    angle = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([torch.cos(angle), torch.sin(angle)], 1)


def test_the_triplet_loss_takes_the_semi_hard_negative():
    """0 and 60 degrees are one class, 30 and -61 the other.

    Anchor 0: positive .5; 30 degrees (.866) is nearer, so that -61 (.4848) is the semi-hard one: .2 - .5 + .4848.
    Anchor 60: positive .5; its negatives have .866 and -.5150: semi-hard is the last: 0. Anchor 30: positive -61 has
    -.0175; both negatives (.866, .866) are nearer: the farthest of them, .866: .2 + .0175 + .866. Anchor -61: positive
    -.0175, negatives .4848 and -.5150: the last one: 0.
    """
    found = losses.semi_hard_triplet(at(0, 60, 30, -61), torch.tensor([0, 0, 1, 1]))
    cos = [math.cos(math.radians(degrees)) for degrees in (60, 61, 91, 30)]
    wanted = (0.2 - cos[0] + cos[1]) + (0.2 - cos[2] + cos[3])
    assert float(found) == pytest.approx(wanted / 4, abs=1e-5)
    assert float(losses.semi_hard_triplet(at(0, 1), torch.tensor([0, 1]))) == 0


def test_the_contrast_is_the_mean_over_a_class():
    """0, 90 and 180 degrees, the first two of a class; at temperature .1 the cosines 0 and -1 are 0 and -10."""
    found = losses.supervised_contrast(at(0, 90, 180), torch.tensor([0, 0, 1]))
    first = -math.log(1 / (1 + math.exp(-10)))
    second = -math.log(1 / 2)
    assert float(found) == pytest.approx((first + second) / 2, abs=1e-5)
    assert float(losses.supervised_contrast(at(0, 90), torch.tensor([0, 1]))) == 0


def test_smoothed_labels_sum_to_one():
    assert losses.smoothed(torch.tensor([1]), 4).tolist() == [pytest.approx([0.025, 0.925, 0.025, 0.025])]


def squares(count: int) -> np.ndarray:
    """Grey products of half the square on a dark ground."""
    images = np.full((count, 96, 96, 5), 255, np.uint8)
    images[..., :3] = 40
    images[..., 3] = 0
    images[:, 24:72, 24:72, :3] = 160
    images[:, 24:72, 24:72, 3] = 255
    return images


def test_views_are_the_same_for_the_same_generator_and_stay_pixels():
    images = squares(16)
    one, again, other = (views.random_views(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.shape == (16, 3, 64, 64)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    plain = views.plain_views(images[:1])
    assert float(plain[0, 0, 32, 32]) == pytest.approx(160 / 255, abs=0.01)
    assert float(plain[0, 0, 2, 2]) == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_mixed_batch_says_what_it_is_made_of(seed):
    """Of black and white pictures: the mean of each is the share that it was told, of both ways to mix."""
    pixels = torch.zeros(8, 3, 64, 64)
    pixels[4:] = 1
    blend = views.mixed(pixels, torch.Generator().manual_seed(seed))
    own, other = pixels.mean((1, 2, 3)), pixels[blend.order].mean((1, 2, 3))
    wanted = blend.share * own + (1 - blend.share) * other
    assert blend.pixels.mean((1, 2, 3)).numpy() == pytest.approx(wanted.numpy(), abs=1e-4)


def few_samples() -> Samples:
    """Two classes, light and dark, that anything can learn."""
    images, photos = [], []
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("validation", 4)):
        for place in range(count):
            image = squares(1)[0]
            image[24:72, 24:72, :3] = (60 if place % 2 else 190) + rng.integers(-20, 20)
            images.append(image)
            photos.append(Photo(f"{split}/{place}", "ab"[place % 2], split, f"{split}{place}"))
    return Samples(tuple(photos), np.stack(images), rng.normal(size=(16, 4)).astype(np.float32), ())


def trainer(folder, teacher="none", **plan) -> training.Trainer:
    whole = progress.Plan(**{"epochs": 6, "batch": 8, **plan})
    origin = {**asdict(whole), "teacher": teacher}
    return training.Trainer(few_samples(), ("a", "b"), whole, folder, origin, lambda: 0.0)


def test_all_phases_are_tried_and_the_best_is_kept(tmp_path):
    trained = trainer(tmp_path).run(resume=False)
    assert list(trained.best) == ["classifier", "triplet", "supervised_contrast"]
    assert trained.best[trained.phase].score == max(epoch.score for epoch in trained.best.values())
    assert [epoch.phase for epoch in trained.history] == ["classifier"] * 4 + ["triplet", "supervised_contrast"]
    rates = [epoch.learning_rate for epoch in trained.history[1:4]]
    assert rates == sorted(rates, reverse=True)


def test_a_phase_ends_when_nothing_gets_better(tmp_path):
    """All is learnt after a few epochs; a tenth of the 42 that were planned, 4, is waited, but not for the whole."""
    trained = trainer(tmp_path, epochs=60, patience=0.1).run(resume=False)
    done = [epoch for epoch in trained.history if epoch.phase == "classifier"]
    waited = len(done) - 1 - trained.best["classifier"].epoch
    assert waited == 4 if len(done) < 42 else waited <= 4


def test_each_phase_is_told_from_its_beginning_to_its_end(tmp_path):
    """However early it ended: the last that is told of a phase is that all of its epochs are done."""
    told: list[tuple[str, int, int]] = []
    made = trainer(tmp_path, epochs=60, patience=0.05)
    made.report = lambda *stood: told.append(stood)
    history = made.run(resume=False).history
    for phase, planned in zip(training.PHASES, (42, 9, 9), strict=True):
        own = [(done, of) for name, done, of in told if name == phase]
        had = len([epoch for epoch in history if epoch.phase == phase])
        assert own == [*((done, planned) for done in range(had)), (had, had)]


def test_a_phase_of_unknown_length_is_timed_from_its_beginning(capsys):
    """As with minutes: nobody knows of how many epochs until the first was timed; two of five are of this process."""
    show = shown_epochs(Progress(shown=True))
    show("classifier", 3, 0)
    time.sleep(0.11)
    show("classifier", 4, 9)
    assert not capsys.readouterr().err
    show("classifier", 5, 5)
    line = capsys.readouterr().err
    assert line.startswith("training classifier    2 epochs in ")
    assert float(line.split()[-2]) >= 0.1
    show("triplet", 4, 4)
    assert not capsys.readouterr().err


def test_time_bounds_the_epochs(tmp_path):
    """A clock that goes on a minute a look: the classifier has .7 of ten, the others half of what is left each."""
    looked = iter(range(0, 60_000, 60))
    plan = progress.Plan(epochs=400, minutes=10, batch=8)
    made = training.Trainer(few_samples(), ("a", "b"), plan, tmp_path, {}, lambda: float(next(looked)))
    phases = [epoch.phase for epoch in made.run(resume=False).history]
    assert [phases.count(phase) for phase in training.PHASES] == [7, 1, 2]


def test_a_checkpoint_of_something_else_or_damaged_is_refused(tmp_path):
    trainer(tmp_path).run(resume=False)
    with pytest.raises(
        FormatError, match=r"was begun with another dataset or other options \(seed\); give.*leave out --resume"
    ):
        trainer(tmp_path, seed=1).run(resume=True)
    with pytest.raises(FormatError, match=r"was begun with another dataset or other options \(teacher\)"):
        trainer(tmp_path, teacher="lookbook-semantic").run(resume=True)
    (kept,) = tmp_path.glob("checkpoint-*.safetensors")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1])
    with pytest.raises(FormatError, match="missing, damaged or exchanged"):
        trainer(tmp_path).run(resume=True)
    (tmp_path / checkpoints.STATE).write_text('{"version": 1}')
    with pytest.raises(FormatError, match="is no state of a training"):
        trainer(tmp_path).run(resume=True)
    (tmp_path / checkpoints.STATE).write_text('{"version": 2, "checkpoint": "x", "sha256": ""}')
    with pytest.raises(FormatError, match="is of version 2, this code reads 1"):
        trainer(tmp_path).run(resume=True)


def test_too_many_classes_are_refused(tmp_path):
    with pytest.raises(ModelError, match=r"689 classes make .* parameters, at most 429000 are allowed"):
        training.Trainer(
            few_samples(), ("a", "b", *map(str, range(687))), progress.Plan(epochs=1), tmp_path, {}, lambda: 0.0
        )
