"""`lookbook collect`: pages named by hand, by files or by sitemaps, read into a feed with its description."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import click
from filelock import FileLock, Timeout

from catalog.errors import LookbookError
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.formats.feeds.photos import has_login, web_address
from catalog.formats.pages.collection import CollectionFiles
from catalog.formats.pages.sitemaps import parse_sitemap
from resources.page_collection import ACCEPT, Choices, Collected, Collector
from resources.progress_bars import progress_bar
from resources.web.browser import ScriptedPages
from resources.web.fetching import Fetcher

SHOWN = 20  # pages that are named on the terminal; all of them are in the file


def run_collection(
    sources: Sequence[str], out: Path, choices: Choices, rules: DownloadRules, *, in_browser: bool
) -> None:
    """Read the sources' pages into `out`, and say what came of them; ends with exit code 1 where no product did.

    Raises: LookbookError, one line, when a source can't be read, or another run writes to `out`.
    """
    urls = [url for source in sources for url in _urls(source)]
    files = CollectionFiles(out.absolute())
    files.feed.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(files.feed.with_name(f".{files.feed.name}.lock"), timeout=0):
            collected = asyncio.run(_collect(urls, files, choices, rules, in_browser=in_browser))
            files.write_rejected(collected.rejected)
            if collected.products:
                files.write(collected.states.values(), collected.products, rules)
    except Timeout as error:
        raise LookbookError(f"{out}: another collection writes to it: wait for it, or end it") from error
    _tell(collected, files, choices)
    if not collected.products:
        raise LookbookError(f"none of {len(collected.states)} pages gave a product; {out} is left as it was")


async def _collect(
    urls: Sequence[str], files: CollectionFiles, choices: Choices, rules: DownloadRules, *, in_browser: bool
) -> Collected:
    async with AsyncExitStack() as opened:
        fetcher = await opened.enter_async_context(Fetcher(rules, accept=ACCEPT, packed=True))
        browser = await opened.enter_async_context(ScriptedPages(rules)) if in_browser else None
        collector = Collector(fetcher, files, choices, progress_bar("pages", "page"))
        return await collector.collect(urls, browser.render if browser else None)


def _urls(source: str) -> list[str]:
    """A source's addresses: its own, or those in the file that it names."""
    if url := web_address(source):
        return [_checked(url, source)]
    path = Path(source).expanduser()
    if not path.is_file():
        raise LookbookError(f"{source}: neither a URL, which begins with https:// or http://, nor a file")
    content = path.read_bytes()
    if sitemap := parse_sitemap(content, ""):
        return [*sitemap.sitemaps, *sitemap.pages]
    lines = content.decode("utf-8-sig", "replace").splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        if (text := line.strip()) and not text.startswith("#"):
            found.append(_checked(web_address(text), f"{path} line {number}"))
    if not found:
        raise LookbookError(f"{path}: no URL in it: write one a line")
    return found


def _checked(url: str, where: str) -> str:
    if not url or has_login(url):
        raise LookbookError(f"{where}: is no http or https URL without a password: mend it")
    return url


def _tell(collected: Collected, files: CollectionFiles, choices: Choices) -> None:
    for row in collected.rejected[:SHOWN]:
        click.echo(f"  {row['outcome']} {row['reason']}: {row['url']}: {row['detail']}", err=True)
    if len(collected.rejected) > SHOWN:
        click.echo(f"  ... and {len(collected.rejected) - SHOWN} more, all in {files.rejected}", err=True)
    if collected.left_out:
        click.echo(f"  {collected.left_out} pages more were found: raise --max-pages {choices.max_pages}", err=True)
    counts = Counter(row["outcome"] for row in collected.rejected)
    click.echo(
        f"{len({product.product_id for product in collected.products})} products, {len(collected.products)} variants "
        f"of {len(collected.states)} pages: {collected.fetched} fetched, {collected.not_modified} not modified, "
        f"{collected.had} read before; {counts['rejected']} rejected, {counts['kept']} kept as they were"
    )
    if collected.products:
        click.echo(f"build with: lookbook build --feed {files.description}")
