"""What a profile says: a model for every role, and the numbers that go with them. Where they lie is not known here."""

import difflib
import re
import tomllib
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from catalog.errors import ModelError, ProfileError
from catalog.model_descriptions import MODELS, Architecture, Role, find_model

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Words = Annotated[tuple[str, ...], Field(strict=False)]  # TOML has arrays, not tuples


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Photos(_Section):
    """What a photo may cost, and the size it is brought down to; see `catalog.vision.decoding.PhotoLimits`."""

    max_bytes: Count = 64 * 2**20
    max_pixels: Count = 64_000_000
    min_side_px: Count = 16
    max_side_px: Annotated[int, Field(ge=64)] = 1024

    @model_validator(mode="after")
    def _some_photo_passes(self) -> "Photos":
        if self.min_side_px > self.max_side_px:
            raise ValueError(f"min_side_px ({self.min_side_px}) is over max_side_px ({self.max_side_px})")
        return self


class Segmentation(_Section):
    """Which models cut products out."""

    catalog: str  # for the shop's own photos; one that wants prompts is prompted by `detector` or `saliency`
    query: str  # for a phone's photo; ships in the bundle
    saliency: str = ""  # the segmenter whose mask prompts the catalogue's, and stands in where that fails; "" for query
    detector: str = ""  # whose box prompts the catalogue's segmenter instead of the saliency mask's
    prompt: Literal["box_and_points", "grid"] = "box_and_points"  # grid: no prompt at all, every mask is a candidate
    backend: Literal["transformers", "meta"] = "transformers"  # meta: SAM 2 by Meta's own package, where installed
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of SAM 2; auto as in encoders.precision
    crop_side_px: Annotated[int, Field(ge=64)] = 512  # the longest side of a stored crop

    @model_validator(mode="after")
    def _a_detector_is_asked(self) -> "Segmentation":
        if self.detector and self.prompt == "grid":
            raise ValueError(f"prompt 'grid' asks everywhere, so that detector {self.detector!r} would never be asked")
        return self


class Encoders(_Section):
    """Which models describe a crop."""

    semantic: str  # of every category that names no other
    texture: str
    # How the catalogue is embedded: bfloat16 runs in torch, in batches, float32 in ONNX Runtime unless there is a GPU;
    # auto is bfloat16 where this machine is fast at it (CUDA, or a CPU with AMX). Models in ONNX only stay in float32.
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class Category(_Section):
    """One category that the profile knows by name."""

    prompts: Words = ()  # for text prototypes, where the encoder has a text tower
    aliases: Words = ()  # other words that shops use for it
    semantic: str = ""  # its own semantic encoder; "" for the profile's


class Router(_Section):
    """How a query finds its categories."""

    # Every category whose cosine (or probability, of a head) is less than this behind the best is searched.
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.05
    method: Literal["prototypes", "head"] = "prototypes"  # head: a linear one, fitted on the catalogue's embeddings
    products_sampled: Count = 40  # of a category that another encoder embeds, embedded for the router as well
    min_products: Count = 5  # a category with fewer leans on its named prototype, where there is one


class Ranking(_Section):
    """How candidates are found and ordered. The weights are convex: they sum to 1."""

    candidates: Count = 50
    results: Count = 10
    semantic_weight: Share = 0.5
    texture_weight: Share = 0.3
    color_weight: Share = 0.2
    color_gate: Share = 0.2  # a candidate whose colour similarity is less comes after all that reach it

    @model_validator(mode="after")
    def _convex(self) -> "Ranking":
        total = self.semantic_weight + self.texture_weight + self.color_weight
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the three weights sum to {total:g}, they must sum to 1")
        if self.results > self.candidates:
            raise ValueError(f"results ({self.results}) can't be more than candidates ({self.candidates})")
        return self


class Int8Gate(_Section):
    """What an int8 model must reach to ship in the float model's place."""

    min_agreement_at_10: Share = 0.90
    max_success_lost: Share = 0.02  # of success@1 on the labelled queries, where there are any
    min_cosine_mean: Share = 0.98
    min_cosine_p1: Share = 0.93
    min_mask_iou_mean: Share = 0.97
    min_mask_iou_p1: Share = 0.85
    calibration_photos: Count = 96
    try_four_bit: bool = False  # before int8, of models whose row allows it


class BundleOptions(_Section):
    """What the phone's bundle carries beside the index."""

    thumb_size: Annotated[int, Field(ge=16, le=1024)] = 192
    vectors: Literal["float32", "float16"] = "float32"  # of semantics and texture; readers of old know float32 only
    golden_photos: Count = 3
    versions_kept: Count = 3


class Profile(_Section):
    """A whole profile: the file's tables, checked."""

    name: Annotated[str, Field(min_length=1)]
    description: str
    segmentation: Segmentation
    encoders: Encoders
    photos: Photos = Photos()
    router: Router = Router()
    ranking: Ranking = Ranking()
    int8_gate: Int8Gate = Int8Gate()
    bundle: BundleOptions = BundleOptions()
    categories: dict[str, Category] = {}

    @model_validator(mode="after")
    def _one_meaning_a_word(self) -> "Profile":
        meaning: dict[str, str] = {}
        for name, entry in self.categories.items():
            for word in (name, *entry.aliases):
                other = meaning.setdefault(_plain(word), name)
                if other != name:
                    raise ValueError(f"categories: {word!r} stands for both {other!r} and {name!r}")
        return self

    def named(self, category: str) -> str:
        """The profile's own name of a shop's category (by name or alias, case and spaces ignored), or ""."""
        wanted = _plain(category)
        for name, entry in self.categories.items():
            if wanted in {_plain(name), *map(_plain, entry.aliases)}:
                return name
        return ""

    def words(self, category: str) -> tuple[str, ...]:
        """What a shop's category is called, for a model that reads text: by the profile, else by the shop itself.

        Of a path ("Women > Tops") the last part counts; of a category without a letter, "product" stands.
        """
        name = self.named(category)
        if name:
            return (name, *self.categories[name].aliases)
        last = re.split(r"[>/|]", category)[-1].replace("_", " ")
        return (" ".join(last.split()).lower() if any(map(str.isalpha, last)) else "product",)

    def semantic_encoder(self, category: str) -> str:
        """The name of the semantic encoder for a shop's category."""
        name = self.named(category)
        return (self.categories[name].semantic if name else "") or self.encoders.semantic

    @property
    def saliency_segmenter(self) -> str:
        """The segmenter whose mask prompts the catalogue's, where that wants prompts."""
        return self.segmentation.saliency or self.segmentation.query

    @property
    def detector_reads_words(self) -> bool:
        """Does a product's category, in words, shape its mask?"""
        chosen = self.segmentation
        prompted = MODELS[chosen.catalog].role is Role.PROMPTED_SEGMENTER
        return (
            prompted and bool(chosen.detector) and MODELS[chosen.detector].architecture is Architecture.GROUNDING_DINO
        )

    def model_names(self) -> tuple[str, ...]:
        """Every model the profile names, each once, in a fixed order."""
        named = [self.segmentation.catalog, self.segmentation.query, self.encoders.texture, self.encoders.semantic]
        named += [entry.semantic for entry in self.categories.values() if entry.semantic]
        if MODELS[self.segmentation.catalog].role is Role.PROMPTED_SEGMENTER:
            named += [self.saliency_segmenter, self.segmentation.detector]
        return tuple(dict.fromkeys(name for name in named if name))

    def onnx_model_names(self) -> tuple[str, ...]:
        """Those of the models that are brought to ONNX behind pixel input, in the same order."""
        return tuple(name for name in self.model_names() if MODELS[name].becomes_onnx)


def parse_profile(text: str, where: str) -> Profile:
    """Read a profile's TOML and check all of it, models included. `where` names the file in messages.

    Raises: ProfileError, one line that says which key, what is wrong and what would be right.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is one; so is a number of 5,000 digits
        raise ProfileError(f"{where}: not TOML: {error}") from error
    try:
        profile = Profile.model_validate(tables)
    except ValidationError as error:
        raise ProfileError(f"{where}: {first_problem(error, Profile)}") from error
    _check_models(profile, where)
    return profile


def _check_models(profile: Profile, where: str) -> None:
    cut_out = profile.segmentation
    of_categories = {f"categories.{name}.semantic": entry.semantic for name, entry in profile.categories.items()}
    named = [
        ("segmentation.catalog", cut_out.catalog, (Role.SEGMENTER, Role.PROMPTED_SEGMENTER)),
        ("segmentation.query", cut_out.query, (Role.SEGMENTER,)),
        ("segmentation.saliency", cut_out.saliency, (Role.SEGMENTER,)),
        ("segmentation.detector", cut_out.detector, (Role.DETECTOR,)),
        ("encoders.texture", profile.encoders.texture, (Role.TEXTURE,)),
        ("encoders.semantic", profile.encoders.semantic, (Role.SEMANTIC,)),
        *((key, name, (Role.SEMANTIC,)) for key, name in of_categories.items()),
    ]
    optional = {"segmentation.saliency", "segmentation.detector", *of_categories}
    for key, name, roles in named:
        if not name and key in optional:
            continue
        try:
            find_model(name, *roles)
        except ModelError as error:
            raise ProfileError(f"{where}: {key}: {error}") from error
    wanted = MODELS[profile.encoders.semantic].embedding_dim
    for key, name in of_categories.items():
        if name and MODELS[name].embedding_dim != wanted:
            raise ProfileError(
                f"{where}: {key}: {name!r} gives {MODELS[name].embedding_dim} numbers a photo, but encoders.semantic "
                f"{profile.encoders.semantic!r} gives {wanted}; embeddings.bin has one width: name encoders of one"
            )


def first_problem(error: ValidationError, of: type[BaseModel]) -> str:
    """What is wrong with values that should be an `of`, in one line: which key, what it should be, what it is."""
    # A misspelt key is also a missing one: the misspelling is what helps.
    problem = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        known = _keys_at(of, problem["loc"][:-1])
        close = difflib.get_close_matches(str(problem["loc"][-1]), known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return f"unknown key {place!r}; {hint}"
    if problem["type"] == "missing":
        return f"key {place!r} is missing"
    got = "" if isinstance(problem["input"], dict) else f" (got {problem['input']!r})"
    return f"{place}: {message}{got}" if place else f"{message}{got}"


def _keys_at(of: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """The keys that the table at `path` may have."""
    model: Any = of
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(part)].annotation
        elif get_origin(model) is dict:
            model = get_args(model)[1]
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _plain(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())
