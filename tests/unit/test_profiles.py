"""A profile that loads, and the one line that tells what is wrong with one that doesn't."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import ProfileError
from catalog.model_descriptions import MODELS, Role
from catalog.profiles import parse_profile
from resources.profile import PROFILES

EMBEDDED = (PROFILES / "embedded.toml").read_text("utf-8")
SHORTEST = """
name = "mine"
description = "the least there is"
[segmentation]
catalog = "lookbook-segmenter"
query = "lookbook-segmenter"
[encoders]
semantic = "lookbook-semantic"
texture = "lookbook-texture"
"""


def refused(text: str, match: str) -> None:
    """In one line that opens with the file's name."""
    with pytest.raises(ProfileError, match=match) as raised:
        parse_profile(text, "shop/mine.toml")
    assert str(raised.value).startswith("shop/mine.toml: ")
    assert "\n" not in str(raised.value)


def test_the_embedded_profile_says_what_its_file_says() -> None:
    """Every key of the file; what a file leaves out, the design's other systems use."""
    profile = parse_profile(EMBEDDED, "embedded.toml")
    told = tomllib.loads(EMBEDDED)
    said = profile.model_dump()
    assert (said["name"], said["description"]) == (told["name"], told["description"])
    for table in ("segmentation", "encoders", "router", "ranking", "int8_gate", "bundle"):
        assert told[table].items() <= said[table].items(), table
    assert set(said["categories"]) == set(told["categories"])
    for name, category in told["categories"].items():
        for key, words in category.items():
            assert list(said["categories"][name][key]) == words
    assert said["photos"]["max_side_px"] == 1024


def test_the_embedded_profile_names_our_models() -> None:
    """Each role by a row that plays it, each once."""
    profile = parse_profile(EMBEDDED, "embedded.toml")
    assert profile.model_names() == ("lookbook-segmenter", "lookbook-texture", "lookbook-semantic")
    roles = [MODELS[name].role for name in profile.model_names()]
    assert roles == [Role.SEGMENTER, Role.TEXTURE, Role.SEMANTIC]


def test_the_shortest_profile() -> None:
    """The defaults that DESIGN decided: 0.50, 0.30, 0.20; 50 candidates, 10 results."""
    ranking = parse_profile(SHORTEST, "mine.toml").ranking
    assert (ranking.semantic_weight, ranking.texture_weight, ranking.color_weight) == (0.5, 0.3, 0.2)
    assert (ranking.candidates, ranking.results) == (50, 10)


@pytest.mark.parametrize(
    ("shops", "own"),
    [
        ("dress", "dress"),
        ("Dresses", "dress"),
        ("  DRESS ", "dress"),
        ("T-Shirts", "t-shirt"),
        ("t shirt", "t-shirt"),
        ("TSHIRT", "t-shirt"),
        ("Hoodies & Sweatshirts", "hoodie"),
        ("hoodies_sweatshirts", "hoodie"),
        ("Robe de soirée", ""),
        ("dressing table", ""),
        ("", ""),
        ("👗", ""),
    ],
)
def test_knows_a_shops_words(shops: str, own: str) -> None:
    """By name or alias, without case, spaces and signs; a word that only begins alike is another."""
    assert parse_profile(EMBEDDED, "embedded.toml").named(shops) == own


def test_a_category_may_have_its_own_encoder() -> None:
    """All others have the profile's."""
    text = SHORTEST + '[categories.dress]\nsemantic = "lookbook-semantic"\naliases = ["gown"]\n'
    profile = parse_profile(text, "mine.toml")
    for category in ("Gown", "dress", "mug"):
        assert profile.semantic_encoder(category) == "lookbook-semantic"
    assert profile.model_names().count("lookbook-semantic") == 1


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        # Keys
        ('name = "embedded"', "", r"key 'name' is missing"),
        ("[encoders]", "[encoder]", r"unknown key 'encoder'; did you mean 'encoders'\?"),
        ("semantic_weight", "semantc_weight", r"'ranking.semantc_weight'; did you mean 'semantic_weight'\?"),
        ("[router]", "[router]\nzzz = 1", r"unknown key .router.zzz.; known keys: margin, method, products_sampled"),
        ("aliases = [\"hats\"", "alias = [\"hats\"", r"unknown key 'categories.hat.alias'; did you mean 'aliases'\?"),
        ("[categories.mug]", "[categories.mug.x]", r"unknown key 'categories.mug.x'; known keys: prompts, aliases"),
        ('texture = "lookbook-texture"', "", r"key 'encoders.texture' is missing"),
        # Values
        ("candidates = 50", "candidates = 0", r"ranking.candidates: .*greater than or equal to 1 \(got 0\)"),
        ("candidates = 50", "candidates = 50.0", r"ranking.candidates: .*valid integer \(got 50.0\)"),
        ("candidates = 50", "candidates = true", r"ranking.candidates: .*valid integer \(got True\)"),
        ("candidates = 50", "candidates = 9", r"ranking: results \(10\) can't be more than candidates \(9\)"),
        ("semantic_weight = 0.35", "semantic_weight = 0.45", r"ranking: the three weights sum to 1.1, they must"),
        ("semantic_weight = 0.35", "semantic_weight = 1.5", r"semantic_weight: .*less than or equal to 1 \(got 1.5\)"),
        ("semantic_weight = 0.35", "semantic_weight = nan", r"semantic_weight: .* \(got nan\)"),
        ("margin = 0.10", 'margin = "0.05"', r"router.margin: .*valid number \(got '0.05'\)"),
        ("margin = 0.10", "margin = -0.1", r"router.margin: .*greater than or equal to 0 \(got -0.1\)"),
        ("margin = 0.10", "margin = inf", r"router.margin: .*finite number \(got inf\)"),
        ("min_cosine_p1 = 0.93", "min_cosine_p1 = 93", r"int8_gate.min_cosine_p1: .*or equal to 1 \(got 93\)"),
        ("thumb_size = 192", "thumb_size = 8", r"bundle.thumb_size: .*greater than or equal to 16 \(got 8\)"),
        ("thumb_size = 192", 'vectors = "int8"', r"bundle.vectors: .*'float32' or 'float16' \(got 'int8'\)"),
        ("crop_side_px = 512", "crop_side_px = 32", r"segmentation.crop_side_px: .*or equal to 64 \(got 32\)"),
        ("[router]", "[photos]\nmax_side_px = 10\n[router]", r"photos.max_side_px: .*equal to 64 \(got 10\)"),
        ('["hats", "cap"', '[1, "cap"', r"categories.hat.aliases.0: .*valid string \(got 1\)"),
        ('name = "embedded"', "name = 3", r"name: .*valid string \(got 3\)"),
        # Models
        (
            'texture = "lookbook-texture"', 'texture = "dinov2"',
            r"model 'dinov2' for role 'texture': there is no such model; the texture models are: .*lookbook-texture$",
        ),
        (
            'semantic = "lookbook-semantic"', 'semantic = "lookbook-texture"',
            r"model 'lookbook-texture' for role 'semantic': it is a texture model; the semantic models are: ",
        ),
        ('query = "lookbook-segmenter"', 'query = "lookbook-semantic"', r"role 'segmenter': it is a semantic model"),
        ('prompts = ["a photo of a hat"]', 'semantic = "x"', r"model 'x' for role 'semantic': there is no such model"),
        # TOML
        ("margin = 0.10", "margin = ", r"not TOML: Invalid value \(at line \d+"),
        ("[router]", "[ranking]", r"not TOML: Cannot declare \('ranking',\) twice"),
        ("[router]", "[router", r"not TOML: "),
        ("margin = 0.10", "margin = " + "9" * 5000, r"not TOML: Exceeds the limit"),
        ("margin = 0.10", "margin = " + "[" * 3000, r"not TOML: maximum recursion"),
    ],
)  # fmt: skip
def test_tells_what_is_wrong(old: str, new: str, match: str) -> None:
    """One change to the profile that ships, and the line that a person reads."""
    assert EMBEDDED.count(old) >= 1
    refused(EMBEDDED.replace(old, new, 1), match)


def test_a_misspelt_key_is_told_before_the_one_it_leaves_missing() -> None:
    """`texure` is unknown, and `texture` is missing: the first is what helps."""
    refused(EMBEDDED.replace('texture = "', 'texure = "'), r"unknown key 'encoders.texure'; did you mean 'texture'\?")


@pytest.mark.parametrize("text", ["", "# nothing\n", "x = 1\n", "\0", "[[[", "segmentation = 3\n" + SHORTEST])
def test_what_is_no_profile(text: str) -> None:
    """Empty, another file, not TOML."""
    refused(text, "key 'name' is missing|unknown key 'x'|not TOML")


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                ["[ranking]\n", "[photos]\n", "[categories.x]\n", "semantic = ", "catalog = ", "margin = ", "nan\n",
                 "3\n", '"x"\n', "[[router]]\n", "[]\n", "{a = 1}\n", "1979-05-27\n", "name = ", "'''\n"]
            ),
            max_size=8,
        ).map(lambda parts: SHORTEST + "".join(parts)),
    )
)  # fmt: skip
def test_any_text_is_a_profile_or_one_line(text: str) -> None:
    """Nothing else comes out."""
    try:
        parse_profile(text, "mine.toml")
    except ProfileError as error:
        assert "\n" not in str(error)


def test_a_profile_does_not_change() -> None:
    """It is read once a run and handed around."""
    profile = parse_profile(SHORTEST, "mine.toml")
    with pytest.raises(ValueError, match="frozen"):
        profile.name = "other"


def test_a_category_in_words() -> None:
    """By the profile's name and aliases, else by the shop's own: the last part of a path, without signs."""
    profile = parse_profile(SHORTEST + '[categories.mug]\naliases = ["cup", "beaker"]\n', "mine.toml")
    assert profile.words("MUG") == profile.words("cup") == ("mug", "cup", "beaker")
    assert profile.words("Women > Knit_Wear ") == ("knit wear",)
    assert profile.words("Home/Lamps & Lights") == ("lamps & lights",)
    assert profile.words("") == profile.words("123") == ("product",)


def test_a_grid_asks_no_detector() -> None:
    """A detector that would be pulled and never asked is refused."""
    chosen = 'query = "lookbook-segmenter"\ndetector = "yolox-nano"\nprompt = "grid"'
    text = SHORTEST.replace('query = "lookbook-segmenter"', chosen)
    refused(text, r"segmentation: prompt 'grid' asks everywhere, so that detector 'yolox-nano' would never be asked")
