"""Publishing beside readers, under kill -9, and onto what is there already: in real processes, on real bundles.

The bundles are small, without models: a reader asks them for products like one of their own. As a script, this module
is one of the processes: see `main`.
"""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import BundleError, LookbookError
from catalog.formats import atomic, bundle_history, manifest, matrices, signatures
from catalog.formats.file_digests import FileDigests
from catalog.formats.signatures import NOBODY
from query.engine import Engine
from resources.bundle_building import Building
from resources.bundle_publishing import drop_superfluous, publish, release, roll_back
from resources.bundle_store import BundleStore

ITEMS = 7
SHAPES = {
    "embeddings.bin": (ITEMS, 8),
    "texture.bin": (ITEMS, 8),
    "color_signatures.bin": (ITEMS, 26),
    "prototypes.bin": (1, 8),
}
COUNTED = ("open", "os.", "shutil.", "tempfile.", "fcntl.")  # audit events: what a publish asks of the file system


def write_bundle(building: Building, letter: str) -> str:
    """A bundle all of whose files say `letter`, but for half of the thumbnails; returns its version."""
    folder, rng = building.folder, np.random.default_rng(ord(letter))
    for name, shape in SHAPES.items():
        rows = rng.standard_normal(shape).astype(np.float32)
        matrices.write(folder / name, rows / np.linalg.norm(rows, axis=1, keepdims=True))
    items = []
    for row in range(ITEMS):
        same = row % 2 == 0
        thumb = f"thumbs/{row}{'' if same else letter}.jpg"
        if not building.link(thumb):
            atomic.write_text(folder / thumb, "same" if same else letter)
        said = {"product_id": f"p{row}", "variant": "", "category": "bag", "space": "s", "thumb": thumb}
        items.append({**said, "title": letter, "image_index": 0})
    atomic.write_text(folder / "catalog.json", json.dumps(items))
    values = {
        "profile": letter,
        "n_items": ITEMS,
        "n_products": ITEMS,
        "embedding_dim": 8,
        "texture_dim": 8,
        "color_signature_dim": 26,
        "router_categories": ["bag"],
        "router_method": "prototypes",
        "thumb_size": 192,
        "models": {},
        "spaces": {"s": {"chance_cosine": 0.0}},
        "texture_space": {"model": "t", "chance_cosine": 0.0},
        "router": {"space": "s", "margin": 0.05},
        "ranking": {
            "candidates": 50,
            "results": 10,
            "semantic_weight": 0.5,
            "texture_weight": 0.3,
            "color_weight": 0.2,
            "color_gate": 0.0,
        },
        "query": {
            "photos": {"max_bytes": 1, "max_pixels": 1, "min_side_px": 1, "max_side_px": 1},
        },
        "golden": [],
    }
    return manifest.write_manifest(folder, {**values, "files": manifest.describe_files(folder, SHAPES)})


def build(store: BundleStore, letter: str, keep: int = 3):
    """Build and publish a version, as the asset does."""
    building, version = make(store, letter)
    published = publish(store, building, version, keep)
    shutil.rmtree(store.building, ignore_errors=True)
    return published


def make(store: BundleStore, letter: str) -> tuple[Building, str]:
    """A version that is built and not yet published."""
    shutil.rmtree(store.building, ignore_errors=True)
    store.building.mkdir(parents=True)
    building = Building(store.building, store.current, FileDigests())
    return building, write_bundle(building, letter)


def read_one(current: Path) -> str:
    """Open what is current and ask it all that it has; returns its letter. Raises: AssertionError, a mix of two."""
    engine = Engine(current, threads=1)
    letter = engine.bundle.manifest["profile"]
    found = engine.similar("p3")
    assert len(found.hits) == ITEMS - 1
    for hit in found.hits:
        assert hit.item["title"] == letter
        assert hit.thumb.read_text() in ("same", letter)
    order = [hit.item["product_id"] for hit in found.hits]
    assert order == ORDER.setdefault(letter, order)
    return letter


ORDER: dict[str, list[str]] = {}


def main(role: str, root: str, seconds: str) -> None:
    """What one process does: `publish` two versions in turn, `read` them all the time, or be killed at each step."""
    store = BundleStore(Path(root), Path(root) / "keys")
    if role == "killed":
        kill_at_every_step(store)
        return
    until, counts = time.monotonic() + float(seconds), {"a": 0, "b": 0}
    for letter in itertools.cycle("ba"):
        if time.monotonic() > until:
            break
        if role == "publish":
            build(store, letter, keep=1)
            counts[letter] += 1
        else:
            counts[read_one(store.current)] += 1
    print(json.dumps(counts))  # noqa: T201


def kill_at_every_step(store: BundleStore) -> None:
    """Publish b over a in children that are killed at their first, second ... call to the file system.

    After each: a or b opens; and the next publish leaves exactly what one that nobody disturbed leaves.
    """
    build(store, "a", keep=1)
    version = make(store, "b")[1]
    before = store.root.with_name("before")
    shutil.copytree(store.root, before, symlinks=True)
    build(store, "b", keep=1)
    undisturbed = listing(store.root)
    seen = []
    for step in itertools.count(1):
        shutil.rmtree(store.root)
        shutil.copytree(before, store.root, symlinks=True)
        child = os.fork()
        if child == 0:
            building = Building(store.building, store.current, FileDigests())
            die_at(step)
            publish(store, building, version, keep=1)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        seen.append(read_one(store.current))
        build(store, "b", keep=1)
        assert read_one(store.current) == "b"
        assert listing(store.root) == undisturbed, f"step {step}"
    print(json.dumps({"steps": len(seen), "switches": sum(x != y for x, y in itertools.pairwise(seen))}))  # noqa: T201


def die_at(step: int) -> None:
    """Have this process killed at its `step`th call to the file system from here on."""
    left = itertools.count(step, -1)

    def hook(event: str, _arguments: object) -> None:
        if event.startswith(COUNTED) and event != "os.kill" and next(left) <= 1:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def listing(root: Path) -> dict[str, bytes]:
    """Every file's bytes, and where links point; without the times in the history."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink()).encode()
        elif path.name == "history.json":
            events = json.loads(path.read_text())["events"]
            found[name] = json.dumps([(e["what"], e["version"], e["replaced"]) for e in events]).encode()
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def start(role: str, root: Path, seconds: float) -> "subprocess.Popen[str]":
    """This module as a process of its own."""
    command = [sys.executable, __file__, role, str(root), str(seconds)]
    return subprocess.Popen(command, stdout=-1, stderr=-1, text=True, cwd=Path(__file__).resolve().parents[2])


def ended(process: "subprocess.Popen[str]") -> dict[str, int]:
    """What a process counted."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.fixture
def store() -> Iterator[BundleStore]:
    """A home's bundles, none yet; in memory where there is such a folder, since every file is flushed to disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield BundleStore(Path(folder, "bundles"), Path(folder, "keys"))


def test_readers_see_the_old_or_the_new_one(store):
    """One process publishes two versions in turn and keeps only one; two read without a pause. None fails, ever."""
    build(store, "a", keep=1)
    writer, *readers = [start(role, store.root, 2) for role in ("publish", "read", "read")]
    published, read = ended(writer), [ended(reader) for reader in readers]
    assert min(published.values()) >= 2, published
    for counts in read:
        assert min(counts.values()) >= 2, counts
    build(store, "a", keep=1)  # readers that held versions are gone
    assert len(store.versions()) == 1


def test_killed_at_any_step_it_is_the_old_or_the_new_one_and_heals(store):
    """kill -9 at each of its calls to the file system, one after the other."""
    counted = ended(start("killed", store.root, 0))
    assert counted["steps"] > 50, counted
    assert counted["switches"] == 1, counted  # a up to the rename, b from there on


def test_killed_at_random_times(store):
    """kill -9 of a process that publishes all the time; then one more publish."""
    build(store, "a")
    rng = random.Random(4)
    for _ in range(2):
        writer = start("publish", store.root, 60)
        time.sleep(0.8 + rng.random() / 2)
        writer.kill()
        writer.communicate()
        assert read_one(store.current) in "ab"
    build(store, "c")
    assert read_one(store.current) == "c"
    assert {entry.name for entry in store.root.iterdir()} <= {"current", "versions", "history.json", ".publish.lock"}


def test_a_reader_keeps_its_version_until_it_lets_go(store):
    """Dropped at the publish after; what it has open it goes on with."""
    build(store, "a", keep=1)
    reader = Engine(store.current, threads=1)
    build(store, "b", keep=1)
    assert len(store.versions()) == 2
    assert [hit.item["title"] for hit in reader.similar("p1").hits] == ["a"] * (ITEMS - 1)
    assert reader.similar("p1").hits[0].thumb.exists()
    del reader
    build(store, "c", keep=1)
    assert [Engine(store.folder(version)).bundle.manifest["profile"] for version in store.versions()] == ["c"]


def test_what_did_not_change_is_linked(store):
    """Half of the thumbnails; the others, the tables and the manifest are files of their own."""
    first, second = build(store, "a").folder, build(store, "b").folder
    for row in range(0, ITEMS, 2):
        assert (first / f"thumbs/{row}.jpg").samefile(second / f"thumbs/{row}.jpg")
    assert {path.stat().st_nlink for path in second.glob("*.*")} == {1}


def test_a_damaged_file_is_neither_linked_nor_kept(store):
    """The next build writes it anew; publishing the damaged version itself again puts it right in its place."""
    first = build(store, "a").folder
    (first / "thumbs/0.jpg").write_text("SAME")
    second = build(store, "b").folder
    assert (second / "thumbs/0.jpg").read_text() == "same"
    assert read_one(store.current) == "b"
    with pytest.raises(BundleError, match=r"thumbs/0\.jpg: sha256 .* it was exchanged"):
        Engine(first)
    with pytest.raises(BundleError, match=r"thumbs/0\.jpg"):
        roll_back(store, NOBODY)
    assert read_one(store.current) == "b"
    (first / "texture.bin").unlink()
    build(store, "a")
    assert read_one(store.current) == "a"


def test_the_last_ones_are_kept_by_when_they_were_current(store):
    """And never the current one dropped, nor the one that a rollback would take."""
    versions = {letter: build(store, letter).version for letter in "abc"}
    os.utime(store.folder(versions["c"]), (0, 0))  # the history counts, not the folders' times
    roll_back(store, NOBODY, versions["a"][:6])
    versions["d"] = build(store, "d").version
    assert set(store.versions()) == {versions[letter] for letter in "acd"}
    assert store.history().previous(store.versions()) == versions["a"]
    build(store, "e", keep=2)
    assert set(store.versions()) == {store.current_version(), versions["d"]}


def test_rolling_back_twice_and_forward(store):
    """Each is verified, recorded, and one rename; the folders stay."""
    versions = [build(store, letter).version for letter in "abc"]
    assert roll_back(store, NOBODY).version == versions[1]
    assert roll_back(store, NOBODY).version == versions[0]
    assert read_one(store.current) == "a"
    with pytest.raises(LookbookError, match="no version before the current one is on record; name one of "):
        roll_back(store, NOBODY)
    assert roll_back(store, NOBODY, versions[2]).before == versions[0]
    assert read_one(store.current) == "c"
    assert store.behind() == f"rolled back to, from {versions[0]}"
    assert sorted(store.versions()) == sorted(versions)
    done = build(store, "d")
    assert done.left_rollback
    assert store.behind() is None


def test_a_hold_keeps_builds_beside_until_it_is_released(store):
    """What is current stays, whatever is built; the newest build is what the release publishes."""
    first = build(store, "a").version
    build(store, "b")
    roll_back(store, NOBODY, hold=True)
    for letter in "cd":
        done = build(store, letter, keep=1)
        assert not done.current
        assert read_one(store.current) == "a"
    assert build(store, "a").current  # the same as what is current: nothing to keep from anyone
    assert store.behind() == "held: builds keep their bundles beside"
    build(store, "d", keep=1)
    done = release(store, NOBODY)
    assert done is not None
    assert (read_one(store.current), done.before) == ("d", first)
    with pytest.raises(LookbookError, match="nothing is held; builds publish by themselves"):
        release(store, NOBODY)
    assert build(store, "e").current


def test_where_nothing_is_current_nothing_is_held(store):
    """All bundles were deleted, the history was not: the next build is published."""
    build(store, "a")
    roll_back(store, NOBODY, store.current_version(), hold=True)
    shutil.rmtree(store.root / "versions")
    assert build(store, "b").current
    assert read_one(store.current) == "b"
    assert build(store, "c").current


def test_a_damaged_history_stops_a_publish_before_it(store):
    """A hold may stand in it."""
    build(store, "a")
    (store.root / "history.json").write_text("{")
    with pytest.raises(BundleError, match=r"history\.json: can't be read"):
        build(store, "b")
    assert read_one(store.current) == "a"
    (store.root / "history.json").unlink()
    build(store, "b")
    assert [event.what for event in bundle_history.read(store.root).events] == ["published", "published"]


def test_a_folder_in_the_links_place_is_told(store):
    """As a copy that follows links leaves it."""
    build(store, "a")
    whole = store.current.resolve()
    store.current.unlink()
    shutil.copytree(whole, store.current)
    with pytest.raises(BundleError, match="current: is no link to a version, as a copy that follows links leaves it"):
        build(store, "b")
    assert read_one(store.current) == "a"
    shutil.rmtree(store.current)
    assert roll_back(store, NOBODY, whole.name).before is None
    assert store.current.resolve() == whole


def test_names_of_versions(store):
    """In full, by their first letters, or a folder; else what there is is told."""
    version = build(store, "a").version
    assert store.find(version) == store.find(version[:4]) == store.folder(version)
    assert store.find(None) == store.current
    assert store.find(str(store.current)) == store.current
    with pytest.raises(LookbookError, match=rf"0000: no version of that name, .* there is {version} in "):
        store.find("0000")
    with pytest.raises(LookbookError, match="no version of that name"):
        store.find(version[:3])
    elsewhere = store.root / "copy"
    shutil.copytree(store.current, elsewhere)
    with pytest.raises(LookbookError, match=rf"copy: no version of .*; there are {version}"):
        roll_back(store, NOBODY, str(elsewhere))


def test_the_homes_own_key_signs_and_its_public_half_is_trusted(store):
    """A key that was put there alone; then another one in its place, whose public half is not the one there."""
    build(store, "a")
    assert store.sign(store.current) is None
    store.keys.mkdir()
    store.private_key.write_bytes(signatures.new_key())
    store.private_key.chmod(0o600)
    key_id = store.sign(store.current)
    assert key_id is not None
    assert read_signed(store) == "signing"
    store.private_key.write_bytes(signatures.new_key())
    with pytest.raises(LookbookError, match=r"signing\.pub: is not the public half of signing\.pem beside it; give it"):
        store.sign(store.current)
    (store.keys / "signing.pub").rename(store.keys / "2026.pub")
    build(store, "b")
    store.sign(store.current)
    assert read_signed(store) == "signing"
    roll_back(store, store.trust(required=True))
    assert read_signed(store) == "2026"


def read_signed(store: BundleStore) -> str:
    """Who signed what is current."""
    signer = Engine(store.current, trust=store.trust(required=True)).bundle.signer
    assert signer is not None
    return signer.name


def test_two_that_publish_at_once_take_turns(store):
    """Rollbacks by hand while builds go on: each sees the other's result or a clear word."""
    build(store, "a")
    build(store, "b")
    problems: list[BaseException] = []

    def back_and_forth() -> None:
        for version in store.versions() * 10:
            try:
                roll_back(store, NOBODY, version)
            except LookbookError as error:
                if "became current in the meantime" not in str(error):
                    problems.append(error)

    threads = [threading.Thread(target=back_and_forth) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert store.current_version() == store.history().line()[-1]


if __name__ == "__main__":
    main(*sys.argv[1:])


def test_a_kept_bundle_outlives_a_rollback_while_held(tmp_path):
    """It waits beside, is not tidied away, and is what the release makes current."""
    store = BundleStore(tmp_path / "android_bundle", tmp_path / "keys")
    for letter in "abc":
        build(store, letter)
    roll_back(store, NOBODY, hold=True)
    kept = build(store, "d", keep=2)
    assert not kept.current
    roll_back(store, NOBODY)
    drop_superfluous(store, keep=1)
    assert read_one(store.current) == "a"
    assert kept.version in store.versions()
    done = release(store, NOBODY)
    assert done is not None
    assert done.version == kept.version
    assert read_one(store.current) == "d"
