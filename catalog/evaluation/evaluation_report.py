"""What an evaluation found, as JSON with every query's value and as Markdown; and two of them compared.

{"format": "lookbook-evaluation", "format_version": 1, "subject", "data", "manifest_sha256",
 "protocols": {name: {"left_out": why} or {"gallery", "queries", "notes": [text], "problems": [{photo, problem}],
    "models": {name: form and sha256}, "chance": {measure: value}, "groups": {query: group},
    "rows": {row: {measure: {"mean", "low", "high", "queries", "values": {query: value}}}}}}}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import FormatError
from catalog.evaluation import measures, protocol_scores, significance
from catalog.formats import atomic

FORMAT, FORMAT_VERSION = "lookbook-evaluation", 1
FULL = "full score"  # the row that ships, which others are compared with
SEMANTIC_ONLY = "semantic only"
WITHOUT_SEGMENTATION, FLOAT = "without segmentation", "float forms"

Report = dict[str, Any]


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
                name: {**asdict(_estimate(values[name], measured.groups)), "values": values[name]}
                for name in protocol_scores.by_table_order(values)
            }
            for row, values in measured.rows.items()
        },
    }


def _estimate(values: Mapping[str, float], groups: Mapping[str, str]) -> measures.Estimate:
    return measures.estimate(list(values.values()), [groups[query] for query in values])


def write(path: Path, report: Report) -> None:
    """Write a report, whole or not at all."""
    atomic.write_text(path, json.dumps(report, ensure_ascii=False, indent=1) + "\n")


def read(path: Path) -> Report:
    """Read a report. Raises: FormatError, no such file, or no report of this format."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"{path}: can't be read ({error.strerror}); name what `--json` wrote") from error
    except ValueError as error:
        raise FormatError(f"{path}: no JSON ({error}); name what `--json` wrote") from error
    known = isinstance(report, dict) and report.get("format") == FORMAT
    if not known or report.get("format_version") != FORMAT_VERSION:
        raise FormatError(f"{path}: no {FORMAT} of version {FORMAT_VERSION}; name what `--json` of this Lookbook wrote")
    found: Report = report
    return found


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
        (protocol, name): _difference(part["rows"][SEMANTIC_ONLY][name], part["rows"][FULL][name], part["groups"])
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
        (row, name): _difference(full[name], found[name], report["groups"])
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


def _difference(first: Report, second: Report, groups: Mapping[str, str]) -> significance.Difference:
    shared = _shared(first, second)
    before, after = ([part["values"][query] for query in shared] for part in (first, second))
    return significance.paired(before, after, [groups[query] for query in shared])


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
                found[name, measure] = _difference(theirs[measure], ours[measure], protocol["groups"])
    lines = [f"# {report['subject']} against {against['subject']}", ""]
    if report["manifest_sha256"] != against["manifest_sha256"]:
        lines += ["Their manifests differ: only queries of the same name are compared.", ""]
    return "\n".join([*lines, *(_differences(found) if found else ["They share no protocol, or no query."]), ""])


def _cell(found: Report) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"
