"""A bundle published, rolled back, cut, damaged, removed and built anew under a running service: no request notices."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from catalog.formats.bundle_lease import alone
from tests.integration.service.versions import described, make_version, point, resigned

HOSTILE = "<script>alert(1)</script>"
HALF = "\ud800"  # of a character: JSON can hold it, UTF-8 can't


@pytest.fixture(scope="module")
def versions(current, tmp_path_factory) -> dict[str, Path]:
    """The built bundle, and one whose first item has a hostile title and address."""
    folder = tmp_path_factory.mktemp("versions")
    other = make_version(current, folder / "other", title=HOSTILE + HALF, url="javascript:alert(1)")
    (folder / "other").rename(folder / other)
    first = current.resolve().name
    shutil.copytree(current.resolve(), folder / first)
    return {"first": folder / first, "other": folder / other}


@pytest.fixture
def link(versions, tmp_path) -> Path:
    """What a service is pointed at, leading to the first version."""
    link = tmp_path / "current"
    link.symlink_to(versions["first"])
    return link


@contextmanager
def asked_all_the_time(service, photos: list[bytes]) -> Iterator[list[httpx.Response]]:
    """Two clients search without a pause while the block runs; every answer is kept, and must be one."""
    answers: list[httpx.Response] = []
    failures: list[Exception] = []
    ended = threading.Event()

    def ask(photo: bytes) -> None:
        with httpx.Client() as client:
            while not ended.is_set():
                try:
                    answers.append(client.post(f"{service.url}/search", files={"file": photo}, timeout=60))
                except httpx.HTTPError as error:
                    failures.append(error)

    threads = [threading.Thread(target=ask, args=(photo,)) for photo in photos[:2]]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        assert answer.headers["X-Lookbook-Bundle"] == answer.json()["bundle"]["version"]


def test_a_publish_and_a_rollback_drop_nothing(serve, versions, link, photos):
    """Each answer is one version's; the version left behind is let go, so that a build may drop it."""
    service = serve(link)
    first, other = versions["first"].name, versions["other"].name
    with asked_all_the_time(service, photos) as answers:
        point(link, versions["other"])
        service.wait_until(lambda: service.serves(other))
        service.search(photos[0])
        point(link, versions["first"])
        service.wait_until(lambda: service.serves(first))
    seen = {answer.headers["X-Lookbook-Bundle"] for answer in answers}
    assert seen == {first, other}

    def let_go() -> bool:
        with alone(versions["other"]) as unheld:
            return unheld

    service.wait_until(let_go)
    with alone(versions["first"]) as unheld:
        assert not unheld
    assert service.metric("lookbook_bundle_switches_total") == 2


def test_a_hostile_title_is_text_and_a_hostile_address_none(serve, versions):
    """JSON that no browser takes for a page, and no address that one would run."""
    service = serve(versions["other"])
    items = json.loads((versions["other"] / "catalog.json").read_text("utf-8"))
    answered = service.get(f"/products/{items[0]['product_id']}")
    assert answered.headers["Content-Type"] == "application/json"
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    item = next(item for item in answered.json()["items"] if item["row"] == 0)
    assert (item["title"], item["url"]) == (HOSTILE + "?", "")


def damaged(kind: str, good: Path, folder: Path) -> Path:
    """A copy of a version with something wrong."""
    shutil.copytree(good, folder)
    embeddings, manifest = folder / "embeddings.bin", folder / "manifest.json"
    if kind == "cut":
        embeddings.write_bytes(embeddings.read_bytes()[:-100])
    elif kind == "exchanged":
        embeddings.write_bytes(bytes(embeddings.stat().st_size))
    elif kind == "no manifest":
        manifest.unlink()
    elif kind == "no JSON":
        manifest.write_bytes(manifest.read_bytes()[:500])
    else:
        expected = json.loads(manifest.read_text("utf-8"))["golden"][0]["expected"]
        values = json.loads((folder / expected).read_text("utf-8"))
        values["results"][0]["score"] += 0.5
        (folder / expected).write_text(json.dumps(values), "utf-8")
        whole = json.loads(manifest.read_text("utf-8"))
        content = (folder / expected).read_bytes()
        whole["files"][expected] = described(content)
        resigned(folder, whole)
    return folder


BAD = {
    "cut": "embeddings.bin: .* it was cut short or exchanged",
    "exchanged": "embeddings.bin: sha256 .* it was exchanged",
    "no manifest": "manifest.json: can't be read",
    "no JSON": "manifest.json: not JSON",
    "golden": "scores .* tolerance",
}


def test_a_bad_bundle_is_told_and_the_old_one_goes_on(serve, versions, link, photos, tmp_path):
    """In /readyz, the log and the metrics; requests do not notice, and a good one is taken after it."""
    service = serve(link)
    with asked_all_the_time(service, photos):
        for place, (kind, message) in enumerate(BAD.items()):
            point(link, damaged(kind, versions["other"], tmp_path / f"bad{place}"))
            service.wait_until(lambda wanted=message: re.search(wanted, problem_of(service)) is not None)
            assert service.serves(versions["first"].name)
        assert service.metric("lookbook_bundle_failed_switches_total") == 4  # no manifest: nothing to switch to
        assert service.metric("lookbook_bundle_problem") == 1
        assert all(re.search(message, service.log) for message in BAD.values())
        point(link, versions["other"])
        service.wait_until(lambda: service.serves(versions["other"].name))
    assert problem_of(service) == ""


def problem_of(service) -> str:
    """What /readyz tells of a newer bundle; the service is ready all the while."""
    ready = service.get("/readyz")
    assert ready.status_code == 200
    return ready.json()["problem"]


def test_what_is_served_may_be_cut_and_removed(serve, versions, photos, tmp_path):
    """Its files shorter, then gone: searches go on from memory, a picture is 404, and the problem is told."""
    folder = tmp_path / "bundle"
    shutil.copytree(versions["first"], folder)
    service = serve(folder)
    found = service.search(photos[0]).json()
    for path in [*folder.glob("*.bin"), *folder.glob("models/*.onnx"), *folder.glob("thumbs/*")]:
        path.write_bytes(path.read_bytes()[:100])
    assert service.search(photos[0]).json()["results"] == found["results"]
    picture = service.get(found["results"][0]["thumb"])
    assert (picture.status_code, picture.json()["reason"]) == (404, "no_thumb")
    shutil.rmtree(folder)
    service.wait_until(lambda: "can't be read" in problem_of(service))
    assert service.search(photos[0]).json()["results"] == found["results"]
    picture = service.get(found["results"][0]["thumb"])
    assert (picture.status_code, "was removed with its bundle" in picture.json()["detail"]) == (404, True)
    shutil.copytree(versions["first"], folder)
    service.wait_until(lambda: problem_of(service) == "")
    assert service.get(found["results"][0]["thumb"]).status_code == 200


def test_a_bundle_that_comes_later(serve, versions, photos, tmp_path):
    """Without one the service runs and says so; the first one is taken even if it is in doubt, which is told."""
    link = tmp_path / "current"
    service = serve(link, ready=False)
    assert service.get("/healthz").status_code == 200
    for answered in (service.get("/readyz"), service.search(photos[0]), service.get("/bundle")):
        assert (answered.status_code, answered.json()["reason"]) == (503, "not_ready")
        assert answered.headers["Retry-After"] == "2"
        assert "build a bundle there" in answered.json()["detail"]
    point(link, damaged("golden", versions["first"], tmp_path / "doubtful"))
    service.wait_until(lambda: service.get("/readyz").status_code == 200)
    assert "build the bundle again with this Lookbook" in problem_of(service)
    assert service.search(photos[0]).status_code == 200
    point(link, versions["first"])
    service.wait_until(lambda: problem_of(service) == "")


def test_a_build_appears(serve, shop_copy, lookbook):
    """`lookbook build` on a changed feed: the new price is in a running service, which nobody told."""
    service = serve(shop_copy.home / "android_bundle" / "current")
    feed = shop_copy.home / "shop" / "feed.csv"
    header, first, *rest = feed.read_text("utf-8").splitlines()
    values = dict(zip(header.split(","), first.split(","), strict=True))
    feed.write_text("\n".join([header, first.replace(f",{values['price']},", ",1234.50,"), *rest, ""]), "utf-8")
    lookbook("build", "--home", shop_copy.home)

    def shown() -> bool:
        return 1234.5 in [item["price"] for item in service.get(f"/products/{values['product_id']}").json()["items"]]

    service.wait_until(shown)
