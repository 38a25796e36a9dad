"""A feed that is empty, cut, far smaller or far larger than what is published, through the real command."""

import csv
import json
import shutil

import dagster as dg
import pytest

from catalog.errors import LookbookError
from dagster_project.building import run_build
from resources.home import Home, prepare


@pytest.fixture(scope="module")
def drifting(built_shop, lookbook, tmp_path_factory):
    """A home of its own for the tests below, up to date; each leaves it with the whole feed read again."""
    home = tmp_path_factory.mktemp("drift") / "home"
    shutil.copytree(built_shop.home, home, symlinks=True)
    return home


@pytest.fixture
def feed(drifting):
    """The feed's rows, to be changed; the file is as it was afterwards."""
    path = drifting / "shop" / "feed.csv"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def published(home):
    folder = (home / "android_bundle" / "current").resolve()
    return folder.name, (folder / "manifest.json").read_bytes()


def build(home, **asked):
    """`lookbook build --stale` in this process, which spares its start; returns the line it stopped with, or ""."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("LOOKBOOK_HOME", "DAGSTER_HOME"):
            environment.setenv(name, "")
        try:
            run_build(home, **{"profile": None, "feed": None, "select": None, "stale": "select" not in asked, **asked})
        except LookbookError as error:
            return str(error)
    return ""


def last_line(done):
    return done.stderr.strip().splitlines()[-1]


def test_a_feed_that_lost_half_its_products_stops_until_it_is_good_again(drifting, feed, lookbook):
    """Nothing is built of it, tonight and tomorrow; as soon as the feed is whole again the refresh goes on alone."""
    before, whole = published(drifting), rows_of(feed)
    table = (drifting / "data_lake" / "raw_catalog.parquet").read_bytes()
    products = list(dict.fromkeys(row["product_id"] for row in whole))
    kept = set(products[: len(products) // 2])
    write(feed, [row for row in whole if row["product_id"] in kept])
    told = (
        f"raw_catalog: {len(products) - len(kept)} of the {len(products)} published products are gone "
        "(50.0%, most_dropped is 30.0%); nothing was built of it, and the published bundle stays. If the change is "
        "meant, accept it once: `lookbook build --stale --accept-changes`"
    )
    stopped = lookbook("build", "--home", drifting, "--stale", ok=False)
    assert last_line(stopped).startswith(f"lookbook: {told}")
    assert "product_images" not in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert build(drifting).startswith(told)  # tomorrow night
    assert published(drifting) == before
    assert (drifting / "data_lake" / "raw_catalog.parquet").read_bytes() == table
    write(feed, whole)
    done = lookbook("build", "--home", drifting, "--stale")
    assert "everything is up to date" in done.stderr
    assert published(drifting) == before


def test_a_damaged_catalogue_does_not_switch_the_guard_off(drifting, feed):
    """The one published catalogue is cut, and the feed has all new ids: it stops, and names the file."""
    before, whole = published(drifting), rows_of(feed)
    catalog = drifting / "android_bundle" / "current" / "catalog.json"
    content = catalog.read_bytes()
    try:
        catalog.write_bytes(content[:900])
        write(feed, [{**row, "product_id": f"new-{row['product_id']}"} for row in whole])
        told = build(drifting)
        assert "catalog.json: can't be read (JSONDecodeError" in told
        assert "`lookbook bundle rollback VERSION`" in told
        assert "`lookbook build --accept-changes`" in told
        assert published(drifting) == before
    finally:
        catalog.write_bytes(content)
    assert "products are gone (100.0%" in build(drifting)


def test_a_feed_far_larger_than_yesterday_stops(drifting, feed):
    """A hundred times the products, of which not one photo is decoded."""
    before, whole = published(drifting), rows_of(feed)
    grown = [{**row, "product_id": f"{row['product_id']}-{n}"} for n in range(99) for row in whole]
    write(feed, [*whole, *grown])
    images = (drifting / "data_lake" / "product_images.parquet").stat()
    told = build(drifting)
    assert told.startswith("raw_catalog: 4000 products with")
    assert "(100.0 times as many, most_growth is 5)" in told
    assert (drifting / "data_lake" / "product_images.parquet").stat() == images
    assert published(drifting) == before


def test_a_feed_that_is_empty_stops_and_the_last_good_table_stays(drifting, feed, lookbook):
    """Nothing is written where nothing can be read."""
    before, table = published(drifting), (drifting / "data_lake" / "raw_catalog.parquet").read_bytes()
    header = feed.read_bytes().partition(b"\n")[0] + b"\n"
    feed.write_bytes(b"")
    stopped = lookbook("build", "--home", drifting, "--stale", ok=False)
    assert "the feed is empty" in last_line(stopped)
    assert "Traceback" not in stopped.stderr
    feed.write_bytes(header)
    assert build(drifting).endswith("the feed has no rows")
    assert published(drifting) == before
    assert (drifting / "data_lake" / "raw_catalog.parquet").read_bytes() == table


def test_a_feed_that_is_still_being_written_stops_within_the_limits_too(drifting, feed, lookbook):
    """Nine tenths of it came: its last line has too few fields, and no end."""
    before, whole = published(drifting), feed.read_bytes()
    lines = whole.splitlines(keepends=True)
    feed.write_bytes(b"".join(lines[: len(lines) * 9 // 10]) + lines[-1][: len(lines[-1]) // 3])
    stopped = lookbook("build", "--home", drifting, "--stale", ok=False)
    line = len(lines) * 9 // 10 + 1
    told = f"the feed was cut short, or is still being written (feed.csv line {line}: "
    assert told in last_line(stopped)
    assert "accept it once" in last_line(stopped)
    assert published(drifting) == before


def test_a_feed_cut_within_its_last_cell_stops(drifting, feed):
    """The price is the last column, and lost its end: every row has its cells, but the line end that was there is gone.

    Accepted once, the same feed is not asked about again: many a feed never ends in one.
    """
    before = published(drifting)
    write(feed, [{**row, "price": row.pop("price")} for row in rows_of(feed)])
    assert build(drifting) == ""
    whole = feed.read_bytes()
    feed.write_bytes(whole[:-4])
    told = "raw_catalog: the feed was cut short, or is still being written (the feed's end: no line end after the last"
    assert build(drifting).startswith(told)
    assert build(drifting).startswith(told)  # tomorrow night
    assert published(drifting) == before
    feed.write_bytes(whole.rstrip())
    assert build(drifting, accept_changes=True) == ""
    assert build(drifting) == ""


def test_warnings_are_on_record(drifting, feed):
    """Prices a hundred times as high, a category that went over to another, missing photos: told, not stopped."""
    rows = rows_of(feed)
    grown, *others = dict.fromkeys(row["category"] for row in rows)
    for row in rows:
        row["price"] = f"{float(row['price']) * 100:.2f}"
        if row["category"] in others[:2]:
            row["category"] = grown
    for row in rows[-8:]:
        row["image"] = "gone/" + row["image"]
    write(feed, rows)
    assert build(drifting, select="raw_catalog") == ""
    said = checks_of(drifting, "raw_catalog")
    assert said["feed_keeps_its_products"].passed
    prices = said["prices_are_steady"]
    assert not prices.passed
    assert prices.metadata["jumped_share"].value == 1
    assert prices.metadata["typical_jump"].value == pytest.approx(100, rel=0.01)
    assert "typically to 100 times what they were" in prices.description
    assert not said["categories_are_steady"].passed
    assert f"{grown} from 4 to " in said["categories_are_steady"].description
    assert not said["photos_are_there"].passed
    assert said["photos_are_there"].metadata["missing"].value == 8
    assert said["few_rows_rejected"].passed


def test_an_accepted_change_goes_on_once(drifting, feed):
    """Accepted and read, then cut off before it was built: it needs no second word; the next loss does."""
    rows = rows_of(feed)
    products = list(dict.fromkeys(row["product_id"] for row in rows))
    write(feed, [row for row in rows if row["product_id"] in products[:20]])
    assert build(drifting, select="raw_catalog", accept_changes=True) == ""
    assert checks_of(drifting, "raw_catalog")["feed_keeps_its_products"].passed
    write(feed, [row for row in rows if row["product_id"] in products[:5]])
    assert "35 of the 40 published products are gone (87.5%, most" in build(drifting)
    write(feed, [row for row in rows if row["product_id"] in products[:19]])
    assert build(drifting, select="raw_catalog") == ""
    assert checks_of(drifting, "raw_catalog")["feed_keeps_its_products"].passed


def test_photos_that_all_fail_do_not_shrink_the_bundle_until_that_is_accepted(drifting, feed):
    """The feed is whole, half of its photos are not; a loss on the way is accepted like one of the feed."""
    before, rows = published(drifting), rows_of(feed)
    broken = {row["image"] for row in rows[: len(rows) // 2]}
    for image in broken:
        (drifting / "shop" / image).write_bytes(b"<html>503</html>")
    told = build(drifting)
    assert told.startswith("android_bundle: ")
    assert "published products are gone" in told
    assert "nothing was published. `lookbook rejected` says what became of the photos" in told
    assert published(drifting) == before
    assert build(drifting, accept_changes=True) == ""
    items = json.loads((drifting / "android_bundle" / "current" / "catalog.json").read_text("utf-8"))
    assert len(items) == len(rows) - len(broken)


def test_another_feed_may_be_another_but_not_lose_its_photos(drifting, tmp_path):
    """Named by --feed it is compared with itself: 10 products of which half have photos that can't be read."""
    shop = drifting / "shop"
    rows = rows_of(shop / "feed.csv")
    products = list(dict.fromkeys(row["product_id"] for row in rows))[-10:]
    mine = [row for row in rows if row["product_id"] in products]
    (tmp_path / "broken.jpg").write_bytes(b"<html>503</html>")
    for row in mine:
        lost = row["product_id"] in products[:5]
        row["image"] = str(tmp_path / "broken.jpg" if lost else shop / row["image"])
        row["mask"] = ""
    write(tmp_path / "feed.csv", mine)
    (tmp_path / "feed.toml").write_text('format = "csv"\npath = "feed.csv"\nphotos = "/"\n', "utf-8")
    before = published(drifting)
    assert build(drifting, feed=str(tmp_path / "feed.toml")).startswith("android_bundle: ")
    assert published(drifting) == before
    assert json.loads((drifting / "data_lake" / "accepted_catalog.json").read_text("utf-8"))["products"].keys() == {
        *products
    }


def checks_of(home, asset):
    """What the checks of an asset said in the last run, by Dagster's own record."""
    environment: dict[str, str] = {}
    prepare(Home(home), environment)
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        (run,) = instance.get_runs(limit=1)
        events = [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event]
    said = [e.asset_check_evaluation_data for e in events if e.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION]
    return {one.check_name: one for one in said if one.asset_key == dg.AssetKey(asset)}
