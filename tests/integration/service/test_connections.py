"""A connection on which no whole request comes is closed."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from query.service.connections import Connection


class Hasty(Connection):
    """Waits less, so that the test does."""

    headers_s = 0.5


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where a server listens that keeps its connections so."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(PlainTextResponse("here"), http=Hasty, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_headers_must_come_in_time(port, sent):
    """Nothing, a part of a line, a part of the headers; the same after a request that was answered."""
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for before in (b"", whole) if sent else (b"",):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(before)
            if before:
                assert connection.recv(65536).endswith(b"here")
            started = time.monotonic()
            connection.sendall(sent)
            assert connection.recv(65536) == b""
            assert 0.3 < time.monotonic() - started < 5
