"""The real shop's feed, through its own description: its counts are those of the data's README."""

import json

from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import read_feed
from tests.conftest import CHECKOUT


def test_every_gallery_and_query_photo_is_read(shared_data):
    """298 gallery photos of 118 styles and 168 labelled queries, not one of them turned away."""
    description = load_feed(CHECKOUT / "feeds" / "luma.toml")
    assert description.queries is not None
    gallery, queries = read_feed(description), read_feed(description.queries)
    assert (len(gallery.rows), len({row.product_id for row in gallery.rows}), len(queries.rows)) == (298, 118, 168)
    assert not [row for row in (*gallery.rejected, *queries.rejected) if row.outcome == "rejected"]
    assert {row.product_id for row in queries.rows} <= {row.product_id for row in gallery.rows}


def test_some_of_its_categories_are_built_and_found(shared_data, lookbook, tmp_path):
    """Four of its categories, from photo to benchmark."""
    description = (CHECKOUT / "feeds" / "luma.toml").read_text("utf-8")
    description = description.replace("../../shared/data", str(shared_data))
    chosen = '\ncategory = ["bags", "watches", "fitness_equipment", "bras_tanks"]\n'
    description = description.replace('role = "gallery"\n', f'role = "gallery"{chosen}')
    description = description.replace('role = "query"\n', f'role = "query"{chosen}')
    (tmp_path / "some.toml").write_text(description, encoding="utf-8")
    home = tmp_path / "home"
    lookbook("build", "--home", home, "--feed", tmp_path / "some.toml")
    report = json.loads(lookbook("results", "--home", home, "--json").stdout)
    assert report["queries"] == 9  # of bags, fitness equipment and bras: watches have no other view
    assert report["measures"]["full score"]["success@10"]["mean"] >= 0.5
