"""Reports of an evaluation: what is written is read, and what is compared. Values are by hand."""

import json

import pytest

from catalog.errors import FormatError
from catalog.evaluation import evaluation_report
from catalog.evaluation.evaluation_report import FULL, Measured

QUERIES = [f"q{number}" for number in range(8)]


def report(subject: str, *rows: tuple[str, float], manifest: str = "m") -> dict:
    """One protocol of eight queries, each of its own product and each of the same value."""
    measured = Measured(gallery=20, queries=8, groups={query: query for query in QUERIES})
    measured.problems = [("lost.jpg", "can't be read (No such file or directory)")]
    measured.rows = {row: {"success@1": dict.fromkeys(QUERIES, value), "MRR": {"q0": 0.5}} for row, value in rows}
    parts = {"luma": evaluation_report.protocol_report(measured), "fabric": {"left_out": "no rows"}}
    return {
        "format": evaluation_report.FORMAT, "format_version": evaluation_report.FORMAT_VERSION, "subject": subject,
        "data": "photos", "manifest_sha256": manifest, "protocols": parts,
    }  # fmt: skip


def test_a_table_shows_means_intervals_and_counts():
    """And what was left out, what could not be read, and each row's difference to the full score.

    Eight pairs that all differ by -1: of 2^8 flips two are as far from 0, p = 2 / 256.
    """
    lines = evaluation_report.as_markdown(report("ours", (FULL, 1.0), ("semantic only", 0.0))).splitlines()
    assert "8 queries, 20 photos in the gallery." in lines
    assert "left out: no rows" in lines
    assert "  - lost.jpg: can't be read (No such file or directory)" in lines
    assert "| score | success@1 (n = 8) | MRR (n = 1) |" in lines
    assert "| full score | 1.000 [1.000, 1.000] | 0.500 [0.500, 0.500] |" in lines
    assert "| semantic only | success@1 | -1.000 [-1.000, -1.000] | 0.0078 | 0.0078 | 8 |" in lines
    assert not [line for line in lines if line.startswith("| semantic only | MRR")]  # no headline of luma
    last = lines[lines.index("## The full score against the semantic encoder alone") :]
    assert "| luma | success@1 | +1.000 [+1.000, +1.000] | 0.0078 | 0.0078 | 8 |" in last
    assert "## The full score" not in evaluation_report.as_markdown(report("ours", (FULL, 1.0)))


def test_two_reports_are_compared_by_their_queries():
    """This one less the other; another manifest is said."""
    told = evaluation_report.compare(report("ours", (FULL, 1.0)), report("yardstick", (FULL, 0.0), manifest="other"))
    assert told.startswith("# ours against yardstick")
    assert "Their manifests differ" in told
    assert "| luma | success@1 | +1.000 [+1.000, +1.000] | 0.0078 | 0.0078 | 8 |" in told
    alone = {**report("ours", (FULL, 1.0)), "protocols": {}}
    assert "They share no protocol" in evaluation_report.compare(alone, alone)


def test_what_is_written_is_read(tmp_path):
    """Every query's value is in it."""
    path = tmp_path / "scores.json"
    evaluation_report.write(path, report("ours", (FULL, 1.0)))
    values = evaluation_report.read(path)["protocols"]["luma"]["rows"][FULL]["success@1"]["values"]
    assert values == dict.fromkeys(QUERIES, 1.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "can't be read"),
        ("{", "no JSON"),
        ("[]", "no lookbook-evaluation of version 1"),
        (json.dumps({"format": "lookbook-evaluation", "format_version": 2}), "no lookbook-evaluation of version 1"),
    ],
)
def test_another_file_is_refused(tmp_path, text, told):
    """In one line that names it."""
    path = tmp_path / "scores.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FormatError) as error:
        evaluation_report.read(path)
    assert str(path) in str(error.value)
    assert told in str(error.value)
