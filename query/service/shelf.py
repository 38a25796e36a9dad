"""The bundle that is served, and the next one: opened, checked and warmed beside it, then exchanged in one step.

A request takes what is open when it begins and keeps it to its end; the old bundle is let go by the last of them.
"""

import hashlib
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from catalog.errors import BundleError, LookbookError
from catalog.formats.manifest import NAME
from catalog.formats.signatures import Trust
from query.engine import Engine
from query.golden import check_golden
from query.service.problems import Problem

LOG = logging.getLogger("lookbook")
LONGEST_WAIT_S = 30.0  # between two looks at a bundle that was no good

Seen = tuple[str, int, int, int]  # where the bundle is, and its manifest's inode, time and size


@dataclass(frozen=True)
class Opened:
    """A bundle that answers."""

    engine: Engine
    doubt: str = ""  # what its golden queries found otherwise than its builder; "" where they are as they were

    @property
    def version(self) -> str:
        """The digest of all that the bundle holds."""
        return str(self.engine.bundle.manifest["bundle_version"])

    @cached_property
    def thumbs(self) -> dict[str, tuple[Path, str]]:
        """The path and sha256 of every item's picture, by its name: no other file is ever read for a request."""
        manifest = self.engine.bundle.manifest
        names = {str(item["thumb"]) for item in self.engine.bundle.items}
        return {
            name.rpartition("/")[2]: (manifest.path(name), str(manifest["files"][name]["sha256"])) for name in names
        }

    @cached_property
    def about(self) -> dict[str, Any]:
        """What GET /bundle says of the bundle itself."""
        bundle = self.engine.bundle
        weights = bundle.weights
        prices = [float(item["price"]) for item in bundle.items if item.get("price") is not None]
        currencies = Counter(str(item["currency"]) for item in bundle.items if item.get("currency"))
        return {
            **self.brief,
            "items": len(bundle.items),
            "categories": sorted(bundle.category_rows),
            "brands": list(bundle.brands),
            "price": {
                "least": min(prices),
                "most": max(prices),
                "currency": currencies.most_common(1)[0][0] if currencies else "",
            }
            if prices
            else None,
            "weights": {
                "semantic": weights.semantic,
                "texture": weights.texture,
                "color": weights.color,
                "color_gate": weights.color_gate,
            },
            "results": int(bundle.manifest["ranking"]["results"]),
        }

    @cached_property
    def brief(self) -> dict[str, Any]:
        """What every answer says of the bundle."""
        return {
            "version": self.version,
            "profile": str(self.engine.bundle.manifest.values.get("profile", "")),
            "products": len(set(self.engine.bundle.products.tolist())),
        }


def open_checked(folder: Path, trust: Trust) -> Opened:
    """Open a bundle in memory, every file held to its digest, and have it answer its golden queries.

    They are asked although the digests were right: a sound bundle can still answer otherwise with this machine's ONNX
    Runtime or an older Lookbook's ways, and asking warms the models, so that the first request is as fast as the next.
    Raises: LookbookError that says what is wrong with it.
    """
    try:
        engine = Engine(folder, trust=trust, in_memory=True)
        engine.warm_up()
        opened = Opened(engine, _doubt(engine))
        _ = opened.thumbs, opened.about
    except LookbookError:
        raise
    except Exception as error:  # a bundle is others' bytes: whatever is wrong with it, the old one goes on
        raise BundleError(f"{folder}: can't be opened ({type(error).__name__}: {error}); build it again") from error
    return opened


def _doubt(engine: Engine) -> str:
    try:
        check_golden(engine)
    except BundleError as error:
        return f"{engine.bundle.manifest.folder}: {error}; build the bundle again with this Lookbook"
    return ""


class Shelf:
    """Holds the bundle that is served and looks for the next one, in a thread of its own.

    A bundle that answers its golden queries otherwise is served only where there is no better one: after an upgrade of
    Lookbook the old bundle is better than none, but nothing replaces one that is right by one that is in doubt.
    """

    def __init__(self, folder: Path, trust: Trust, look_every_s: float) -> None:
        self.problem = ""  # why the bundle that is there is not the one that is served; "" while it is
        self.failed_switches = 0
        self.switches = 0
        self._folder = folder
        self._trust = trust
        self._look_every_s = look_every_s
        self._opened: Opened | None = None
        self._earlier_thumbs: dict[str, tuple[Path, str]] = {}
        self._served: Seen | None = None
        self._refused: Seen | None = None
        self._next_try, self._wait_s = 0.0, look_every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lookbook-shelf", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    @property
    def version(self) -> str:
        """Of what is served; "" while there is nothing."""
        opened = self._opened
        return opened.version if opened else ""

    def current(self) -> Opened:
        """The bundle that is served now. Raises: Problem while there is none."""
        opened = self._opened
        if opened is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "not_ready",
                self.problem or "the bundle is being opened; try again in a moment",
                {"Retry-After": "2"},
            )
        return opened

    def thumb(self, name: str) -> bytes:
        """A picture of the bundle, or of the one before: a page that was answered by it still shows its pictures.

        Raises: Problem for a name that is none, or a file that is gone or is not what it was.
        """
        found = self.current().thumbs.get(name) or self._earlier_thumbs.get(name)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "no_thumb", "this bundle has no such picture; search again")
        path, wanted = found
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Problem(
                HTTPStatus.NOT_FOUND, "no_thumb", "the picture was removed with its bundle; search again"
            ) from error
        if hashlib.sha256(content).hexdigest() != wanted:
            raise Problem(HTTPStatus.NOT_FOUND, "no_thumb", "the picture was damaged; build the bundle again")
        return content

    def look(self) -> None:
        """Look once: open what is new, and tell of what is no good."""
        try:
            seen = self._see()
        except OSError as error:
            self._tell(f"{self._folder / NAME}: can't be read ({error.strerror}); build a bundle there")
            return
        before = self._opened
        if seen == self._served and before is not None:
            self._refused, self.problem = None, before.doubt
            return
        if seen == self._refused and time.monotonic() < self._next_try:
            return
        try:
            opened = open_checked(self._folder, self._trust)
            if opened.doubt and before is not None and not before.doubt:
                raise BundleError(opened.doubt)
        except LookbookError as error:
            again = seen == self._refused
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S) if again else self._look_every_s
            self._refused, self._next_try = seen, time.monotonic() + self._wait_s
            self.failed_switches += not again
            self._tell(str(error))
            return
        self._exchange(opened, seen)

    def _exchange(self, opened: Opened, seen: Seen) -> None:
        before = self._opened
        if before is not None and before.version != opened.version:
            self._earlier_thumbs = before.thumbs
        self._opened = opened
        self._served, self._refused, self.problem = seen, None, ""
        self.switches += before is not None
        LOG.info("serving bundle %s, %s products", opened.version, opened.brief["products"])
        if opened.doubt:
            self._tell(opened.doubt)

    def _see(self) -> Seen:
        where = self._folder.resolve()
        found = (where / NAME).stat()
        return str(where), found.st_ino, found.st_mtime_ns, found.st_size

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            LOG.warning("%s; %s", problem, f"serving {self.version}" if self.version else "there is nothing to serve")
        self.problem = problem

    def _watch(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception as error:  # the watch must go on: what it serves is well
                self._tell(f"{self._folder}: can't be looked at ({type(error).__name__}: {error})")
            self._ended.wait(self._look_every_s)
