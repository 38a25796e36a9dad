"""`make demo` from a fresh clone with an empty home directory: time, disk and memory against their bars.

    python benchmarks/demo.py [--keep]

Bars: 5 minutes on two cores after downloads, light install at most 900 MB, no process above 2 GB. The package index's
answers are part of the time: pip's cache is not used, so the figure is an upper bound for "after downloads".
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

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


def watched(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; returns its seconds and the largest resident size of any one of its processes, in MiB."""
    started, peak = time.monotonic(), 0
    process = subprocess.Popen(command, cwd=folder, env=environment)
    parent = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            for one in [parent, *parent.children(recursive=True)]:
                peak = max(peak, one.memory_info().rss)
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - started, peak / 2**20


if __name__ == "__main__":
    main()
