"""Where everything of one shop lies: a home, by default the checkout. Two homes never touch."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import ProfileError
from catalog.formats import atomic
from resources.instance_settings import write_instance_settings

CHECKOUT = Path(__file__).resolve().parents[1]
HOME_VARIABLE = "LOOKBOOK_HOME"
UI_VARIABLE = "LOOKBOOK_UI_URL"  # where `lookbook dev` listens, for the reports of what it runs


@dataclass(frozen=True)
class Home:
    """The folders of one shop. Nothing is written outside `root`."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """The home's own choices: profile and feed."""
        return self.root / "lookbook.toml"

    @property
    def data_lake(self) -> Path:
        """Tables and pictures of every stage."""
        return self.root / "data_lake"

    @property
    def models(self) -> Path:
        """Float and int8 models made for this home."""
        return self.root / "models"

    @property
    def trained(self) -> Path:
        """Models that this home trained itself, a folder each."""
        return self.models / "trained"

    @property
    def training(self) -> Path:
        """What trainings go on from, a folder each."""
        return self.root / "training"

    @property
    def bundles(self) -> Path:
        """The phone's bundles: `versions/` and `current`."""
        return self.root / "android_bundle"

    @property
    def keys(self) -> Path:
        """Public keys whose bundles are taken, and the private one that this home's own are signed with."""
        return self.root / "keys"

    @property
    def dagster(self) -> Path:
        """Dagster's own home: runs, events, schedules."""
        return self.root / ".dagster"


def find_home(named: str | Path | None, environment: Mapping[str, str]) -> Home:
    """The home that is named, else the one in LOOKBOOK_HOME, else the checkout.

    Raises: ProfileError when the name is that of a file.
    """
    chosen = Path(named or environment.get(HOME_VARIABLE) or CHECKOUT).expanduser().absolute()
    if chosen.exists() and not chosen.is_dir():
        raise ProfileError(f"{chosen}: is a file; a home is a folder, and is made where there is none")
    return Home(chosen)


def prepare(home: Home, environment: dict[str, str] | os._Environ[str]) -> None:
    """Make the home's folders and have this process, and those it starts, use the home and its Dagster storage.

    Raises: OSError when the home can't be written; LookbookError when its settings can't be used.
    """
    home.dagster.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=home.dagster):  # OSError here and now, not a database's own words later
        pass
    write_instance_settings(home.dagster / "dagster.yaml", home.settings_file, environment)
    if home.root == CHECKOUT and not (CHECKOUT / ".env").exists():
        # A bare `dagster dev` typed in the checkout reads this file, and so finds the runs made here.
        atomic.write_text(CHECKOUT / ".env", f"DAGSTER_HOME={home.dagster}\n")
    environment[HOME_VARIABLE] = str(home.root)
    environment["DAGSTER_HOME"] = str(home.dagster)
