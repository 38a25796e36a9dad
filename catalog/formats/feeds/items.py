"""What a format hands on: one `FeedItem` for an entry of the feed, as the shop wrote it, before any rule is applied.

Belongs here: the item, the words for refusing one, and the choice of rows by `[where]`. The rules on ids, categories,
prices and photos are in `assembly`; how bytes become items is in the module of each format.
"""

import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from catalog.records import Outcome, Reason, Rejection

STAGE = "raw_catalog"  # the asset that the rejected table names
MAX_FIELD_CHARS = 131_072  # of one field; also the csv module's own limit
SHOWN_CHARS = 256  # of a value that a message quotes; the longest usable id still fits
_LISTED_COLUMNS = 40
_COLUMN_CHARS = 40  # of one of them
_LISTED_CHARS = 400  # of all of them

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")  # Unicode category Cc
_SURROGATE = re.compile("[\ud800-\udfff]")  # a half character: no file can hold it


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedItem:
    """One entry of a feed. Text is the shop's own, neither cleaned nor checked; "" is "not given"."""

    where: str  # "products.csv line 17"
    product_id: str
    variant: str = ""
    own_id: str = ""  # the id that may stand only once in the feed; "" where rows may share one
    id_is_path: bool = False  # made from folder names: its "/" is ours, not the shop's
    category: str = ""
    category_path: str = ""  # the longer name that [categories] may also use: "Women > Dresses > Maxi"
    title: str = ""
    price: str | float = ""  # a number only where the format has numbers
    currency: str = ""
    url: str = ""
    brand: str = ""
    availability: str = ""
    color: str = ""
    pattern: str = ""
    images: tuple[str, ...] = ()  # main photo first
    image_sha256: str = ""  # of the first photo's bytes, where the shop gives it
    mask: str = ""  # of the first photo


def shown(text: str) -> str:
    """`text` fit for one line of a table or a message: control and lone surrogate characters escaped, cut when long."""
    text = text[: SHOWN_CHARS + 1]
    if has_unfit(text):
        text = "".join(c.encode("unicode_escape").decode("ascii") if has_unfit(c) else c for c in text)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"


def clean(text: str) -> str:
    """One line of `text` that any file can hold: control characters become spaces, lone surrogates U+FFFD."""
    if text.isprintable():
        return text.strip()
    return " ".join(_SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text)).split())


def has_unfit(text: str) -> bool:
    """Whether `text` holds a control character or half of a character: nothing that a name or a path can carry."""
    return _CONTROL.search(text) is not None or _SURROGATE.search(text) is not None


def reject(
    where: str,
    reason: Reason,
    detail: str,
    *,
    outcome: Outcome = Outcome.REJECTED,
    product_id: str = "",
    variant: str = "",
    image: str = "",
) -> Rejection:
    """A row of the rejected table; what the shop wrote is made printable first."""
    return Rejection(
        stage=STAGE,
        reason=reason,
        outcome=outcome,
        detail=clean(detail),
        where=shown(where),
        product_id=shown(product_id),
        variant=shown(variant),
        image=shown(image),
    )


def listed(columns: Collection[str]) -> str:
    """A feed's columns for a message: the first of them where there are many, the start of each where it is long."""
    names: list[str] = []
    for column in itertools.islice(columns, _LISTED_COLUMNS):
        text = shown(column)
        names.append(repr(text if len(text) <= _COLUMN_CHARS else text[: _COLUMN_CHARS - 1] + "…"))
        if sum(map(len, names)) > _LISTED_CHARS:
            break
    more = f" and {len(columns) - len(names)} more" if len(columns) > len(names) else ""
    return ", ".join(names) + more if names else "none"


class RowChoice:
    """The rows that `[where]` keeps, and how many it passed over: the count explains an empty result."""

    def __init__(self, where: Mapping[str, tuple[str, ...]]) -> None:
        self.where = where
        self.passed_over = 0

    def keeps(self, fields: Mapping[str, str]) -> bool:
        """Whether each column of `[where]` has one of its values, surrounding spaces aside."""
        for column, values in self.where.items():
            if fields.get(column, "").strip() not in values:
                self.passed_over += 1
                return False
        return True

    def __str__(self) -> str:
        return " and ".join(f"{column} = {' or '.join(map(repr, v))}" for column, v in self.where.items())
