"""`lookbook evaluate` as a process: every protocol on a drawn folder, by a bundle's models and by a built home."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dagster_project.cli import main
from tests.labelled_folder import write_labelled_folder, write_manifest

PAIRS = "street,shop\ngrocery/q6.png,grocery/6.png\ngrocery/q8.png,grocery/8.png\nnone.png,grocery/8.png\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A handful of photos of every protocol, and pairs of them."""
    folder = write_labelled_folder(tmp_path_factory.mktemp("data") / "photos")
    (folder / "pairs.csv").write_text(PAIRS)
    return folder


@pytest.fixture(scope="module")
def by_bundle(built_shop, data, lookbook, tmp_path_factory) -> dict:
    """Every protocol, asked of a published bundle's models."""
    work = tmp_path_factory.mktemp("work")
    bundle, out = built_shop.home / "android_bundle" / "current", work / "scores.json"
    arguments = ("--bundle", bundle, "--home", work, "--pairs", data / "pairs.csv", "--sample-share", 1)
    done = lookbook("evaluate", data, *arguments, "--sample-products", 4, "--ablation", "--json", out)
    return {"markdown": done.stdout, "file": out, "work": work, **json.loads(out.read_text())}


def test_every_protocol_is_measured(by_bundle):
    """Each says how many photos it asked, of how many; only forms can't be compared, since a bundle has no others."""
    found = by_bundle["protocols"]
    counts = {name: (p["queries"], p["gallery"]) for name, p in found.items() if "left_out" not in p}
    assert counts == {
        "luma": (4, 6), "fabric": (1, 4), "prints": (4, 6), "routing": (4, 8), "grocery": (2, 3), "masks": (2, 2),
        "sample": (2, 6), "pairs": (1, 2),
    }  # fmt: skip
    assert found["int8"] == {"left_out": "a published bundle has no float forms to agree with"}
    assert "left out: a published bundle has no float forms to agree with" in by_bundle["markdown"]


def test_what_could_not_be_used_is_listed(by_bundle):
    """A photo that isn't there, one that is no picture, a join that is not certain."""
    found = by_bundle["protocols"]
    problems = {name: [p["photo"] for p in part.get("problems", [])] for name, part in found.items()}
    assert problems["luma"] == ["luma/missing.png", "luma/torn.png", "luma/qtorn.png"]
    assert problems["grocery"] == ["grocery/q8.png"]
    assert sorted(problems["pairs"]) == ["grocery/q8.png", "none.png"]
    notes, fitted = found["luma"]["notes"], "fitted, each product left out in turn"
    assert notes[0] == "left out, its very photo, or nearly, is in the gallery: 1 photos"
    assert notes[-1] == "no row 'float forms': a published bundle has none"
    none = "no query has both its right answer and a wrong one among the candidates"
    why = f"no row '{fitted}': no weights can be fitted: {none}"
    assert (fitted in found["luma"]["rows"]) != (why in notes)  # by what these few photos look like to the models
    assert found["fabric"]["notes"][0] == "left out, uncertain join: 1 photos"
    assert "3 of 3 pairs are asked (sampling ratio 1.000), of 2 of 2 products; seed 0" in found["pairs"]["notes"]
    assert "  - luma/missing.png: can't be read (No such file or directory)" in by_bundle["markdown"]


def test_values_are_those_of_the_photos(by_bundle):
    """The very photo shifted, mirrored or darkened is found; a mask of a drawn product on white fits."""
    found = by_bundle["protocols"]
    full = {name: part["rows"]["full score"] for name, part in found.items() if "rows" in part}
    assert full["routing"]["nearest neighbour"]["mean"] == 1.0
    assert full["fabric"]["success@1"]["values"] == {"fingercam/4.png": 1.0}
    assert full["grocery"]["success@10"]["mean"] == 1.0
    assert full["masks"]["product IoU, query"]["mean"] > 0.9
    assert full["sample"]["mask IoU"]["queries"] == 2
    # six labelled photos of three classes that are asked of two: chance is 2 of 6
    assert found["prints"]["chance"]["print precision@10, plain"] == pytest.approx(1 / 3)
    for name, part in found.items():
        for measures in part.get("rows", {}).values():
            for measure in measures.values():
                assert set(measure["values"]) <= set(part["groups"]), name


def test_the_ablation_says_what_each_part_is_worth(by_bundle):
    """A row a part left out, a route and a cut-out, and a tested difference."""
    rows = set(by_bundle["protocols"]["luma"]["rows"])
    assert {"full score", "semantic only", "without texture", "without color", "without segmentation"} <= rows
    assert {"full score, no route", "full score, perfect route"} <= rows
    assert set(by_bundle["protocols"]["routing"]["rows"]) == {"full score", "without segmentation"}
    assert "| without segmentation | success@1 | " in by_bundle["markdown"]
    assert "| what | measure | difference | p | p, Holm | n |" in by_bundle["markdown"]


def test_the_next_run_is_compared_with_it(by_bundle, built_shop, data, tmp_path):
    """By itself, by the name that the bundle was called by; a run of another protocol in between changes nothing."""
    bundle = built_shop.home / "android_bundle" / "current"
    asked = ["evaluate", str(data), "--bundle", str(bundle), "--home", str(by_bundle["work"]), "--protocol"]
    for protocol in ("fabric", "grocery"):
        done = CliRunner().invoke(main, [*asked, protocol])
        assert done.exit_code == 0, done.output
        assert "Compared with the run before.\n\n# bundle " in done.stdout
        assert f"| {protocol} | success@1 | +0.000 [+0.000, +0.000] | 1.0000 | 1.0000 | " in done.stdout
    done = CliRunner().invoke(main, [*asked, "int8"])
    assert done.exit_code == 1
    assert "nothing was measured: int8: a published bundle has no float forms to agree with" in done.stderr
    assert not list(by_bundle["work"].glob("evaluation/sample_shop_700"))


def test_photos_of_training_senders_are_not_scored(by_bundle):
    """Of the dev split they stand in the gallery only, and the report says so."""
    found = by_bundle["protocols"]["routing"]
    assert sorted(found["groups"].values()) == ["8", "8", "9", "9"]
    assert found["notes"][0].startswith("4 of 8 queries are scored: the others are of senders or styles")


def test_a_profile_is_measured_by_a_home_built_with_it(by_bundle, data, lookbook, tmp_path):
    """It has float forms and a catalogue's masks; a second run builds nothing; it is compared with the bundle."""
    with (data / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] in ("ccp", "saleor")]
    for row in rows:
        shutil.copytree(data / row["source"], tmp_path / row["source"], dirs_exist_ok=True)
    write_manifest(tmp_path, rows)
    out = tmp_path / "profile.json"
    asked = ("--home", by_bundle["work"], "--protocol", "masks", "--protocol", "luma")
    first = lookbook("evaluate", tmp_path, *asked, "--ablation", "--json", out)
    found = json.loads(out.read_text())["protocols"]
    assert found["luma"] == {"left_out": "no rows"}
    assert "\nleft out: no rows\n" in first.stdout
    measures = found["masks"]["rows"]["full score"]
    assert measures["person IoU, catalogue"]["mean"] > 0.8
    assert sorted(measures["garment IoU, catalogue"]["values"]) == ["ccp/photo/1.png blouse", "ccp/photo/1.png skirt"]
    assert found["masks"]["rows"]["float forms"].keys() == {"person IoU, query", "product IoU, query"}
    assert "android_bundle" in first.stderr
    again = lookbook("evaluate", tmp_path, *asked[:4], "--against", by_bundle["file"])
    assert "android_bundle" not in again.stderr
    assert re.search(r"^# profile embedded \(.* UTC\) against bundle .* \(.* UTC\)$", again.stdout, re.MULTILINE)
    assert "Compared with the run before." not in again.stdout
    assert "Their manifests differ" in again.stdout
    assert "| masks | person IoU, query | " in again.stdout


def test_mistakes_are_one_line(lookbook, tmp_path):
    """They say what and where."""
    done = lookbook("evaluate", ".", "--profile", "imagesearch", "--home", tmp_path, ok=False, cwd=tmp_path)
    assert done.stderr.startswith("lookbook: profile imagesearch: not pulled yet: ")
    assert "lookbook models pull --profile imagesearch" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = lookbook("evaluate", ".", "--profile", "embedded", "--bundle", ".", ok=False)
    assert "--profile and --bundle exclude each other" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sample-share", "nan"], "nan is no share"),
        (["--protocol", "pairs"], "--protocol pairs needs --pairs FILE"),
        (["--protocol", "luma", "--pairs", "p.csv"], "--pairs is for the protocol pairs, which is not asked"),
        (["--json", "."], ".: a folder; --json names a file"),
        (["--json", "manifest.csv/scores.json"], "/manifest.csv: can't be read or written"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(tmp_path, monkeypatch, arguments, told):
    """Nothing is built: the profile has its models, and the folder an empty manifest, which would be said next."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifest.csv").touch()
    done = CliRunner().invoke(main, ["evaluate", ".", "--home", str(tmp_path), *arguments])
    assert done.exit_code in (1, 2)
    assert told in done.stderr
