"""The drawn sample shop: what a home reads that has no feed of its own."""

import time
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from catalog.formats import atomic, digests
from catalog.sample_catalog.write import write_sample_catalog
from resources.data_lake import DataLake
from resources.inference import cores
from resources.progress import Progress

SAMPLE_SEED, SAMPLE_PRODUCTS, SAMPLE_QUERIES = 7, 700, 160
SAMPLE_FEED_TOML = """\
# The drawn sample shop, described like any other feed.
format = "csv"
path = "feed.csv"
photos = "."

[queries] # known products, as a phone would take them
path = "queries.csv"
"""


@dg.asset(group_name="feed", kinds={"python", "csv"}, owners=["team:catalog"])
def sample_catalog(data_lake: DataLake, progress: Progress) -> dg.MaterializeResult:
    """A shop, drawn: products, phone photos of some of them, exact masks and labels. Same seed, same bytes.

    Only a home without a feed of its own has this asset. `lookbook build --feed FILE` takes its place.
    """
    started = time.perf_counter()
    folder = data_lake.sample_catalog
    summary = write_sample_catalog(
        folder,
        seed=SAMPLE_SEED,
        products=SAMPLE_PRODUCTS,
        queries=SAMPLE_QUERIES,
        workers=cores(),
        progress=progress.bar("sample_catalog"),
    )
    atomic.write_text(folder / "feed.toml", SAMPLE_FEED_TOML)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(_folder_digest(folder)),
        metadata={**asdict(summary), "seed": SAMPLE_SEED, "seconds": round(time.perf_counter() - started, 1)},
    )


def _folder_digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return digests.of_values([[file.relative_to(folder).as_posix(), digests.of_file(file)] for file in files])
