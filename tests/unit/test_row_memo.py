"""Rows memoised by content: what is new is computed, once; what failed is tried again; what was killed goes on."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import FormatError, ImageError
from catalog.features.row_memo import BATCH_ROWS, Files, Refresh, State, Wanted, refresh, row_key
from catalog.formats import tables
from catalog.records import Outcome, Reason

SCHEMA = tables.vectors(2)
STAGE = "texture_features"


def wanted(*contents: str, version: str = "1") -> list[Wanted]:
    """An item a content, `name` or `name=content`: two names may have the same content."""
    named = [(text.partition("=")[0], text.partition("=")[2] or text) for text in contents]
    return [
        Wanted({"product_id": name, "variant": "", "image_index": 0, "image": f"{name}.jpg", "content": content},
               row_key(version, content))
        for name, content in named
    ]  # fmt: skip


class Computing:
    """Computes vectors from contents, remembers which, and fails where it is told to."""

    def __init__(self, *bad: str) -> None:
        self.bad = bad
        self.computed: list[str] = []
        self.batches: list[int] = []

    def __call__(self, batch: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | ImageError]:
        self.batches.append(len(batch))
        return [self._one(source["content"]) for source in batch]

    def _one(self, content: str) -> dict[str, Any] | ImageError:
        self.computed.append(content)
        if content in self.bad:
            return ImageError(Reason.TRUNCATED_IMAGE, f"{content} is cut short")
        return {"space": "s", "vector": np.array([len(content), ord(content[0])], np.float32)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of the stage's table."""
    return tmp_path / "texture_features.parquet"


def run(path: Path, rows: Sequence[Wanted], computing: Computing, **options: Any) -> Refresh:
    """One refresh; the table must say what the result says, and nothing may lie beside it."""
    result = refresh(path, SCHEMA, STAGE, rows, computing, **options)
    read = tables.read(path, SCHEMA)
    assert [row["product_id"] for row in read] == [row["product_id"] for row in result.rows]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    return result


def counts(result: Refresh) -> tuple[int, int, int, int]:
    """Computed, reused, removed, rejected."""
    return result.computed, result.reused, result.removed, len(result.rejected)


def test_first_all_are_computed_then_none(path: Path) -> None:
    """In the order wanted; the second run gives the same bytes and calls nothing."""
    first = Computing()
    assert counts(run(path, wanted("b", "a", "c"), first)) == (3, 0, 0, 0)
    assert first.computed == ["b", "a", "c"]
    content, written = path.read_bytes(), path.stat().st_ino
    second = Computing()
    assert counts(run(path, wanted("b", "a", "c"), second)) == (0, 3, 0, 0)
    assert second.batches == []
    assert path.read_bytes() == content
    assert path.stat().st_ino == written  # not even written again
    assert tables.read(path, SCHEMA)[1] == {
        "product_id": "a", "variant": "", "image_index": 0, "key": row_key("1", "a"), "space": "s",
        "vector": [1.0, 97.0],
    }  # fmt: skip


def test_only_new_and_changed_rows_are_computed(path: Path) -> None:
    """One added, one changed, one removed, two in another order."""
    run(path, wanted("a", "b", "c", "d"), Computing())
    computing = Computing()
    result = run(path, wanted("d", "b=changed", "a", "e"), computing)
    assert computing.computed == ["changed", "e"]
    assert counts(result) == (2, 2, 1, 0)
    assert [(row["product_id"], row["vector"]) for row in result.table.to_pylist()] == [
        ("d", [1, 100]), ("b", [7, 99]), ("a", [1, 97]), ("e", [1, 101]),
    ]  # fmt: skip


def test_the_way_there_leaves_no_trace(path: Path, tmp_path: Path) -> None:
    """A table refreshed in steps has the bytes of one made at once."""
    for rows in (["a"], ["c", "a", "x"], ["a", "b", "c"]):
        run(path, wanted(*rows), Computing())
    (tmp_path / "other").mkdir()
    run(tmp_path / "other" / path.name, wanted("a", "b", "c"), Computing())
    assert (tmp_path / "other" / path.name).read_bytes() == path.read_bytes()


def test_another_version_computes_all_again(path: Path) -> None:
    """A version is part of the key: of the code, the model, the parameters."""
    run(path, wanted("a", "b"), Computing())
    assert counts(run(path, wanted("a", "b", version="2"), Computing())) == (2, 0, 0, 0)


def test_two_items_of_one_key_are_computed_once(path: Path) -> None:
    """The same photo under two products, now and when a third product has it later."""
    computing = Computing()
    result = run(path, wanted("a=photo", "b=photo"), computing)
    assert computing.computed == ["photo"]
    assert [row["product_id"] for row in result.rows] == ["a", "b"]
    first, second = tables.matrix(result.table)
    assert np.array_equal(first, second)
    later = Computing()
    assert counts(run(path, wanted("a=photo", "b=photo", "c=photo"), later)) == (0, 3, 0, 0)
    assert later.computed == []
    assert counts(run(path, wanted("c=photo"), later)) == (0, 1, 2, 0)


def test_a_failed_row_is_rejected_and_tried_again(path: Path) -> None:
    """It is told in full, is not in the table, and is in it once it works; one failure of two items is told of both."""
    result = run(path, wanted("a", "b=bad", "c=bad"), Computing("bad"))
    assert counts(result) == (1, 0, 0, 2)
    told = result.rejected[1]
    assert (told.stage, told.reason, told.outcome) == (STAGE, Reason.TRUNCATED_IMAGE, Outcome.REJECTED)
    assert (told.detail, told.where) == ("bad is cut short", "photo 0 of 'c'")
    assert (told.product_id, told.variant, told.image) == ("c", "", "c.jpg")
    assert list(result.states.items()) == [
        (("a", "", 0), State.COMPUTED), (("b", "", 0), State.FAILED), (("c", "", 0), State.FAILED),
    ]  # fmt: skip
    again = Computing("bad")
    assert counts(run(path, wanted("a", "b=bad", "c=bad"), again)) == (0, 1, 0, 2)
    assert again.computed == ["bad"]
    mended = Computing()
    assert counts(run(path, wanted("a", "b=bad", "c=bad"), mended)) == (1, 2, 0, 0)  # "c" shares what "b" cost
    assert mended.computed == ["bad"]


def test_all_rows_may_fail(path: Path) -> None:
    """A table without rows, and every row tried again."""
    assert counts(run(path, wanted("a", "b"), Computing("a", "b"))) == (0, 0, 0, 2)
    assert tables.read(path, SCHEMA) == []
    assert counts(run(path, wanted("a", "b"), Computing())) == (2, 0, 0, 0)


def test_no_row_wanted(path: Path) -> None:
    """All leave."""
    run(path, wanted("a", "b"), Computing())
    assert counts(run(path, [], Computing())) == (0, 0, 2, 0)


def test_a_row_whose_file_is_gone_is_computed_again(path: Path) -> None:
    """Its column names the file; only standing rows are asked about."""
    run(path, wanted("a", "b"), Computing())
    computing = Computing()
    result = run(path, wanted("a", "b"), computing, files=Files("product_id", lambda name: name != "b"))
    assert computing.computed == ["b"]
    assert counts(result) == (1, 1, 0, 0)


@pytest.mark.parametrize("damage", ["cut", "flipped", "other columns", "empty"])
def test_a_damaged_table_is_computed_again(path: Path, damage: str) -> None:
    """With a note that says why; the result has the same bytes as before."""
    run(path, wanted("a", "b"), Computing())
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-9])
    elif damage == "flipped":
        place = content.index(b"(\xb5/\xfd") + 8  # behind the first zstd frame's magic
        path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
    elif damage == "other columns":
        tables.write(path, tables.vectors(3), [])
    else:
        path.write_bytes(b"")
    result = run(path, wanted("a", "b"), Computing())
    assert counts(result) == (2, 0, 0, 0)
    assert result.note.startswith(f"standing rows computed again: {path}: ")
    assert path.read_bytes() == content
    assert run(path, wanted("a", "b"), Computing()).note == ""


def test_a_damaged_table_of_no_rows_is_written_again(path: Path) -> None:
    """Though nothing is wanted, and nothing stands."""
    run(path, [], Computing())
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    assert run(path, [], Computing()).note.startswith(f"standing rows computed again: {path}: ")
    assert path.read_bytes() == content


def many(count: int) -> list[str]:
    """Names of items of distinct content."""
    return [f"{number:04}" for number in range(count)]


def test_computes_in_batches_and_tells_how_far(path: Path) -> None:
    """150 rows: 64, 64, 22."""
    computing, told = Computing(), []
    run(path, wanted(*many(150)), computing, progress=lambda done, total: told.append((done, total)))
    assert BATCH_ROWS == 64
    assert computing.batches == [64, 64, 22]
    assert told == [(0, 150), (64, 150), (128, 150), (150, 150)]


class Stopping(Computing):
    """Stops with an error of the stage's own at one content."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at

    def _one(self, content: str) -> dict[str, Any] | ImageError:
        if content == self.at:
            raise RuntimeError(f"stopped at {content}")
        return super()._one(content)


def test_a_stopped_run_goes_on_where_it_was(path: Path, tmp_path: Path) -> None:
    """Stopped twice in 150 rows: only the batch in hand is lost, the standing table stays, the bytes are the same."""
    names = many(150)
    run(path, wanted(names[0], "old"), Computing())
    standing = path.read_bytes()
    with pytest.raises(RuntimeError, match="stopped at 0100"):
        refresh(path, SCHEMA, STAGE, wanted(*names), Stopping("0100"))
    assert path.read_bytes() == standing  # readers see the old rows until all of the new are there
    second = Stopping("0140")
    with pytest.raises(RuntimeError, match="stopped at 0140"):
        refresh(path, SCHEMA, STAGE, wanted(*names), second)
    assert second.computed[:64] == names[65:129]  # the first batch, 0001 to 0064, was kept
    third = Computing()
    result = run(path, wanted(*names), third)
    assert third.computed == names[129:]
    assert counts(result) == (21, 129, 1, 0)
    (tmp_path / "other").mkdir()
    run(tmp_path / "other" / path.name, wanted(*names), Computing())
    assert (tmp_path / "other" / path.name).read_bytes() == path.read_bytes()


def test_a_damaged_part_is_left_aside(path: Path) -> None:
    """Its rows are computed again, the other parts' are not."""
    names = many(150)
    with pytest.raises(RuntimeError):
        refresh(path, SCHEMA, STAGE, wanted(*names), Stopping("0130"))
    parts = sorted(path.with_suffix(".parts").iterdir())
    assert len(parts) == 2
    parts[0].write_bytes(parts[0].read_bytes()[:-1])
    computing = Computing()
    result = run(path, wanted(*names), computing)
    assert len(computing.computed) == 150 - 64
    assert "standing rows computed again" in result.note


def test_a_killed_process_goes_on_where_it_was(path: Path) -> None:
    """SIGKILL in the third batch, in a real process: 128 rows were kept."""
    program = f"""
import sys, time
from pathlib import Path
from catalog.features.row_memo import Wanted, refresh, row_key
from catalog.formats import tables

def compute(batch):
    if any(source["product_id"] == "0140" for source in batch):
        print("third", flush=True)
        time.sleep(60)
    return [{{"space": "s", "vector": [4.0, 48.0]}} for _ in batch]

names = [f"{{number:04}}" for number in range(150)]
items = [{{"product_id": name, "variant": "", "image_index": 0}} for name in names]
refresh(Path(sys.argv[1]), tables.vectors(2), {STAGE!r},
        [Wanted(item, row_key("1", item["product_id"])) for item in items], compute)
"""
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "third\n"
        process.send_signal(signal.SIGKILL)
    assert not path.exists()
    computing = Computing()
    assert counts(run(path, wanted(*many(150)), computing)) == (22, 128, 0, 0)
    assert computing.computed == many(150)[128:]


def test_a_computation_that_gives_too_few_rows_is_an_error(path: Path) -> None:
    """No row may be taken for another's."""
    with pytest.raises(ValueError, match="shorter"):
        refresh(path, SCHEMA, STAGE, wanted("a", "b"), lambda batch: [{"space": "s", "vector": [0, 0]}])


def test_a_computed_row_must_fit_the_table(path: Path) -> None:
    """A column forgotten is told before it is a null."""
    with pytest.raises(FormatError, match=r"row 0 has the columns .* wanted \[.*'space', 'vector'\]"):
        refresh(path, SCHEMA, STAGE, wanted("a"), lambda batch: [{"vector": [0, 0]}])


def test_keys_tell_everything_apart() -> None:
    """Parts do not run together, and numbers are not their texts."""
    keys = {row_key("1", "a"), row_key("1a"), row_key("", "1a"), row_key(1, "a"), row_key("1", "a", None)}
    assert len(keys) == 5
    assert row_key("1", "a") == row_key("1", "a")
