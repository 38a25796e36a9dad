"""Lays out a folder of ten classes of phone photos, nobody's in two splits, and trains the compact model on it.

    python benchmarks/compact_trainer.py --data ../shared/data --out ~/phone-photos [--minutes 34]

Test: the senders of `clothing` that no training of ours ever sees. Validation: another tenth of the photos, by sender;
a sender with very many photos stays in train. `clothing_extra` has finer labels: those that are one of the ten classes
by another name are taken for it, the others are left out (looked at on contact sheets: an undershirt or a top is no
t-shirt, and a hoodie may be a long-sleeved top or a jacket).
"""

import argparse
import csv
import hashlib
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from catalog.training.photos import is_held_out

CLASSES = ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt")
SAME = {"polo": "t-shirt", "blazer": "outwear", "blouse": "shirt"}
VALIDATION_SHARE, MOST_OF_A_SENDER = 0.1, 60


def main() -> None:
    """Lay out the dataset, train, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the CC0 photos and their manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder to make: dataset/ and home/")
    parser.add_argument("--layout-only", action="store_true")
    arguments, more = parser.parse_known_args()
    dataset = arguments.out / "dataset"
    lay_out(arguments.data, dataset)
    if arguments.layout_only:
        return
    command = [Path(sys.executable).with_name("lookbook"), "train", dataset, "--home", arguments.out / "home", *more]
    started = time.perf_counter()
    subprocess.run([*map(str, command)], check=True)
    print(f"{(time.perf_counter() - started) / 60:.1f} minutes in all")


def lay_out(data: Path, dataset: Path) -> None:
    """Copy the photos to <dataset>/<split>/<class>/."""
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(("clothing/", "clothing_extra/"))]
    splits = _split_of_senders(Counter(row["sender_id"] for row in rows))
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        label = SAME.get(row["category"], row["category"])
        split = splits[row["sender_id"]]
        if label not in CLASSES or (split == "test" and not row["path"].startswith("clothing/")):
            continue
        target = dataset / split / label / Path(row["path"]).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / row["path"], target)
        counts[split, label] += 1
    for split in ("train", "validation", "test"):
        told = ", ".join(f"{label} {counts[split, label]}" for label in CLASSES)
        print(f"{split}: {sum(n for (of, _), n in counts.items() if of == split)} photos ({told})")


def _split_of_senders(senders: Counter[str]) -> dict[str, str]:
    """Test senders by the trainings' own rule; of the others, in the order of their digests, a tenth of the photos."""
    split = {sender: "test" if is_held_out(sender) else "train" for sender in senders}
    others = [sender for sender in senders if split[sender] == "train" and senders[sender] <= MOST_OF_A_SENDER]
    wanted = VALIDATION_SHARE * sum(count for sender, count in senders.items() if split[sender] == "train")
    taken = 0
    for sender in sorted(others, key=lambda sender: hashlib.sha256(f"validation {sender}".encode()).hexdigest()):
        if taken < wanted:
            split[sender], taken = "validation", taken + senders[sender]
    return split


if __name__ == "__main__":
    main()
