"""A home's dagster.yaml: written, brought up to date, and left alone once its owner has edited it."""

from pathlib import Path

import pytest
import yaml

from catalog.errors import LookbookError
from resources.instance_settings import POSTGRES_VARIABLE, SHIPPED, write_instance_settings

FIRST_VERSION = """\
# Dagster's own settings for every home; `lookbook` copies this file to <home>/.dagster/, where the runs are kept.
telemetry:
  enabled: false
nux:
  enabled: false # the welcome screen

# Stages print nothing but progress bars: capturing that would cost two processes a stage, deaf to Ctrl-C.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager

retention:
  schedule:
    purge_after_days: 30
  sensor:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 30
"""


class Home:
    """The two files of a home that count here."""

    def __init__(self, root: Path) -> None:
        self.yaml, self.toml = root / "dagster.yaml", root / "lookbook.toml"

    def prepare(self, **environment: str) -> str:
        """The file, as it is written for an environment."""
        write_instance_settings(self.yaml, self.toml, environment)
        return self.yaml.read_text("utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_new_home_gets_what_ships(home: Home) -> None:
    assert yaml.safe_load(home.prepare()) == yaml.safe_load(SHIPPED.read_text("utf-8"))
    assert home.prepare() == home.prepare()


def test_what_an_older_version_wrote_is_replaced(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A stamped copy of other content is ours."""
    older = tmp_path / "older.yaml"
    older.write_text("telemetry:\n  enabled: false\n", "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr("resources.instance_settings.SHIPPED", older)
        assert yaml.safe_load(home.prepare()) == {"telemetry": {"enabled": False}}
    assert "run_monitoring" in yaml.safe_load(home.prepare())


def test_what_the_first_version_wrote_is_replaced(home: Home) -> None:
    """It bore no stamp."""
    home.yaml.write_text(FIRST_VERSION, "utf-8")
    assert "run_monitoring" in yaml.safe_load(home.prepare())


@pytest.mark.parametrize("edit", ["# mine\n", "sensors:\n  use_threads: true\n"])
def test_an_edited_file_is_left_alone(home: Home, edit: str) -> None:
    """Even one that began as ours; and one that never was."""
    for text in (home.prepare() + edit, edit):
        home.yaml.write_text(text, "utf-8")
        assert home.prepare() == text


def test_postgresql_without_its_url_is_told(home: Home) -> None:
    """Never another, empty storage in its place: all would count as never built."""
    home.toml.write_text("[storage]\npostgres = true\n", "utf-8")
    with pytest.raises(LookbookError, match=r"lookbook\.toml: \[storage\] postgres = true, but LOOKBOOK_POSTGRES_URL"):
        home.prepare()
    assert not home.yaml.exists()


@pytest.mark.parametrize(
    "url", ["no URL", "postgresql://lookbook:very-secret@[::1/x", "oracle://lookbook:very-secret@h/x"]
)
def test_a_url_that_is_none_is_told_without_it(home: Home, url: str) -> None:
    """It may hold a password all the same."""
    pytest.importorskip("dagster_postgres")
    home.toml.write_text("[storage]\npostgres = true\n", "utf-8")
    with pytest.raises(
        LookbookError, match="LOOKBOOK_POSTGRES_URL is no URL of a database: postgresql://USER:"
    ) as raised:
        home.prepare(**{POSTGRES_VARIABLE: url})
    assert "very-secret" not in str(raised.value)
