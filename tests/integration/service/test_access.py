"""Who may ask: keys, other origins, other hosts, paths that leave; and what a service refuses to start as."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

KEY = "correct-horse-battery"


@pytest.fixture(scope="module")
def keyed(serve, current):
    """A service with a key, that a shop's own page may ask."""
    return serve(current, "--allow-origin", "https://shop.example", LOOKBOOK_API_KEY=KEY)


@pytest.mark.parametrize(
    "path", ["/thumbs/a.jpg", "/products/a", "/products/a/similar", "/metrics", "/openapi.json", "/no"]
)
def test_without_the_key_nothing_is_told(keyed, path):
    """401 by a problem, for what is there and for what isn't; a wrong key, part of it and none are one."""
    for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": KEY[:-1]}, {"Authorization": "Bearer ü"}):
        encoded = {name: value.encode() for name, value in headers.items()}
        refused = keyed.get(path, headers=encoded)
        assert (refused.status_code, refused.json()["reason"]) == (401, "key_needed")
        assert "WWW-Authenticate" in refused.headers
        assert "X-Lookbook-Bundle" not in refused.headers


def test_a_photo_without_the_key_is_not_read(keyed, photos):
    """401 even for a large one, whose sender reads the answer."""
    refused = keyed.search(photos[0] + bytes(5_000_000))
    assert (refused.status_code, refused.json()["reason"]) == (401, "key_needed")
    counted = keyed.get("/metrics", headers={"X-API-Key": KEY}).text
    assert "lookbook_uploaded_bytes_total 0.0" in counted


def test_what_needs_no_key(keyed):
    """The page, how the service is, and that a key is needed."""
    assert keyed.get("/").status_code == 200
    assert keyed.get("/page/main.js").status_code == 200
    assert keyed.get("/healthz").json() == {"status": "ok"}
    assert keyed.get("/readyz").json() == {"status": "ready", "version": "", "problem": ""}
    for path in ("/", "/healthz", "/readyz", "/bundle"):
        assert "X-Lookbook-Bundle" not in keyed.get(path).headers
    assert keyed.get("/bundle").json() == {"key_needed": True}


def test_with_the_key(keyed, photos):
    """In either header; the bundle is told in full, and pictures are not for shared caches."""
    assert keyed.get("/bundle", headers={"Authorization": f"Bearer {KEY}"}).json()["key_needed"] is True
    ready = keyed.get("/readyz", headers={"X-API-Key": KEY})
    assert ready.json()["version"] == ready.headers["X-Lookbook-Bundle"] != ""
    found = keyed.search(photos[0], {"X-API-Key": KEY})
    assert found.status_code == 200
    picture = keyed.get(found.json()["results"][0]["thumb"], headers={"X-API-Key": KEY})
    assert picture.headers["Cache-Control"].startswith("private")


def test_a_page_of_another_site_may_not_ask(service, photos):
    """Another origin, a file's, another port of this machine; its own may."""
    for origin in ("https://evil.example", "null", "http://localhost:1", "file://", ""):
        refused = service.search(photos[0], {"Origin": origin})
        assert (refused.status_code, refused.json()["reason"]) == (403, "other_origin")
        assert "Access-Control-Allow-Origin" not in refused.headers
    own = service.search(photos[0], {"Origin": service.url})
    assert own.status_code == 200
    assert service.get("/", headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_page_that_is_allowed_may(keyed, photos):
    """Its browser asks first, without the key; then the answer names its origin."""
    origin = {"Origin": "https://shop.example"}
    before = httpx.options(
        f"{keyed.url}/search",
        headers={**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"},
    )
    assert before.status_code == 204
    assert "X-API-Key" in before.headers["Access-Control-Allow-Headers"]
    found = keyed.search(photos[0], {**origin, "X-API-Key": KEY})
    assert found.status_code == 200
    assert found.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    refused = keyed.search(photos[0], {"Origin": "https://shop.example.evil.example", "X-API-Key": KEY})
    assert refused.status_code == 403


def test_another_hosts_name_is_refused_on_loopback(service, keyed):
    """As a name would be that a page elsewhere lets lead here; an allowed site's is taken."""
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]", "0.0.0.0"):
        refused = service.get("/bundle", headers={"Host": host})
        assert (refused.status_code, refused.json()["reason"]) == (421, "other_host")
    for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:99", "[::1]:8080", "127.8.8.8"):
        assert service.get("/bundle", headers={"Host": host}).status_code == 200
    assert keyed.get("/healthz", headers={"Host": "shop.example"}).status_code == 200


HOSTILE = (
    "/thumbs/../manifest.json",
    "/thumbs/..%2fmanifest.json",
    "/thumbs/%2e%2e/%2e%2e/catalog.json",
    "/thumbs//etc/passwd",
    "/thumbs/%2fetc%2fpasswd",
    "/thumbs/a%00.jpg",
    "/thumbs/..%5c..%5cmanifest.json",
    "/thumbs/%c0%ae%c0%ae/manifest.json",
    "/thumbs/" + "a" * 5000,
    "/thumbs/",
    "/page/../service/settings.py",
    "/page/..%2fengine.py",
    "/page/%2fetc%2fpasswd",
    "/page/a%00",
    "/products/..%2f..%2fetc",
    "/products/a%00/similar",
    "//etc/passwd",
)


@pytest.mark.parametrize("path", HOSTILE)
def test_no_path_leaves(service, path):
    """Sent as it is, unlike a browser would: 404 by a problem, and not one byte of a file."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in received
    assert b"root:" not in received
    assert b"sha256" not in received


def test_other_methods_are_told(service):
    """405 by a problem, with what may be used."""
    refused = httpx.delete(f"{service.url}/bundle")
    assert (refused.status_code, refused.json()["reason"]) == (405, "bad_method")
    assert refused.headers["Allow"] == "GET"


QUERY = ("python", "-m", "query")


def start(*arguments: object, program: tuple[str, ...] = QUERY, **environment: str) -> tuple[int, str]:
    """Run a command that should refuse to start."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LOOKBOOK_")}
    command = [str(Path(sys.executable).with_name(program[0])), *program[1:], "serve", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env={**kept, **environment}, timeout=60)
    return done.returncode, done.stderr


def test_it_does_not_open_to_others_without_a_key(tmp_path):
    """One line that says how to mend it, exit code 1; a key that is empty, short or not there is none."""
    code, told = start("--host", "0.0.0.0", program=("lookbook",))
    assert code == 1
    assert "is open to other machines and there is no API key" in told
    assert len(told.splitlines()) == 1
    (tmp_path / "key").write_text(" \n")
    assert "is empty" in start("--host", "0.0.0.0", "--api-key-file", tmp_path / "key")[1]
    assert "can't be read" in start("--host", "0.0.0.0", "--api-key-file", tmp_path / "none")[1]
    assert "at least 8 are needed" in start("--host", "0.0.0.0", LOOKBOOK_API_KEY="short")[1]


def test_other_things_it_does_not_start_as(service):
    """A port that is taken, an origin that is none, addresses of photos without the code to fetch them."""
    assert f"can't listen on 127.0.0.1 port {service.port}" in start("--port", service.port)[1]
    assert "is no origin" in start("--allow-origin", "https://shop.example/page")[1]
    code, told = start("--allow-url-search")
    assert (code, "needs the full command: lookbook serve" in told) == (1, True)
