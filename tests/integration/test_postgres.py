"""Dagster's runs and events in PostgreSQL: Debian's own server on loopback, a real build's records in it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from catalog.errors import ProfileError
from dagster_project.definitions import build_definitions
from dagster_project.staleness import next_to_build
from resources.home import Home, prepare
from resources.instance_settings import POSTGRES_VARIABLE as VARIABLE
from resources.instance_settings import write_instance_settings
from tests.conftest import draw_shop

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
PASSWORD = "very-secret"

pytestmark = pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL server on this machine: apt install postgresql")


def as_server() -> dict[str, str]:
    """The user that the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    return {"user": next(name for name in ("postgres", "nobody") if name in names)}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a new database, with its password."""
    pytest.importorskip("dagster_postgres", reason="pip install 'lookbook[postgres]'")
    user = as_server()
    folder = Path(tempfile.mkdtemp(prefix="lookbook-pg-"))  # not tmp_path: only root may enter that
    try:
        (folder / "password").write_text(PASSWORD, "utf-8")
        for path in (folder, folder / "password"):
            if user:
                shutil.chown(path, user["user"])
        initdb = PROGRAMS[-1].with_name("initdb")
        subprocess.run(
            [initdb, "-D", folder / "data", "-U", "lookbook", "-A", "scram-sha-256", "--pwfile", folder / "password"],
            check=True, capture_output=True, cwd=folder, **user,
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-p", str(port), "-k", str(folder)]
        server = subprocess.Popen(
            [PROGRAMS[-1], "-D", folder / "data", *options],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user,
        )  # fmt: skip
        try:
            wait_for(port, server)
            yield f"postgresql://lookbook:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # fast: it does not wait for who is still connected
            server.wait(30)
    finally:
        shutil.rmtree(folder)


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert server.poll() is None, "the server ended by itself"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    draw_shop(home.root / "shop", products=2, queries=1)
    home.settings_file.write_text('feed = "shop/feed.toml"\n[storage]\npostgres = true\n', "utf-8")
    return home


def test_runs_and_staleness_are_kept_there_and_the_password_nowhere(url, home, lookbook, monkeypatch):
    """The home's own Dagster folder holds no database and no password."""
    lookbook("build", "--home", home.root, "--select", "raw_catalog", LOOKBOOK_POSTGRES_URL=url)
    kept = [file for file in home.root.rglob("*") if file.is_file()]
    assert [file for file in kept if file.suffix in (".db", ".sqlite")] == []
    assert [file for file in kept if PASSWORD.encode() in file.read_bytes()] == []
    environment = {VARIABLE: url}
    prepare(home, environment)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
        assert instance.get_latest_materialization_event(dg.AssetKey("raw_catalog"))
        waiting = {key.to_user_string() for key in next_to_build(build_definitions(home), instance)}
        assert "product_images" in waiting
        assert "raw_catalog" not in waiting


def test_a_home_that_goes_back_goes_back(url, home, tmp_path):
    """The file names the variable while the home says so; then it is what ships."""
    file, environment = tmp_path / "dagster.yaml", {"LOOKBOOK_POSTGRES_URL": url}
    write_instance_settings(file, home.settings_file, environment)
    assert yaml.safe_load(file.read_text("utf-8"))["storage"] == {"postgres": {"postgres_url": {"env": VARIABLE}}}
    assert environment[VARIABLE].startswith("postgresql+psycopg2://lookbook:")
    home.settings_file.write_text("", "utf-8")
    write_instance_settings(file, home.settings_file, environment)
    assert "storage" not in yaml.safe_load(file.read_text("utf-8"))


def test_an_edited_file_that_keeps_runs_elsewhere_is_told(url, home, tmp_path):
    (tmp_path / "dagster.yaml").write_text("# mine\n", "utf-8")
    with pytest.raises(ProfileError, match=r"dagster\.yaml: was edited, so it is left alone, and has no `storage"):
        write_instance_settings(tmp_path / "dagster.yaml", home.settings_file, {VARIABLE: url})


def test_a_home_without_its_database_says_so(home, lookbook):
    """And does not begin again in an empty one."""
    failed = lookbook("build", "--home", home.root, ok=False, LOOKBOOK_POSTGRES_URL="")
    assert "[storage] postgres = true, but LOOKBOOK_POSTGRES_URL is not set" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_database_that_does_not_answer_is_one_line(home, lookbook):
    """Without its password."""
    gone = f"postgresql://lookbook:{PASSWORD}@127.0.0.1:9/postgres"
    failed = lookbook("build", "--home", home.root, ok=False, LOOKBOOK_POSTGRES_URL=gone)
    assert "the database of LOOKBOOK_POSTGRES_URL does not answer: connection to server at" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert PASSWORD not in failed.stderr
