"""The drawn shop as files: a feed, its photos, query photos of its products, exact masks, labels.

    feed.csv      a row a photo, the columns FEED_COLUMNS; image and mask are relative to the folder
    queries.csv   the same columns for the query photos: the labels of the known product, and the photo
    labels.csv    a row a photo of either kind, the columns LABEL_COLUMNS
    photos/  queries/   JPEG        masks/   1-bit PNG, white where the product is seen

The lists come last, so no list ever names a photo that is not there. What is drawn follows from the seed and the
numbers asked for alone, never from the order of drawing or the number of workers.
"""

import csv
import io
import multiprocessing
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import LookbookError
from catalog.formats import atomic
from catalog.sample_catalog.photos import DrawnPhoto, draw_catalog_photo, draw_query_photo
from catalog.sample_catalog.plan import ProductPlan, plan_product, plan_shop, title_of

FEED_COLUMNS = (
    "product_id",
    "variant",
    "title",
    "category",
    "price",
    "currency",
    "url",
    "brand",
    "availability",
    "color",
    "pattern",
    "image",
    "mask",
)
LABEL_COLUMNS = (
    "image",
    "mask",
    "role",
    "product_id",
    "variant",
    "category",
    "style",
    "print",
    "motif",
    "color",
    "view",
)

_OURS = re.compile(r"lb-[a-z]{3}-\d{4,}(-[a-z]+)?-q?\d+\.(jpg|png)")  # only such names are ever removed


@dataclass(frozen=True)
class SampleSummary:
    """What `write_sample_catalog` wrote."""

    products: int
    variants: int
    photos: int
    queries: int
    removed: int  # photos and masks of an earlier, other write
    feed: Path
    query_feed: Path


@dataclass(frozen=True)
class _Task:
    """One photo to draw; small enough to be sent to a worker."""

    seed: int
    number: int  # of the product
    variant: int
    photo: int  # photo index, or the query's own seed
    query: bool
    name: str  # file name without its suffix

    @property
    def image(self) -> str:
        """Path of the photo below the folder."""
        return f"{'queries' if self.query else 'photos'}/{self.name}.jpg"

    @property
    def mask(self) -> str:
        """Path of its mask."""
        return f"masks/{self.name}.png"


def write_sample_catalog(
    folder: Path,
    *,
    seed: int,
    products: int,
    queries: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SampleSummary:
    """Draw and write a shop of `products` products and `queries` query photos under `folder`.

    `progress(done, total)` is called after each photo. With more than one worker the photos are drawn in fresh
    processes, so a script that calls this needs its `__main__` guard.

    Raises: LookbookError, a number out of range, or a folder that is a file.
    """
    if queries < 0:
        raise LookbookError(f"queries is {queries}, but it is 0 or more: ask for that many query photos")
    if workers < 1:
        raise LookbookError(f"workers is {workers}, but it takes at least 1 to draw: give 1 or more")
    if folder.exists() and not folder.is_dir():
        raise LookbookError(f"{folder}: is a file, but the sample catalogue needs a folder: name another place")
    plans = plan_shop(seed, products)
    shop, asked = _photo_tasks(plans), _query_tasks(plans, queries)
    _draw_all(folder, [*shop, *asked], workers, progress)
    feed, query_feed = folder / "feed.csv", folder / "queries.csv"
    atomic.write_text(feed, _table(FEED_COLUMNS, (_feed_row(plans[task.number], task) for task in shop)))
    atomic.write_text(query_feed, _table(FEED_COLUMNS, (_feed_row(plans[task.number], task) for task in asked)))
    labels = (_label_row(plans[task.number], task) for task in [*shop, *asked])
    atomic.write_text(folder / "labels.csv", _table(LABEL_COLUMNS, labels))
    removed = _remove_others(folder, [*shop, *asked])
    variants = sum(len(plan.variants) for plan in plans)
    return SampleSummary(len(plans), variants, len(shop), len(asked), removed, feed, query_feed)


def _stem(plan: ProductPlan, variant: int) -> str:
    """A photo's name up to its number: the variant's id, lower-case."""
    return (plan.variants[variant].name or plan.product_id).lower()


def _photo_tasks(plans: Sequence[ProductPlan]) -> list[_Task]:
    return [
        _Task(plan.seed, plan.number, variant, photo, False, f"{_stem(plan, variant)}-{photo + 1}")
        for plan in plans
        for variant, colored in enumerate(plan.variants)
        for photo in range(len(colored.photos))
    ]


def _query_tasks(plans: Sequence[ProductPlan], queries: int) -> list[_Task]:
    """Products in a shuffled order, each once before any comes twice."""
    tasks = []
    for place in range(queries):
        rng = np.random.default_rng([plans[0].seed, 3 * 10**6, place // len(plans)])
        plan = plans[int(rng.permutation(len(plans))[place % len(plans)])]
        own = np.random.default_rng([plans[0].seed, 4 * 10**6, place])
        variant = int(own.integers(len(plan.variants)))
        photo = int(own.integers(2**31))
        tasks.append(_Task(plan.seed, plan.number, variant, photo, True, f"{_stem(plan, variant)}-q{place + 1:04d}"))
    return tasks


def _draw(task: _Task) -> DrawnPhoto:
    plan = plan_product(task.seed, task.number)
    if task.query:
        return draw_query_photo(plan, task.variant, task.photo)
    return draw_catalog_photo(plan, task.variant, task.photo)


def _write(folder: Path, task: _Task) -> None:
    """Draw one photo and write it with its mask."""
    drawn = _draw(task)
    image, mask = io.BytesIO(), io.BytesIO()
    Image.fromarray(drawn.image_hwc).save(image, "JPEG", quality=drawn.jpeg_quality)
    Image.fromarray(drawn.mask).save(mask, "PNG")
    atomic.write_bytes(folder / task.mask, mask.getvalue())
    atomic.write_bytes(folder / task.image, image.getvalue())


def _draw_all(folder: Path, tasks: Sequence[_Task], workers: int, progress: Callable[[int, int], None] | None) -> None:
    if workers == 1:
        for done, task in enumerate(tasks, start=1):
            _write(folder, task)
            if progress is not None:
                progress(done, len(tasks))
        return
    # spawn, not fork: a parent with threads (Dagster, ONNX Runtime) must not be copied in the middle of things
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        results = pool.map(_write, [folder] * len(tasks), tasks, chunksize=8)
        for done, _ in enumerate(results, start=1):
            if progress is not None:
                progress(done, len(tasks))


def _feed_row(plan: ProductPlan, task: _Task) -> tuple[str, ...]:
    variant = plan.variants[task.variant]
    word = variant.colorway.word
    return (
        plan.product_id,
        variant.name,
        title_of(plan.design, plan.noun, word),
        plan.category,
        f"{plan.price:.2f}",
        plan.currency,
        plan.url(),
        plan.brand,
        plan.availability,
        word,
        plan.print_label,
        task.image,
        task.mask,
    )


def _label_row(plan: ProductPlan, task: _Task) -> tuple[str, ...]:
    variant = plan.variants[task.variant]
    if task.query:
        role, view = "query", "phone"
    else:
        photo = variant.photos[task.photo]
        role, view = "catalog", f"{photo.stage}{'_back' if photo.back else ''}"
    return (
        task.image,
        task.mask,
        role,
        plan.product_id,
        variant.name,
        plan.category,
        plan.style,
        plan.print_label,
        plan.design.motif,
        variant.colorway.word,
        view,
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _remove_others(folder: Path, tasks: Sequence[_Task]) -> int:
    """Remove photos and masks that another write left: by name ours, and in none of the lists."""
    wanted = {folder / path for task in tasks for path in (task.image, task.mask)}
    removed = 0
    for part in ("photos", "queries", "masks"):
        for path in sorted((folder / part).glob("lb-*")):
            if path not in wanted and _OURS.fullmatch(path.name):
                path.unlink()
                removed += 1
    return removed
