"""How prototypes are made: of products, of names while those are few, and of words on the scale of photos."""

import math

import numpy as np
import pytest

from catalog.features.prototypes import TextLine, make_prototypes, prompts_mean, text_lines, text_prompts
from catalog.features.routing import Router, l2_normalize, route
from catalog.profiles import parse_profile
from tests.unit.test_routing import at


def degrees_of(vector: np.ndarray) -> float:
    """The direction of a vector in the plane."""
    return math.degrees(math.atan2(vector[1], vector[0]))


def test_a_prototype_is_the_mean_of_its_products() -> None:
    """Two products at 0 and 60 degrees: 30; three photos of the one count no more than the other's single one."""
    bag, dress = make_prototypes(at(0, 0, 0, 60, 200), ["dress"] * 4 + ["bag"], ["a", "a", "a", "b", "c"], {}, 5)
    assert (bag.category, bag.products, bag.basis) == ("bag", 1, "visual")
    assert (dress.category, dress.products, dress.basis) == ("dress", 2, "visual")
    assert degrees_of(bag.vector) % 360 == pytest.approx(200, abs=1e-3)
    assert degrees_of(dress.vector) == pytest.approx(30, abs=1e-3)
    for found in (bag, dress):
        assert found.vector.dtype == np.float32
        assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)


def test_one_product_id_in_two_categories() -> None:
    """Counts in each by its own photos."""
    bag, dress = make_prototypes(at(0, 90, 40), ["bag", "dress", "bag"], ["a", "a", "b"], {}, 1)
    assert (degrees_of(bag.vector), degrees_of(dress.vector)) == pytest.approx((20, 90), abs=1e-3)


def test_few_products_lean_on_the_named_prototype() -> None:
    """One of four needed: a quarter its own at 0 degrees, three quarters the named one at 90: atan(3)."""
    named = {"bag": at(90)[0], "dress": at(90)[0], "hat": at(90)[0]}
    categories = ["bag", "bag", "dress", "dress", "dress", "dress", "mug"]
    bag, dress, mug = make_prototypes(at(*[0] * 7), categories, list("aabcdef"), named, 4)
    assert degrees_of(bag.vector) == pytest.approx(math.degrees(math.atan(3)), abs=1e-3)
    assert np.linalg.norm(bag.vector) == pytest.approx(1, abs=1e-6)
    assert (bag.products, bag.basis) == (1, "visual and named")
    assert (degrees_of(dress.vector), dress.products, dress.basis) == (0, 4, "visual")  # as many as are needed
    assert (degrees_of(mug.vector), mug.basis) == (0, "visual")  # no prototype by its name
    assert named["bag"].tolist() == at(90)[0].tolist()  # what came in is left alone


def test_few_products_lean_on_words() -> None:
    """One of four: a quarter of its own line, three quarters of the words'; nothing is brought to length 1."""
    text = {name: TextLine(np.array([0, 2], np.float32), -0.8) for name in ("bag", "dress")}
    bag, dress = make_prototypes(at(0, 0, 0, 0, 0), ["bag", *["dress"] * 4], list("abcde"), {}, 4, text)
    assert bag.vector == pytest.approx([0.25, 1.5])
    assert (bag.bias, bag.basis) == (pytest.approx(-0.6), "visual and text")
    assert (dress.vector.tolist(), dress.bias, dress.basis) == ([1, 0], 0, "visual")


def test_words_are_brought_to_the_scale_of_photos() -> None:
    """By hand, in the plane: bags at 0 and 20 degrees, a mug at 90, their words at 30 and 80.

    Visual prototypes: bags at 10, the mug at 90. Others' mean cosines with them: cos 80, and (cos 90 + cos 70) / 2. A
    bag is 20 from the other, the mug has no like: the one visual lift is cos 20 - cos 80.
    """

    def cos(degrees: float) -> float:
        return math.cos(math.radians(degrees))

    text = {"bag": at(60)[0], "mug": at(80)[0]}
    assert text_lines(at(0, 20, 90), ["bag", "bag", "mug"], ["a", "b", "c"], text) == {}, "bags are nearer to the mug's"
    text = {"bag": at(30)[0], "mug": at(80)[0]}
    found = text_lines(at(0, 20, 90), ["bag", "bag", "mug"], ["a", "b", "c"], text)
    chance = {"bag": cos(60), "mug": (cos(80) + cos(60)) / 2}
    lifts = {"bag": (cos(30) + cos(10)) / 2 - chance["bag"], "mug": cos(10) - chance["mug"]}
    level = (cos(80) + (cos(90) + cos(70)) / 2) / 2
    gain = (cos(20) - cos(80)) / ((lifts["bag"] + lifts["mug"]) / 2)
    for name in ("bag", "mug"):
        assert found[name].vector == pytest.approx(gain * text[name], abs=1e-5)
        assert found[name].bias == pytest.approx(level - gain * chance[name], abs=1e-5)


def test_without_two_products_anywhere_the_gain_is_one() -> None:
    """And a single category has nothing to be told from."""
    text = {"bag": at(10)[0], "mug": at(80)[0]}
    found = text_lines(at(0, 90), ["bag", "mug"], ["a", "b"], text)
    assert found["bag"].vector == pytest.approx(at(10)[0])
    assert text_lines(at(0, 10), ["bag", "bag"], ["a", "b"], text) == {}


def joint_space(products: dict[str, int], rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Photos and words of each category, in 64 dimensions, as a SigLIP has them: two cones, nearly at a right angle.

    Photos' cosines with the mean of a category are near 0.85 in it and 0.65 across; with words 0.15 and 0.08.
    """
    axes = np.linalg.qr(rng.normal(size=(64, 64)))[0]
    photo_cone, text_cone = axes[0], axes[1] + 0.1 * axes[0]
    photos, text = [], {}
    for place, (name, count) in enumerate(products.items()):
        direction = axes[2 + place]
        noise = rng.normal(size=(count, 64)) * 0.08
        photos.append(photo_cone + 0.55 * direction + noise)
        text[name] = l2_normalize((text_cone + 0.25 * direction + rng.normal(size=64) * 0.02)[None])[0]
    return l2_normalize(np.concatenate(photos).astype(np.float32)), text


def share_found(router: Router, photos: np.ndarray, category: str) -> float:
    """Of a category's photos."""
    return float(np.mean([route(photo, router, 0.0).categories[0] == category for photo in photos]))


def test_words_can_compete_with_photos() -> None:
    """A category with one product, an odd one, beside four with twenty: raw words would never be first."""
    rng = np.random.default_rng(7)
    names = ["bag", "dress", "hat", "mug", "shoes"]
    every, text = joint_space(dict.fromkeys(names, 40), rng)
    photos = dict(zip(names, np.split(every, 5), strict=True))
    odd = photos["hat"][39:]  # a mug in a hat
    known = {**{name: photos[name][:20] for name in names}, "mug": odd}
    embeddings = np.concatenate([known[name] for name in names])
    categories = [name for name in names for _ in known[name]]
    products = [str(place) for place in range(len(categories))]

    def router(lines: dict[str, TextLine]) -> Router:
        found = make_prototypes(embeddings, categories, products, {}, 5, lines)
        vectors = np.stack([entry.vector for entry in found])
        return Router(tuple(names), vectors, np.array([entry.bias for entry in found], np.float32))

    raw = router({"mug": TextLine(text["mug"], 0.0)})
    lines = text_lines(embeddings, categories, products, text)
    calibrated = router(lines)
    assert share_found(raw, photos["mug"][20:], "mug") == 0
    assert share_found(router({}), photos["mug"][20:], "mug") < 0.4, "the one product is not enough"
    assert share_found(calibrated, photos["mug"][20:], "mug") > 0.7
    for name in set(names) - {"mug"}:
        assert share_found(calibrated, photos[name][20:39], name) > 0.9


def test_words_alone_are_on_one_scale_with_photos() -> None:
    """Of every category the same level with others' photos and the same lift with its own, and as many found."""
    names = ["bag", "dress", "hat", "mug", "shoes"]
    photos, text = joint_space(dict.fromkeys(names, 40), np.random.default_rng(7))
    categories = np.repeat(names, 40)
    lines = text_lines(photos, categories.tolist(), [str(place) for place in range(200)], text)
    gaps: dict[bool, list[float]] = {True: [], False: []}
    for name in names:
        alone = photos @ lines[name].vector + lines[name].bias
        visual = photos @ l2_normalize(photos[categories == name].sum(axis=0)[None])[0]
        for own in (True, False):
            rows = (categories == name) == own
            assert alone[rows].mean() == pytest.approx(visual[rows].mean(), abs=0.08)
            gaps[own].append(alone[rows].mean() - visual[rows].mean())
    assert np.mean(gaps[True]) == pytest.approx(0, abs=0.01)
    assert np.mean(gaps[False]) == pytest.approx(0, abs=0.001)
    vectors = np.stack([lines[name].vector for name in names])
    router = Router(tuple(names), vectors, np.array([lines[name].bias for name in names], np.float32))
    assert all(share_found(router, photos[categories == name], name) > 0.9 for name in names)


def test_words_that_tell_nothing_are_left_out() -> None:
    """A tower of random weights: its words are anywhere."""
    rng = np.random.default_rng(3)
    names = ["bag", "dress", "hat", "mug", "shoes"]
    photos, _ = joint_space(dict.fromkeys(names, 4), rng)
    categories, products = [name for name in names for _ in range(4)], [str(place) for place in range(20)]
    kept = 0
    for _ in range(100):
        text = l2_normalize(rng.normal(size=(5, 64)).astype(np.float32))
        kept += bool(text_lines(photos, categories, products, dict(zip(names, text, strict=True))))
    assert kept <= 12


def test_words_that_tell_very_little_are_left_out() -> None:
    """Lifts of 0.01 beside visual ones of 0.9: raised ninety-fold, noise would come with them."""
    photos = np.eye(3, dtype=np.float32)[[0, 0, 1, 1]]
    text = {"bag": np.array([0.01, 0, 1], np.float32), "mug": np.array([0, 0.01, 1], np.float32)}
    assert text_lines(photos, ["bag", "bag", "mug", "mug"], list("abcd"), text) == {}
    text = {"bag": np.array([0.2, 0, 0.98], np.float32), "mug": np.array([0, 0.2, 0.98], np.float32)}
    found = text_lines(photos, ["bag", "bag", "mug", "mug"], list("abcd"), text)
    assert found["bag"].vector == pytest.approx([1, 0, 4.9], abs=1e-5)


PROFILE = """
name = "p"
description = "d"
[segmentation]
catalog = "lookbook-segmenter"
query = "lookbook-segmenter"
[encoders]
semantic = "lookbook-semantic"
texture = "lookbook-texture"
[categories.dress]
prompts = ["a photo of a dress", "a person in a dress"]
aliases = ["gowns"]
[categories.hat]
aliases = ["caps"]
"""


@pytest.mark.parametrize(
    ("category", "wanted"),
    [
        ("Gowns", ("a photo of a dress", "a person in a dress")),
        ("caps", ("a photo of hat",)),
        ("Garden_furniture", ("a photo of garden furniture",)),
    ],
)
def test_prompts_are_the_profiles_or_the_shops_own_word(category: str, wanted: tuple[str, ...]) -> None:
    """By name or alias; a category that the profile doesn't know is called what the shop calls it."""
    assert text_prompts(parse_profile(PROFILE, "p.toml"), category) == wanted


def test_prompts_weigh_the_same() -> None:
    """At 0 and 60 degrees: 30."""
    assert degrees_of(prompts_mean(at(0, 60))) == pytest.approx(30, abs=1e-3)
