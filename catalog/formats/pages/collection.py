"""The files of a collection: the feed and its description, what is remembered of each page, what was not usable.

`shop.jsonl` is the feed, `shop.toml` beside it describes it, `shop.pages.jsonl` has a line a page (written to as pages
come, so that a killed run is gone on with), `shop.rejected.jsonl` a line for each page or product that is not used.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import FormatError
from catalog.formats import atomic
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.formats.pages.product import PageProduct

_DESCRIPTION = """\
# Collected from product pages by `lookbook collect`. Build with: lookbook build --feed {name}.toml
format = "jsonl"
path = "{name}.jsonl"

[download] # photos are fetched from the shop's own addresses
"""


@dataclass(frozen=True, kw_only=True)
class PageState:
    """What one page gave the last time that it was read."""

    url: str
    etag: str = ""
    last_modified: str = ""
    reason: str = ""  # why it gave nothing; "" of a page that was read
    detail: str = ""
    products: tuple[PageProduct, ...] = ()
    links: tuple[str, ...] = ()  # of a page without a product, which is asked for by every run: not written


@dataclass(frozen=True)
class CollectionFiles:
    """Where a collection's files lie, all beside the feed."""

    feed: Path

    @property
    def description(self) -> Path:
        """The feed's description."""
        return self.feed.with_suffix(".toml")

    @property
    def pages(self) -> Path:
        """What is remembered of each page."""
        return self.feed.with_suffix(".pages.jsonl")

    @property
    def rejected(self) -> Path:
        """What was not usable, and why."""
        return self.feed.with_suffix(".rejected.jsonl")

    def read_pages(self) -> dict[str, PageState]:
        """What is remembered, by URL; a last line that a killed run left unfinished is passed over.

        Raises: FormatError, a line that is not ours.
        """
        if not self.pages.exists():
            return {}
        states = {}
        lines = self.pages.read_text(encoding="utf-8", errors="replace").split("\n")
        for place, line in enumerate(lines, 1):
            try:
                state = _state(json.loads(line)) if line else None
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                if place == len(lines):  # no line end: a killed run was writing it
                    break
                raise FormatError(f"{self.pages} line {place}: not a page's line ({error}); remove the file") from error
            if state:
                states[state.url] = state
        return states

    def remember(self, state: PageState) -> None:
        """Add a page's line."""
        with self.pages.open("a", encoding="utf-8") as file:
            file.write(_line(asdict(replace(state, links=()))))

    def write_rejected(self, rejected: Sequence[Mapping[str, str]]) -> None:
        """Say what was not usable, in place of what an earlier run said."""
        atomic.write_text(self.rejected, "".join(map(_line, rejected)))

    def write(
        self,
        states: Iterable[PageState],
        products: Iterable[PageProduct],
        rules: DownloadRules,
    ) -> None:
        """Put the collection's files in place, each whole; a description that is there is the user's own, and stays."""
        atomic.write_text(self.pages, "".join(_line(asdict(replace(state, links=()))) for state in states))
        atomic.write_text(self.feed, "".join(_line(asdict(product)) for product in products))
        if not self.description.exists():
            asked = {"allow_private": rules.allow_private, "use_proxy": rules.use_proxy}
            lines = "".join(f"{key} = true\n" for key, value in asked.items() if value)
            atomic.write_text(self.description, _DESCRIPTION.format(name=self.feed.stem) + lines)


def _state(values: dict[str, Any]) -> PageState:
    products = tuple(PageProduct(**{**one, "images": tuple(one["images"])}) for one in values.pop("products"))
    return PageState(**{**values, "links": tuple(values["links"])}, products=products)


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"
