"""What a disk did, in one line: whatever Dagster and SQLAlchemy wrapped it in."""

import errno
import sqlite3
import sys
from pathlib import Path

import pytest
import sqlalchemy

from dagster_project import disk_faults


def os_error(code: int, *names: str) -> OSError:
    return OSError(code, "the system's words", names[0] if names else None, None, names[1] if names[1:] else None)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (os_error(errno.ENOSPC, "/a.bin"), "/a.bin: can't be written, the disk is full; make room "),
        (os_error(errno.EDQUOT, "/source", "/target"), "/target: can't be written, the disk is full; make room "),
        (os_error(errno.ENOSPC), "/home/shop: can't be written, the disk is full; make room "),
        (os_error(errno.EROFS, "/a.bin"), "/a.bin: can't be read or written (the system's words)"),
        (os_error(errno.EIO, "/a.bin"), "/a.bin: can't be read or written (the system's words)"),
    ],
)
def test_a_file_is_told(error, line, monkeypatch):
    """The one that was written, of two; the home where the system names none."""
    monkeypatch.setenv("DAGSTER_HOME", "/home/shop/.dagster")
    wrapped = RuntimeError("a step failed")
    wrapped.__cause__ = error
    assert str(disk_faults.told(wrapped)).startswith(line)


def test_other_errors_are_none_of_its_business():
    """A file that is missing, a bug, and a database that is busy."""
    assert disk_faults.told(os_error(errno.ENOENT, "/a.bin")) is None
    assert disk_faults.told(KeyError("a")) is None
    assert disk_faults.told(sqlite3.OperationalError("database is locked")) is None


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        ("full", "Dagster's records can't be written, the disk is full; make room"),
        ("read only", "Dagster's records can't be read or written (attempt to write a readonly database)"),
        ("no database", "Dagster's records are damaged (file is not a database); move that folder away and run"),
    ],
)
def test_a_database_of_dagsters_is_told(spoil, line, tmp_path: Path, monkeypatch):
    """SQLite's own errors, of real databases, as SQLAlchemy raises them."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    path = tmp_path / "runs.db"
    if spoil == "no database":
        path.write_bytes(b"no database" * 100)
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.DatabaseError) as raised:
        if spoil == "full":
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("PRAGMA query_only = 1" if spoil == "read only" else "SELECT 1")
        connection.exec_driver_sql("CREATE TABLE a (b)")
        connection.exec_driver_sql("CREATE TABLE c (d)")
    assert str(disk_faults.told(raised.value)).startswith(f"{tmp_path}: {line}")


def test_what_dagster_writes_of_it_is_kept_off_standard_error(capsys):
    """Nothing else is."""
    with disk_faults.said_once():
        sys.stderr.write("Exception while writing logger call to event log: database or disk is full\n[SQL: ...]\n")
        sys.stderr.write("product_images 3 photos\n")
        assert not sys.stderr.isatty()
    assert capsys.readouterr().err == "product_images 3 photos\n"
