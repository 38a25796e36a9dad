"""A feed out of product pages: from URLs, sitemaps and listings to our own columns; each page not used has its reason.

Belongs here: which pages are asked for, and what becomes of them. What a page says is `catalog.formats.pages`, how it
is asked is `resources.web`.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from catalog.errors import DownloadError
from catalog.formats.feeds.download_rules import MIB, DownloadRules
from catalog.formats.pages.collection import CollectionFiles, PageState
from catalog.formats.pages.html import parse_page
from catalog.formats.pages.product import PageProduct
from catalog.formats.pages.reading import read_products
from catalog.formats.pages.sitemaps import MAX_BYTES, parse_sitemap
from catalog.records import Reason
from resources.web.fetching import Answer, Fetcher
from resources.web.robots import Robots

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"
PAGE_RULES = DownloadRules(per_host=2, timeout_s=30, max_bytes=MAX_BYTES, retries=2)
MAX_PAGE_BYTES = 16 * MIB
WORKERS = 16
SITEMAP_LEVELS = 3

Render = Callable[[str, bytes, str], Awaitable[bytes]]  # a page's URL, what was sent, its type -> after its scripts


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user asked for."""

    follow: bool = False  # links of listing pages, on their own host
    refresh: bool = False  # ask again for pages that were had
    category: str = ""  # of products whose page says none
    max_pages: int = 2000


@dataclass
class Collected:
    """What came of a run."""

    products: list[PageProduct] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)
    states: dict[str, PageState] = field(default_factory=dict)  # by URL, in the order of their discovery
    fetched: int = 0
    not_modified: int = 0
    had: int = 0  # not asked for: read by an earlier run
    left_out: int = 0  # beyond max_pages


class Collector:
    """One run over a shop's pages."""

    def __init__(
        self, fetcher: Fetcher, files: CollectionFiles, choices: Choices, progress: Callable[[int, int], None]
    ) -> None:
        """The fetcher's rules hold for every page; what is remembered in `files` is gone on from."""
        self.result = Collected()
        self._fetcher, self._files, self._choices, self._progress = fetcher, files, choices, progress
        self._robots = Robots(fetcher)
        self._known = files.read_pages()
        self._listings: set[str] = set()

    async def collect(self, urls: Sequence[str], render: Render | None = None) -> Collected:
        """Read the pages, sitemaps and listings at `urls`; `render` opens a page in a browser."""
        pages, seen = list(dict.fromkeys(urls)), set(urls)
        self._listings = set(urls)
        for _ in range(SITEMAP_LEVELS + 1):
            found = await self._round(pages, render)
            further = [link for url in pages for link in self._further(found.get(url))]
            pages = [url for url in dict.fromkeys(further) if url not in seen]
            seen.update(pages)
            if not pages:
                break
        self._judge()
        return self.result

    async def _round(self, urls: Sequence[str], render: Render | None) -> dict[str, PageState]:
        room = max(0, self._choices.max_pages - len(self.result.states))
        self.result.left_out += max(0, len(urls) - room)
        found: dict[str, PageState] = {}
        waiting = list(reversed(urls[:room]))

        async def work() -> None:
            while waiting:
                url = waiting.pop()
                found[url] = await self._page(url, render)
                self._progress(len(found), len(urls[:room]))

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(WORKERS, len(waiting))):
                    workers.create_task(work())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        self.result.states.update({url: found[url] for url in urls[:room] if found[url].reason != _SITEMAP})
        return found

    def _further(self, state: PageState | None) -> Iterable[str]:
        """What a sitemap names on its own host, and what a page that was named links to there if links are followed."""
        if state is None or not (state.reason == _SITEMAP or (state.url in self._listings and self._choices.follow)):
            return ()
        host = urlsplit(state.url).netloc
        return [link for link in state.links if urlsplit(link).netloc == host]

    async def _page(self, url: str, render: Render | None) -> PageState:
        known = self._known.get(url)
        if known and any(product.images for product in known.products) and not self._choices.refresh:
            self.result.had += 1
            return known
        try:
            state = await self._ask(url, known, render)
        except DownloadError as error:
            if known and not known.reason and error.status not in (404, 410):
                kept = f"read earlier, and kept so: {error.detail}"
                return replace(known, detail=f"{error.reason}: {kept}")
            state = PageState(url=url, reason=str(error.reason), detail=error.detail)
        if state.reason != _SITEMAP:
            self._files.remember(state)
        return state

    async def _ask(self, url: str, known: PageState | None, render: Render | None) -> PageState:
        body = io.BytesIO()
        had = known if known and not known.reason and not render else PageState(url=url)
        answer = await self._fetcher.get(
            url, body, etag=had.etag, last_modified=had.last_modified, allow=self._robots.allow
        )
        if answer.not_modified:
            self.result.not_modified += 1
            return replace(had, detail="")
        self.result.fetched += 1
        content = body.getvalue()
        if sitemap := parse_sitemap(content, answer.url):
            return PageState(url=url, reason=_SITEMAP, links=(*sitemap.sitemaps, *sitemap.pages))
        if len(content) > MAX_PAGE_BYTES:
            raise DownloadError(
                Reason.FILE_TOO_LARGE, f"a page of {len(content)} bytes, at most {MAX_PAGE_BYTES} are read"
            )
        if render is not None:
            content = await render(answer.url, content, answer.content_type)
            answer = replace(answer, content_type="text/html; charset=utf-8")
        return _read(url, answer, content)

    def _judge(self) -> None:
        """Every page's products, or why there are none; of two with one id and variant the first stands."""
        standing: dict[tuple[str, str], str] = {}
        for url, state in self.result.states.items():
            if state.reason or state.detail:
                outcome = "rejected" if state.reason else "kept"
                if not (state.links and url in self._listings and self._choices.follow):
                    self._tell(url, state.reason or Reason.DOWNLOAD_FAILED, state.detail, outcome)
            for product in state.products:
                product = replace(product, category=product.category or self._choices.category)
                name = (product.product_id, product.variant)
                if not product.category:
                    self._tell(url, Reason.MISSING_CATEGORY, "the page names no category: give one with --category")
                elif not product.images:
                    self._tell(url, Reason.MISSING_IMAGE, "the page names no image of the product; try --browser")
                elif name in standing:
                    self._tell(
                        url, Reason.DUPLICATE_ID, f"{standing[name]} has the same product and variant, and stands"
                    )
                else:
                    standing[name] = url
                    self.result.products.append(product)

    def _tell(self, url: str, reason: str, detail: str, outcome: str = "rejected") -> None:
        self.result.rejected.append({"url": url, "reason": str(reason), "outcome": outcome, "detail": detail})


_SITEMAP = "sitemap"  # in place of a reason: a state that is used and forgotten


def _read(url: str, answer: Answer, content: bytes) -> PageState:
    page = parse_page(content, answer.url, answer.content_type)
    products = read_products(page)
    if not products:
        detail = "neither JSON-LD nor OpenGraph says that this is a product; a page that scripts fill needs --browser"
        return PageState(url=url, reason=Reason.NO_PRODUCT, detail=detail, links=tuple(page.links))
    return PageState(url=url, etag=answer.etag, last_modified=answer.last_modified, products=tuple(products))
