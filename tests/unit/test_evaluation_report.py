"""Reports of an evaluation: what is written is read, and what is compared. Values are by hand."""

import json
from pathlib import Path

import pytest

from catalog.errors import FormatError
from catalog.evaluation import evaluation_report, protocol_scores
from catalog.evaluation.evaluation_report import FULL, Measured
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocol_scores import PRINT_MEAN, Ranked
from catalog.evaluation.protocols import Protocol

HEAD = {"format": "lookbook-evaluation", "format_version": 1, "subject": "ours", "manifest_sha256": ""}
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
    again = {**report("ours", (FULL, 1.0)), "measured_at": "2026-11-21 10:00 UTC"}
    later = {**again, "measured_at": "2026-11-22 10:00 UTC"}
    told = evaluation_report.compare(later, again)
    assert told.startswith("# ours (2026-11-22 10:00 UTC) against ours (2026-11-21 10:00 UTC)\n\n| what ")
    alone = {**report("ours", (FULL, 1.0)), "protocols": {}}
    assert "They share no protocol" in evaluation_report.compare(alone, alone)


def prints_report(values: dict[str, dict[str, float]]) -> dict:
    """Print precision of photos by class."""
    protocol = Protocol(name="prints", gallery=(), queries=())
    answers = [
        Ranked(
            query=Photo(name=name, file=Path(name), pattern=label),
            products=tuple(Photo(name=str(n), file=Path(), product_id=str(n), pattern=label) for n in range(hits)),
        )
        for label, photos in values.items()
        for name, hits in photos.items()
    ]
    groups = {answer.query.name: answer.query.name for answer in answers}
    scored = Measured(gallery=9, queries=len(answers), groups=groups)
    scored.rows = {FULL: protocol_scores.score(protocol, answers, ())}
    return {**report("ours", (FULL, 1.0)), "protocols": {"prints": evaluation_report.protocol_report(scored)}}


def test_classes_weigh_the_same_among_the_queries_that_two_reports_share():
    """The same searches, of which one report asked fewer: nothing differs. One floral better by .2: .1 of two classes.

    Another count of photos of a class must not show as a difference.
    """
    few = prints_report({"plain": {"a": 2, "b": 4}, "floral": {"x": 6}})
    more = prints_report({"plain": {"a": 2, "b": 4, "c": 9, "d": 9}, "floral": {"x": 6, "y": 1}})
    assert f"| prints | {PRINT_MEAN} | +0.000 [+0.000, +0.000] | 1.0000 | 1.0000 | 3 |" in evaluation_report.compare(
        more, few
    )
    better = prints_report({"plain": {"a": 2, "b": 4, "c": 9}, "floral": {"x": 8}})
    assert f"| prints | {PRINT_MEAN} | +0.100 " in evaluation_report.compare(better, more)


def test_other_pairs_are_told():
    """The file of pairs is not in the manifest's digest."""
    pairs = {**report("ours", (FULL, 1.0)), "pairs_sha256": "1"}
    pairs["protocols"] = {"pairs": pairs["protocols"]["luma"]}
    assert "Their pairs files differ: " in evaluation_report.compare({**pairs, "pairs_sha256": "2"}, pairs)
    assert "differ: " not in evaluation_report.compare(pairs, pairs)


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
        ("[]", "no lookbook-evaluation of version 1 or 2"),
        (json.dumps({"format": "lookbook-evaluation", "format_version": 3}), "no lookbook-evaluation of version 1 or"),
        (json.dumps(HEAD), "damaged at protocols (Field required)"),
        (
            json.dumps({**HEAD, "protocols": {"prints": {"rows": {FULL: {PRINT_MEAN: {"values": {"q": 1}}}}}}}),
            "damaged at protocols.prints (Value error, 'print precision@10, mean of classes' has other queries than",
        ),
        (json.dumps({**HEAD, "protocols": []}), "damaged at protocols (Input should be a valid dictionary)"),
        (json.dumps({**HEAD, "protocols": {"luma": {"rows": {FULL: {"MRR": {}}}}}}), "luma.rows.full score.MRR.values"),
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
