"""The drawn shop: its plan, its bytes, its masks, its labels."""

import csv
import dataclasses
import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from catalog.errors import LookbookError
from catalog.sample_catalog.palettes import make_colorway
from catalog.sample_catalog.photos import draw_catalog_photo, draw_cutout, draw_query_photo
from catalog.sample_catalog.plan import PhotoPlan, ProductPlan, VariantPlan, plan_shop
from catalog.sample_catalog.prints.design import make_design
from catalog.sample_catalog.scenes.settings import query_size
from catalog.sample_catalog.write import FEED_COLUMNS, LABEL_COLUMNS, write_sample_catalog

CATEGORIES = {"dress", "t-shirt", "shirt", "hoodie", "skirt", "pants", "shorts", "bag", "cushion", "mug"}
PRINTS = {"floral", "polka_dot", "striped", "checked", "plain", "animal", "geometric", "color_block"}

SCRIPT = """
import sys
from pathlib import Path
from catalog.sample_catalog.write import write_sample_catalog

if __name__ == "__main__":
    write_sample_catalog(Path(sys.argv[1]), seed=7, products=10, queries=4, workers=int(sys.argv[2]))
"""


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows_of(path: Path) -> list[dict[str, str]]:
    """A CSV file's rows."""
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of ten products, written by a fresh process with one worker."""
    folder = tmp_path_factory.mktemp("shop")
    script = folder.parent / "write_shop.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, script, folder, "1"], check=True, cwd=Path(__file__).parents[2])
    return folder


def recolored(plan: ProductPlan) -> ProductPlan:
    """The same product twice, plain, once white and once black, with one photo plan."""
    rng = np.random.default_rng(1)
    design = dataclasses.replace(plan.design, label="plain", motif="smooth", inks=2)
    photo = plan.variants[0].photos[0]
    variants = []
    for word in ("white", "black"):
        colorway = make_colorway(word, rng)
        inks = (colorway.inks[0],) * 5
        variants.append(VariantPlan(name=word, colorway=dataclasses.replace(colorway, inks=inks), photos=(photo,)))
    return dataclasses.replace(plan, design=design, variants=tuple(variants))


def test_two_fresh_processes_and_two_workers_write_the_same_bytes(shop, tmp_path):
    """One process draws alone, another with a pool of two: every file is equal, byte for byte."""
    script = tmp_path / "write_shop.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, script, tmp_path / "shop", "2"], check=True, cwd=Path(__file__).parents[2])
    assert files_of(tmp_path / "shop") == files_of(shop)


def test_a_photo_does_not_depend_on_what_was_drawn_before(shop):
    """Drawn here, last product first, the photos are those that the other process wrote first product first."""
    for plan in reversed(plan_shop(7, 10)):
        name = (plan.variants[0].name or plan.product_id).lower()
        with Image.open(shop / f"masks/{name}-1.png") as mask:
            assert np.array_equal(np.asarray(mask), draw_catalog_photo(plan, 0, 0).mask)


def test_a_larger_shop_begins_with_the_smaller_one():
    """A product follows from the seed and its number, not from the shop's size."""
    assert plan_shop(3, 25) == plan_shop(3, 60)[:25]
    assert plan_shop(3, 25) != plan_shop(4, 25)


def test_forty_products_show_every_category_and_every_print():
    """The small shop of tests and demos leaves nothing out."""
    plans = plan_shop(1, 40)
    assert {plan.category for plan in plans} == CATEGORIES
    assert {plan.print_label for plan in plans} == PRINTS


def test_the_whole_shop_has_the_promised_shape():
    """700 products: 1,000 to 1,100 photos or so, 15 % in two colors, at least four styles and all prints a category."""
    plans = plan_shop(1, 700)
    photos = sum(len(variant.photos) for plan in plans for variant in plan.variants)
    assert 950 <= photos <= 1150
    assert 0.10 <= np.mean([len(plan.variants) > 1 for plan in plans]) <= 0.20
    styles, prints = Counter(), Counter()
    for category, style in {(plan.category, plan.style) for plan in plans}:
        del style
        styles[category] += 1
    for category, label in {(plan.category, plan.print_label) for plan in plans}:
        del label
        prints[category] += 1
    assert min(styles.values()) >= 4
    assert set(prints.values()) == {len(PRINTS)}
    assert len({plan.product_id for plan in plans}) == 700
    ids = [variant.name for plan in plans for variant in plan.variants if variant.name]
    assert len(ids) == len(set(ids))


def test_two_products_of_one_print_have_other_designs():
    """No two of the shop's florals are one design in one color."""
    florals = [plan for plan in plan_shop(1, 700) if plan.print_label == "floral"]
    assert len({(plan.design, plan.variants[0].colorway) for plan in florals}) == len(florals)


@pytest.mark.parametrize("number", range(10))
def test_recoloring_changes_the_studio_photo_inside_the_mask_only(number):
    """White and black takes of one photo are equal wherever the mask is clear, so the mask misses nothing."""
    plan = recolored(plan_shop(5, 10)[number])
    white, black = (draw_catalog_photo(plan, variant, 0) for variant in (0, 1))
    assert np.array_equal(white.mask, black.mask)
    changed = np.abs(white.image_hwc.astype(int) - black.image_hwc).max(axis=2) > 6
    # a pixel less than half covered is outside, yet shows some cloth
    rim = ndimage.binary_dilation(white.mask, np.ones((3, 3)))
    assert not (changed & ~rim).any()
    # a bag's leather and metal, a mug's inside and foot keep theirs
    assert changed[white.mask].mean() > {"bag": 0.4, "mug": 0.6}.get(plan.category, 0.9)


# The last is a product cropped at the foot in a shaken photo, whose shake once ran in again at the top.
@pytest.mark.parametrize(("seed", "number"), [(5, 0), (5, 3), (5, 6), (5, 9), (8, 0)])
def test_recoloring_changes_the_phone_photo_inside_the_mask_only(seed, number):
    """The same through another's lens: its blur and shake reach 6 pixels at most."""
    plan = recolored(plan_shop(seed, 10)[number])
    white, black = (draw_query_photo(plan, variant, 4) for variant in (0, 1))
    assert np.array_equal(white.mask, black.mask)
    changed = np.abs(white.image_hwc.astype(int) - black.image_hwc).max(axis=2) > 6
    assert not (changed & ~ndimage.binary_dilation(white.mask, iterations=6)).any()
    assert 0.02 < white.mask.mean() < 0.98


def test_studio_photos_stand_on_a_pale_backdrop_and_fill_the_frame():
    """The photo's upper corners are near white, and the product takes its share of it."""
    for plan in plan_shop(2, 20):
        drawn = draw_catalog_photo(plan, 0, 0)
        assert drawn.image_hwc.shape == (480, 384, 3)
        assert drawn.image_hwc[:12, :12].mean() > 190
        assert 0.06 < drawn.mask.mean() < 0.75


def test_other_sizes_draw_the_same_scene():
    """Half the size is the same photo, smaller: its mask agrees with the large one's but for the rim."""
    plan = plan_shop(2, 10)[1]
    large, small = draw_catalog_photo(plan, 0, 0), draw_catalog_photo(plan, 0, 0, (192, 240))
    assert small.image_hwc.shape == (240, 192, 3)
    assert (large.mask[::2, ::2] == small.mask).mean() > 0.98


def test_any_size_can_be_drawn():
    """Odd, small and wide photos, where parts shrink to a pixel or fall out of the frame."""
    plans = plan_shop(77, 60)
    for plan in plans:
        for width, height in ((61, 97), (200, 90)):
            assert draw_query_photo(plan, 0, plan.number, (width, height)).mask.shape == (height, width)
        assert draw_cutout(plan, 0, plan.number, (48, 60)).mask.any()


def test_a_cutout_is_the_product_and_nothing_else():
    """Alpha is the mask: nothing of a wearer or a backdrop is left."""
    plan = plan_shop(2, 10)[0]
    cutout = draw_cutout(plan, 0, 3)
    assert cutout.image_hwc.shape == (480, 384, 4)
    assert np.array_equal(cutout.image_hwc[..., 3] >= 128, cutout.mask)


def print_features(plan: ProductPlan) -> np.ndarray:
    """An outside measure: how strong edges are, which way they run, and how often tone turns, inside the mask."""
    drawn = draw_catalog_photo(plan, 0, 0)
    grey = drawn.image_hwc.astype(np.float32).mean(axis=2)
    inner = ndimage.binary_erosion(drawn.mask, iterations=8)
    dy, dx = np.gradient(ndimage.gaussian_filter(grey, 0.8))
    strength = np.hypot(dx, dy)
    turn = np.arctan2(dy, dx) % np.pi
    bins = np.minimum((turn[inner] / np.pi * 8).astype(int), 7)
    ways = np.bincount(bins, strength[inner], 8)
    shares = [np.mean(strength[inner] > level) for level in (4, 10, 20, 40)]
    colors = drawn.image_hwc[inner].astype(np.float32)
    tones = np.histogram(colors.mean(axis=1), 6, (0, 255))[0] / inner.sum()
    return np.concatenate([3 * ways / ways.sum(), 2 * np.array(shares), np.sort(tones)])


def test_prints_are_told_apart_by_their_edges():
    """Nearest neighbour of edge strengths and directions, leave-one-out, on one cut: far above the chance of .125."""
    base = plan_shop(1, 2)[1]
    photo = PhotoPlan(stage="ghost", back=False, seed=5)
    labels, features = [], []
    for label, turn in itertools.product(sorted(PRINTS), range(7)):
        rng = np.random.default_rng([turn, len(label)])
        design = make_design(label, rng)
        colorway = make_colorway(str(rng.choice(("navy", "red", "teal", "camel"))), rng)
        variant = VariantPlan(name="", colorway=colorway, photos=(photo,))
        features.append(print_features(dataclasses.replace(base, design=design, variants=(variant,))))
        labels.append(label)
    points = np.array(features)
    points = (points - points.mean(axis=0)) / (points.std(axis=0) + 1e-6)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(len(points)) * 1e9
    right = np.array(labels)[distance.argmin(axis=1)] == np.array(labels)
    assert right.mean() > 0.4
    plain = [k for k, label in enumerate(labels) if label == "plain"]
    patterned = [k for k, label in enumerate(labels) if label in ("checked", "floral", "geometric")]
    assert np.median(points[plain, 9]) < np.median(points[patterned, 9])  # share of edges above 10 levels a pixel


def test_the_feed_names_a_photo_and_a_mask_a_row(shop):
    """Columns as documented, every named file there, every file named, masks 1-bit and of their photo's size."""
    with (shop / "feed.csv").open() as lines:
        assert next(csv.reader(lines)) == list(FEED_COLUMNS)
    rows = rows_of(shop / "feed.csv") + rows_of(shop / "queries.csv")
    named = {row["image"] for row in rows} | {row["mask"] for row in rows}
    assert named | {"feed.csv", "queries.csv", "labels.csv"} == set(files_of(shop))
    for row in rows:
        with Image.open(shop / row["image"]) as image, Image.open(shop / row["mask"]) as mask:
            assert (image.format, mask.format, mask.mode) == ("JPEG", "PNG", "1")
            assert image.size == mask.size
            assert np.asarray(mask).any()
        assert row["currency"] == "EUR"
        assert float(row["price"]) > 0
        assert row["url"] == f"https://shop.example/p/{row['product_id'].lower()}"
        assert row["pattern"] in PRINTS
        assert row["category"] in CATEGORIES
        assert row["title"].endswith(row["color"])


def test_query_photos_show_known_variants(shop):
    """Each is the labelled photo of a product and variant that the feed has."""
    known = {(row["product_id"], row["variant"], row["color"]) for row in rows_of(shop / "feed.csv")}
    queries = rows_of(shop / "queries.csv")
    assert len(queries) == 4
    assert len({row["product_id"] for row in queries}) == 4
    assert {(row["product_id"], row["variant"], row["color"]) for row in queries} <= known


def test_labels_say_style_and_print_of_every_photo(shop):
    """One row a photo of either kind."""
    labels = rows_of(shop / "labels.csv")
    assert list(labels[0]) == list(LABEL_COLUMNS)
    assert Counter(row["role"] for row in labels)["query"] == 4
    rows = rows_of(shop / "feed.csv") + rows_of(shop / "queries.csv")
    assert [(row["image"], row["pattern"]) for row in rows] == [(row["image"], row["print"]) for row in labels]
    styles = {plan.product_id: plan.style for plan in plan_shop(7, 10)}
    assert all(row["style"] == styles[row["product_id"]] for row in labels)


def test_most_query_photos_are_upright():
    """About three of four phones are held upright."""
    rng = np.random.default_rng(0)
    sizes = [query_size(rng) for _ in range(400)]
    assert 0.68 < np.mean([size == (480, 640) for size in sizes]) < 0.82


def test_a_second_write_leaves_nothing_of_the_first(tmp_path):
    """Photos of another seed go; a stranger's file stays; no half-written file is left; progress counts to the end."""
    write_sample_catalog(tmp_path, seed=1, products=3, queries=1)
    stranger = tmp_path / "photos" / "lb-holiday.jpg"
    stranger.write_bytes(b"not ours")
    steps: list[tuple[int, int]] = []
    summary = write_sample_catalog(
        tmp_path, seed=2, products=2, queries=1, progress=lambda done, total: steps.append((done, total))
    )
    rows = rows_of(tmp_path / "feed.csv") + rows_of(tmp_path / "queries.csv")
    named = {row["image"] for row in rows} | {row["mask"] for row in rows}
    lists = {"feed.csv", "queries.csv", "labels.csv", "photos/lb-holiday.jpg"}
    assert set(files_of(tmp_path)) == named | lists
    assert summary.removed > 0
    assert (summary.products, summary.queries) == (2, 1)
    assert steps == [(k + 1, len(rows)) for k in range(len(rows))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"products": 0}, "products is 0, but a sample shop has at least 1"),
        ({"seed": -1}, "seed is -1, but a seed is 0 or more"),
        ({"queries": -2}, "queries is -2, but it is 0 or more"),
        ({"workers": 0}, "workers is 0, but it takes at least 1"),
    ],
)
def test_bad_numbers_are_refused_before_anything_is_written(tmp_path, change, message):
    """The message says what was given and what would do."""
    with pytest.raises(LookbookError, match=message):
        write_sample_catalog(tmp_path / "shop", **{"seed": 1, "products": 1, "queries": 0, "workers": 1, **change})
    assert not (tmp_path / "shop").exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path):
    """Named in the message."""
    (tmp_path / "shop").write_text("a file")
    with pytest.raises(LookbookError, match="shop: is a file, but the sample catalogue needs a folder"):
        write_sample_catalog(tmp_path / "shop", seed=1, products=1, queries=0)


def test_unknown_variants_and_photos_are_refused():
    """With the number there are."""
    plan = plan_shop(1, 1)[0]
    variants, photos = len(plan.variants), len(plan.variants[0].photos)
    with pytest.raises(LookbookError, match=f"variant 9, but it has {variants}: give 0 to {variants - 1}"):
        draw_query_photo(plan, 9, 1)
    with pytest.raises(LookbookError, match=f"photo 9, but it has {photos}: give 0 to {photos - 1}"):
        draw_catalog_photo(plan, 0, 9)
    with pytest.raises(LookbookError, match="photo seed -1, but a seed is 0 or more"):
        draw_query_photo(plan, 0, -1)
