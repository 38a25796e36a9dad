"""What the attributes of a Google Merchant product feed mean; XML and TSV share it.

Source: Google's product data specification (support.google.com/merchants/answer/7052112), attributes id,
item_group_id, product_type, google_product_category, image_link, additional_image_link, price.
"""

from collections.abc import Mapping, Sequence

from catalog.formats.feeds.items import FeedItem

# Every other attribute (shipping, gtin, size ...) is passed over.
ATTRIBUTES = frozenset(
    {
        "id", "item_group_id", "title", "link", "image_link", "additional_image_link", "price", "product_type",
        "google_product_category", "brand", "availability", "color", "pattern",
    }
)  # fmt: skip


def merchant_item(attributes: Mapping[str, Sequence[str]], more_images: Sequence[str], where: str) -> FeedItem:
    """One offer as an item.

    Google's `id` is one variant's: with an `item_group_id` that is the product and `id` the variant, without one `id`
    is the product. The category is the shop's own `product_type`, else `google_product_category`: of a path such as
    "Home > Women > Dresses" its last name, of several product types (a comma apart) the first.
    Args: each attribute's values, in the feed's order; the additional images, which each format separates its own way.
    """

    def first(name: str) -> str:
        return next((v for v in attributes.get(name, ()) if v.strip()), "")

    offer, group = first("id"), first("item_group_id")
    own_type = first("product_type").split(",")[0].strip()
    path = own_type or first("google_product_category").strip()
    return FeedItem(
        where=where,
        product_id=group if group.strip() else offer,
        variant=offer if group.strip() else "",
        own_id=offer.strip(),
        category=path.rpartition(">")[2].strip(),
        category_path=path,
        title=first("title"),
        price=first("price"),
        url=first("link"),
        brand=first("brand"),
        availability=first("availability"),
        color=first("color"),
        pattern=first("pattern"),
        images=tuple(i for i in (first("image_link"), *more_images) if i.strip()),
    )
