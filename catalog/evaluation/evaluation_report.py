"""What an evaluation found, as JSON with every query's value and as Markdown; and two of them compared.

{"format": "lookbook-evaluation", "format_version": 2, "subject", "measured_at", "data", "manifest_sha256",
 "pairs_sha256",
 "protocols": {name: {"left_out": why} or {"gallery", "queries", "notes": [text], "problems": [{photo, problem}],
    "models": {name: form and sha256}, "chance": {measure: value}, "groups": {query: group},
    "rows": {row: {measure: {"mean", "low", "high", "queries", "values": {query: value}}}}}}}

The values of the mean of print classes are those of the classes, each query's once; their plain mean is not the measure
(`protocol_scores.of_queries`). Version 1 had them weighted, and neither time nor digest of the pairs: it is read too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, FiniteFloat, ValidationError, model_validator

from catalog.errors import FormatError
from catalog.evaluation import measures, protocol_scores, significance
from catalog.evaluation.protocol_scores import CLASS_MEASURES, PRINT_MEAN
from catalog.evaluation.protocols import PAIRS
from catalog.formats import atomic

FORMAT, FORMAT_VERSION = "lookbook-evaluation", 2
READ_VERSIONS = (1, FORMAT_VERSION)
FULL = "full score"  # the row that ships, which others are compared with
SEMANTIC_ONLY = "semantic only"
WITHOUT_SEGMENTATION, FLOAT = "without segmentation", "float forms"

Report = dict[str, Any]


class _Measure(BaseModel):
    values: dict[str, FiniteFloat]


class _Protocol(BaseModel):
    rows: dict[str, dict[str, _Measure]] = {}

    @model_validator(mode="after")
    def _has_the_classes_of_a_mean(self) -> "_Protocol":
        for row in self.rows.values():
            classes = {query for name, found in row.items() if name in CLASS_MEASURES for query in found.values}
            if PRINT_MEAN in row and classes != row[PRINT_MEAN].values.keys():
                raise ValueError(f"{PRINT_MEAN!r} has other queries than its classes")
        return self


class _Compared(BaseModel):
    """What a report must have to be compared with."""

    subject: str
    manifest_sha256: str
    measured_at: str = ""
    pairs_sha256: str = ""
    protocols: dict[str, _Protocol]


@dataclass(kw_only=True)
class Measured:
    """What came of one protocol."""

    gallery: int  # photos
    queries: int
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)  # photos that could not be used, and why
    models: dict[str, str] = field(default_factory=dict)  # that described the queries: form and sha256
    chance: dict[str, float] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)  # of every query
    rows: dict[str, protocol_scores.Values] = field(default_factory=dict)  # by what was measured; FULL is what ships


def protocol_report(measured: Measured) -> Report:
    """One protocol's part of the report."""
    return {
        "gallery": measured.gallery,
        "queries": measured.queries,
        "notes": measured.notes,
        "problems": [{"photo": photo, "problem": problem} for photo, problem in measured.problems],
        "models": measured.models,
        "chance": measured.chance,
        "groups": measured.groups,
        "rows": {
            row: {
                name: {**asdict(_estimate(values, name, measured.groups)), "values": values[name]}
                for name in protocol_scores.by_table_order(values)
            }
            for row, values in measured.rows.items()
        },
    }


def _estimate(found: protocol_scores.Values, name: str, groups: Mapping[str, str]) -> measures.Estimate:
    values = protocol_scores.of_queries(found, name, found[name])
    return measures.estimate(list(values.values()), [groups[query] for query in values])


def write(path: Path, report: Report) -> None:
    """Write a report, whole or not at all."""
    atomic.write_text(path, json.dumps(report, ensure_ascii=False, indent=1) + "\n")


def read(path: Path) -> Report:
    """Read a report. Raises: FormatError, no such file, or no report that can be compared with."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: can't be read ({error.strerror}); name what `--json` wrote") from error
    except ValueError as error:
        raise FormatError(f"{path}: no JSON ({error}); name what `--json` wrote") from error
    known = isinstance(report, dict) and report.get("format") == FORMAT
    if not known or report.get("format_version") not in READ_VERSIONS:
        versions = " or ".join(map(str, READ_VERSIONS))
        raise FormatError(f"{path}: no {FORMAT} of version {versions}; name what `--json` of this Lookbook wrote")
    try:
        _Compared.model_validate(report, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FormatError(f"{path}: damaged at {where} ({first['msg']}); name what `--json` wrote") from error
    found: Report = report
    return found


def with_earlier(report: Report, earlier: Report | None) -> Report:
    """A report, and of an earlier one of the same manifest the protocols that this one did not measure."""
    if earlier is None or earlier["manifest_sha256"] != report["manifest_sha256"]:
        return report
    measured = {name: part for name, part in report["protocols"].items() if "rows" in part}
    pairs = report if PAIRS in measured else earlier
    return {
        **report,
        "pairs_sha256": pairs.get("pairs_sha256", ""),
        "protocols": {**earlier["protocols"], **measured},
    }


def as_markdown(report: Report) -> str:
    """Every protocol as a table, with what was left out; the rows of an ablation with their differences to the full."""
    lines = [f"# {report['subject']} on {report['data']}", ""]
    for name, protocol in report["protocols"].items():
        lines += [f"## {name}", ""]
        if "left_out" in protocol:
            lines += [f"left out: {protocol['left_out']}", ""]
            continue
        lines += [f"{protocol['queries']} queries, {protocol['gallery']} photos in the gallery.", ""]
        lines += [f"- {note}" for note in protocol["notes"]]
        if protocol["problems"]:
            lines += [f"- {len(protocol['problems'])} photos could not be used:"]
            lines += [f"  - {entry['photo']}: {entry['problem']}" for entry in protocol["problems"]]
        lines += [""] if protocol["notes"] or protocol["problems"] else []
        lines += _measures_table(protocol)
        if len(protocol["rows"]) > 1:
            lines += ["", "Difference to the full score:", "", *_differences(_compared(name, protocol))]
        lines += [""]
    return "\n".join([*lines, *_what_reranking_adds(report)])


def _what_reranking_adds(report: Report) -> list[str]:
    """The full score less the semantic encoder alone, one table through all protocols that have both."""
    found = {
        (protocol, name): _difference(part["rows"][SEMANTIC_ONLY], part["rows"][FULL], name, part["groups"])
        for protocol, part in report["protocols"].items()
        if SEMANTIC_ONLY in part.get("rows", {})
        for name in _headlines(protocol, part["rows"][FULL])
        if name in part["rows"][SEMANTIC_ONLY]
    }
    return ["## The full score against the semantic encoder alone", "", *_differences(found), ""] if found else []


def _measures_table(protocol: Report) -> list[str]:
    rows, chance = protocol["rows"], protocol["chance"]
    names = list(dict.fromkeys(name for found in rows.values() for name in found))
    counts = [max(found[name]["queries"] for found in rows.values() if name in found) for name in names]
    head = [f"{name} (n = {count})" for name, count in zip(names, counts, strict=True)]
    lines = [_row("score", head), "|---" * (len(names) + 1) + "|"]
    for row, found in rows.items():
        lines.append(_row(row, [_cell(found[name]) if name in found else "" for name in names]))
    if chance:
        lines.append(_row("by chance", [f"{chance[name]:.3f}" if name in chance else "" for name in names]))
    return lines


def _compared(protocol: str, report: Report) -> dict[tuple[str, str], significance.Difference]:
    """Every other row against the full score, by row and headline measure."""
    full = report["rows"][FULL]
    return {
        (row, name): _difference(full, found, name, report["groups"])
        for row, found in report["rows"].items()
        if row != FULL
        for name in _headlines(protocol, found)
        if name in full and _shared(full[name], found[name])
    }


def _headlines(protocol: str, found: Mapping[str, Any]) -> list[str]:
    """The measures of a row whose differences are tested: the protocol's headlines, else all."""
    return [name for name in found if name in protocol_scores.HEADLINES.get(protocol, found)]


def _shared(first: Report, second: Report) -> list[str]:
    """The queries that both have a value for, in the first one's order."""
    return [query for query in first["values"] if query in second["values"]]


def _difference(first: Report, second: Report, name: str, groups: Mapping[str, str]) -> significance.Difference:
    """One measure of two rows, over the queries that both have."""
    shared = _shared(first[name], second[name])
    before, after = (
        protocol_scores.of_queries({measure: found["values"] for measure, found in row.items()}, name, shared)
        for row in (first, second)
    )
    return significance.paired(list(before.values()), list(after.values()), [groups[query] for query in shared])


def _differences(found: Mapping[tuple[str, str], significance.Difference]) -> list[str]:
    adjusted = significance.holm({json.dumps(key): one.p for key, one in found.items()})
    lines = ["| what | measure | difference | p | p, Holm | n |", "|---" * 6 + "|"]
    for (row, name), one in found.items():
        interval = f"{one.mean:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
        p = adjusted[json.dumps((row, name))]
        lines.append(f"| {row} | {name} | {interval} | {one.p:.4f} | {p:.4f} | {one.queries} |")
    return lines


def compare(report: Report, against: Report) -> str:
    """Markdown: this report's full scores less another's, over the queries that both asked, by protocol and measure."""
    found = {}
    for name, protocol in report["protocols"].items():
        other = against["protocols"].get(name, {})
        if FULL not in protocol.get("rows", {}) or FULL not in other.get("rows", {}):
            continue
        ours, theirs = protocol["rows"][FULL], other["rows"][FULL]
        for measure in _headlines(name, ours):
            if measure in theirs and _shared(ours[measure], theirs[measure]):
                found[name, measure] = _difference(theirs, ours, measure, protocol["groups"])
    lines = [f"# {_named(report)} against {_named(against)}", ""]
    for what, digest in (("manifests", "manifest_sha256"), ("pairs files", "pairs_sha256")):
        wanted = digest == "manifest_sha256" or any(name == PAIRS for name, _ in found)
        if wanted and report.get(digest, "") != against.get(digest, ""):
            lines += [f"Their {what} differ: only queries of the same name are compared.", ""]
    return "\n".join([*lines, *(_differences(found) if found else ["They share no protocol, or no query."]), ""])


def _named(report: Report) -> str:
    """What was measured, and when: two runs of one profile have the same subject."""
    when = report.get("measured_at", "")
    return f"{report['subject']} ({when})" if when else str(report["subject"])


def _cell(found: Report) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"
