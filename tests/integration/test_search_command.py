"""`lookbook search` as people and programs call it: many photos, standard input, filters, reasons, exit codes."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from query.cli import main
from tests.conftest import BuiltShop

QUERY = (sys.executable, "-m", "query")
BREAKS = "left, top, right, bottom are fractions from 0 to 1, in this order"


@pytest.fixture(scope="module")
def bundle(built_shop: BuiltShop) -> Path:
    """The built shop's bundle; not to be changed."""
    return built_shop.home / "android_bundle" / "current"


@pytest.fixture(scope="module")
def items(bundle: Path) -> list[dict[str, object]]:
    """What its catalogue lists."""
    return json.loads((bundle / "catalog.json").read_text("utf-8"))


@pytest.fixture
def folder(built_shop: BuiltShop, tmp_path: Path) -> Path:
    """Two photos, one of them a folder deeper, one that is cut short, a text, and what is hidden."""
    photo = built_shop.queries[0].read_bytes()
    (tmp_path / "photos" / "deeper").mkdir(parents=True)
    (tmp_path / "photos" / "b.jpg").write_bytes(photo)
    (tmp_path / "photos" / "deeper" / "a.JPG").write_bytes(built_shop.queries[1].read_bytes())
    (tmp_path / "photos" / "cut.jpg").write_bytes(photo[: len(photo) // 2])
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    (tmp_path / "photos" / ".thumbs.jpg").write_bytes(b"hidden")
    return tmp_path / "photos"


def search(
    bundle: Path, *arguments: object, code: int = 0, given: bytes | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own; it must end with `code`."""
    command = [*QUERY, "search", "--bundle", str(bundle), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, timeout=120)
    out, errors = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{out}\n{errors}"
    return subprocess.CompletedProcess(command, done.returncode, out, errors)


def found(bundle: Path, *arguments: object, given: bytes | None = None) -> dict[str, object]:
    """What one search finds, as JSON."""
    return json.loads(search(bundle, *arguments, "--json", given=given).stdout)


def without_times(told: dict[str, object]) -> dict[str, object]:
    """An answer without what differs from run to run."""
    return {key: value for key, value in told.items() if key not in ("photo", "milliseconds", "elapsed_ms")}


def test_a_folder_is_searched_in_order_and_what_fails_is_told(bundle: Path, folder: Path, tmp_path: Path) -> None:
    """A line of JSON a photo, a picture each, 3 as exit code; a text is passed by and told, a hidden file not told."""
    grids = tmp_path / "grids"
    done = search(bundle, folder, "--json-lines", "--save-grid", grids, "-k", 2, code=3)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["photo"] for line in lines] == [str(folder / name) for name in ("b.jpg", "cut.jpg", "deeper/a.JPG")]
    assert [len(line.get("results", ())) for line in lines] == [2, 0, 2]
    assert lines[1]["reason"] == "truncated_image"
    assert "send the photo again" in lines[1]["error"]
    assert f"{folder / 'notes.txt'}: passed by, no picture by its name" in done.stderr
    assert "1 of 3 photos failed" in done.stderr
    assert "thumbs" not in done.stderr
    saved = sorted(str(path.relative_to(grids)) for path in grids.rglob("*.*"))
    assert saved == ["b.jpg.png", "deeper/a.JPG.png"]
    for name in saved:
        with Image.open(grids / name) as picture:
            assert picture.width > 1000
    assert lines[0]["picture"] == str(grids / "b.jpg.png")


def test_a_folder_as_one_list_and_as_tables(bundle: Path, folder: Path) -> None:
    """--json is one value whatever fails; the tables have a heading a photo, problems go to standard error."""
    told = json.loads(search(bundle, folder, "--json", code=3).stdout)
    assert ["error" in entry for entry in told] == [False, True, False]
    done = search(bundle, folder, "-k", 1, code=3)
    assert f"1 of 3: {folder / 'b.jpg'}" in done.stdout
    assert f"3 of 3: {folder / 'deeper' / 'a.JPG'}" in done.stdout
    assert f"lookbook: {folder / 'cut.jpg'}: truncated_image: cut short" in done.stderr
    (folder / "b.jpg").unlink()
    (folder / "deeper" / "a.JPG").unlink()
    assert json.loads(search(bundle, folder, "--json", code=1).stdout)[0]["reason"] == "truncated_image"


def test_photos_of_one_name_have_pictures_of_their_own(bundle: Path, folder: Path, tmp_path: Path) -> None:
    """Two files that are called alike, from two folders."""
    (folder / "deeper" / "b.jpg").write_bytes((folder / "b.jpg").read_bytes())
    search(bundle, folder / "b.jpg", folder / "deeper" / "b.jpg", "--save-grid", tmp_path / "grids", "-k", 1)
    assert sorted(path.name for path in (tmp_path / "grids").iterdir()) == ["b.jpg-2.png", "b.jpg.png"]


def test_a_hostile_name_gives_a_picture_of_a_plain_name(bundle: Path, folder: Path, tmp_path: Path) -> None:
    """Neither a line break nor a terminal's commands get into the name that is written."""
    hostile = folder / "e\x1b[31mvil\nname.jpg"
    hostile.write_bytes((folder / "b.jpg").read_bytes())
    search(bundle, folder / "b.jpg", hostile, "--save-grid", tmp_path / "grids", "-k", 1)
    assert sorted(path.name for path in (tmp_path / "grids").iterdir()) == ["b.jpg.png", "e\ufffd[31mvil name.jpg.png"]


def test_standard_input_is_a_photo(bundle: Path, built_shop: BuiltShop) -> None:
    """The same answer as the file's, but for its name and the time; what is no photo ends with 1 and a line."""
    photo = built_shop.queries[2]
    piped, named = found(bundle, "-", given=photo.read_bytes()), found(bundle, photo)
    assert (piped["photo"], named["photo"]) == ("-", str(photo))
    assert without_times(piped) == without_times(named)
    assert named["elapsed_ms"] > 0
    assert search(bundle, "-", given=b"", code=1).stderr == "lookbook: -: empty_file: 0 bytes; send the photo again\n"


def test_filters_hold_items_back(bundle: Path, built_shop: BuiltShop, items: list[dict[str, object]]) -> None:
    """All that pass, counted here from the catalogue itself, are found, and nothing else."""
    category, _ = Counter(item["category"] for item in items).most_common(1)[0]
    inside = [item for item in items if item["category"] == category]
    least, most = sorted({item["price"] for item in inside})[1::2][:2] or (0, 0)
    brands = {item["brand"] for item in inside if least <= item["price"] <= most}
    for options, passes in (
        (["--price-min", least, "--price-max", most], lambda item: least <= item["price"] <= most),
        ([part for brand in brands for part in ("--brand", brand.upper())], lambda item: item["brand"] in brands),
        (["--in-stock"], lambda item: item["availability"] == "in_stock"),
    ):
        wanted = {item["product_id"] for item in inside if passes(item)}
        assert wanted, f"{category}: nothing passes {options}"
        asked = ["--category", category, "-k", 1000, *options]
        told = found(bundle, built_shop.queries[0], *asked)
        assert {hit["product_id"] for hit in told["results"]} == wanted
        like = found(bundle, "--product-id", inside[0]["product_id"], *asked)
        assert {hit["product_id"] for hit in like["results"]} == wanted - {inside[0]["product_id"]}


def test_weights_count_as_they_are_named(bundle: Path, built_shop: BuiltShop) -> None:
    """Colour alone; and 2,1,1 is half, a quarter, a quarter of the parts."""
    told = found(bundle, built_shop.queries[0], "--weights", "0,0,3")
    assert [hit["score"] for hit in told["results"]] == pytest.approx(
        [hit["parts"]["color"] for hit in told["results"]], abs=1e-6
    )
    for hit in found(bundle, built_shop.queries[0], "--weights", "2,1,1")["results"]:
        parts = hit["parts"]
        wanted = 0.5 * parts["semantic"] + 0.25 * parts["texture"] + 0.25 * parts["color"]
        assert hit["score"] == pytest.approx(wanted, abs=1e-6)


def test_a_box_is_the_photo_cut_to_it(bundle: Path, built_shop: BuiltShop, tmp_path: Path) -> None:
    """The same hits as for a file of those pixels alone."""
    with Image.open(built_shop.queries[0]) as photo:
        width, height = photo.size
        box = (width // 8, height // 8, width - width // 8, height)
        photo.crop(box).save(tmp_path / "cut.png")
    fractions = ",".join(repr(side / of) for side, of in zip(box, (width, height) * 2, strict=True))
    boxed, cut = found(bundle, built_shop.queries[0], "--box", fractions), found(bundle, tmp_path / "cut.png")
    assert without_times(boxed) == without_times(cut)


def test_two_things_in_a_photo_are_listed_and_searched_alone(bundle: Path, tmp_path: Path) -> None:
    """Two plain blocks on white: the larger first, to the pixel; each box is one that --box takes."""
    photo = Image.new("RGB", (1000, 500), "white")
    photo.paste((180, 40, 60), (100, 100, 400, 420))
    photo.paste((40, 70, 160), (600, 150, 850, 400))
    photo.save(tmp_path / "two.png")
    told = found(bundle, tmp_path / "two.png", "--things")
    assert told["things"] == [[0.1, 0.2, 0.4, 0.84], [0.6, 0.3, 0.85, 0.8]]
    table = [line.split() for line in search(bundle, tmp_path / "two.png", "--things").stdout.splitlines()]
    assert ["1", "0.1000,0.2000,0.4000,0.8400"] in table
    assert ["2", "0.6000,0.3000,0.8500,0.8000"] in table
    alone = found(bundle, tmp_path / "two.png", "--things", "--box", "0.55,0.2,0.9,0.9")
    assert alone["things"] == [pytest.approx([0.6, 0.3, 0.85, 0.8], abs=0.002)]


def test_explain_adds_up(bundle: Path, built_shop: BuiltShop, items: list[dict[str, object]]) -> None:
    """Each part is value x weight, value is made of cosine and chance, the parts sum to the score; why is told."""
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    told = found(bundle, built_shop.queries[0], "--explain", "--weights", "1,2,1", "--price-max", 50)
    why = told["explanation"]
    for hit, answer in zip(why["hits"], told["results"], strict=True):
        assert [part["weight"] for part in hit["parts"]] == [0.25, 0.5, 0.25]
        assert sum(part["value"] * part["weight"] for part in hit["parts"]) == pytest.approx(answer["score"], abs=1e-6)
        semantic, _, color = hit["parts"]
        chance = manifest["spaces"][hit["space"]]["chance_cosine"]
        assert semantic["value"] == pytest.approx((semantic["cosine"] - chance) / (1 - chance), abs=1e-5)
        assert hit["passed_color_gate"] == (color["value"] >= manifest["ranking"]["color_gate"])
    near = [entry["name"] for entry in why["route"] if entry["behind"] < manifest["router"]["margin"]]
    assert near == [entry["name"] for entry in why["route"] if entry["searched"]] == told["categories"]
    inside = [item for item in items if item["category"] in told["categories"]]
    assert why["items"] == len(inside)
    assert why["items_left"] == sum(item["price"] <= 50 for item in inside)
    table = search(bundle, built_shop.queries[0], "--explain").stdout
    margin = manifest["router"]["margin"]
    for line in (f"searched: the best category, and all less than {margin:g} behind it", "the mask covers", "= share"):
        assert line in table
    given = search(bundle, built_shop.queries[0], "--explain", "--category", "mug").stdout
    assert "in mug: not routed, the category is given" in given


def test_a_flag_of_the_mask_is_put_in_words(bundle: Path, tmp_path: Path) -> None:
    """A close-up of one colour leaves no ground."""
    Image.new("RGB", (200, 200), (180, 40, 60)).save(tmp_path / "red.png")
    done = search(bundle, tmp_path / "red.png", "--explain")
    assert "fills_photo: the product fills nearly all of the photo" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.jpg", "--text", "red"], "name photos, one --product-id or one --text"),
        ([""], "is empty; name a photo"),
        (["a.jpg", "--weights", "1,2"], "takes 3 numbers, semantic,texture,color, with commas between them"),
        (["a.jpg", "--weights", "1,nan,1"], "takes 3 numbers"),
        (["a.jpg", "--weights", "0,0,0"], "no weight may be under 0, and one must be over it"),
        (["a.jpg", "--weights", "-1,2,1"], "no weight may be under 0, and one must be over it"),
        (["a.jpg", "--box", "0,0,1"], "takes 4 numbers, left,top,right,bottom, with commas between them"),
        (["a.jpg", "--box", ".5,0,.4,1"], BREAKS),
        (["a.jpg", "--box", "0,0,1,1.5"], BREAKS),
        (["a.jpg", "--json", "--json-lines"], "--json and --json-lines exclude each other"),
        (["--product-id", "X", "--things"], "--box and --things are about a photo; name one"),
        (["--text", "red", "--brand", "X"], "--text goes without --weights, --explain"),
        (["-", "-"], "standard input holds one photo; name - once"),
        (["a.jpg", "b.jpg", "--save-grid", "all.png"], "with several photos --save-grid names a folder"),
    ],
)
def test_what_does_not_go_together_is_told(arguments: list[str], told: str) -> None:
    """Exit code 2 and a line that says how it goes; no bundle is opened for it."""
    done = CliRunner().invoke(main, ["search", "--bundle", "nowhere", *arguments])
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())


def test_what_no_photo_is_to_blame_for_is_told_once(bundle: Path, folder: Path, tmp_path: Path) -> None:
    """An unknown category, brand and price range, a folder without pictures: one line and 1, however many photos."""
    for options, told in (
        (["--category", "mugs"], "no category 'mugs' in this bundle; did you mean 'mug'?"),
        (["--price-min", 9, "--price-max", 3], "no price is from 9.0 to 3.0; exchange the two"),
        (["--price-min", -1], "a price of -1.0 is none; it takes a number from 0 up"),
    ):
        done = search(bundle, folder / "b.jpg", folder / "deeper" / "a.JPG", *options, code=1)
        assert done.stderr == f"lookbook: {told}\n"
    (tmp_path / "empty").mkdir()
    told = f"lookbook: no picture in {tmp_path / 'empty'}; name a folder that holds some\n"
    assert search(bundle, tmp_path / "empty", code=1).stderr == told


def test_a_hostile_name_does_not_reach_the_terminal(bundle: Path, built_shop: BuiltShop, tmp_path: Path) -> None:
    """Control characters of a file's name are shown as such, in tables and in errors; JSON escapes them."""
    hostile = tmp_path / "\x1b]0;owned\x07.jpg"
    missing = search(bundle, hostile, code=1)
    assert "\ufffd]0;owned\ufffd.jpg: image_not_found: can't be read" in missing.stderr
    hostile.write_bytes(built_shop.queries[0].read_bytes())
    done = search(bundle, hostile, built_shop.queries[0], "-k", 1)
    assert "\x1b" not in done.stdout + missing.stderr
    assert found(bundle, hostile)["photo"] == str(hostile)
    unnamed = os.fsencode(tmp_path) + b"/\xff.jpg"
    Path(os.fsdecode(unnamed)).write_bytes(hostile.read_bytes())
    assert found(bundle, os.fsdecode(unnamed))["photo"] == f"{tmp_path}/\ufffd.jpg"


def test_a_reader_that_leaves_early_ends_it_quietly(bundle: Path, built_shop: BuiltShop) -> None:
    """`| head -1`: no traceback."""
    photos = " ".join(f"'{photo}'" for photo in built_shop.queries[:4])
    line = f"'{sys.executable}' -m query search --bundle '{bundle}' --json-lines {photos} | head -c 20"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith('{"photo":')
    assert done.stderr == ""
