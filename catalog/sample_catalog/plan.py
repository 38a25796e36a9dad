"""The shop on paper: every product with all that fixes it, before anything is drawn.

A product's plan depends on the shop's seed and its own number alone, so a larger shop begins with the smaller one's
products, and a photo can be drawn from its plan in any process.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.errors import LookbookError
from catalog.sample_catalog.palettes import COLORS, Colorway, make_colorway
from catalog.sample_catalog.prints.design import PRINTS, PrintDesign, make_design
from catalog.sample_catalog.styles.table import CODES, STYLES, Shape, Style

CATEGORIES = tuple(STYLES)
_PRINT_ROUND = (*PRINTS, "plain")  # plain goods are the commonest in a shop
_BRANDS = ("Maren & Holt", "Ostwind", "Lumen Row", "Petit Sillage", "Fjordlane", "Casa Brisa", "Northbeck")
_GOODS = ("bag", "cushion", "mug")
_SECOND_COLOR, _SECOND_PHOTO = 0.15, 0.25  # shares of products with another color, and of variants with another photo

_ANIMAL_LEADS = ("camel", "beige", "cream", "brown", "white", "rust", "black", "blush", "mustard", "grey", "sage")
_PRINT_WORDS = {
    "polka_dot": "Polka-dot",
    "color_block": "Color-block",
    "floral": "Floral",
    "striped": "Striped",
    "checked": "Checked",
    "geometric": "Geometric",
    "animal": "Animal-print",
    "plain": "",
}
_MOTIF_WORDS = {
    "leopard": "Leopard-print",
    "zebra": "Zebra-print",
    "tiger": "Tiger-print",
    "giraffe": "Giraffe-print",
    "cow": "Cow-print",
    "cheetah": "Cheetah-print",
    "gingham": "Gingham",
    "tartan": "Tartan",
    "houndstooth": "Houndstooth",
    "breton": "Breton-striped",
    "tropical": "Tropical-floral",
    "ditsy": "Ditsy-floral",
    "chevron": "Chevron",
    "argyle": "Argyle",
    "heather": "Heather",
    "rib": "Ribbed",
    "twill": "Twill",
    "waffle": "Waffle",
    "slub": "Slub",
}


@dataclass(frozen=True, kw_only=True)
class PhotoPlan:
    """One photo of the shop."""

    stage: str  # model, mannequin, ghost, flat; "still" for goods that stand by themselves
    back: bool
    seed: int


@dataclass(frozen=True, kw_only=True)
class VariantPlan:
    """One coloring of a product."""

    name: str  # the feed's variant; "" where the product has only one
    colorway: Colorway
    photos: tuple[PhotoPlan, ...]


@dataclass(frozen=True, kw_only=True)
class ProductPlan:
    """All that fixes one product."""

    number: int
    seed: int
    product_id: str
    category: str
    style: str
    shape: Shape
    design: PrintDesign
    weave: str
    gloss: float
    man: bool
    title: str  # of the first variant; `title_of` gives another's
    noun: str
    price: float
    currency: str
    brand: str
    availability: str
    variants: tuple[VariantPlan, ...]

    @property
    def print_label(self) -> str:
        """The print's label, a key of PRINTS."""
        return self.design.label

    def url(self) -> str:
        """The product's page."""
        return f"https://shop.example/p/{self.product_id.lower()}"


def title_of(design: PrintDesign, noun: str, color: str) -> str:
    """What the shop calls a product of this design, cut and color."""
    word = _MOTIF_WORDS.get(design.motif, _PRINT_WORDS[design.label])
    words = f"{word} {noun} in {color}".strip()
    return words[0].upper() + words[1:]


def plan_shop(seed: int, products: int) -> tuple[ProductPlan, ...]:
    """Plan `products` products; the first ten already show every category, and every print.

    Raises: LookbookError, fewer than one product or a negative seed.
    """
    if products < 1:
        raise LookbookError(f"products is {products}, but a sample shop has at least 1: ask for more")
    if seed < 0:
        raise LookbookError(f"seed is {seed}, but a seed is 0 or more: give another")
    return tuple(plan_product(seed, number) for number in range(products))


def plan_product(seed: int, number: int) -> ProductPlan:
    """Plan one product of the shop `seed`; the same as `plan_shop` gives."""
    rng = np.random.default_rng([seed, number])
    category = CATEGORIES[number % len(CATEGORIES)]
    turn = number // len(CATEGORIES)
    shop = np.random.default_rng([seed, 10**6 + number % len(CATEGORIES)])  # the category's own order of styles
    styles = STYLES[category]
    style = styles[(turn + int(shop.integers(len(styles)))) % len(styles)]
    label = _PRINT_ROUND[(turn * 4 + number % len(CATEGORIES)) % len(_PRINT_ROUND)]
    design = _fit_design(make_design(label, rng), category, style)
    man = bool(rng.random() < style.men)
    product_id = f"LB-{CODES[category]}-{number + 1:04d}"
    words = _color_words(label, rng, 2 if rng.random() < _SECOND_COLOR else 1)
    stages = _stages(category)
    variants = []
    for word in words:
        photos = [_plan_photo(rng, stages, category, first=True)]
        if rng.random() < _SECOND_PHOTO:
            photos.append(_plan_photo(rng, stages, category, first=False))
        colorway = make_colorway(word, rng, light_ground=design.light_ground, stark=label == "animal")
        name = f"{product_id}-{word}" if len(words) > 1 else ""
        variants.append(VariantPlan(name=name, colorway=colorway, photos=tuple(photos)))
    low, high = style.price
    price = round(float(np.exp(rng.uniform(np.log(low), np.log(high))))) + float(rng.choice((-0.01, -0.05, 0.5, 0.0)))
    weave, gloss = _material(category, design, rng)
    return ProductPlan(
        number=number,
        seed=seed,
        product_id=product_id,
        category=category,
        style=style.name,
        shape=style.make(rng),
        design=design,
        weave=weave,
        gloss=gloss,
        man=man,
        title=title_of(design, style.noun, words[0]),
        noun=style.noun,
        price=round(price, 2),
        currency="EUR",
        brand=str(rng.choice(_BRANDS)),
        availability=str(rng.choice(("in_stock", "in_stock", "in_stock", "in_stock", "out_of_stock", "preorder"))),
        variants=tuple(variants),
    )


def _color_words(label: str, rng: np.random.Generator, count: int) -> list[str]:
    names = list(_ANIMAL_LEADS) if label == "animal" and rng.random() < 0.75 else list(COLORS)
    if label in ("floral", "polka_dot", "striped", "geometric", "animal") and rng.random() < 0.25:
        names = ["white", "cream", "beige", "blush", "sky"]  # pale grounds are what such prints mostly have
    return [str(word) for word in rng.choice(names, size=count, replace=False)]


def _stages(category: str) -> tuple[tuple[str, float], ...]:
    if category in _GOODS:
        return (("still", 1.0),)
    return (("model", 0.5), ("mannequin", 0.16), ("ghost", 0.18), ("flat", 0.16))


def _plan_photo(
    rng: np.random.Generator, stages: tuple[tuple[str, float], ...], category: str, *, first: bool
) -> PhotoPlan:
    stage = str(rng.choice([name for name, _ in stages], p=[share for _, share in stages]))
    back = not first and category not in _GOODS and bool(rng.random() < 0.5)
    return PhotoPlan(stage=stage, back=back, seed=int(rng.integers(2**31)))


def _fit_design(design: PrintDesign, category: str, style: Style) -> PrintDesign:
    """The print at the size that suits the goods: small on mugs, larger on maxi dresses."""
    scale = {"mug": 0.36, "bag": 0.85, "cushion": 1.15}.get(category, 1.0)
    if "maxi" in style.noun:
        scale = 1.15
    if design.label == "color_block":
        scale = 1.0
    motif = design.motif
    if (
        design.label == "color_block"
        and motif == "sleeves"
        and (category in (*_GOODS, "skirt") or style.name in ("tiered_maxi", "sheath"))
    ):
        motif = "bands"
    return replace(design, repeat_cm=design.repeat_cm * scale, motif=motif)


def _material(category: str, design: PrintDesign, rng: np.random.Generator) -> tuple[str, float]:
    """The bare cloth's weave and how much it shines."""
    if category == "mug":
        return "glaze", 0.55
    if category == "bag":
        leather = design.label in ("plain", "animal", "color_block") or rng.random() < 0.3
        return ("leather", 0.28) if leather else ("canvas", 0.0)
    if design.label == "plain":
        return design.motif, 0.0
    if category == "cushion":
        return str(rng.choice(("canvas", "slub", "smooth"))), 0.0
    if category in ("pants", "shorts"):
        return str(rng.choice(("twill", "smooth", "denim"))), 0.0
    satin = category in ("dress", "skirt", "shirt") and rng.random() < 0.2
    return "smooth", 0.16 if satin else 0.0
