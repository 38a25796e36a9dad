"""The shop's styles: for each category a few cuts, and the numbers a product of that cut may have."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from catalog.sample_catalog.shapes import (
    BagShape,
    CushionShape,
    DressShape,
    MugShape,
    SkirtShape,
    TopShape,
    TrouserShape,
)
from catalog.sample_catalog.styles import dresses, goods, tops, trousers

Shape = TopShape | SkirtShape | DressShape | TrouserShape | BagShape | CushionShape | MugShape


@dataclass(frozen=True)
class Style:
    """One cut: its words in a title, for whom it is made, its price range in EUR and how its numbers are drawn."""

    name: str
    noun: str
    make: Callable[[np.random.Generator], Shape]
    price: tuple[float, float]
    men: float = 0.0  # share of its products cut for men


# Category -> code in a product id, and its styles.
CODES = {
    "dress": "DRS",
    "t-shirt": "TSH",
    "shirt": "SHT",
    "hoodie": "HOD",
    "skirt": "SKT",
    "pants": "PNT",
    "shorts": "SHO",
    "bag": "BAG",
    "cushion": "CSH",
    "mug": "MUG",
}

STYLES: dict[str, tuple[Style, ...]] = {
    "dress": (
        Style("wrap", "wrap dress", dresses.wrap_dress, (49, 129)),
        Style("fit_and_flare", "fit-and-flare dress", dresses.fit_flare, (45, 119)),
        Style("tiered_maxi", "tiered maxi dress", dresses.maxi, (59, 149)),
        Style("shirt_dress", "shirt dress", dresses.shirt_dress, (55, 129)),
        Style("sheath", "sheath dress", dresses.sheath, (49, 139)),
        Style("shift", "shift dress", dresses.shift, (39, 99)),
    ),
    "t-shirt": (
        Style("crew", "crew-neck t-shirt", tops.crew, (12, 35), 0.5),
        Style("v_neck", "v-neck t-shirt", tops.vneck, (12, 35)),
        Style("oversized", "oversized t-shirt", tops.boxy, (15, 45), 0.5),
        Style("cropped", "cropped t-shirt", tops.crop, (12, 32)),
        Style("long_sleeve", "boat-neck long-sleeve t-shirt", tops.breton, (19, 49)),
        Style("raglan", "raglan t-shirt", tops.raglan, (17, 39), 0.7),
    ),
    "shirt": (
        Style("classic", "classic shirt", tops.classic_shirt, (29, 89), 0.6),
        Style("camp_collar", "camp-collar shirt", tops.camp_shirt, (29, 79), 0.8),
        Style("western", "western shirt", tops.western, (39, 95), 0.8),
        Style("tunic", "band-collar tunic shirt", tops.tunic, (35, 89)),
        Style("puff_blouse", "puff-sleeve shirt", tops.puff_blouse, (29, 75)),
    ),
    "hoodie": (
        Style("pullover", "pullover hoodie", tops.pullover_hoodie, (35, 85), 0.6),
        Style("zip", "zip-up hoodie", tops.zip_hoodie, (39, 95), 0.5),
        Style("cropped", "cropped hoodie", tops.crop_hoodie, (29, 69)),
        Style("longline", "longline hoodie", tops.long_hoodie, (45, 99)),
        Style("short_sleeve", "short-sleeve hoodie", tops.short_hoodie, (29, 69), 0.6),
    ),
    "skirt": (
        Style("a_line", "A-line mini skirt", dresses.a_line, (25, 69)),
        Style("pleated", "pleated skirt", dresses.pleated, (29, 89)),
        Style("pencil", "pencil skirt", dresses.pencil, (29, 79)),
        Style("tiered", "tiered maxi skirt", dresses.tiered_skirt, (39, 99)),
        Style("wrap", "wrap skirt", dresses.wrap_skirt, (29, 79)),
        Style("circle", "circle skirt", dresses.circle_skirt, (29, 79)),
    ),
    "pants": (
        Style("straight", "straight-leg pants", trousers.straight, (35, 95), 0.5),
        Style("skinny", "skinny pants", trousers.skinny, (29, 79), 0.2),
        Style("wide_leg", "wide-leg pants", trousers.wide, (39, 99)),
        Style("jogger", "jogger pants", trousers.jogger, (29, 75), 0.6),
        Style("flared", "flared pants", trousers.flared, (35, 89)),
        Style("cargo", "cargo pants", trousers.cargo, (39, 95), 0.7),
    ),
    "shorts": (
        Style("bermuda", "bermuda shorts", trousers.bermuda, (25, 65), 0.6),
        Style("cuffed", "cuffed shorts", trousers.denim_short, (25, 59)),
        Style("running", "running shorts", trousers.running, (19, 49), 0.5),
        Style("paperbag", "paperbag shorts", trousers.paperbag_short, (25, 59)),
        Style("sweat", "sweat shorts", trousers.sweat_short, (19, 49), 0.7),
    ),
    "bag": (
        Style("tote", "tote bag", goods.tote, (25, 99)),
        Style("flap", "flap crossbody bag", goods.flap_bag, (35, 149)),
        Style("hobo", "hobo bag", goods.hobo, (39, 149)),
        Style("bucket", "bucket bag", goods.bucket, (39, 139)),
        Style("duffel", "weekend duffel bag", goods.duffel, (45, 159)),
        Style("backpack", "backpack", goods.backpack, (35, 119)),
        Style("top_handle", "top-handle bag", goods.box_bag, (49, 179)),
    ),
    "cushion": (
        Style("square", "square cushion", goods.square_cushion, (15, 45)),
        Style("trimmed", "trimmed cushion", goods.fringed_cushion, (19, 49)),
        Style("lumbar", "lumbar cushion", goods.lumbar, (19, 49)),
        Style("round", "round cushion", goods.round_cushion, (22, 55)),
        Style("bolster", "bolster cushion", goods.bolster, (22, 55)),
    ),
    "mug": (
        Style("straight", "mug", goods.straight_mug, (9, 24)),
        Style("tapered", "tapered mug", goods.taper_mug, (11, 26)),
        Style("belly", "belly mug", goods.belly_mug, (12, 29)),
        Style("latte", "latte mug", goods.latte_mug, (12, 29)),
        Style("cappuccino", "cappuccino cup", goods.wide_cup, (11, 27)),
        Style("enamel", "enamel mug", goods.enamel, (9, 22)),
    ),
}
