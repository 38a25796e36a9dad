"""`lookbook collect`: a feed, and its description, out of a shop's product pages."""

from dataclasses import replace
from pathlib import Path

import click

from dagster_project.command_line import one_line


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="URL_OR_FILE...")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FEED.jsonl", help="The feed that is written."
)
@click.option("--follow", is_flag=True, help="Also read the pages that those named link to, on the same host.")
@click.option("--browser", is_flag=True, help="Open pages in Chromium, and scroll: for pages that scripts fill.")
@click.option("--refresh", is_flag=True, help="Ask again for pages that were read, too; only what changed is sent.")
@click.option("--category", default="", metavar="C", help="Of products whose page names none.")
@click.option("--max-pages", type=click.IntRange(1), default=2000, show_default=True, help="Read no more than these.")
@click.option("--allow-private", is_flag=True, help="Also ask private and loopback addresses.")
@click.option("--use-proxy", is_flag=True, help="Use the proxies that the environment names.")
def collect(
    sources: tuple[str, ...],
    out: Path,
    follow: bool,
    browser: bool,
    refresh: bool,
    category: str,
    max_pages: int,
    allow_private: bool,
    use_proxy: bool,
) -> None:
    """Make a feed of product pages, for a shop that has none.

    Each URL_OR_FILE is a product page, a sitemap, a listing (with --follow), or a file with such a URL a line. What
    JSON-LD or OpenGraph says becomes FEED.jsonl, with a description beside it: lookbook build --feed FEED.toml.
    robots.txt is kept to.
    """
    if out.suffix != ".jsonl":
        raise click.UsageError("--out: the feed's name must end in .jsonl")
    from dagster_project.collecting import run_collection
    from resources.page_collection import PAGE_RULES, Choices

    rules = replace(PAGE_RULES, allow_private=allow_private, use_proxy=use_proxy)
    choices = Choices(follow=follow, refresh=refresh, category=category.strip(), max_pages=max_pages)
    one_line(lambda: run_collection(sources, out, choices, rules, in_browser=browser))
