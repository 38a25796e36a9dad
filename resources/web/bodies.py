"""An answer's body, written out as it comes: never more of it than is allowed, whatever its headers claim."""

import zlib
from typing import BinaryIO

import httpx

from catalog.errors import DownloadError
from catalog.records import Reason

PASSED_OVER_BYTES = 65_536  # a new connection costs more than these
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # told from its header


async def write_body(response: httpx.Response, sink: BinaryIO, max_bytes: int) -> int:
    """Write a body to `sink`, unpacked where it is gzip or deflate; returns its bytes.

    Raises: DownloadError, more than `max_bytes` by its header, on the wire or unpacked, an encoding that is not read, a
    packed body that is damaged or ends early. An answer shorter than its Content-Length raises httpcore's own error.
    """
    declared = response.headers.get("Content-Length", "")
    if declared.isascii() and declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(f"{int(declared)} bytes", max_bytes)
    unpack = _unpacker(response.headers.get("Content-Encoding", ""))
    received = written = 0
    async for part in response.aiter_raw():
        received += len(part)
        if received > max_bytes:
            raise _too_large("more bytes came", max_bytes)
        if unpack is not None:
            part = _unpacked(unpack, part, max_bytes - written + 1)
        written += len(part)
        if written > max_bytes:
            raise _too_large(f"{received} bytes unpack to more", max_bytes)
        sink.write(part)
    if unpack is not None and received and not unpack.eof:
        raise DownloadError(Reason.DOWNLOAD_FAILED, "the packed body ends early: the server cut it short")
    return written


async def pass_over_body(response: httpx.Response) -> None:
    """Read to the end of a body that nobody wants, if it is short: only then is the connection used again."""
    received = 0
    async for part in response.aiter_raw():
        received += len(part)
        if received > PASSED_OVER_BYTES:
            return


def _unpacker(encoding: str) -> "zlib._Decompress | None":
    encoding = encoding.strip().casefold()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(_GZIP_OR_ZLIB)
    raise DownloadError(Reason.DOWNLOAD_FAILED, f"the body is packed as {encoding[:40]!r}, which was not asked for")


def _unpacked(unpack: "zlib._Decompress", part: bytes, room: int) -> bytes:
    try:
        return unpack.decompress(part, room)
    except zlib.error as error:
        raise DownloadError(Reason.DOWNLOAD_FAILED, f"the packed body is damaged ({error})") from error


def _too_large(found: str, max_bytes: int) -> DownloadError:
    return DownloadError(Reason.FILE_TOO_LARGE, f"{found}, at most {max_bytes} are fetched: give a smaller file")
