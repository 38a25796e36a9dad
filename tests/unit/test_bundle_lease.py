"""While a process has a bundle open nobody else is alone with it; when it ends in any way, the next one is."""

import subprocess
import sys
import textwrap

import pytest

from catalog.formats.bundle_lease import Lease, alone

HOLD = textwrap.dedent("""
    import sys
    from pathlib import Path
    from catalog.formats.bundle_lease import Lease
    held = Lease(Path(sys.argv[1]))
    print("held", flush=True)
    sys.stdin.read()
""")


def is_alone(folder):
    """As one who drops versions asks."""
    with alone(folder) as free:
        return free


def test_a_hold_lasts_until_it_is_closed_or_forgotten(tmp_path):
    """Several at once; the last one counts."""
    (tmp_path / "manifest.json").write_text("{}")
    assert is_alone(tmp_path)
    first, second = Lease(tmp_path), Lease(tmp_path)
    first.close()
    first.close()
    assert not is_alone(tmp_path)
    del second
    assert is_alone(tmp_path)


def test_a_killed_process_holds_nothing(tmp_path):
    """kill -9: the system takes its hold back."""
    (tmp_path / "manifest.json").write_text("{}")
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=-1, stdout=-1, text=True) as reader:
        assert reader.stdout.readline() == "held\n"
        assert not is_alone(tmp_path)
        reader.kill()
        reader.wait()
        assert is_alone(tmp_path)


def test_without_a_manifest_there_is_nothing_to_hold(tmp_path):
    """A reader is told; one who drops it is free to."""
    with pytest.raises(FileNotFoundError):
        Lease(tmp_path)
    assert is_alone(tmp_path)
