"""The feed's web photos, brought here: only what changed is fetched, and what was had before is not lost.

Belongs here: what is asked for, in which order, and what an answer means for the store. How one URL is asked is
`resources.web.fetching`; files and the table of URLs are `resources.photo_store`.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from catalog.errors import DownloadError, ImageError
from catalog.formats import digests
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.records import Reason
from resources.photo_store import PhotoStore, State
from resources.web.fetching import Answer, Fetcher

ACCEPT = "image/avif,image/webp,image/png,image/jpeg,image/*;q=0.8,*/*;q=0.5"


@dataclass(frozen=True)
class Had:
    """One URL's photo: here, or not; with a failure and a path it is the one that was fetched earlier."""

    path: Path | None
    failure: DownloadError | ImageError | None = None


@dataclass
class Fetched:
    """What came of a stage's URLs."""

    photos: dict[str, Had] = field(default_factory=dict)  # by URL
    downloaded: int = 0
    not_modified: int = 0
    not_asked: int = 0  # young enough, or pinned and here
    kept: int = 0  # failed, and an earlier content stands in
    failed: int = 0
    downloaded_bytes: int = 0
    seconds: float = 0.0
    note: str = ""


def fetch_photos(
    pins: Mapping[str, str],
    rules: DownloadRules,
    store: PhotoStore,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fetched:
    """Bring every URL of `pins` to what its server has now; a value is the sha256 that the photo must have, or "".

    A killed run is gone on with: only photos that were on their way are fetched again. OSError of the disk stops it.
    """
    started = time.perf_counter()
    run = _Run(pins, rules, store, progress)
    try:
        _in_a_thread(run.all())
    finally:
        store.write(run.states)
    run.result.seconds = time.perf_counter() - started
    run.result.note = store.note
    return run.result


def _in_a_thread(work: Coroutine[object, object, None]) -> None:
    """Run `work` to its end in a loop of its own thread.

    Dagster turns a signal into an exception in the main thread, wherever that is: in the middle of a loop's callback
    it would be logged with its stack. Here it only finds the wait, and cancels the work in an orderly way.
    """
    with asyncio.Runner() as runner, ThreadPoolExecutor(1, thread_name_prefix="photos") as thread:
        loop = runner.get_loop()
        task = loop.create_task(work)
        done = thread.submit(loop.run_until_complete, task)
        try:
            done.result()
        except BaseException:
            loop.call_soon_threadsafe(task.cancel)
            raise


class _Run:
    """One stage's fetching, from first to last."""

    def __init__(
        self, pins: Mapping[str, str], rules: DownloadRules, store: PhotoStore, progress: Callable[[int, int], None]
    ) -> None:
        self.result = Fetched()
        self.states = store.read()
        self._pins, self._rules, self._store, self._progress = pins, rules, store, progress
        self._now = datetime.now(UTC).replace(microsecond=0)

    async def all(self) -> None:
        """Every URL, hosts side by side, each with so many workers as the rules allow."""
        by_host: dict[str, deque[str]] = defaultdict(deque)
        for url in self._pins:
            by_host[_host(url)].append(url)
        try:
            async with Fetcher(self._rules, accept=ACCEPT) as fetcher, asyncio.TaskGroup() as workers:
                for urls in by_host.values():
                    for _ in range(min(self._rules.per_host, len(urls))):
                        workers.create_task(self._work(urls, fetcher))
        except BaseExceptionGroup as group:  # a full disk stops every worker; the first one's word is enough
            raise group.exceptions[0] from None

    async def _work(self, urls: deque[str], fetcher: Fetcher) -> None:
        while urls:
            url = urls.popleft()
            self.result.photos[url] = await self._bring(url, fetcher)
            self._progress(len(self.result.photos), len(self._pins))

    async def _bring(self, url: str, fetcher: Fetcher) -> Had:
        known, pin = self.states.get(url), self._pins[url]
        if known:
            known["wanted_at"] = self._now
        earlier = await asyncio.to_thread(self._store.held, pin or (known["sha256"] if known else "-"))
        if earlier and (pin or self._is_young(known)):
            self.result.not_asked += 1
            if pin and (known is None or known["sha256"] != pin):
                self.states[url] = self._state(url, pin, Answer(url=url, not_modified=True))
            return Had(earlier)
        validators = {name: known[name] for name in ("etag", "last_modified")} if known and earlier else {}
        try:
            return Had(await self._ask(url, fetcher, validators) or earlier)
        except (DownloadError, ImageError) as error:
            if known:
                known["status"] = str(error.reason)
            self.result.kept += earlier is not None
            self.result.failed += earlier is None
            return Had(earlier, error)

    async def _ask(self, url: str, fetcher: Fetcher, validators: Mapping[str, str]) -> Path | None:
        """The photo that came, None where nothing changed."""
        with self._store.incoming() as (incoming, file):
            answer = await fetcher.get(url, file, **validators)
            if answer.not_modified:
                self.states[url].update(checked_at=self._now, status="not_modified")
                self.result.not_modified += 1
                return None
            file.flush()  # no fsync: a file that a power cut spoils no longer fits its name, and is fetched again
            sha256 = await asyncio.to_thread(digests.of_file, incoming)
            if self._pins[url] not in ("", sha256):
                raise DownloadError(
                    Reason.OTHER_CONTENT, f"the feed's image_sha256 is {self._pins[url]}, what came has {sha256}"
                )
            try:
                path = await asyncio.to_thread(self._store.keep, incoming, sha256)
            except ImageError as error:
                sent = f", sent as {answer.content_type[:80]!r}" if answer.content_type else ""
                raise ImageError(error.reason, f"{error.detail}{sent}") from error
        self.states[url] = self._state(url, sha256, answer)
        self._store.remember(self.states[url])
        self.result.downloaded += 1
        self.result.downloaded_bytes += answer.size_bytes
        return path

    def _state(self, url: str, sha256: str, answer: Answer) -> State:
        return State(
            url=url,
            sha256=sha256,
            etag=answer.etag,
            last_modified=answer.last_modified,
            status="not_modified" if answer.not_modified else "downloaded",
            checked_at=self._now,
            wanted_at=self._now,
        )

    def _is_young(self, known: State | None) -> bool:
        """Asked for so short a time ago that it is not asked for again; a failure is never young."""
        if known is None or known["status"] not in ("downloaded", "not_modified"):
            return False
        age: timedelta = self._now - known["checked_at"]
        return timedelta() <= age < timedelta(hours=self._rules.max_age_hours)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.casefold()
    except ValueError:  # brackets that are no IPv6 address: the fetcher says so
        return ""


def wanted_urls(references: Iterable[tuple[str, str]]) -> dict[str, str]:
    """URL -> pin, of (URL, pin) pairs; a URL that is pinned to two contents is pinned to none here."""
    pins: dict[str, str] = {}
    for url, pin in references:
        pins[url] = pin if pins.get(url, pin) == pin else ""
    return pins
