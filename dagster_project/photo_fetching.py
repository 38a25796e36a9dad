"""`lookbook serve --allow-url-search`: one photo by its web address, fetched by the guarded code that feeds use."""

import asyncio
import io

from catalog.formats.feeds.download_rules import DownloadRules
from resources.downloads import ACCEPT
from resources.web.fetching import Fetcher

TIMEOUT_S = 10.0


def fetch_photo(url: str, max_bytes: int) -> bytes:
    """A photo's bytes, from a public address only; it is asked for once.

    Raises: DownloadError, an address that is none or not public, an answer that is no photo or too large.
    """
    return asyncio.run(_fetch(url, DownloadRules(max_bytes=max_bytes, timeout_s=TIMEOUT_S, retries=0)))


async def _fetch(url: str, rules: DownloadRules) -> bytes:
    sink = io.BytesIO()
    async with Fetcher(rules, accept=ACCEPT) as fetcher:
        await fetcher.get(url, sink)
    return sink.getvalue()
