"""A service's process: its socket, its log, uvicorn, and its end."""

import logging
import socket
import sys

import uvicorn

from catalog.errors import LookbookError
from query.service.app import build_app
from query.service.connections import Connection
from query.service.settings import Settings

KEEP_ALIVE_S = 15
GRACE_S = 20  # for the requests in flight, once the service is told to end
BACKLOG = 1024


def run_service(settings: Settings) -> None:
    """Serve until a signal ends it; requests in flight are answered first.

    Raises: LookbookError where nothing can listen at the host and port.
    """
    _log_to_standard_error()
    listening = _bound(settings.host, settings.port)
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    logging.getLogger("lookbook").info("listening on http://%s:%d", shown, port)
    config = uvicorn.Config(
        build_app(settings),
        http=Connection,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        told = f"can't listen on {host} port {port} ({error.strerror or error}); choose another --port or --host"
        raise LookbookError(told) from error
    return listening


def _log_to_standard_error() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("lookbook", logging.INFO), ("uvicorn", logging.WARNING), ("asyncio", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
