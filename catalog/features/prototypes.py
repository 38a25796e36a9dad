"""How a category's prototype is made: of its products, and of its name while they are few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.features.routing import l2_normalize
from catalog.profiles import Profile

STANDARD_ERRORS = 2.0  # by how many the words' mean lift must be above nothing
MOST_GAIN = 10.0  # above it words tell too little: what would be made larger is noise


@dataclass(frozen=True)
class CategoryPrototype:
    """One category's line of the router, and what it rests on."""

    category: str
    products: int
    basis: str  # "visual"; "visual and named" or "visual and text" while its products are few; or "linear head"
    vector: np.ndarray  # (dim,) float32, L2-normalised but where words or a head made it
    bias: float = 0.0


@dataclass(frozen=True)
class TextLine:
    """What words say of a photo, on the scale of photos' own cosines: vector @ embedding + bias."""

    vector: np.ndarray  # (dim,) float32
    bias: float


def make_prototypes(
    embeddings: np.ndarray,
    categories: Sequence[str],
    products: Sequence[str],
    named: Mapping[str, np.ndarray],
    min_products: int,
    text: Mapping[str, TextLine] | None = None,
) -> list[CategoryPrototype]:
    """A prototype for each category of the rows, sorted by category.

    `embeddings` is (n, dim) L2-normalised, `categories` and `products` name each row's. A prototype is the mean
    direction of the category's products, each product counted once however many photos it has (visual). While there
    are fewer than `min_products` of them, p products weigh p / min_products and the category's zero-shot prototype the
    rest, where there is one: `named` is a direction among photos' embeddings and is mixed in as one, `text` comes from
    `text_lines` and is added to the visual line.
    """
    category_of, text = np.array(categories), text or {}
    found = []
    for category in sorted(set(categories)):
        rows = np.flatnonzero(category_of == category)
        each_once, count = _each_product_once([products[int(row)] for row in rows])
        vector = l2_normalize((embeddings[rows] * each_once[:, None]).sum(axis=0)[None])[0]
        basis, bias, share = "visual", 0.0, np.float32(min(1.0, count / min_products))
        if share < 1 and category in named:
            vector = l2_normalize((share * vector + (1 - share) * named[category])[None])[0]
            basis = "visual and named"
        elif share < 1 and category in text:
            vector = share * vector + (1 - share) * text[category].vector
            bias = float((1 - share) * text[category].bias)
            basis = "visual and text"
        found.append(CategoryPrototype(category, count, basis, vector, bias))
    return found


def text_lines(
    embeddings: np.ndarray, categories: Sequence[str], products: Sequence[str], text: Mapping[str, np.ndarray]
) -> dict[str, TextLine]:
    """Bring text prototypes to the scale of visual ones, so that one argmax can hold both; by category.

    In the joint space of a SigLIP or CLIP, texts and photos lie in two separate cones: a photo's cosine with the right
    words is near 0.1, with a mean of its like near 0.8, so a raw text prototype never wins against a visual one. What
    can be compared is the lift, how much higher its own products' cosines are than the others'. On the catalogue's own
    embeddings, each category and product counted once,

        gain = mean lift of the visual prototypes / mean lift of the texts
        line = gain x (cosine - the text's mean cosine with the other categories) + the same mean of visual prototypes

    A visual lift leaves the product itself out of its prototype; where no category has two products there is none, and
    the gain is 1: then all categories lean on words alike. Arguments as of `make_prototypes`; `text` is each
    category's L2-normalised text prototype, for every category of the rows.
    Returns: {} where the words tell nothing: their mean lift is within two standard errors of none, or under a tenth of
    the visual one.
    """
    names = sorted(set(categories))
    if len(names) < 2:
        return {}
    means, category_of = _product_means(embeddings, categories, products)
    visual, own_left_out = _visual_cosines(means, category_of, names)
    visual_chance = _others_mean(visual, category_of, names)
    cosines = means @ np.stack([text[name] for name in names]).T
    chance = _others_mean(cosines, category_of, names)
    own = np.array([cosines[category_of == name, place].mean() for place, name in enumerate(names)])
    lift = own - chance
    if lift.mean() <= STANDARD_ERRORS * lift.std(ddof=1) / np.sqrt(len(names)):
        return {}
    visual_lifts = [
        own_left_out[name] - visual_chance[place] for place, name in enumerate(names) if name in own_left_out
    ]
    gain = max(0.0, float(np.mean(visual_lifts)) / float(lift.mean())) if visual_lifts else 1.0
    if not 0 < gain <= MOST_GAIN:
        return {}
    level = float(visual_chance.mean())
    return {
        name: TextLine(np.float32(gain) * text[name], level - gain * float(chance[place]))
        for place, name in enumerate(names)
    }


def text_prompts(profile: Profile, category: str) -> tuple[str, ...]:
    """What a text tower is asked for a shop's category: the profile's prompts, else one made of its name."""
    known = profile.named(category)
    prompts = profile.categories[known].prompts if known else ()
    return prompts or (f"a photo of {profile.words(category)[0]}",)


def prompts_mean(embeddings: np.ndarray) -> np.ndarray:
    """The text prototype of one category: the mean direction of its prompts' (n, dim) L2-normalised embeddings."""
    return np.asarray(l2_normalize(embeddings.mean(axis=0)[None])[0])


def _each_product_once(products: Sequence[str]) -> tuple[np.ndarray, int]:
    """A weight a row, that of a product's rows summing to 1, and how many products there are."""
    names, product_of = np.unique(np.array(products), return_inverse=True)
    weights = 1.0 / np.bincount(product_of)
    return np.asarray(weights[product_of], np.float32), len(names)


def _product_means(
    embeddings: np.ndarray, categories: Sequence[str], products: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The mean embedding of every product, in each of its categories: (m, dim) float64, and their categories."""
    keys = sorted(set(zip(categories, products, strict=True)))
    place_of = {key: place for place, key in enumerate(keys)}
    places = np.array([place_of[key] for key in zip(categories, products, strict=True)])
    sums = np.zeros((len(keys), embeddings.shape[1]))
    np.add.at(sums, places, embeddings)
    return sums / np.bincount(places)[:, None], np.array([category for category, _ in keys])


def _visual_cosines(
    means: np.ndarray, category_of: np.ndarray, names: Sequence[str]
) -> tuple[np.ndarray, dict[str, float]]:
    """Every product's cosine with every visual prototype, and each category's own with themselves left out."""
    sums = np.stack([means[category_of == name].sum(axis=0) for name in names])
    own = {}
    for name, total in zip(names, sums, strict=True):
        members = means[category_of == name]
        if len(members) > 1:
            own[name] = float(np.einsum("ij,ij->i", members, l2_normalize(total - members)).mean())
    return np.asarray(means @ l2_normalize(sums).T), own


def _others_mean(cosines: np.ndarray, category_of: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Of each prototype, its mean cosine with the products of the other categories, each category counted once."""
    by_category = np.stack([cosines[category_of == name].mean(axis=0) for name in names])
    return np.asarray((by_category.sum(axis=0) - by_category.diagonal()) / (len(names) - 1))
