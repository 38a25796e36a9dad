"""The definitions as a person meets them: the names the users look for, and what every asset's page says."""

import re

import pytest

from dagster_project.definitions import build_definitions
from resources.home import Home

# The graph of the design page: names that people look for stay as they are.
WANTED = {
    "raw_catalog": set(),
    "product_images": {"raw_catalog"},
    "sam2_masks": {"product_images"},
    "product_crops": {"sam2_masks"},
    "semantic_embeddings": {"product_crops"},
    "texture_features": {"product_crops"},
    "color_signatures": {"product_crops"},
    "category_prototypes": {"semantic_embeddings"},
    "embeddings_bin": {"semantic_embeddings"},
    "texture_bin": {"texture_features"},
    "color_signatures_bin": {"color_signatures"},
    "fp32_models": set(),
    "int8_models": {"fp32_models"},
    "android_bundle": {"embeddings_bin", "texture_bin", "color_signatures_bin", "category_prototypes", "int8_models"},
    "benchmark": {"android_bundle"},
}
BLOCKING = {"sam2_masks", "embeddings_bin", "texture_bin", "color_signatures_bin", "int8_models", "android_bundle"}


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return build_definitions(Home(tmp_path_factory.mktemp("home"))).resolve_asset_graph()


@pytest.fixture(scope="module")
def specs(graph):
    return {key.to_user_string(): graph.get(key) for key in graph.materializable_asset_keys}


@pytest.mark.parametrize("name", WANTED)
def test_an_asset_stands_where_the_design_puts_it(specs, name):
    assert WANTED[name] <= {key.to_user_string() for key in specs[name].parent_keys}


def test_every_asset_says_what_it_is(specs):
    for name, node in specs.items():
        assert node.group_name and node.group_name != "default", name
        assert node.kinds, name
        assert node.owners, name
        assert len(node.description or "") > 40, name
        assert re.fullmatch(r"[0-9a-f]{16}", node.code_version or ""), name


def test_what_must_not_ship_is_stopped_by_a_blocking_check(graph):
    checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert checked >= BLOCKING


def test_a_home_with_a_feed_of_its_own_has_no_sample_shop(tmp_path, specs):
    assert "sample_catalog" in specs
    home = Home(tmp_path)
    home.settings_file.write_text('feed = "feed.csv"\n', encoding="utf-8")
    (tmp_path / "feed.csv").write_text("id,title\n", encoding="utf-8")
    keys = build_definitions(home).resolve_asset_graph().materializable_asset_keys
    assert "sample_catalog" not in {key.to_user_string() for key in keys}
