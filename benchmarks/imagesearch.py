"""The whole `imagesearch` build over real photos: every stage's time, peak memory, what ships, and a search.

With the hub's own checkpoints, or with benchmarks/random_checkpoints.py's: then speed and size only.

    python benchmarks/random_checkpoints.py --out ~/random-checkpoints
    python benchmarks/imagesearch.py --checkpoints ~/random-checkpoints \\
        --u2netp ../shared/weights/u2netp_320_fp32.onnx \\
        --data ../shared/data --photos 700 --home ~/imagesearch-home
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from processes import watched

LOOKBOOK = Path(sys.executable).with_name("lookbook")
BAR_MIB = 8 * 1024
FEED = """\
format = "csv"
path = "feed.csv"
photos = "{photos}"
"""
COLUMNS = {
    "product_id": "product_id",
    "variant_id": "variant",
    "category": "category",
    "title": "title",
    "path": "image",
}
SEARCHES = 12


def main() -> None:
    """Pull, build, search; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder with a folder a model")
    parser.add_argument("--u2netp", type=Path, required=True, help="U2NetP's ONNX file")
    parser.add_argument("--data", type=Path, required=True, help="real photos and their manifest.csv")
    parser.add_argument("--photos", type=int, default=700)
    parser.add_argument("--home", type=Path, required=True, help="a folder that is not there yet")
    arguments = parser.parse_args()
    home = arguments.home.absolute()
    rows = _rows(arguments.data, arguments.photos)
    _write_feed(home / "shop", arguments.data.absolute(), rows)
    environment = {**os.environ, "LOOKBOOK_HOME": str(home)}
    for command in (
        ["models", "import", "u2netp", str(arguments.u2netp)],
        ["models", "pull", "--profile", "imagesearch", "--from", str(arguments.checkpoints)],
    ):
        subprocess.run([LOOKBOOK, *command], env=environment, check=True)
    build = [str(LOOKBOOK), "build", "--profile", "imagesearch", "--feed", str(home / "shop" / "feed.toml")]
    seconds, peak = watched(build, home, environment)
    print(f"\n{len(rows)} photos: build {seconds:,.0f} s")
    print(f"largest process {peak:,.0f} MiB, {peak / BAR_MIB:.2f} of the bar\n")
    _print_models(json.loads((home / "models" / "int8" / "gate.json").read_text("utf-8")))
    _print_search(home / "android_bundle" / "current", [arguments.data / row["path"] for row in rows])


def _rows(data: Path, count: int) -> list[dict[str, str]]:
    """Luma's gallery first, then phone photos: fashion that FashionSigLIP embeds, and things that SigLIP 2 does."""
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shop = [row for row in rows if row["source"] == "luma" and row["role"] == "gallery"]
    phone = [row for row in rows if row["source"] == "clothing"]
    return [*shop, *phone][:count]


def _write_feed(folder: Path, data: Path, rows: list[dict[str, str]]) -> None:
    folder.mkdir(parents=True)
    (folder / "feed.toml").write_text(FEED.format(photos=data), encoding="utf-8")
    with (folder / "feed.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS.values())
        writer.writeheader()
        for place, row in enumerate(rows):
            values = {ours: row[theirs] for theirs, ours in COLUMNS.items()}
            writer.writerow({**values, "product_id": values["product_id"] or f"photo-{place}"})


def _print_models(shipped: list[dict[str, Any]]) -> None:
    print("| model | ships as | MB | float32 MB | time to float32's |\n|---|---|---|---|---|")
    for entry in shipped:
        print(
            f"| {entry['model']} | {entry['form']} | {entry['size_bytes'] / 1e6:.1f} | "
            f"{entry['float_size_bytes'] / 1e6:.1f} | {entry['latency_ratio']} |"
        )


def _print_search(bundle: Path, photos: list[Path]) -> None:
    from query.engine import Engine

    engine = Engine(bundle)
    engine.warm_up()
    found = [engine.search(photo.read_bytes()).milliseconds for photo in photos[:: max(1, len(photos) // SEARCHES)]]
    stages = list(found[0])
    print(f"\nsearch, {len(found)} photos, median ms\n\n| {' | '.join(stages)} | all |\n|{'---|' * (len(stages) + 1)}")
    medians = [statistics.median(entry.get(stage, 0.0) for entry in found) for stage in stages]
    whole = statistics.median(sum(entry.values()) for entry in found)
    print(f"| {' | '.join(f'{value:.1f}' for value in medians)} | {whole:.0f} |")


if __name__ == "__main__":
    main()
