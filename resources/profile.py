"""Finds a profile by its name or path and reads it."""

import difflib
from pathlib import Path

import dagster as dg

from catalog.errors import ProfileError
from catalog.formats import trained_models
from catalog.model_descriptions import take_trained
from catalog.profiles import Profile, parse_profile
from resources.home import Home

PROFILES = Path(__file__).resolve().parent / "profiles"


def load_profile(name: str, home: Path) -> Profile:
    """Read the profile called `name`: one that ships, or a .toml file (relative to the home's root).

    It may name the models that the home trained itself: their rows are taken into the table of models first.
    Raises: ProfileError, one line: no such profile, or what is wrong in its file; ModelError for a trained model's row.
    """
    take_trained(trained_models.read_rows(Home(home).trained))
    if name.endswith(".toml"):
        path = home / name
        if not path.is_file():
            raise ProfileError(f"{path}: no such profile file")
    else:
        shipped = sorted(file.stem for file in PROFILES.glob("*.toml"))
        if name not in shipped:
            close = difflib.get_close_matches(name, shipped, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise ProfileError(f"no profile {name!r}: {hint}there are {', '.join(shipped)}, or name a .toml file")
        path = PROFILES / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: can't be read as UTF-8 text ({error})") from error
    return parse_profile(text, str(path))


class ActiveProfile(dg.ConfigurableResource):
    """The profile that a home builds with."""

    profile_name: str
    home: str

    def read(self) -> Profile:
        """The profile, checked. Raises as `load_profile`."""
        return load_profile(self.profile_name, Path(self.home))
