"""How long a hundred products of the sample shop take on one core: all their photos and masks, drawn and written.

    python benchmarks/sample_catalog.py [--products 100] [--rounds 3] [--seed 1]

Prints each round, the median, and its ratio to the bar of 10 s for 100 products (below 1 is good).
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from catalog.sample_catalog.write import write_sample_catalog

BAR_S = 10.0  # for 100 products


def main() -> None:
    """Time it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100)
    parser.add_argument("--queries", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rounds = []
    for number in range(asked.rounds):
        with tempfile.TemporaryDirectory() as folder:
            start, cpu = time.perf_counter(), time.process_time()
            # Another seed a round: tiles kept from the round before would flatter it.
            summary = write_sample_catalog(
                Path(folder), seed=asked.seed + number, products=asked.products, queries=asked.queries
            )
            wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        rounds.append(wall_s)
        count = summary.photos + summary.queries
        each_ms = wall_s / count * 1e3
        print(f"round {number + 1}: {wall_s:.2f} s wall, {cpu_s:.2f} s CPU, {count} photos, {each_ms:.1f} ms each")
    median = statistics.median(rounds)
    bar = BAR_S * asked.products / 100
    print(f"median {median:.2f} s for {asked.products} products, {median / bar:.2f} of the {bar:.1f} s bar")


if __name__ == "__main__":
    main()
