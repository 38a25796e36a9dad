"""A seeded shop, drawn: product photos, query photos, exact masks and labels.

`plan` puts the shop on paper, `photos` draws one photo of a plan, `write` writes a whole shop as files. Below them
`products` picks the maker: `garments` (on `figures`) and `goods`, cut to the `shapes` that `styles` chose, from cloth
that `prints` and `palettes` give, with the kit in `drawing`; `scenes` is where a photo is taken.
"""
