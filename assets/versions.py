"""The version of every stage, derived from what really shapes its bytes: parameters, models and code.

The same digest is the asset's `code_version` and part of its rows' keys, so Dagster's staleness and the row memo agree.
`models` are the profile's rows as the model store knows them: with the sha256 that was recorded at the first pull.
"""

import importlib
import pkgutil
from collections.abc import Mapping

import catalog.sample_catalog as sample
from assets import benchmark_queries, bundle_contents, misses, query_leaks, query_photos, trials
from catalog.evaluation import comparison, confusion, gate, leakage, measures, retrieval, significance
from catalog.features import (
    detection,
    duplicates,
    inference,
    product_masks,
    prototypes,
    ranking,
    router_head,
    routing,
)
from catalog.formats import blobs, digests, manifest, matrices, noted_files
from catalog.formats.feeds import assembly, items, mapped, prices
from catalog.model_descriptions import Architecture, ModelDescription, Role
from catalog.onnx_export import quantization, weight_storage
from catalog.onnx_export.float_models import model_version
from catalog.profiles import Profile
from catalog.torch_models import batch_encoder, grounding_dino, sam2, sam2_meta, text_tokens, text_towers
from catalog.vision import (
    boxes,
    color,
    crops,
    decoding,
    mask_candidates,
    masks,
    photo_hashes,
    plain_ground,
    preparing,
    prompts,
)
from query import engine

Models = Mapping[str, ModelDescription]


def sample_catalog() -> str:
    """All the code that draws, and how much it is asked to draw."""
    found = [entry.name for entry in pkgutil.walk_packages(sample.__path__, f"{sample.__name__}.")]
    return digests.of_code(*[importlib.import_module(name) for name in sorted(found)])


def raw_catalog(feed_fingerprint: str) -> str:
    """The feed's description and its readers."""
    return digests.of_values(feed_fingerprint, digests.of_code(assembly, items, mapped, prices))


def product_images(profile: Profile) -> str:
    """Decoding and its limits."""
    return digests.of_values(profile.photos.model_dump(), digests.of_code(decoding, blobs))


def photo_hash() -> str:
    """A photo's hash and cells: of these their table's rows depend."""
    return digests.of_code(photo_hashes)


def photo_duplicates() -> str:
    """How photos are told to be one, and how pairs of them are found."""
    return digests.of_values(photo_hash(), digests.of_code(duplicates))


def sam2_masks(profile: Profile, models: Models) -> str:
    """The catalogue's segmenter and what is made of its saliency; with prompts, all that shapes and weighs them."""
    chosen = profile.segmentation
    if models[chosen.catalog].role is not Role.PROMPTED_SEGMENTER:
        return digests.of_values(_model(models[chosen.catalog]), digests.of_code(masks, plain_ground))
    named = [chosen.catalog, profile.saliency_segmenter]
    code = [masks, plain_ground, boxes, prompts, mask_candidates, preparing, product_masks, sam2]
    if chosen.backend == "meta":
        code.append(sam2_meta)
    if chosen.detector:
        named.append(chosen.detector)
        code.append(detection if models[chosen.detector].architecture is Architecture.YOLOX else grounding_dino)
    return digests.of_values(
        [_model(models[name]) for name in named],
        [chosen.prompt, chosen.backend, chosen.precision],
        digests.of_code(*code),
    )


def product_crops(profile: Profile) -> str:
    """The crop rule."""
    return digests.of_values(profile.segmentation.crop_side_px, digests.of_code(crops))


def embedding(model: ModelDescription, precision: str) -> str:
    """One encoder, in the precision that the profile asks for; a model that is ONNX only knows one."""
    if model.architecture is Architecture.ONNX:
        return digests.of_values(_model(model), digests.of_code(inference))
    return digests.of_values(_model(model), precision, digests.of_code(inference, preparing, batch_encoder))


def semantic_embeddings(profile: Profile, models: Models) -> str:
    """Every semantic encoder of the profile, and which category has which."""
    own = {name: entry.semantic for name, entry in profile.categories.items() if entry.semantic}
    names = sorted({profile.encoders.semantic, *own.values()})
    return digests.of_values(
        profile.encoders.semantic, own, [embedding(models[name], profile.encoders.precision) for name in names]
    )


def texture_features(profile: Profile, models: Models) -> str:
    """The texture encoder."""
    return embedding(models[profile.encoders.texture], profile.encoders.precision)


def color_signatures() -> str:
    """The colour signature."""
    return digests.of_code(color)


def category_prototypes(profile: Profile, models: Models) -> str:
    """How the router is made, the encoder it is made for, and its words for the categories."""
    encoder, router = models[profile.encoders.semantic], profile.router
    words = {name: [entry.aliases, entry.prompts, entry.semantic] for name, entry in profile.categories.items()}
    code = [
        routing,
        prototypes,
        router_head,
        *([text_tokens, text_towers] if text_towers.has_text_tower(encoder) else []),
    ]
    return digests.of_values(
        embedding(encoder, profile.encoders.precision),
        [router.method, router.min_products, router.products_sampled],
        words,
        digests.of_code(*code),
    )


def bins() -> str:
    """The layout of the .bin files, and of the note beside them."""
    return digests.of_code(matrices, noted_files)


def fp32_models(profile: Profile, models: Models) -> str:
    """The profile's models and the graph that prepares their pixels."""
    return digests.of_values([_model(models[name]) for name in profile.onnx_model_names()])


def model_form(model: ModelDescription) -> str:
    """The smaller forms of one model."""
    return digests.of_values(
        _model(model), [way.value for way in model.quantization], digests.of_code(quantization, weight_storage)
    )


def gate_masks() -> str:
    """What is made of the saliency of two segmenters that are compared."""
    return digests.of_code(masks)


def gate_queries(profile: Profile) -> str:
    """How a labelled query is read and cut out before two encoders are compared on it."""
    values = [profile.photos.model_dump(), profile.segmentation.crop_side_px]
    return digests.of_values(values, digests.of_code(decoding, masks, plain_ground, crops))


def int8_models(profile: Profile, models: Models) -> str:
    """How models are quantised, and the gate."""
    forms = [model_form(models[name]) for name in profile.onnx_model_names()]
    return digests.of_values(profile.int8_gate.model_dump(), forms, digests.of_code(gate, noted_files))


def android_bundle(profile: Profile) -> str:
    """The profile's numbers that ship, and the manifest's layout."""
    shipped = profile.model_dump(include={"name", "router", "ranking", "bundle", "photos", "segmentation"})
    return digests.of_values(shipped, digests.of_code(bundle_contents, manifest, ranking))


def benchmark() -> str:
    """The measures, how queries are put, and the engine that answers."""
    measured = [measures, retrieval, significance, comparison, confusion, leakage]
    return digests.of_code(*measured, trials, misses, benchmark_queries, query_photos, query_leaks, engine)


def _model(model: ModelDescription) -> str:
    return digests.of_values(model.name, model_version(model))
