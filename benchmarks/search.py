"""How long one photo takes to search, stage by stage, after the bundle is open. Bar: under 400 ms with `embedded`.

python benchmarks/search.py [--home DIR] [--photos FOLDER] [--rounds 5]
"""

import argparse
import os
import resource
import time
from pathlib import Path

import numpy as np

from query.engine import Engine
from resources.home import find_home

BAR_MS = 400


def main() -> None:
    """Search every photo of a folder several times; print median and 95th percentile of each stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--photos", type=Path, help="default: the drawn shop's phone photos")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=40, help="of the photos")
    options = parser.parse_args()
    home = find_home(options.home, os.environ)
    folder = options.photos or home.data_lake / "sample_catalog" / "queries"
    photos = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))[: options.most]]
    started = time.perf_counter()
    engine = Engine(home.bundles / "current")
    engine.warm_up()
    print(f"opened in {1000 * (time.perf_counter() - started):.0f} ms, every file's sha256 checked")
    engine.search(photos[0])
    runs = [engine.search(photo).milliseconds for _ in range(options.rounds) for photo in photos]
    print(f"{len(photos)} photos x {options.rounds}, {len(engine.bundle.items)} items\n")
    print("| stage | median, ms | p95, ms |\n|---|---|---|")
    for stage in runs[0]:
        values = [run[stage] for run in runs]
        print(f"| {stage} | {np.median(values):.1f} | {np.quantile(values, 0.95):.1f} |")
    whole = [sum(run.values()) for run in runs]
    median = float(np.median(whole))
    print(f"| **all** | **{median:.1f}** | **{np.quantile(whole, 0.95):.1f}** |\n")
    print(f"median {median / BAR_MS:.2f} of the bar of {BAR_MS} ms")
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
