"""The one code location: all assets of a home, each with the version derived from what shapes its bytes.

The home is LOOKBOOK_HOME, or the checkout; its lookbook.toml names profile and feed.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from assets import (
    benchmark,
    bins,
    bundle,
    category_prototypes,
    checks,
    drift_checks,
    features,
    feed_checks,
    onnx_models,
    photo_duplicates,
    product_images,
    query_leaks,
    raw_catalog,
    sample_shop,
    segmentation,
    versions,
)
from catalog.errors import FeedError
from catalog.formats import digests
from catalog.profiles import Profile
from dagster_project.automation import automation_sensor, build_when_changed
from dagster_project.failure_report import failure_sensor
from dagster_project.feed_reads import RAW_CATALOG
from dagster_project.feed_sensor import feed_sensor
from dagster_project.freshness import feed_policy, freshness_check, freshness_sensor
from dagster_project.jobs import build_job
from dagster_project.refreshing import Choices, refresh_job
from dagster_project.schedules import nightly_refresh
from resources.baseline import Baseline
from resources.build_lock import lock_file
from resources.bundles import Bundles
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.home import Home, find_home
from resources.inference import Inference
from resources.model_store import ModelStore
from resources.profile import ActiveProfile, load_profile
from resources.progress import Progress
from resources.settings import SAMPLE_FEED, Settings, load_settings

# In pipeline order, after what reads the feed and cuts products out.
STAGES = (
    segmentation.product_crops,
    features.semantic_embeddings,
    features.texture_features,
    features.color_signatures,
    category_prototypes.category_prototypes,
    onnx_models.fp32_models,
    onnx_models.int8_models,
    bins.embeddings_bin,
    bins.texture_bin,
    bins.color_signatures_bin,
    bundle.android_bundle,
    benchmark.benchmark,
    photo_duplicates.photo_duplicates,
)
CHECKS = dg.load_asset_checks_from_modules([feed_checks, drift_checks, checks, photo_duplicates, query_leaks])


@dg.definitions
def lookbook() -> dg.Definitions:
    """The definitions of the home that the environment names."""
    return build_definitions(find_home(None, os.environ))


def build_definitions(home: Home, *, show_progress: bool = False) -> dg.Definitions:
    """All assets, checks and jobs of one home.

    Raises: ProfileError when its lookbook.toml or its profile can't be used.
    """

    def same_home() -> dg.Definitions:
        return build_definitions(home)

    def chosen() -> Choices:
        now = load_settings(home.settings_file)
        return Choices(now, _feed(home, now))

    settings = load_settings(home.settings_file)
    profile = load_profile(settings.profile, home.root)
    lock = str(lock_file(home))
    lake = DataLake(root=str(home.data_lake), home=str(home.root), build_lock=lock)
    feed = _feed(home, settings)
    drawn = settings.feed == SAMPLE_FEED
    feeds = [raw_catalog.raw_catalog_asset(drawn=drawn), raw_catalog.labelled_queries_asset(drawn=drawn)]
    cut_out = [product_images.product_images, segmentation.sam2_masks_asset(reads_words=profile.detector_reads_words)]
    assets = [*([sample_shop.sample_catalog] if drawn else []), *feeds, *cut_out, *STAGES]
    models = ModelStore(root=str(home.models), build_lock=lock)
    code_versions = _code_versions(profile, models.models(profile.model_names()), settings, feed)
    condition = build_when_changed(same_home)
    refresh = refresh_job(home, settings, same_home)

    def described(spec: dg.AssetSpec) -> dg.AssetSpec:
        told: dict[str, Any] = {"code_version": code_versions[spec.key.to_user_string()]}
        if settings.refresh.cron and spec.key == RAW_CATALOG:
            told["freshness_policy"] = feed_policy(settings)
        return spec.replace_attributes(automation_condition=condition, **told)

    return dg.Definitions(
        assets=dg.map_asset_specs(described, assets),
        asset_checks=[*CHECKS, freshness_check(settings, same_home)],
        jobs=[build_job, refresh],
        schedules=[nightly_refresh(refresh, settings, chosen)],
        sensors=[
            feed_sensor(refresh, settings, chosen),
            automation_sensor(settings),
            freshness_sensor(settings, same_home),
            failure_sensor(settings),
        ],
        executor=dg.in_process_executor,  # models stay open from one stage to the next
        resources={
            "data_lake": lake,
            "feed": feed,
            "active_profile": ActiveProfile(profile_name=settings.profile, home=str(home.root)),
            "model_store": models,
            "inference": Inference(models=models),
            "baseline": Baseline(home=str(home.root)),
            "bundles": Bundles(root=str(home.bundles), keys_folder=str(home.keys), build_lock=lock),
            "progress": Progress(shown=show_progress),
        },
    )


def _code_versions(profile: Profile, models: versions.Models, settings: Settings, feed: Feed) -> Mapping[str, str]:
    read = versions.raw_catalog(_feed_fingerprint(settings, feed))
    derived = {
        **({"sample_catalog": versions.sample_catalog()} if settings.feed == SAMPLE_FEED else {}),
        "raw_catalog": read,
        "labelled_queries": read,
        "product_images": versions.product_images(profile),
        "sam2_masks": versions.sam2_masks(profile, models),
        "product_crops": versions.product_crops(profile),
        "semantic_embeddings": versions.semantic_embeddings(profile, models),
        "texture_features": versions.texture_features(profile, models),
        "color_signatures": versions.color_signatures(),
        "category_prototypes": versions.category_prototypes(profile, models),
        "fp32_models": versions.fp32_models(profile, models),
        "int8_models": versions.int8_models(profile, models),
        "embeddings_bin": versions.bins(),
        "texture_bin": versions.bins(),
        "color_signatures_bin": versions.bins(),
        "android_bundle": versions.android_bundle(profile),
        "photo_duplicates": versions.photo_duplicates(),
        "benchmark": versions.benchmark(),
    }
    return {name: version[:16] for name, version in derived.items()}


def _feed(home: Home, settings: Settings) -> Feed:
    sample = DataLake(root=str(home.data_lake), home=str(home.root)).sample_catalog
    return Feed(feed=settings.feed, home=str(home.root), sample_folder=str(sample))


def _feed_fingerprint(settings: Settings, feed: Feed) -> str:
    if settings.feed == SAMPLE_FEED:
        return digests.of_bytes(sample_shop.SAMPLE_FEED_TOML.encode())
    try:
        return feed.describe().fingerprint(Path(feed.home))
    except FeedError as error:  # a feed that can't be read must fail its own asset, not hide the whole graph
        return digests.of_values(str(error))
