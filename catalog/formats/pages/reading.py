"""What a page says of its products, by whichever way it says it."""

from dataclasses import replace

from catalog.formats.pages.html import Page
from catalog.formats.pages.json_ld import nodes
from catalog.formats.pages.open_graph import filled, open_graph_product
from catalog.formats.pages.product import PageProduct
from catalog.formats.pages.schema_org import category_of_breadcrumbs, schema_org_products


def read_products(page: Page) -> list[PageProduct]:
    """The variants of the page's products, none where it has none of its own. Nothing is judged here.

    schema.org JSON-LD goes first. OpenGraph is asked where it has none, and for what its one product leaves out.
    """
    found = nodes(page.json_ld)
    products = schema_org_products(found, page)
    if not products:
        alone = open_graph_product(page)
        products = [alone] if alone else []
    elif len({product.product_id for product in products}) == 1:
        products = [filled(product, page) for product in products]
    return [
        replace(product, category=product.category or category_of_breadcrumbs(found, product.title, page))
        for product in products
    ]
