"""A home's dagster.yaml: ours, kept up to date for as long as its owner has not edited it."""

import importlib.util
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from catalog.errors import LookbookError, ProfileError
from catalog.formats import atomic, digests
from resources.settings import load_settings

POSTGRES_VARIABLE = "LOOKBOOK_POSTGRES_URL"
SHIPPED = Path(__file__).resolve().parents[1] / "dagster_project" / "dagster.yaml"
STAMP = re.compile(r"# as written by lookbook: ([0-9a-f]{64})\n\Z")
# What the first version wrote, before it stamped its copies.
WITHOUT_STAMP = "d02ee039273148269e147d39b3e0440486e0998fc349aabde413a5e12ae489f9"
BARE_SCHEME = re.compile(r"^postgres(ql)?://")  # SQLAlchemy 2.1 would take it for psycopg 3's
POSTGRES = f"""
storage:
  postgres:
    postgres_url:
      env: {POSTGRES_VARIABLE} # read from the environment: no password is written here
"""


def write_instance_settings(file: Path, lookbook_toml: Path, environment: MutableMapping[str, str]) -> None:
    """Write a home's dagster.yaml, `file`, where it is missing, or is one of ours that is not as it should be now.

    A PostgreSQL URL in the environment is given the name of the driver that is installed, for those who read it there.

    Raises: ProfileError, lookbook.toml can't be read; LookbookError, PostgreSQL is asked for and can't be had.
    """
    postgres = load_settings(lookbook_toml).storage.postgres
    if postgres:
        environment[POSTGRES_VARIABLE] = _usable_postgres(lookbook_toml, environment)
    wanted = _stamped(SHIPPED.read_text(encoding="utf-8") + (POSTGRES if postgres else ""))
    standing = file.read_text(encoding="utf-8") if file.exists() else None
    if standing is None or (standing != wanted and _is_ours(standing)):
        atomic.write_text(file, wanted)
    elif postgres and "postgres" not in standing:  # edited, so left alone; but it must not keep runs elsewhere
        raise ProfileError(
            f"{file}: was edited, so it is left alone, and has no `storage: postgres:` though {lookbook_toml.name} "
            "says [storage] postgres = true; add it, or remove the file to have it written"
        )


def _stamped(text: str) -> str:
    return f"{text}# as written by lookbook: {digests.of_bytes(text.encode())}\n"


def _is_ours(text: str) -> bool:
    stamp = STAMP.search(text)
    if stamp is None:
        return digests.of_bytes(text.encode()) == WITHOUT_STAMP
    return digests.of_bytes(text[: stamp.start()].encode()) == stamp[1]


def _usable_postgres(lookbook_toml: Path, environment: Mapping[str, str]) -> str:
    """The URL of a database that answers. Raises: LookbookError, without the URL, which holds a password."""
    asked = f"{lookbook_toml}: [storage] postgres = true"
    given = environment.get(POSTGRES_VARIABLE)
    if not given:
        raise LookbookError(
            f"{asked}, but {POSTGRES_VARIABLE} is not set; set it to postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    if importlib.util.find_spec("dagster_postgres") is None:
        raise LookbookError(f"{asked} needs the extra: pip install --editable '.[postgres]'")
    import sqlalchemy  # here: homes on SQLite wait for no import that only Dagster needs

    url = BARE_SCHEME.sub("postgresql+psycopg2://", given)
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args={"connect_timeout": 10})
        engine.connect().close()
    except sqlalchemy.exc.OperationalError as error:
        why = str(error.orig).strip().splitlines()[0]
        raise LookbookError(f"{asked}, but the database of {POSTGRES_VARIABLE} does not answer: {why}") from error
    except (sqlalchemy.exc.ArgumentError, ValueError, ImportError) as error:
        raise LookbookError(
            f"{asked}, but {POSTGRES_VARIABLE} is no URL of a database: postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        ) from error
    return url
