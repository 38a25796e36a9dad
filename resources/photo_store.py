"""Photos from the network, stored once by content, and what is remembered of the URLs they came from.

`<folder>/<first two hex digits>/<sha256><extension>` holds a photo's own bytes. A table a stage has a row a URL; the
journal beside it has what a run has done since the table was written.
Belongs here: files and tables. Nothing is asked of the network.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from catalog.errors import FormatError
from catalog.formats import digests, tables
from catalog.vision.whole_photos import photo_extension

State = dict[str, Any]  # a row of `tables.DOWNLOADS`
JOURNAL = ".journal"
FORGOTTEN_AFTER = timedelta(days=30)  # a URL that no feed named: one bad night's feed forgets nothing


class PhotoStore:
    """The photos of one home, and one stage's URLs."""

    def __init__(self, folder: Path, table: Path) -> None:
        self.folder = folder
        self.table = table
        self.note = ""  # what a reader of the metadata should know
        self._journal = table.with_suffix(JOURNAL)

    def path(self, sha256: str, extension: str) -> Path:
        """Where the photo of that content lies."""
        return self.folder / sha256[:2] / f"{sha256}{extension}"

    def held(self, sha256: str) -> Path | None:
        """The photo of that content, if it is here to the byte."""
        for path in sorted((self.folder / sha256[:2]).glob(f"{sha256}.*")):
            with contextlib.suppress(OSError):
                if digests.of_file(path) == sha256:
                    return path
        return None

    @contextlib.contextmanager
    def incoming(self) -> Iterator[tuple[Path, BinaryIO]]:
        """A file to write a photo to, gone at the block's end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self.folder)
        try:
            with os.fdopen(handle, "w+b") as file:
                yield Path(name), file
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, incoming: Path, sha256: str) -> Path:
        """Take a photo that came into the store; returns its place.

        Raises: ImageError, it is not one whole photo.
        """
        extension = photo_extension(incoming)
        path = self.path(sha256, extension)
        path.parent.mkdir(exist_ok=True)
        incoming.chmod(0o644)
        incoming.replace(path)
        return path

    def read(self) -> dict[str, State]:
        """What is remembered, by URL, what a killed run noted included.

        A table that can't be read is as none, and `note` says so.
        """
        states: dict[str, State] = {}
        if self.table.exists():
            try:
                states = {row["url"]: row for row in tables.read(self.table, tables.DOWNLOADS)}
            except FormatError as error:
                self.note = f"photos fetched again: {error}"
        return states | self.noted()

    def noted(self) -> dict[str, State]:
        """What a run that was killed had done since the table was written, by URL."""
        states: dict[str, State] = {}
        for line in self._journal.read_bytes().split(b"\n") if self._journal.exists() else ():
            with contextlib.suppress(ValueError, TypeError, KeyError):  # a line that was being written, or a torn page
                state = json.loads(line)
                times = {name: datetime.fromisoformat(state[name]) for name in ("checked_at", "wanted_at")}
                if state.keys() == set(tables.DOWNLOADS.names):
                    states[state["url"]] = {**state, **times}
        return states

    def remember(self, state: State) -> None:
        """Note one URL at once: a killed run has done for nothing only what it was at."""
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(state, default=datetime.isoformat) + "\n")

    def write(self, states: Mapping[str, State]) -> None:
        """Remember, whole or not at all; URLs that no feed has named for long are forgotten."""
        oldest = datetime.now(UTC) - FORGOTTEN_AFTER
        tables.write(self.table, tables.DOWNLOADS, [row for row in states.values() if row["wanted_at"] > oldest])
        self._journal.unlink(missing_ok=True)
