"""The rules that make rows of feed items, the same for every format: ids, categories, duplicates, prices, photos.

Belongs here: every decision on what is kept and what is turned away. docs/feeds.md tells them to the shop's engineer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.formats.feeds.items import FeedItem, clean, has_unfit, reject
from catalog.formats.feeds.photos import Locate, Remote, Unlocated, without_login
from catalog.formats.feeds.prices import Price, parse_price
from catalog.records import CatalogRow, Outcome, Reason, Rejection

MAX_ID_CHARS = 256
_ID_MARGIN = " \t\r\n\u00a0\ufeff"  # around an id: spreadsheets leave it, no shop means it
_USUAL_ID = re.compile(r"[A-Za-z0-9._:-]+")
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the first good row of a variant said: later ones may add photos to it, not contradict it."""

    title: str
    price: float | None
    currency: str
    url: str
    where: str

    def contradiction(self, title: str, price: Price, url: str) -> str:
        """What a later row says otherwise, "" where nothing; saying nothing contradicts nothing."""
        if title and self.title and title != self.title:
            return "title"
        if price.amount is not None and self.price is not None and price[:2] != (self.price, self.currency):
            return "price"
        if url and self.url and url != self.url:
            return "url"
        return ""


class Assembly:
    """Rows and rejections so far, and what later items are compared with."""

    def __init__(self, locate: Locate, categories: Mapping[str, str], currency: str) -> None:
        self.rows: list[CatalogRow] = []
        self.rejected: list[Rejection] = []
        self.entries = 0  # items and broken rows: what the feed holds, used or not
        self._locate = locate
        self._categories = categories
        self._currency = currency
        self._own_ids: set[str] = set()
        self._category_of: dict[str, str] = {}  # by product_id
        self._standing: dict[tuple[str, str], _Standing] = {}  # by product_id and variant
        self._photo_counts: dict[tuple[str, str], int] = {}
        self._photos: set[tuple[str, str, str]] = set()  # product_id, variant, path or URL

    def add(self, found: FeedItem | Rejection) -> None:
        """Take one item, or what a format has turned away itself."""
        if isinstance(found, Rejection):
            self.entries += found.outcome is Outcome.REJECTED
            self.rejected.append(found)
            return
        self.entries += 1
        product_id, variant = found.product_id.strip(_ID_MARGIN), clean(found.variant)
        refusal = self._refusal_of_id(found, product_id)
        if refusal is None:
            self._add_identified(found, product_id, variant)
        else:
            self._reject(found, *refusal)

    def _refusal_of_id(self, item: FeedItem, product_id: str) -> tuple[Reason, str] | None:
        if not product_id:
            return Reason.MISSING_ID, "the row has no product id: every product needs one that stays"
        for name, text in (("id", product_id), ("variant", item.variant.strip(_ID_MARGIN))):
            if len(text) > MAX_ID_CHARS:
                return Reason.UNUSABLE_ID, f"the {name} has {len(text)} characters, at most {MAX_ID_CHARS} can be used"
            if has_unfit(text) or "\ufffd" in text:
                return Reason.UNUSABLE_ID, f"the {name} holds a control character or a byte that could not be read"
        if item.own_id and item.own_id.strip(_ID_MARGIN) in self._own_ids:
            return Reason.DUPLICATE_ID, "an earlier row has this id, and stands: give every product its own"
        return None

    def _add_identified(self, item: FeedItem, product_id: str, variant: str) -> None:
        category = self._category(item) or self._category_of.get(product_id, "")
        if not category:
            detail = "the row has no category: give it one, or name it in [categories]"
            return self._reject(item, Reason.MISSING_CATEGORY, detail)
        known = self._category_of.get(product_id, category)
        if known != category:
            detail = f"the product is in {known!r} by an earlier row, which stands, and in {category!r} by this one"
            return self._reject(item, Reason.CONFLICTING_CATEGORY, detail)
        title, url = clean(item.title), clean(item.url)
        price = parse_price(item.price, item.currency, self._currency)
        standing = self._standing.get((product_id, variant))
        if standing is not None and (other := standing.contradiction(title, price, url)):
            detail = f"{standing.where} has the same id and variant and another {other}, and stands: give one a new id"
            return self._reject(item, Reason.DUPLICATE_ID, detail)
        pin = clean(item.image_sha256).lower()
        if pin and not _SHA256.fullmatch(pin):
            detail = "image_sha256 is no SHA-256, which has 64 hex digits: mend it, or leave it out"
            return self._reject(item, Reason.OTHER_CONTENT, detail)
        photos = self._located(item, product_id, variant)
        if not photos:
            return None
        if standing is None:
            standing = _Standing(title, price.amount, price.currency, url, item.where)
            self._standing[product_id, variant] = standing
            if price.problem:
                self._remark(item, Reason.UNREADABLE_PRICE, price.problem)
        if product_id not in self._category_of:
            self._category_of[product_id] = category
            if not _is_usual(product_id.replace("/", "-") if item.id_is_path else product_id):
                detail = "kept as it is; letters, digits and . _ - : are what every other system takes too"
                self._remark(item, Reason.UNUSUAL_ID, detail)
        if item.own_id:
            self._own_ids.add(item.own_id.strip(_ID_MARGIN))
        mask = self._mask(item)
        index = self._photo_counts.get((product_id, variant), 0)
        self._photo_counts[product_id, variant] = index + len(photos)
        for offset, (reference, place) in enumerate(photos):
            self._photos.add((product_id, variant, str(place)))
            is_first = reference == item.images[0].strip()
            self.rows.append(
                CatalogRow(
                    product_id=product_id,
                    variant=variant,
                    image_index=index + offset,
                    image=without_login(reference),
                    image_path="" if isinstance(place, Remote) else place,
                    category=category,
                    title=title or standing.title,
                    price=price.amount if price.amount is not None else standing.price,
                    currency=price.currency if price.amount is not None else standing.currency,
                    url=url or standing.url,
                    brand=clean(item.brand),
                    availability=clean(item.availability),
                    color=clean(item.color),
                    pattern=clean(item.pattern),
                    image_sha256=pin if is_first else "",
                    mask_path=mask if is_first else "",
                )
            )
        return None

    def _category(self, item: FeedItem) -> str:
        """Ours, where [categories] names theirs, whole path or last name; else the shop's own word."""
        word, path = clean(item.category), clean(item.category_path)
        return self._categories.get(path) or self._categories.get(word) or word

    def _located(self, item: FeedItem, product_id: str, variant: str) -> list[tuple[str, str | Remote]]:
        """The item's photos, as given and where they are; each of the others is turned away by itself."""
        if not item.images:
            self._reject(item, Reason.MISSING_IMAGE, "the row has no photo: add its path or URL")
        located: dict[str | Remote, str] = {}
        for reference in map(str.strip, item.images):
            place = self._locate(reference)
            if isinstance(place, Unlocated):
                self._reject(item, place.reason, place.detail, reference)
            elif place in located or (product_id, variant, str(place)) in self._photos:
                detail = "the same product and variant has this photo already: remove the row, or name another photo"
                self._reject(item, Reason.DUPLICATE_ID, detail, reference)
            else:
                located[place] = reference
        return [(reference, place) for place, reference in located.items()]

    def _mask(self, item: FeedItem) -> str:
        if not item.mask.strip():
            return ""
        place = self._locate(item.mask)
        if isinstance(place, Unlocated):
            self._remark(item, place.reason, f"the mask is left out: {place.detail}", item.mask)
            return ""
        if isinstance(place, Remote):
            detail = "the mask is left out: only photos are fetched, give a local path"
            self._remark(item, Reason.REMOTE_IMAGE, detail, item.mask)
            return ""
        return place

    def _reject(self, item: FeedItem, reason: Reason, detail: str, image: str | None = None) -> None:
        self._tell(item, reason, detail, image, Outcome.REJECTED)

    def _remark(self, item: FeedItem, reason: Reason, detail: str, image: str | None = None) -> None:
        self._tell(item, reason, detail, image, Outcome.KEPT)

    def _tell(self, item: FeedItem, reason: Reason, detail: str, image: str | None, outcome: Outcome) -> None:
        self.rejected.append(
            reject(
                item.where,
                reason,
                detail,
                outcome=outcome,
                product_id=item.product_id.strip(_ID_MARGIN),
                variant=item.variant.strip(_ID_MARGIN),
                image=without_login(image if image is not None else next(iter(item.images), "")),
            )
        )


def _is_usual(product_id: str) -> bool:
    return _USUAL_ID.fullmatch(product_id) is not None and ".." not in product_id
