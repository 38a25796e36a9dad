"""What a refresh costs: CPU time of `lookbook build --stale` against the full build's, and as the catalogue grows.

    python benchmarks/refresh.py embedded [--products 700]
    python benchmarks/refresh.py growth [--sizes 700 5000 20000]

`embedded` draws the sample shop and builds it with the embedded profile. `growth` builds shops of small plain pictures
with light features (a mean over the picture's cells stands in for the networks, everything else is as it ships) and
changes seven products of each. CPU seconds are of all threads, user and system; ratios are within one run.
"""

import argparse
import csv
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

CHECKOUT = Path(__file__).resolve().parents[1]
REPEATS = 3
FEED_TOML = 'format = "csv"\npath = "feed.csv"\nphotos = "."\n\n[queries]\npath = "queries.csv"\n'
QUERIES = 40


class Cost(NamedTuple):
    """Of one process."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("embedded", "growth", "build"))
    parser.add_argument("--products", type=int, default=700)
    parser.add_argument("--sizes", type=int, nargs="+", default=[700, 5000, 20000])
    parser.add_argument("--home", type=Path, help="of `build`, which the other two call")
    parser.add_argument("--how", default="full", help="of `build`: full, stale, or an asset")
    parser.add_argument("--light", action="store_true", help="of `build`: light features")
    options = parser.parse_args()
    if options.what == "build":
        build(options.home, options.how, light=options.light)
    elif options.what == "embedded":
        embedded(options.products)
    else:
        growth(options.sizes)


def embedded(products: int) -> None:
    """Nothing changed, and one product in a hundred, against the full build."""
    from catalog.sample_catalog.write import write_sample_catalog

    with folder() as home:
        write_sample_catalog(home / "shop", seed=7, products=products, queries=160, workers=os.cpu_count() or 1)
        (home / "shop" / "feed.toml").write_text(FEED_TOML, encoding="utf-8")
        full = cost(home, "full")
        start = median(cost(home, "color_signatures_bin") for _ in range(REPEATS))
        nothing = median(cost(home, "stale") for _ in range(REPEATS))
        some = median(changed(home, round(products / 100), place) for place in range(REPEATS))
        print(f"{products} drawn products, embedded profile; CPU seconds, medians of {REPEATS}")
        print(
            f"full build {full.cpu_s:.1f}, peak {full.peak_mib:.0f} MiB; start of Python and Dagster {start.cpu_s:.2f}"
        )
        for name, found, bar in (("nothing changed", nothing, 0.02), ("1 % of products changed", some, 0.04)):
            beyond = found.cpu_s - start.cpu_s
            print(
                f"{name}: {found.cpu_s:.2f}, {beyond:.2f} beyond the start: {beyond / full.cpu_s:.2%} of the full build"
                f" (bar {bar:.0%}), {found.cpu_s / full.cpu_s:.2%} with the start; {found.wall_s:.1f} s, peak"
                f" {found.peak_mib:.0f} MiB"
            )


def growth(sizes: list[int]) -> None:
    """The same change of seven products in catalogues of other sizes."""
    print(f"light features, seven products changed; CPU seconds, medians of {REPEATS}")
    print("| products | full build | nothing changed | 7 changed | difference | peak, full | peak, 7 changed |")
    print("|---" * 7 + "|")
    for products in sizes:
        with folder() as home:
            plain_shop(home / "shop", products)
            full = cost(home, "full", light=True)
            nothing = median(cost(home, "stale", light=True) for _ in range(REPEATS))
            some = median(changed(home, 7, place, light=True) for place in range(REPEATS))
        print(
            f"| {products:,} | {full.cpu_s:.1f} | {nothing.cpu_s:.2f} | {some.cpu_s:.2f} |"
            f" {some.cpu_s - nothing.cpu_s:.2f} | {full.peak_mib:.0f} MiB | {some.peak_mib:.0f} MiB |",
            flush=True,
        )


@contextmanager
def folder() -> Iterator[Path]:
    """A home that is removed at the end."""
    path = Path(tempfile.mkdtemp(prefix="lookbook-refresh-"))
    yield path
    shutil.rmtree(path)


def median(costs: Iterator[Cost]) -> Cost:
    """By each of the three numbers."""
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def changed(home: Path, products: int, place: int, *, light: bool = False) -> Cost:
    """Mirror the photos of some products under their names, and refresh."""
    feed = home / "shop" / "feed.csv"
    with feed.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = list(dict.fromkeys(row["product_id"] for row in rows))
    chosen = set(named[place * products : (place + 1) * products])
    for row in rows:
        if row["product_id"] in chosen:
            path = feed.parent / row["image"]
            with Image.open(path) as photo:
                mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mirrored.save(path)
    return cost(home, "stale", light=light)


def cost(home: Path, how: str, *, light: bool = False) -> Cost:
    """Build in a process of its own, and read what the system says it took."""
    command = [sys.executable, __file__, "build", "--home", str(home), "--how", how, *(["--light"] if light else [])]
    started = time.monotonic()
    log = os.open(home / "build.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    child = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, log, 2)])
    _, status, usage = os.wait4(child, 0)
    os.close(log)
    if status:
        raise SystemExit((home / "build.log").read_text("utf-8")[-3000:])
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024)


def build(home: Path, how: str, *, light: bool) -> None:
    """As `lookbook build`; tells on standard output what the row memo cost beside computing rows."""
    from dagster_project.building import run_build

    spent = _watch_the_memo()
    if light:
        _be_light()
    started = time.perf_counter()
    select = None if how in ("full", "stale") else how
    feed = str(home / "shop" / "feed.toml") if how == "full" else None
    run_build(home, profile=None, feed=feed, select=select, stale=how == "stale")
    took = time.perf_counter() - started
    if how == "full":
        memo = spent["all"] - spent["computing"]
        print(f"row memo: {memo:.2f} s of {took:.1f} s: {memo / took:.2%} of the full build (bar 3%)", flush=True)


def _watch_the_memo() -> dict[str, float]:
    from catalog.features import row_memo

    spent = {"all": 0.0, "computing": 0.0}
    refresh = row_memo.refresh

    def timed(name: str, run: Any) -> Any:
        def inner(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return run(*arguments, **named)
            finally:
                spent[name] += time.perf_counter() - started

        return inner

    def watched(path: Path, schema: Any, stage: str, wanted: Any, compute: Any, **named: Any) -> Any:
        return refresh(path, schema, stage, wanted, timed("computing", compute), **named)

    row_memo.refresh = timed("all", watched)
    return spent


# --- light features --------------------------------------------------------------------------------------------------


def plain_shop(shop: Path, products: int) -> None:
    """A shop of small pictures, one a product, in ten categories; every one another."""
    rng = np.random.default_rng(3)
    (shop / "photos").mkdir(parents=True)
    rows = []
    for number in range(products):
        name = f"photos/{number:05}.jpg"
        _picture(rng).save(shop / name, quality=85)
        rows.append({"product_id": f"P{number:05}", "category": f"kind {number % 10}", "title": "", "image": name})
    (shop / "feed.toml").write_text(FEED_TOML, encoding="utf-8")
    for file, listed in (("feed.csv", rows), ("queries.csv", rows[-QUERIES:])):
        with (shop / file).open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(listed)


def _picture(rng: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (96, 96), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((16, 16, 80, 80), fill=tuple(rng.integers(0, 200, 3).tolist()))
    for left, top in rng.integers(20, 64, (6, 2)).tolist():
        pen.ellipse((left, top, left + 12, top + 12), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return image


def _be_light() -> None:
    from catalog.features.product_masks import FoundProduct
    from catalog.model_descriptions import MODELS
    from catalog.vision.masks import product_mask
    from resources.inference import CropByCrop, Inference

    class Finder:
        def find(self, image_hwc: np.ndarray, words: object = ()) -> FoundProduct:
            height, width = image_hwc.shape[:2]
            small = Image.fromarray(image_hwc).convert("L").resize((32, 32))
            return FoundProduct(product_mask((np.asarray(small) < 240).astype(np.float32), width, height), "light")

    def describe(dim: int) -> Any:
        def cells(image_hwc: np.ndarray, mask: np.ndarray) -> np.ndarray:
            side = int(np.ceil(np.sqrt(dim / 3)))
            small = np.asarray(Image.fromarray(image_hwc).resize((side, side))).reshape(-1)[:dim]
            vector = small.astype(np.float32) + 1
            return vector / np.linalg.norm(vector)

        return cells

    Inference.product_finder = lambda self, profile: Finder()
    Inference.encoder = lambda self, name, precision: CropByCrop(describe(MODELS[name].embedding_dim))


if __name__ == "__main__":
    main()
