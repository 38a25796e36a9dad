"""What a service is started with: which bundle, where it listens, what it takes, who may ask."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from catalog.errors import LookbookError
from catalog.formats.signatures import NOBODY, Trust

MIB = 2**20
KEY_VARIABLE = "LOOKBOOK_API_KEY"
LEAST_KEY = 8  # characters
LOCAL_NAME = "localhost"

FetchPhoto = Callable[[str, int], bytes]  # an address and the most bytes; raises catalog.errors.DownloadError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that the service is told; nothing of it changes while it runs."""

    bundle: Path  # a folder or a link to one, which need not be there yet
    trust: Trust = NOBODY
    host: str = "127.0.0.1"
    port: int = 8080
    key: str = ""  # "" asks for none
    max_bytes: int = 20 * MIB  # of a photo
    max_pixels: int | None = None  # None: as many as the bundle says
    at_once: int = 4  # searches
    waiting: int = 32  # searches that may wait for their turn
    upload_s: float = 30.0  # a request's whole body must be here within
    look_every_s: float = 1.0  # for a new bundle
    origins: tuple[str, ...] = ()  # other sites whose pages may ask, such as https://shop.example
    fetch_photo: FetchPhoto | None = None  # None: no search by URL

    def __post_init__(self) -> None:
        """Raises: LookbookError for a service that would be open to everybody, or an origin that is none."""
        if self.key and len(self.key) < LEAST_KEY:
            raise LookbookError(
                f"the API key has {len(self.key)} characters, at least {LEAST_KEY} are needed; "
                'make one with: python -c "import secrets; print(secrets.token_urlsafe())"'
            )
        if not self.key and not self.on_loopback:
            raise LookbookError(
                f"--host {self.host} is open to other machines and there is no API key; set {KEY_VARIABLE} or name "
                "an --api-key-file, or listen on 127.0.0.1"
            )
        for origin in self.origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.netloc
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise LookbookError(f"--allow-origin {origin}: is no origin; give it as https://shop.example")

    @property
    def on_loopback(self) -> bool:
        """Can only this machine reach the service?"""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Is this name or address this machine's own, reached by nobody else?"""
    bare = host.removeprefix("[").removesuffix("]").rstrip(".").lower()
    if bare == LOCAL_NAME:
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def read_key(file: Path | None, from_environment: str) -> str:
    """The API key: what the file holds, else the environment's; "" where there is neither.

    Raises: LookbookError for a file that can't be read or holds no key.
    """
    if file is None:
        return from_environment.strip()
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no text"
        raise LookbookError(f"{file}: the API key can't be read ({told})") from error
    if not key:
        raise LookbookError(f"{file}: is empty; write the API key into it")
    return key
