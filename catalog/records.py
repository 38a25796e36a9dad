"""The records that pass between stages, and the named reasons for what is turned away. No logic, no files."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class CatalogRow:
    """One photo of one variant of one product, as the shop's feed gives it: a row of `raw_catalog`."""

    product_id: str  # the shop's own, kept for ever, byte for byte
    variant: str  # the shop's own name of the variant; "" where the product has only one
    image_index: int  # 0 for the variant's main photo, then 1, 2 ... in the feed's order
    image: str  # the photo's path or URL as the feed gives it
    image_path: str  # absolute local path of the photo; "" of one on the network that is still to be fetched
    category: str
    title: str = ""
    price: float | None = None
    currency: str = ""  # ISO 4217, "" where unknown
    url: str = ""
    brand: str = ""
    availability: str = ""
    color: str = ""  # the shop's own word
    pattern: str = ""  # the shop's own word
    image_sha256: str = ""  # that the feed says the photo's bytes have, lower-case hex; "" where it says nothing
    mask_path: str = ""  # absolute path of an exact mask; only labelled photos have one, only measures read it


class Reason(StrEnum):
    """Why a row or a photo was turned away, or was kept with a remark; the value is what the table shows."""

    # The feed
    BROKEN_ROW = "broken_row"
    CUT_SHORT = "cut_short"  # the feed ends where more must come
    MISSING_ID = "missing_id"
    UNUSABLE_ID = "unusable_id"
    UNUSUAL_ID = "unusual_id"
    DUPLICATE_ID = "duplicate_id"
    MISSING_CATEGORY = "missing_category"
    EMPTY_CATEGORY = "empty_category"
    CONFLICTING_CATEGORY = "conflicting_category"
    NOT_PUBLISHED = "not_published"
    UNREADABLE_PRICE = "unreadable_price"
    MISSING_IMAGE = "missing_image"
    REMOTE_IMAGE = "remote_image"
    IMAGE_OUTSIDE_ROOT = "image_outside_root"
    IMAGE_NOT_FOUND = "image_not_found"
    DOWNLOAD_FAILED = "download_failed"
    ADDRESS_REFUSED = "address_refused"
    OTHER_CONTENT = "other_content"
    # Pages that a feed is collected from
    ROBOTS_REFUSED = "robots_refused"
    NO_PRODUCT = "no_product"
    # The photo
    EMPTY_FILE = "empty_file"
    FILE_TOO_LARGE = "file_too_large"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED_IMAGE = "truncated_image"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    WRONG_EXTENSION = "wrong_extension"
    ANIMATED_IMAGE = "animated_image"
    CHANGED_MEANWHILE = "changed_meanwhile"
    # The stages
    UNKNOWN_PRODUCT = "unknown_product"
    QUERY_IN_GALLERY = "query_in_gallery"
    NO_PRODUCT_FOUND = "no_product_found"
    MODEL_FAILED = "model_failed"


class Outcome(StrEnum):
    """What became of a row that the rejected table names."""

    REJECTED = "rejected"
    KEPT = "kept"  # used all the same; the reason is a remark that somebody may want to act on


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """One row of the rejected table: nothing is turned away, or mended, without one."""

    stage: str  # the asset that says so
    reason: Reason
    outcome: Outcome
    detail: str  # what was found and how to mend it, in one sentence
    where: str  # place in the feed: "products.csv line 17"
    product_id: str = ""
    variant: str = ""
    image: str = ""
