"""Every bad photo and every bad way to send one: each is a problem that says what to do, and the service goes on."""

import io
import json
import socket
import struct
import time
import zlib

import httpx
import numpy as np
import pytest
from PIL import Image

MAX_BYTES = 300_000


@pytest.fixture(scope="module")
def strict(serve, current):
    """A service with small limits, so that the tests stay small."""
    return serve(current, "--max-bytes", MAX_BYTES, "--max-pixels", "2000000", "--upload-seconds", "1")


@pytest.fixture(autouse=True)
def goes_on(strict, photos):
    """After each of these tests a good photo is answered, and nothing is held."""
    yield
    assert strict.search(photos[0]).status_code == 200
    strict.wait_until(lambda: strict.metric("lookbook_uploads_held_bytes") == 0)
    assert "Traceback" not in strict.log


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """A picture's bytes in a format."""
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


PLAIN = Image.new("RGB", (200, 300), "teal")
BAD = {
    "truncated": (422, "truncated_image", saved(PLAIN, "PNG")[:400]),
    "empty": (400, "empty_file", b""),
    "bomb": (413, "too_many_pixels", png_that_claims(60_000, 60_000)),
    "above our limit": (413, "too_many_pixels", png_that_claims(1500, 1400)),
    "text": (415, "not_an_image", b"<html>404 not found</html>"),
    "floating point": (415, "unsupported_format", saved(Image.new("F", (200, 200)), "TIFF")),
    "tiny": (422, "too_small", saved(PLAIN.resize((8, 8)), "PNG")),
    "too large": (413, "file_too_large", b"\xff\xd8" + bytes(MAX_BYTES)),
}


@pytest.mark.parametrize("name", sorted(BAD))
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_a_bad_photo_is_a_problem(strict, name, accept):
    """With the status and reason of docs/service.md, whichever answer was asked for."""
    status, reason, content = BAD[name]
    answered = strict.search(content, {"Accept": accept})
    told = answered.json()
    assert (answered.status_code, told["status"], told["reason"]) == (status, status, reason)
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert told["type"] == f"urn:lookbook:problem:{reason}"
    assert told["instance"] == "/search"
    assert len(told["detail"]) > 15


@pytest.mark.parametrize(
    "image",
    [
        saved(PLAIN.convert("CMYK"), "JPEG"),
        saved(Image.fromarray(np.full((300, 200), 40_000, np.uint16)), "PNG"),
        saved(PLAIN.convert("P"), "PNG"),
        saved(PLAIN.convert("P"), "GIF", save_all=True, append_images=[PLAIN.rotate(90).convert("P")]),
        saved(Image.new("RGB", (400, 400), "white"), "PNG"),
    ],
    ids=["cmyk", "sixteen bit", "palette", "animated", "blank"],
)
def test_an_odd_photo_is_searched(strict, image):
    """As the catalogue takes them, too; a blank one is searched as it is, and its flags say so."""
    assert strict.search(image).status_code == 200


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"k": "0"}, "k: takes a whole number from 1 to 100"),
        ({"k": "many"}, "k: takes a whole number from 1 to 100"),
        ({"semantic": "1"}, "all three"),
        ({"semantic": "0", "texture": "0", "color": "0"}, "all 0"),
        ({"semantic": "nan", "texture": "1", "color": "1"}, "semantic: takes a number from 0 to 1000000"),
        ({"price_min": "-1"}, "price_min: takes a number that is 0 or more"),
        ({"price_min": "9", "price_max": "1"}, "exchange the two"),
        ({"box": "0,0,1"}, "box: "),
        ({"box": "0.9,0,0.1,1"}, "box: "),
        ({"box": "nan,0,1,1"}, "box: "),
        ({"colour": "1"}, "colour: no such field"),
        ({"k": ["1", "2"]}, "k: given 2 times"),
        ({"in_stock": "perhaps"}, "in_stock: takes true or false"),
        ({"candidates": "maybe"}, "candidates: takes true or false"),
        ({"brand": ["a"] * 30}, "brand: "),
        ({"category": "x" * 9000}, "field holds over"),
    ],
)
def test_a_bad_field_is_named(strict, photos, fields, told):
    """422, and the field's name."""
    answered = strict.search(photos[0], **fields)
    assert (answered.status_code, answered.json()["reason"]) == (422, "bad_field")
    assert told in answered.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "reason", "told"),
    [
        ({"category": "dres"}, "unknown_category", "did you mean 'dress'?"),
        ({"brand": "Fjordlan"}, "unknown_brand", "the nearest are 'Fjordlane'"),
        ({"box": "0.1,0.1,0.101,0.101"}, "bad_search", "box"),
        ({"box": "0.1,0.1,0.12,0.12"}, "too_small", "at least 16 a side"),
    ],
)
def test_what_the_bundle_has_not(strict, photos, fields, reason, told):
    """422, with the nearest name there is."""
    answered = strict.search(photos[0], **fields)
    assert (answered.status_code, answered.json()["reason"]) == (422, reason)
    assert told in answered.json()["detail"]


def post(service, **options: object) -> tuple[int, str]:
    """A raw POST to /search; returns its status and reason."""
    answered = httpx.post(f"{service.url}/search", timeout=30, **options)
    return answered.status_code, answered.json()["reason"]


def test_what_is_no_form(strict, photos):
    """Another type, no boundary, an end that is missing, parts without names, too many parts, packed bytes."""
    form = "multipart/form-data; boundary=b"
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    assert post(strict, content=b"{}", headers={"Content-Type": "application/json"}) == (415, "not_a_form")
    assert post(strict, content=photos[0]) == (415, "not_a_form")
    assert post(strict, content=b"x", headers={"Content-Type": "multipart/form-data"}) == (415, "not_a_form")
    assert post(strict, content=part + photos[0], headers={"Content-Type": form}) == (400, "broken_form")
    assert post(strict, content=b"", headers={"Content-Type": form}) == (400, "broken_form")
    assert post(strict, content=b"--b\r\n\r\nx\r\n--b--", headers={"Content-Type": form}) == (400, "broken_form")
    packed = {"Content-Type": form, "Content-Encoding": "gzip"}
    assert post(strict, content=zlib.compress(part), headers=packed) == (415, "packed")
    assert post(strict, files=[(f"f{number}", b"") for number in range(60)]) == (400, "broken_form")
    assert post(strict, files=[("file", photos[0]), ("file", photos[1])]) == (422, "bad_field")
    assert post(strict, files={"k": (None, "1")}) == (422, "no_photo")
    assert post(strict, files={"file": photos[0], "brand": (None, b"\xff\xfe")}) == (422, "bad_field")


def connect(service) -> socket.socket:
    """A plain connection."""
    return socket.create_connection(("127.0.0.1", service.port), timeout=20)


def read_answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """The status and the JSON of an answer, read to the connection's end."""
    received = b""
    while part := connection.recv(65536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


HEAD = "POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="secret-name.jpg"\r\n\r\n'


def test_a_body_that_tells_its_length_is_refused_before_it_is_sent(strict):
    """A gigabyte is announced, none is sent: the answer comes at once."""
    started = time.monotonic()
    with connect(strict) as connection:
        connection.sendall(f"{HEAD}Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n".encode())
        status, told = read_answer(connection)
    assert (status, told["reason"]) == (413, "file_too_large")
    assert time.monotonic() - started < 5


def test_a_body_without_its_length_is_counted(strict):
    """Chunks without an end are stopped at the limit, and whoever sends them still reads why."""
    with connect(strict) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(b"%x\r\n%s\r\n" % (len(PART), PART))
        for _ in range(20):
            connection.sendall(b"8000\r\n" + bytes(0x8000) + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        status, told = read_answer(connection)
    assert (status, told["reason"]) == (413, "file_too_large")


def test_a_slow_upload_is_ended(strict):
    """A byte now and then is not a photo: 408 after --upload-seconds, here 1."""
    started = time.monotonic()
    with connect(strict) as connection:
        connection.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n".encode() + PART)
        for _ in range(6):
            time.sleep(0.2)
            connection.sendall(b"x")
        status, told = read_answer(connection)
    assert (status, told["reason"]) == (408, "too_slow")
    assert 1 <= time.monotonic() - started < 8


def test_a_sender_who_leaves_is_forgotten(strict):
    """Closed in the middle of a photo, before it, half-closed and reset; others are answered meanwhile."""
    for sent in (b"", PART, PART + bytes(5000)):
        connection = connect(strict)
        connection.sendall(f"{HEAD}Content-Length: 100000\r\n\r\n".encode() + sent)
        connection.close()
        with connect(strict) as half_closed:
            half_closed.sendall(f"{HEAD}Content-Length: 100000\r\n\r\n".encode() + sent)
            half_closed.shutdown(socket.SHUT_WR)
            assert half_closed.recv(100) == b""
        connection = connect(strict)
        connection.sendall(f"{HEAD}Content-Length: 100000\r\n\r\n".encode() + sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    strict.wait_until(lambda: strict.log.count("POST /search 499") >= 9)


def test_who_has_said_all_and_closed_that_side_is_answered(strict, photos):
    """A whole photo, then half-closed."""
    body = PART + photos[0] + b"\r\n--b--\r\n"
    with connect(strict) as connection:
        connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        status, found = read_answer(connection)
    assert status == 200
    assert found["results"]


def test_what_is_no_http(strict):
    """Noise, a request that never ends its headers, a method that is none."""
    for noise in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"G" * 100_000,
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        with connect(strict) as connection:
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            assert b"500" not in connection.recv(100)


def test_nothing_of_an_upload_is_logged(strict, photos):
    """Neither the photo's name, nor a field, nor a query: method, path, status, milliseconds."""
    httpx.post(
        f"{strict.url}/search?token=secret-query",
        files={"file": ("secret-name.jpg", photos[0])},
        data={"category": "secret-category"},
        timeout=30,
    )
    strict.get("/secret%0d%0aline")
    strict.wait_until(lambda: "/secret%0D%0Aline" in strict.log)
    assert "POST /search 422" in strict.log
    for told in ("secret-name", "secret-query", "secret-category", "127.0.0.1 "):
        assert told not in strict.log
