"""What makes the masks of a catalogue stale: every model, choice and module that shapes them, and no other."""

import pytest

from assets import versions
from catalog.errors import ModelError
from catalog.model_descriptions import MODELS
from catalog.profiles import Profile, parse_profile
from resources.inference import Inference
from resources.model_store import ModelStore

TOML = """
name = "p"
description = "d"
[segmentation]
catalog = "{catalog}"
query = "lookbook-segmenter"
{more}
[encoders]
semantic = "lookbook-semantic"
texture = "lookbook-texture"
"""


def profile(more: str = "", catalog: str = "sam2.1-hiera-tiny") -> Profile:
    return parse_profile(TOML.format(catalog=catalog, more=more), "p.toml")


def version(more: str = "", catalog: str = "sam2.1-hiera-tiny") -> str:
    return versions.sam2_masks(profile(more, catalog), MODELS)


def test_every_choice_that_shapes_a_mask_is_in_its_key() -> None:
    """Other models, another prompt, another backend, another precision: all different."""
    made = [
        version(),
        version(catalog="sam2.1-hiera-small"),
        version('saliency = "u2netp"'),
        version('detector = "yolox-nano"'),
        version('detector = "yolox-tiny"'),
        version('detector = "grounding-dino-tiny"'),
        version('prompt = "grid"'),
        version('backend = "meta"'),
        version('precision = "float32"'),
        version(catalog="lookbook-segmenter"),
    ]
    assert len(set(made)) == len(made)
    assert version('saliency = "lookbook-segmenter"') == version()  # the query's, by default


def test_a_segmenter_without_prompts_knows_nothing_of_them() -> None:
    """What only prompted masks use changes nothing."""
    plain = version(catalog="lookbook-segmenter")
    assert version('saliency = "u2netp"\ndetector = "yolox-nano"', "lookbook-segmenter") == plain
    assert version('saliency = "u2netp"\nprompt = "grid"', "lookbook-segmenter") == plain


@pytest.mark.parametrize(
    ("more", "catalog", "reads"),
    [
        ("", "sam2.1-hiera-tiny", False),
        ('detector = "yolox-nano"', "sam2.1-hiera-tiny", False),
        ('detector = "grounding-dino-tiny"', "sam2.1-hiera-tiny", True),
        ('prompt = "grid"', "sam2.1-hiera-tiny", False),
        ('detector = "grounding-dino-tiny"', "lookbook-segmenter", False),
    ],
)
def test_words_count_where_they_are_read(more: str, catalog: str, reads: bool) -> None:
    """Only then do masks depend on categories."""
    assert profile(more, catalog).detector_reads_words is reads


def test_what_is_named_and_not_pulled_is_said(tmp_path) -> None:
    """With the command that mends it."""
    models = ModelStore(root=str(tmp_path))
    with pytest.raises(ModelError, match=r"sam2.1-hiera-tiny: not pulled into .*lookbook models pull"):
        Inference(models=models).product_finder(profile())


def test_an_ordinary_segmenter_is_opened_alone(tmp_path) -> None:
    """The embedded profile's."""
    found = Inference(models=ModelStore(root=str(tmp_path))).product_finder(profile(catalog="lookbook-segmenter"))
    assert (found.saliency_name, found.segmenter, found.detector) == ("lookbook-segmenter", None, None)
