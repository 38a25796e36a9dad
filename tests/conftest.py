"""What tests of every kind share: real photos beside the checkout, the command as a process, a small shop, built."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from catalog.sample_catalog.write import write_sample_catalog
from tests import forked_command

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"

LIMIT_S = 600
Lookbook = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos; the test skips where there is none (it is on the project's machines only)."""
    folder = SHARED / "data"
    if not (folder / "manifest.csv").is_file():
        pytest.skip("no ../shared/data beside the checkout: it is on the project's own machines only")
    return folder


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """The folder of small real weights; the test skips where there is none."""
    folder = SHARED / "weights"
    if not (folder / "u2netp_320_fp32.onnx").is_file():
        pytest.skip("no ../shared/weights beside the checkout: it is on the project's own machines only")
    return folder


@pytest.fixture(scope="session")
def lookbook(tmp_path_factory) -> Lookbook:
    """Runs the real command in a process of its own, forked from one that has loaded it; `ok=False` expects a failure.

    `whole=True` starts it as a user's shell does, from its file, as does any variable that is read as Python loads.
    """
    outputs = tmp_path_factory.mktemp("lookbook")
    command = str(Path(sys.executable).with_name("lookbook"))

    def run(*arguments: object, ok: bool = True, cwd: Path | None = None, whole: bool = False, **environment: str):
        kept = {key: value for key, value in os.environ.items() if key not in ("LOOKBOOK_HOME", "DAGSTER_HOME")}
        words, variables = [str(argument) for argument in arguments], {**kept, **environment}
        if whole or any(not name.startswith("LOOKBOOK_") for name in environment):
            done = subprocess.run(
                [command, *words], capture_output=True, text=True, cwd=cwd, env=variables, timeout=LIMIT_S
            )
        else:
            done = forked_command.run(words, cwd or Path.cwd(), variables, outputs, LIMIT_S)
        if ok:
            assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        else:
            assert done.returncode != 0, f"{arguments} should have failed\n{done.stdout}\n{done.stderr}"
        return done

    return run


FEED_TOML = """\
format = "csv"
path = "feed.csv"
photos = "."

[queries]
path = "queries.csv"
"""
PRODUCTS, QUERIES = 40, 12


@dataclass(frozen=True)
class BuiltShop:
    """A home that was built, and the output of its build."""

    home: Path
    output: str

    @property
    def feed(self) -> Path:
        """The drawn shop's own feed description, inside the home."""
        return self.home / "shop" / "feed.toml"

    @property
    def queries(self) -> list[Path]:
        """The shop's query photos."""
        return sorted((self.home / "shop" / "queries").glob("*.jpg"))


def draw_shop(folder: Path, products: int = PRODUCTS, queries: int = QUERIES, seed: int = 11) -> Path:
    """Draw a shop into `folder`; returns its feed description."""
    write_sample_catalog(folder, seed=seed, products=products, queries=queries, workers=1)
    (folder / "feed.toml").write_text(FEED_TOML, encoding="utf-8")
    return folder / "feed.toml"


@pytest.fixture(scope="session")
def built_shop(tmp_path_factory, lookbook, worker_id) -> BuiltShop:
    """A home of 40 drawn products, built once for all processes of a run; not to be changed."""
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    home, output = folder / "built" / "home", folder / "built" / "output.txt"
    with FileLock(folder / "built.lock"):
        if not output.exists():
            feed = draw_shop(home / "shop")
            done = lookbook("build", "--home", home, "--feed", feed)
            output.write_text(done.stdout + done.stderr, encoding="utf-8")
    return BuiltShop(home, output.read_text("utf-8"))


@pytest.fixture
def shop_copy(built_shop, tmp_path) -> BuiltShop:
    """The built home, copied: free to be changed."""
    home = tmp_path / "home"
    shutil.copytree(built_shop.home, home, symlinks=True)
    return BuiltShop(home, built_shop.output)
