"""What a feed is and how it is to be read: `FeedDescription`, from a TOML file or from the feed's data alone.

Belongs here: the keys of a description and their defaults. docs/feeds.md has the table of keys for the shop's engineer.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from catalog.errors import FeedError
from catalog.formats.feeds.decoding import regular_file
from catalog.formats.feeds.detection import FORMATS, tell_format
from catalog.formats.feeds.download_rules import DownloadRules, download_rules
from catalog.formats.feeds.items import has_unfit
from catalog.formats.feeds.photos import url_prefix
from catalog.formats.feeds.prices import CURRENCIES
from catalog.formats.feeds.toml_tables import Table, did_you_mean, load_toml, type_name

MAPPED_FORMATS = ("csv", "jsonl", "parquet")  # those whose columns the shop names itself
DELIMITED_FORMATS = ("csv", "google_merchant_tsv", "shopify_csv", "asos_csv")
OUR_COLUMNS = (
    "product_id", "variant", "category", "title", "price", "currency", "url", "brand", "availability", "color",
    "pattern", "image", "images", "image_sha256", "mask",
)  # fmt: skip
_QUERY_KEYS = (
    "format", "path", "photos", "currency", "delimiter", "columns", "where", "categories", "photo_urls", "download",
)  # fmt: skip
_KEYS = (*_QUERY_KEYS, "queries")
_SEPARATOR = "images_separator"  # stands among the columns, beside `images`, and is none


@dataclass(frozen=True, kw_only=True)
class FeedDescription:
    """All it takes to read one feed. Paths are absolute; every table is in the order of the file."""

    format: str  # one of FORMATS
    path: Path
    photos: Path  # the folder that photo paths start from; nothing outside it is read
    currency: str = ""  # ISO 4217, where the feed gives none; "" where unknown
    delimiter: str = ""  # of the delimited formats; "" is "told from the header"
    columns: Mapping[str, str] = field(default_factory=dict)  # ours = theirs; empty: they are named like ours
    images_separator: str = ""  # between the photos in one cell of `images`
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # column = the values that are kept
    categories: Mapping[str, str] = field(default_factory=dict)  # theirs = ours
    photo_urls: Mapping[str, Path] = field(default_factory=dict)  # URL prefix = the folder of its copy
    download: DownloadRules | None = None  # how web photos without a copy are fetched; None: they are not
    queries: "FeedDescription | None" = None  # labelled query photos, for the benchmark

    def fingerprint(self, home: Path | None = None) -> str:
        """Hex sha256 of everything here: two descriptions share it only where they mean the same reading.

        It says nothing of the feed's content; that is the data's own hash. Paths below `home` count as relative to it,
        so that a home may be moved with its feed.
        """
        root = home.resolve() if home else None
        return hashlib.sha256(json.dumps(_plain(self, root), sort_keys=True).encode("utf-8")).hexdigest()


def load_feed(path: Path) -> FeedDescription:
    """Describe the feed at `path`: a TOML description, or the feed's data itself, a file or a folder.

    Raises: FeedError, one line: nothing there, broken TOML, an unknown key, a wrong type, a path that doesn't exist.
    """
    path = Path(path).absolute()
    if path.suffix.lower() == ".toml":
        return _from_table(Table(load_toml(path), path))
    if not _exists(path):
        raise FeedError(f"{path}: no such feed: name a feed description (.toml), a feed file or a folder of categories")
    return FeedDescription(format=tell_format(path), path=path, photos=path if path.is_dir() else path.parent)


def _from_table(
    table: Table, above: FeedDescription | None = None, above_table: Table | None = None
) -> FeedDescription:
    """`above` is the description that gives [queries] what they leave out, `above_table` what it was read from."""
    table.allow(_KEYS if above is None else _QUERY_KEYS)
    path = _path(table, above)
    form = table.text("format") or (above.format if above else tell_format(path))
    if form not in FORMATS:
        raise table.error("format", f"no format {form!r}{did_you_mean(form, FORMATS)}; known: {', '.join(FORMATS)}")
    if path.is_dir() != (form == "folders"):
        raise table.error("path", f"{path} is a {'folder' if path.is_dir() else 'file'}, which format {form} can't be")
    if form != "folders":
        regular_file(path)
    columns, separator = _columns(table, form, above)
    currency = table.text("currency") or (above.currency if above else "")
    if currency and currency not in CURRENCIES:
        raise table.error("currency", f'{currency!r} is no code of ISO 4217: write it as "EUR"')
    description = FeedDescription(
        format=form,
        path=path,
        photos=_photos(table, form, path, above_table),
        currency=currency,
        delimiter=_delimiter(table, form, above),
        columns=columns,
        images_separator=separator,
        where=_where(table, form, above),
        categories=_categories(table, above),
        photo_urls=_photo_urls(table, above),
        download=_download(table, above),
    )
    queries = table.table("queries")
    return replace(description, queries=_from_table(queries, description, table)) if queries else description


def _path(table: Table, above: FeedDescription | None) -> Path:
    given = table.text("path")
    if given is None:
        if above is None:
            raise table.error("path", 'is missing: name the feed, path = "products.csv"')
        return above.path
    path = _absolute(table, "path", given)
    if not _exists(path):
        raise table.error("path", f"{path} does not exist (it is taken from the description's own folder)")
    return path


def _photos(table: Table, form: str, path: Path, above_table: Table | None) -> Path:
    if form == "folders":
        if table.text("photos") is not None:
            raise table.error("photos", "format folders reads the photos in `path` itself: leave it out")
        return path
    for one in (table, above_table):
        if one is not None and (given := one.text("photos")) is not None:
            return _existing_folder(one, "photos", given)
    return path.parent


def _existing_folder(table: Table, key: str, given: str) -> Path:
    folder = _absolute(table, key, given)
    if not folder.is_dir():
        raise table.error(key, f"{folder} is no folder (it is taken from the description's own folder)")
    return folder


def _absolute(table: Table, key: str, given: str) -> Path:
    """Links above the last name are resolved, the last one isn't: "latest.csv" stays the feed's name."""
    if has_unfit(given):
        raise table.error(key, f"{given!r} holds a character that no path can hold")
    whole = table.path.parent / given
    return whole.resolve() if whole.name == ".." else whole.parent.resolve() / whole.name


def _delimiter(table: Table, form: str, above: FeedDescription | None) -> str:
    given = table.values.get("delimiter")  # not `text`: a tab is white space, and is meant
    if given is None:
        return above.delimiter if above and form in DELIMITED_FORMATS else ""
    if form not in DELIMITED_FORMATS:
        raise table.error("delimiter", f"format {form} has none: leave it out")
    if not isinstance(given, str) or len(given) != 1 or given in '"\r\n\0':
        raise table.error("delimiter", f'must be one character, such as ";" or "\\t", not {given!r}')
    return given


def _columns(table: Table, form: str, above: FeedDescription | None) -> tuple[dict[str, str], str]:
    columns = table.table("columns")
    if columns is None:
        return (dict(above.columns), above.images_separator) if above and form in MAPPED_FORMATS else ({}, "")
    if form not in MAPPED_FORMATS:
        raise table.error("columns", f"format {form} names its columns itself: leave the table out")
    columns.allow((*OUR_COLUMNS, _SEPARATOR))
    separator = columns.values.get(_SEPARATOR, "")
    if not isinstance(separator, str):
        raise columns.error(_SEPARATOR, f'must be text, such as "|", not {type_name(separator)}')
    texts = {ours: columns.text(ours) or "" for ours in columns.values if ours != _SEPARATOR}
    for needed in ("product_id", "category"):
        if needed not in texts:
            raise columns.error(needed, "is missing: name the feed's column for it")
    if "image" not in texts and "images" not in texts:
        raise columns.error("image", "is missing: name the feed's column for it, or `images` for one with several")
    if separator and "images" not in texts:
        raise columns.error(_SEPARATOR, 'needs `images` beside it: images = "the column with several photos"')
    return texts, separator


def _where(table: Table, form: str, above: FeedDescription | None) -> dict[str, tuple[str, ...]]:
    where = table.table("where")
    if where is None:
        return dict(above.where) if above and form != "folders" else {}
    if form == "folders":
        raise table.error("where", "format folders has no columns to choose rows by: leave it out")
    chosen = {}
    for column, value in where.values.items():
        values = value if isinstance(value, list) else [value]
        if not values:
            raise where.error(column, "an empty list keeps no row: name a value")
        for one in values:
            if not isinstance(one, str | int | float):
                raise where.error(column, f"must be text, a number, or a list of them, not {type_name(one)}")
        chosen[column] = tuple(str(v).lower() if isinstance(v, bool) else str(v).strip() for v in values)
    return chosen


def _photo_urls(table: Table, above: FeedDescription | None) -> dict[str, Path]:
    urls = table.table("photo_urls")
    if urls is None:
        return dict(above.photo_urls) if above else {}
    for prefix in urls.values:
        if "://" not in prefix:
            raise urls.error(prefix, 'must be the start of a URL, such as "https://cdn.shop.example/"')
    return {url_prefix(prefix): _existing_folder(urls, prefix, text) for prefix, text in urls.texts().items()}


def _categories(table: Table, above: FeedDescription | None) -> dict[str, str]:
    given = table.table("categories")
    if given is None:
        return dict(above.categories) if above else {}
    if not all(theirs.strip() for theirs in given.values):
        raise given.error('""', "the shop's own name of a category can't be empty")
    return {theirs.strip(): ours.strip() for theirs, ours in given.texts().items()}


def _download(table: Table, above: FeedDescription | None) -> DownloadRules | None:
    given = table.table("download")
    if given is None:
        return above.download if above else None
    return download_rules(given)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long, a folder that may not be entered
        return False


def _plain(value: Any, root: Path | None) -> Any:
    if isinstance(value, FeedDescription | DownloadRules):
        return {f.name: _plain(getattr(value, f.name), root) for f in fields(value)}
    if isinstance(value, Mapping):
        return [[k, _plain(v, root)] for k, v in value.items()]
    if isinstance(value, Path):
        return value.relative_to(root).as_posix() if root and value.is_relative_to(root) else str(value)
    return value
