"""docs/tour.ipynb runs from its first cell to its last, for real: draws a shop, builds it, searches, plots."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import CHECKOUT

TOUR = CHECKOUT / "docs" / "tour.ipynb"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tour's home and the kernel's own files go; the environment names no home."""
    for name in ("TMPDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("LOOKBOOK_HOME", raising=False)
    return tmp_path


def test_the_tour_runs(elsewhere: Path) -> None:
    """No cell fails, its plots are drawn, phone photos find their products, and it clears up after itself."""
    book = nbformat.read(TOUR, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells), "stored without outputs: clear them"
    NotebookClient(book, timeout=240, resources={"metadata": {"path": str(TOUR.parent)}}).execute()
    pictures = [
        output.data["image/png"] for cell in book.cells for output in cell.get("outputs", ()) if "data" in output
    ]
    assert len(pictures) == 5
    printed = "".join(output.text for cell in book.cells for output in cell.get("outputs", ()) if "text" in output)
    assert "16 products" in printed
    found = int(printed.rsplit("success@10: ", 1)[1].split()[0])
    assert found >= 6, f"{found} of 8 phone photos found their product among the first ten of sixteen"
    assert list((elsewhere / "TMPDIR").glob("lookbook-tour*")) == []
