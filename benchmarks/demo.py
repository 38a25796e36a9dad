"""`make demo` from a fresh clone with an empty home directory: time, disk and memory against their bars.

    python benchmarks/demo.py [--keep]

Bars: 5 minutes on two cores after downloads, light install at most 900 MB, no process above 2 GB. The package index's
answers are part of the time: pip's cache is not used, so the figure is an upper bound for "after downloads".
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from processes import watched

CHECKOUT = Path(__file__).resolve().parents[1]
BARS = {"seconds": 300, "install_mb": 900, "peak_process_mib": 2048}


def main() -> None:
    """Clone, run `make demo` twice, watch every process of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the clone, and say where it is")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lookbook-demo-"))
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    kept = {
        key: value for key, value in os.environ.items() if key not in ("LOOKBOOK_HOME", "DAGSTER_HOME", "VIRTUAL_ENV")
    }
    environment = {**kept, "HOME": str(folder / "home")}
    (folder / "home").mkdir()
    install_s, _ = watched(["make", ".venv/light"], clone, environment)
    build_s, peak = watched(["make", "demo"], clone, environment)
    again_s, _ = watched(["make", "demo"], clone, environment)
    venv = clone / ".venv"
    install_mb = sum(file.stat().st_size for file in venv.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6
    print(f"set-up {install_s:.0f} s, build and search {build_s:.0f} s, second `make demo` {again_s:.0f} s")
    for name, value in (("seconds", install_s + build_s), ("install_mb", install_mb), ("peak_process_mib", peak)):
        print(f"{name}: {value:.0f}, bar {BARS[name]}: {value / BARS[name]:.2f} of it")
    if options.keep:
        print(f"the clone is {clone}")
    else:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


if __name__ == "__main__":
    main()
