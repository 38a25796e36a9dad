"""`lookbook models` against a real server on this machine that speaks the hub's protocol; weights are zeros."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save

from catalog import model_descriptions
from catalog.errors import ModelError
from catalog.formats import model_lock
from catalog.model_descriptions import MODELS
from catalog.profiles import Profile
from dagster_project.models import Where, import_model, list_models, pull_models, verify_models
from resources.model_store import ModelStore
from resources.profile import PROFILES, load_profile

NAME, REPO = "dinov2-small", "facebook/dinov2-small"
COMMIT, LATER = "a" * 40, "b" * 40
TOKEN = "hf_not-to-be-told"
CONFIG = {"model_type": "dinov2", "hidden_size": 384, "image_size": 518, "patch_size": 14}
PREPROCESSING = {
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
    "size": {"shortest_edge": 256},
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "resample": 2,
}
Files = dict[str, bytes]


def checkpoint(kilobytes: int = 8, **changed: bytes) -> Files:
    """The files of a DINOv2-S in the hub's format, its tensors zeros."""
    files = {
        "README.md": b"not asked for",
        "config.json": json.dumps(CONFIG).encode(),
        "preprocessor_config.json": json.dumps(PREPROCESSING).encode(),
        "model.safetensors": save({"weight": np.zeros(kilobytes * 256, np.float32)}),
    }
    return {**files, **{name.replace("__", "."): content for name, content in changed.items()}}


@dataclass
class FakeHub:
    """What the server has, how it behaves, and what it was asked."""

    port: int = 0
    repositories: dict[str, dict[str, Files]] = field(default_factory=dict)  # by name, then by commit; the last is main
    gated: bool = False
    answer: tuple[int, bytes] | None = None  # to every question, as a portal or a broken server gives it
    listed_sha256: str = ""  # of every large file, whatever it holds
    stall_after: int | None = None  # bytes of each large file, then silence
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)  # method, host, path, Range
    tokens: set[tuple[str, str]] = field(default_factory=set)  # (host, Authorization)

    @property
    def url(self) -> str:
        """Its address, as HF_ENDPOINT takes it."""
        return f"http://127.0.0.1:{self.port}"

    def publish(self, files: Files, commit: str = COMMIT, repo: str = REPO) -> None:
        """Make these files a repository's main branch."""
        self.repositories.setdefault(repo, {})[commit] = files


class Handler(BaseHTTPRequestHandler):
    """The hub: a listing by commit, small files at once, large ones from another host by their sha256."""

    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_HEAD(self) -> None:
        """As GET, without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer."""
        path = urlsplit(self.path).path
        host = self.headers["Host"].partition(":")[0]
        self.hub.asked.append((self.command, host, path, self.headers.get("Range", "")))
        self.hub.tokens.add((host, self.headers.get("Authorization", "")))
        parts = path.strip("/").split("/")
        if self.hub.answer is not None:
            self._send(self.hub.answer[1], "text/html", self.hub.answer[0])
        elif parts[:2] == ["api", "models"]:
            self._list("/".join(parts[2:4]), parts[5])
        elif parts[0] == "cdn":
            self._send(self._by_digest(parts[1]))
        elif len(parts) > 4 and parts[2] == "resolve":
            self._resolve("/".join(parts[:2]), parts[3], parts[4])
        elif parts[0] == "files":
            self._send(next(iter(self.hub.repositories["files"].values()))[parts[1]])
        else:
            self._refuse(404, "RepoNotFound")

    def _list(self, repo: str, revision: str) -> None:
        commits = self.hub.repositories.get(repo)
        if commits is None:
            self._refuse(401, "RepoNotFound")
        elif revision not in ("main", *commits):
            self._refuse(404, "RevisionNotFound")
        else:
            commit = [*commits][-1] if revision == "main" else revision
            told = [self._told(name, content) for name, content in commits[commit].items()]
            self._send(json.dumps({"id": repo, "sha": commit, "siblings": told}).encode(), "application/json")

    def _told(self, name: str, content: bytes) -> dict[str, object]:
        digest = self.hub.listed_sha256 or hashlib.sha256(content).hexdigest()
        lfs = {"lfs": {"size": len(content), "sha256": digest, "pointerSize": 134}} if len(content) > 4096 else {}
        return {"rfilename": name, "size": len(content), "blobId": "0" * 40, **lfs}

    def _resolve(self, repo: str, commit: str, name: str) -> None:
        content = self.hub.repositories[repo][commit][name]
        if self.hub.gated:
            self._refuse(403, "GatedRepo")
        elif len(content) > 4096:
            self.send_response(302)
            self.send_header("X-Repo-Commit", commit)
            digest = hashlib.sha256(content).hexdigest()
            self.send_header("Location", f"http://localhost:{self.hub.port}/cdn/{digest}?signature=secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(content)

    def _by_digest(self, digest: str) -> bytes:
        every = [c for commits in self.hub.repositories.values() for files in commits.values() for c in files.values()]
        return next(content for content in every if hashlib.sha256(content).hexdigest() == digest)

    def _send(self, content: bytes, kind: str = "application/octet-stream", status: int = 200) -> None:
        asked = self.headers.get("Range", "")
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.send_response(206 if asked else status)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) - first))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = self.hub.stall_after
        if stop is None or len(content) <= stop:
            self.wfile.write(content[first:])
            return
        self.wfile.write(content[first:stop])
        while self.hub.stall_after is not None:
            time.sleep(0.05)
        self.close_connection = True

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub of its own for each test; this process and those it starts ask it directly."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    state = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"hub": state}))
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield state
    state.stall_after = None
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A new home."""
    return tmp_path / "home"


def store_of(home: Path) -> ModelStore:
    return ModelStore(root=str(home / "models"))


def bring(home: Path, hub: FakeHub, *names: str, accepted: tuple[str, ...] = ()) -> None:
    """Pull in this process."""
    pull_models(home, names or (NAME,), profile=None, where=Where(mirror=hub.url), accepted=accepted)


def bytes_sent_for(hub: FakeHub) -> list[str]:
    """The Range of each request for a large file's bytes."""
    return [span for method, _, path, span in hub.asked if method == "GET" and path.startswith("/cdn/")]


def nothing_taken(home: Path) -> bool:
    """No checkpoint in place, none half fetched, none recorded."""
    left = [path for path in (home / "models").rglob("*") if path.name not in (".pull.lock", "checkpoints")]
    return left == []


def environment(hub: FakeHub, home: Path, **more: str) -> dict[str, str]:
    """What a user behind this hub has set."""
    return {"HF_ENDPOINT": hub.url, "HF_HOME": str(home.parent / "hf"), "HF_TOKEN": TOKEN, **more}


def test_first_pull_second_pull_and_verify(hub, home, lookbook) -> None:
    """The licence first, what the hub has now is recorded and said to be, and the second pull asks nobody."""
    hub.publish(checkpoint())
    done = lookbook("models", "pull", NAME, "--home", home, **environment(hub, home))
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{NAME}: {REPO}, about 88 MB; licence Apache-2.0. Commercial use allowed")
    assert lines[1] == f"{NAME}: from {hub.url}/{REPO}"
    assert "(aaaaaaaaaaaa), recorded at first use, nothing to compare with; held to it from now on" in lines[2]
    assert TOKEN not in done.stdout + done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert {path.split("/")[1] for _, _, path, _ in hub.asked} == {"api", "facebook", "cdn"}  # and reports nothing
    assert hub.tokens == {("127.0.0.1", f"Bearer {TOKEN}"), ("localhost", "")}  # its own host sees the token, no other

    locked = model_lock.read(home / "models" / "lock.toml")[NAME]
    published = {name: content for name, content in checkpoint().items() if name != "README.md"}
    assert (locked.source, locked.revision, locked.resample) == (f"hub:{REPO}", COMMIT, "bilinear")
    assert {name: file.sha256 for name, file in locked.files.items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in published.items()
    }
    folder = home / "models" / "checkpoints" / NAME
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == published
    assert [path.name for path in folder.parent.iterdir()] == [NAME]
    row = store_of(home).model(NAME)
    assert (row.sha256, row.size_bytes, row.resample) == (locked.sha256, locked.size_bytes, "bilinear")
    assert store_of(home).source(NAME) == folder

    hub.publish(checkpoint(16), LATER)
    before = len(hub.asked)
    done = lookbook("models", "pull", NAME, "--home", home, **environment(hub, home))
    assert done.stdout == f"{NAME}: is there (aaaaaaaaaaaa), as recorded\n"
    assert len(hub.asked) == before

    assert lookbook("models", "verify", "--home", home).stdout == f"{NAME}: as recorded (aaaaaaaaaaaa)\n"
    (folder / "config.json").write_bytes(b"{}" + b" " * (len(published["config.json"]) - 2))
    done = lookbook("models", "verify", "--home", home, ok=False)
    assert done.stdout.startswith(f"{NAME}: FAILED: {folder / 'config.json'}: sha256 ")
    assert (done.returncode, done.stderr) == (1, "")
    bring(home, hub)  # main has moved on; the recorded commit comes back
    assert (folder / "config.json").read_bytes() == published["config.json"]
    assert model_lock.read(home / "models" / "lock.toml")[NAME] == locked


def test_killed_and_gone_on_with(hub, home, lookbook) -> None:
    """Killed in the middle of a file: nothing is taken for a model, and no byte that came is fetched again."""
    files = checkpoint(25_000)
    hub.publish(files)
    hub.stall_after = 15_000_000
    command = [Path(sys.executable).with_name("lookbook"), "models", "pull", NAME, "--home", home]
    process = subprocess.Popen(
        command, env={**os.environ, **environment(hub, home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    part = home / "models" / "checkpoints" / f"{NAME}.partial" / COMMIT / "model.safetensors"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(ModelError, match=r"another `lookbook models` is bringing models here: wait for it, or end it"):
        bring(home, hub)
    process.send_signal(signal.SIGKILL)
    process.wait()
    came = part.stat().st_size
    assert 0 < came < len(files["model.safetensors"])
    with pytest.raises(ModelError, match=rf"model {NAME}: not pulled into .*; run: lookbook models pull {NAME}"):
        store_of(home).source(NAME)
    assert not (home / "models" / "lock.toml").exists()

    hub.stall_after = None
    hub.asked.clear()
    lookbook("models", "pull", NAME, "--home", home, **environment(hub, home))
    assert bytes_sent_for(hub) == [f"bytes={came}-"]
    assert not [path for _, _, path, _ in hub.asked if path.endswith(".json")]  # they were whole
    assert (store_of(home).source(NAME) / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert not part.parent.parent.exists()


def test_a_part_of_another_commit_is_not_gone_on_with(hub, home) -> None:
    """Two states of a repository are never mixed."""
    part = home / "models" / "checkpoints" / f"{NAME}.partial" / LATER
    part.mkdir(parents=True)
    (part / "model.safetensors").write_bytes(b"half of another")
    hub.publish(checkpoint())
    bring(home, hub)
    assert bytes_sent_for(hub) == [""]
    assert not part.parent.exists()


def test_other_bytes_later_are_refused(hub, home) -> None:
    """The recorded commit with other bytes in it: said, removed, and what was in place stays."""
    hub.publish(checkpoint())
    bring(home, hub)
    folder = store_of(home).checkpoint_folder(NAME)
    (folder / "README.md").touch()
    with pytest.raises(ModelError, match=r"holds README\.md, which is not recorded, and could be read in a recorded"):
        store_of(home).source(NAME)
    hub.publish(checkpoint(model__safetensors=save({"weight": np.ones(2048, np.float32)})))
    with pytest.raises(
        ModelError, match=rf"{hub.url}/{REPO}: model\.safetensors has sha256 \w+ \(\d+ bytes\), recorded at the first "
        r"pull was \w+ \(\d+ bytes\); it was cut short or exchanged, and nothing of it was kept: pull again, or from "
        rf'another place; or to trust what is there now, remove \[models\."{NAME}"\] and its files from .*lock\.toml',
    ):  # fmt: skip
        bring(home, hub)
    assert (folder / "model.safetensors").read_bytes() == checkpoint()["model.safetensors"]
    assert not folder.with_name(f"{NAME}.partial").exists()
    del hub.repositories[REPO][COMMIT]
    hub.publish(checkpoint(), LATER)
    with pytest.raises(
        ModelError, match=rf"{REPO}: has no revision {COMMIT}, or has it no more; another hub: --mirror"
    ):
        bring(home, hub)


def broken(content: bytes) -> list[tuple[str, Files, str]]:
    """What a repository may hold, and what is said of it at a first pull."""
    config, preprocessing = json.dumps(CONFIG), json.dumps(PREPROCESSING)
    named = "the row 'dinov2-small' of catalog/model_descriptions.py wants"

    def other(before: str, after: str) -> Files:
        changed = {
            "config__json": config.replace(before, after).encode(),
            "preprocessor_config__json": preprocessing.replace(before, after).encode(),
        }
        return checkpoint(**changed)

    return [
        (
            "truncated",
            checkpoint(model__safetensors=content[:-400]),
            "it was cut short or added to; model dinov2-small",
        ),
        ("pickle", checkpoint(model__safetensors=b"\x80\x02}q\x00." * 9), "it is a pickle, which runs code when it is"),
        ("zip", checkpoint(model__safetensors=b"PK\x03\x04" * 99), "may hold a pickle, which runs code"),
        ("not json", checkpoint(config__json=b"<html>"), r"/facebook/dinov2-small/config\.json: can't be read as JSON"),
        ("type", other("dinov2", "vit"), f"model_type is 'vit', {named} 'dinov2'"),
        ("dim", other("384", "768"), f"hidden_size is 768, {named} 384"),
        ("mean", other("0.485", "0.5"), rf"image_mean is \[0\.5, .*\], {named} \[0\.485, 0\.456, 0\.406\]"),
        ("crop", other("256", "224"), rf"size is {{'shortest_edge': 224}}, {named} {{'shortest_edge': 256}} or 256"),
        ("resample", other('"resample": 2', '"resample": 0'), f"resample is 0, {named} 2 or 3"),
    ]


@pytest.mark.parametrize(
    ("files", "told"), [pytest.param(*c[1:], id=c[0]) for c in broken(save({"w": np.zeros(9999)}))]
)
def test_what_is_not_the_model_is_refused_at_the_first_pull(hub, home, files: Files, told: str) -> None:
    """With nothing to compare with; and nothing of it stays."""
    hub.publish(files)
    with pytest.raises(ModelError, match=told):
        bring(home, hub)
    assert nothing_taken(home)


def test_only_a_pickle_is_refused_before_anything_is_fetched(hub, home) -> None:
    """The repository has no safetensors at all; or nothing that the row wants."""
    files = checkpoint(pytorch_model__bin=b"\x80")
    del files["model.safetensors"]
    hub.publish(files)
    with pytest.raises(
        ModelError, match=r"offers model dinov2-small only as pytorch_model\.bin, which may hold pickles"
    ):
        bring(home, hub)
    hub.publish({"notes.txt": b""}, LATER)
    with pytest.raises(ModelError, match=r"has no config\.json, which model dinov2-small wants; there is notes\.txt"):
        bring(home, hub)
    assert not [path for _, _, path, _ in hub.asked if "resolve" in path]


def test_a_licence_that_forbids_commercial_use_must_be_accepted(hub, home, monkeypatch, capsys) -> None:
    """It is shown, and nothing is asked of the hub, until its name is given."""
    row = replace(MODELS[NAME], licence="CC-BY-NC-4.0", licence_terms="No commercial use.", commercial_use=False)
    monkeypatch.setitem(model_descriptions.MODELS, NAME, row)
    hub.publish(checkpoint())
    told = rf"forbidden by the licence of {NAME} \(CC-BY-NC-4\.0\); if that suits you, add --accept-licence {NAME}"
    with pytest.raises(ModelError, match=told):
        bring(home, hub)
    with pytest.raises(ModelError, match=told):
        bring(home, hub, accepted=("fashion-clip",))
    assert hub.asked == []
    assert "licence CC-BY-NC-4.0. No commercial use." in capsys.readouterr().out
    list_models(home, None)
    assert "FORBIDDEN" in next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{NAME} "))
    bring(home, hub, accepted=(NAME,))
    assert store_of(home).source(NAME).is_dir()


@pytest.mark.parametrize("profile", sorted(file.stem for file in PROFILES.glob("*.toml")))
def test_no_profile_that_ships_names_a_model_without_commercial_use(profile: str, tmp_path: Path) -> None:
    """A shop that builds with a profile as it comes breaks no licence."""
    found: Profile = load_profile(profile, tmp_path)
    assert [name for name in found.model_names() if not MODELS[name].commercial_use] == []


def test_the_page_tells_every_licence() -> None:
    """docs/models.md has a line a row, with its licence and whether a shop may use it."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for row in MODELS.values():
        assert f"| {row.licence} | {'allowed' if row.commercial_use else 'forbidden'} |" in lines[row.name], row.name


def test_what_the_hub_refuses(hub, home) -> None:
    """Gated, missing, no hub at all: one line each."""
    with pytest.raises(
        ModelError, match=rf"{REPO}: no such repository, or a private one \(then give a token in HF_TOKEN"
    ):
        bring(home, hub)
    hub.publish(checkpoint())
    hub.gated = True
    with pytest.raises(
        ModelError, match="gated: accept its terms on its page with an account, and give that account's"
    ):
        bring(home, hub)
    hub.gated = False
    hub.listed_sha256 = "0" * 64
    with pytest.raises(
        ModelError, match=r"model\.safetensors came with sha256 \w+, its listing says 0+; it was damaged on"
    ):
        bring(home, hub)
    assert nothing_taken(home)
    for answer, told in (
        (
            (200, b"<html>Sign in</html>"),
            r"does not answer as a hub does \(JSONDecodeError\); another hub: --mirror URL",
        ),
        ((200, b"{}"), "does not answer as a hub does"),
        ((503, b""), "status 503: the server is in trouble; another hub"),
        ((401, b""), "no such repository, or a private one|status 401: the token in HF_TOKEN"),
        ((429, b""), "status 429: too many requests; wait some minutes"),
    ):
        hub.answer = answer
        with pytest.raises(ModelError, match=told):
            bring(home, hub)
    for mirror in ("hub.example", "https://", "http://["):
        with pytest.raises(ModelError, match="--mirror: is no address of a hub; one begins with https://"):
            pull_models(home, [NAME], profile=None, where=Where(mirror=mirror), accepted=())
    assert {token for _, token in hub.tokens} == {""}  # a mirror is never sent one


def test_unreachable_and_offline(hub, home, lookbook) -> None:
    """One line that says what to do, and no secret in it."""
    address = "http://user:password@127.0.0.1:1"
    done = lookbook("models", "pull", NAME, "--home", home, ok=False, **environment(hub, home, HF_ENDPOINT=address))
    assert done.stderr == (
        f"lookbook: http://127.0.0.1:1/{REPO}: can't be reached (ConnectError); another hub: --mirror URL; files "
        "brought by hand: --from FOLDER, or `lookbook models import`\n"
    )
    hub.publish(checkpoint())
    done = lookbook("models", "pull", NAME, "--home", home, ok=False, **environment(hub, home, HF_HUB_OFFLINE="1"))
    assert "offline, and facebook/dinov2-small is not in the hub's cache on this machine; pull without" in done.stderr
    assert hub.asked == []
    snapshot = home.parent / "hf" / "hub" / "models--facebook--dinov2-small" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name, content in checkpoint().items():
        (snapshot / name).write_bytes(content)
    refs = snapshot.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT)
    lookbook("models", "pull", NAME, "--home", home, "--offline", **environment(hub, home))
    assert hub.asked == []
    assert model_lock.read(home / "models" / "lock.toml")[NAME].revision == COMMIT


def test_missing_extra(hub, home, lookbook, tmp_path) -> None:
    """Without huggingface_hub a pull says what to install; a local file needs none."""
    block = "import sys\nsys.modules['huggingface_hub'] = None\n"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(block)
    light = {"PYTHONPATH": str(tmp_path / "site")}
    done = lookbook("models", "pull", NAME, "--home", home, ok=False, **environment(hub, home, **light))
    assert done.stderr.startswith(
        "lookbook: pulling model dinov2-small needs huggingface_hub, which is not installed; "
    )
    assert "--editable '.[pretrained]'" in done.stderr
    assert done.stderr.count("\n") == 1
    write(tmp_path / "copy", checkpoint())
    lookbook("models", "import", NAME, tmp_path / "copy", "--home", home, **light)
    assert lookbook("models", "verify", NAME, "--home", home, **light).stdout == f"{NAME}: as recorded\n"


def test_no_room_is_told_before_and_while(hub, home, monkeypatch) -> None:
    """Before the first byte where the size is known, and as one line when the disk is full all the same."""
    hub.publish(checkpoint(25_000))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=20_000_000))
    with pytest.raises(
        ModelError, match=r"models: no room for dinov2-small: 25\.6 MB are to come, 20\.0 MB are free; make"
    ):
        bring(home, hub)
    assert bytes_sent_for(hub) == []
    monkeypatch.undo()
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (12_000_000, 12_000_000))\n"
        "from dagster_project.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program, "models", "pull", NAME, "--home", str(home)]
    settings = {**os.environ, **environment(hub, home)}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "no room left on the disk (File too large); model dinov2-small wants 25.6 MB: make room and run it" in last
    assert "Traceback" not in done.stderr
    assert not store_of(home).checkpoint_folder(NAME).exists()
    bring(home, hub)  # with room, it goes on
    assert [span for span in bytes_sent_for(hub)[1:] if span.startswith("bytes=")]
    assert store_of(home).source(NAME).is_dir()


def write(folder: Path, files: Files) -> Path:
    """A folder with these files."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def take(home: Path, folder: Path, *names: str) -> None:
    """Pull from a folder."""
    pull_models(home, names, profile=None, where=Where(folder=folder), accepted=())


@pytest.mark.parametrize("place", ["dinov2-small", "facebook/dinov2-small", "."])
def test_from_a_folder(tmp_path, hub, home, place: str) -> None:
    """Under the model's name or the repository's, or right there when one model is named."""
    write(tmp_path / "brought" / place, checkpoint())
    take(home, tmp_path / "brought", NAME)
    assert model_lock.read(home / "models" / "lock.toml")[NAME].revision == ""
    (store_of(home).source(NAME) / "config.json").unlink()
    hub.publish(checkpoint())
    bring(home, hub)  # the same bytes: now their commit is known
    assert model_lock.read(home / "models" / "lock.toml")[NAME].revision == COMMIT
    assert (store_of(home).source(NAME) / "config.json").read_bytes() == checkpoint()["config.json"]


def test_from_a_folder_that_the_hubs_tool_made_and_then_the_hub(tmp_path, hub, home) -> None:
    """The commit that `hf download --local-dir` noted is recorded; the hub is held to it and to the bytes."""
    folder = write(tmp_path / "brought", checkpoint())
    notes = folder / ".cache" / "huggingface" / "download"
    write(notes, {f"{name}.metadata": f"{COMMIT}\netag\n1700000000.0\n".encode() for name in checkpoint()})
    take(home, folder, NAME)
    assert model_lock.read(home / "models" / "lock.toml")[NAME].revision == COMMIT
    (store_of(home).checkpoint_folder(NAME) / "config.json").unlink()
    hub.publish(checkpoint())
    hub.publish(checkpoint(16), LATER)
    bring(home, hub)
    assert store_of(home).source(NAME).is_dir()
    (notes / "config.json.metadata").write_text(f"{LATER}\netag\n")
    for file in notes.iterdir():
        file.write_text(f"{LATER}\netag\n")
    with pytest.raises(
        ModelError, match=rf"is of commit {LATER}, model {NAME} was first pulled at {COMMIT}; bring that"
    ):
        import_model(home, NAME, folder, ())


def test_folders_that_do_not_have_it(tmp_path, home) -> None:
    """Each says where it looked, or what it found."""
    folder = write(tmp_path / "brought", {"config.json": b"{}"})
    with pytest.raises(
        ModelError, match="model dinov2-small is not there, neither in dinov2-small/ nor in facebook/dino"
    ):
        take(home, folder, NAME, "fashion-clip")
    with pytest.raises(ModelError, match=r"has no preprocessor_config\.json|has no model\.safetensors"):
        take(home, folder, NAME)
    with pytest.raises(ModelError, match=r"is a file, but model dinov2-small is a folder of config\.json, model\.safe"):
        import_model(home, NAME, folder / "config.json", ())
    with pytest.raises(ModelError, match="there is no such file or folder"):
        import_model(home, NAME, folder / "nothing", ())
    with pytest.raises(ModelError, match="no model 'dinov2-smal': did you mean 'dinov2-small'"):
        take(home, folder, "dinov2-smal")
    with pytest.raises(ModelError, match="lookbook-texture: belongs to the checkout, nothing is imported"):
        import_model(home, "lookbook-texture", folder, ())
    assert nothing_taken(home)


def onnx_network(side: int, megabytes: float = 4.6) -> bytes:
    """A network that takes what U2NetP takes and weighs as much, and gives one channel of its photo."""
    weights = helper.make_tensor(
        "weights", TensorProto.UINT8, [int(megabytes * 1e6)], bytes(int(megabytes * 1e6)), True
    )
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])
    mask = helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, side, side])
    mean = helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1])
    graph = helper.make_graph(
        [mean, helper.make_node("Sigmoid", ["mean"], ["mask"])], "network", [image], [mask], [weights]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def test_import_of_one_file(tmp_path, home, capsys) -> None:
    """Whatever it is called; another network, or half of one, is refused."""
    path = tmp_path / "network.onnx"
    path.write_bytes(onnx_network(320)[:-9])
    with pytest.raises(ModelError, match=r"u2netp\.onnx: not an ONNX file, or cut short \(.*\); fetch it again"):
        import_model(home, "u2netp", path, ())
    path.write_bytes(onnx_network(320, megabytes=176))
    with pytest.raises(
        ModelError, match=r"176\.00 MB, the row 'u2netp' of .* says about 4\.60 MB; it is another size of"
    ):
        import_model(home, "u2netp", path, ())
    path.write_bytes(onnx_network(256))
    with pytest.raises(ModelError, match=r"is \[1, 3, 256, 256\], its row makes it \[1, 3, 320, 320\]; it is another"):
        import_model(home, "u2netp", path, ())
    with pytest.raises(ModelError, match=r"its graph takes \[1, 3, 256, 256\], its row makes it \[1, 3, 416, 416\]"):
        import_model(home, "yolox-nano", path, ())
    assert nothing_taken(home)
    path.write_bytes(onnx_network(320))
    import_model(home, "u2netp", path, ())
    assert store_of(home).source("u2netp").read_bytes() == onnx_network(320)
    assert "recorded at first use, nothing to compare with" in capsys.readouterr().out
    take(home, path, "u2netp")
    assert capsys.readouterr().out == "u2netp: is there, as recorded\n"
    store_of(home).source("u2netp").unlink()
    take(home, path, "u2netp")
    assert "as recorded before" in capsys.readouterr().out


def test_real_weights_are_taken(shared_weights, home) -> None:
    """U2NetP and YOLOX as they are found in the world."""
    import_model(home, "u2netp", shared_weights / "u2netp_320_fp32.onnx", ())
    import_model(home, "yolox-nano", shared_weights / "yolox_nano.onnx", ())
    with pytest.raises(ModelError, match="it is another model's file: bring the right one"):
        import_model(home, "yolox-s", shared_weights / "yolox_nano.onnx", ())
    assert verify_models(home, []) is True


def test_one_file_from_a_web_address(hub, home, monkeypatch) -> None:
    """Gone on with where the server tells its size, and refused when it is another file one day."""
    row = replace(MODELS["u2netp"], source=f"url:{hub.url}/files/u2netp.onnx")
    monkeypatch.setitem(model_descriptions.MODELS, "u2netp", row)
    content = onnx_network(320)
    hub.publish({"u2netp.onnx": content}, repo="files")
    bring(home, hub, "u2netp")
    file = store_of(home).source("u2netp")
    assert file.read_bytes() == content
    assert {token for _, token in hub.tokens} == {""}
    file.write_bytes(content[:40])
    hub.publish({"u2netp.onnx": onnx_network(224)}, repo="files")
    with pytest.raises(ModelError, match=r"u2netp\.onnx has sha256 .*, recorded at the first pull was"):
        bring(home, hub, "u2netp")
    monkeypatch.setitem(model_descriptions.MODELS, "u2netp", replace(row, source=f"url:{hub.url}/gone/u2netp.onnx"))
    with pytest.raises(ModelError, match=r"was pulled from url:.*/files/u2netp\.onnx, its row now names url:.*/gone/"):
        store_of(home).source("u2netp")
    with pytest.raises(
        ModelError, match=r"/gone/u2netp\.onnx: .*; bring the file by hand: lookbook models import u2netp"
    ):
        bring(home, hub, "u2netp")


def test_list(home, lookbook) -> None:
    """A row a model, in a process: its licence, and what is here."""
    lines = lookbook("models", "list", "--home", home, "--profile", "imagesearch").stdout.splitlines()
    assert lines[0].split() == ["name", "role", "licence", "commercial", "use", "MB", "dim", "here", "profiles"]
    assert {line.split()[0] for line in lines[1:]} == set(load_profile("imagesearch", home).model_names())
    whole = lookbook("models", "list", "--home", home).stdout
    assert len(whole.splitlines()) == len(MODELS) + 1
    assert [line.split()[-2:] for line in whole.splitlines() if line.startswith("lookbook-texture")] == [
        ["embedded", "embedded"]
    ]
    assert "not pulled" in whole
    assert "name models, or a --profile" in lookbook("models", "pull", "--home", home, ok=False).stderr


def test_rows_are_held_to_what_they_say_themselves(hub, home, monkeypatch) -> None:
    """A row that knows its revision and digest: that commit is pulled, nothing is trusted at first use."""
    hub.publish(checkpoint())
    hub.publish(checkpoint(16), LATER)
    row = replace(MODELS[NAME], revision=COMMIT, sha256="0" * 64)
    monkeypatch.setitem(model_descriptions.MODELS, NAME, row)
    with pytest.raises(
        ModelError, match=rf"model {NAME} has sha256 \w+, its row in catalog/model_descriptions\.py says 0+"
    ):
        bring(home, hub)
    assert nothing_taken(home)
    monkeypatch.setitem(model_descriptions.MODELS, NAME, replace(row, sha256=""))
    bring(home, hub)
    assert model_lock.read(home / "models" / "lock.toml")[NAME].revision == COMMIT
    monkeypatch.setitem(model_descriptions.MODELS, NAME, replace(row, sha256="", revision=LATER))
    with pytest.raises(ModelError, match=rf"was pulled at revision {COMMIT}, its row now names {LATER}; run: lookbook"):
        store_of(home).source(NAME)
    assert store_of(home).model(NAME).sha256 == ""
    bring(home, hub)
    assert model_lock.read(home / "models" / "lock.toml")[NAME].revision == LATER
    more = replace(row, sha256="", revision="", files=(*row.files, "tokenizer.json"))
    monkeypatch.setitem(model_descriptions.MODELS, NAME, more)
    with pytest.raises(ModelError, match=r"tokenizer\.json, which model dinov2-small now wants, was not pulled; run:"):
        store_of(home).source(NAME)
