"""What is on record of a home's bundles: who led to the current one, what a rollback takes, what a hold keeps."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from catalog.errors import BundleError
from catalog.formats import bundle_history
from catalog.formats.bundle_history import KEPT, PUBLISHED, RELEASED, ROLLED_BACK, History

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(*steps: tuple[str, str], held: bool = False) -> History:
    """A history of (what, version)."""
    history = History(held=held)
    for minute, (what, version) in enumerate(steps):
        history = history.with_event(NOON + timedelta(minutes=minute), what, version)
    return history


@pytest.mark.parametrize(
    ("steps", "line", "previous"),
    [
        ([], [], None),
        ([(PUBLISHED, "a")], ["a"], None),
        ([(PUBLISHED, "a"), (PUBLISHED, "b"), (PUBLISHED, "c")], ["a", "b", "c"], "b"),
        # back from the bad c; what is built next stands on b, and going back from it does not lead to c
        ([(PUBLISHED, "a"), (PUBLISHED, "b"), (PUBLISHED, "c"), (ROLLED_BACK, "b")], ["a", "b"], "a"),
        (
            [(PUBLISHED, "a"), (PUBLISHED, "b"), (PUBLISHED, "c"), (ROLLED_BACK, "b"), (PUBLISHED, "d")],
            ["a", "b", "d"],
            "b",
        ),
        # forward again, by name
        ([(PUBLISHED, "a"), (PUBLISHED, "b"), (ROLLED_BACK, "a"), (ROLLED_BACK, "b")], ["a", "b"], "a"),
        # a feed that went back to what it was
        ([(PUBLISHED, "a"), (PUBLISHED, "b"), (PUBLISHED, "a")], ["a"], None),
        ([(PUBLISHED, "a"), (KEPT, "b")], ["a"], None),
        ([(PUBLISHED, "a"), (KEPT, "b"), (RELEASED, "b")], ["a", "b"], "a"),
    ],
)
def test_what_was_rolled_back_from_is_not_gone_back_to(steps, line, previous):
    """By hand."""
    history = told(*steps)
    assert history.line() == line
    assert history.previous("abcd") == previous


def test_a_dropped_version_is_passed_over():
    """b is no longer there."""
    history = told((PUBLISHED, "a"), (PUBLISHED, "b"), (PUBLISHED, "c"))
    assert history.previous(["a", "c"]) == "a"
    assert history.previous(["c"]) is None


def test_the_newest_that_a_hold_kept_is_waiting():
    """Only while it holds, and only what was kept since."""
    steps = [(PUBLISHED, "a"), (KEPT, "b"), (KEPT, "c")]
    assert told(*steps, held=True).waiting("abc") == "c"
    assert told(*steps, held=True).waiting("ab") == "b"
    assert told(*steps).waiting("abc") is None
    assert told(*steps, (RELEASED, "c"), held=True).waiting("abc") is None


def test_a_rollback_while_held_loses_no_kept_bundle():
    """The newest still waits; once it was made current by name it has been seen, and what is older is not wanted."""
    steps = [(PUBLISHED, "a"), (PUBLISHED, "b"), (ROLLED_BACK, "b"), (KEPT, "c"), (KEPT, "d"), (ROLLED_BACK, "a")]
    assert told(*steps, held=True).waiting("abcd") == "d"
    assert told(*steps, held=True).waiting("abc") == "c"
    assert told(*steps, (ROLLED_BACK, "d"), held=True).waiting("abcd") is None
    assert told(*steps, (ROLLED_BACK, "d"), (ROLLED_BACK, "a"), held=True).waiting("abcd") is None
    assert told(*steps, (ROLLED_BACK, "d"), (KEPT, "e"), held=True).waiting("abcde") == "e"


def test_what_a_killed_publish_left_out_is_put_in():
    """`current` counts: it is what was published last, since the link was made."""
    history = told((PUBLISHED, "a"))
    assert history.seen("a", NOON) == history
    assert history.seen(None, NOON) == history
    healed = history.seen("b", NOON + timedelta(hours=1))
    assert healed.line() == ["a", "b"]
    assert (healed.events[-1].at, healed.events[-1].replaced) == ("2026-03-01T13:00:00Z", "a")


def test_written_as_documented_and_read_again(tmp_path):
    """Times are UTC, whatever the zone they came in."""
    paris = timezone(timedelta(hours=2))
    history = History(held=True).with_event(datetime(2026, 7, 1, 2, tzinfo=paris), PUBLISHED, "a1", "b2")
    bundle_history.write(tmp_path, history)
    assert json.loads((tmp_path / "history.json").read_text("utf-8")) == {
        "format": "lookbook-bundle-history",
        "format_version": 1,
        "held": True,
        "events": [{"at": "2026-07-01T00:00:00Z", "what": "published", "version": "a1", "replaced": "b2"}],
    }
    assert bundle_history.read(tmp_path) == history
    assert bundle_history.read(tmp_path / "none") == History()


def test_the_oldest_are_forgotten(tmp_path):
    """A line a night for years."""
    history = told(*[(PUBLISHED, str(n)) for n in range(600)])
    bundle_history.write(tmp_path, replace(history, held=False))
    assert [event.version for event in bundle_history.read(tmp_path).events] == [str(n) for n in range(100, 600)]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "can't be read"),
        ("[]", "not a bundle history of version 1"),
        ('{"format": "lookbook-bundle-history", "format_version": 2}', "not a bundle history of version 1"),
        ('{"format": "lookbook-bundle-history", "format_version": 1}', "`held` or an event is missing or damaged"),
        (
            '{"format": "lookbook-bundle-history", "format_version": 1, "held": false, "events": [{"at": "now"}]}',
            "`held` or an event is missing or damaged",
        ),
    ],
)
def test_a_damaged_record_is_told_with_what_is_lost(tmp_path, content, match):
    """Not taken for an empty one: a hold would be lost without a word."""
    (tmp_path / "history.json").write_text(content)
    with pytest.raises(BundleError, match=rf"history\.json: {match}.*delete history\.json: no bundle is lost"):
        bundle_history.read(tmp_path)
