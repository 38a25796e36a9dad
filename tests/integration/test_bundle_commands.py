"""`lookbook bundle` as people use it: after a bad night back to the day before, held, mended, released; and signed."""

import csv
import json
import shutil

import pytest


def set_price(home, price: str) -> str:
    """Give the feed's first product another price; returns its id."""
    feed = home / "shop" / "feed.csv"
    with feed.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["product_id"] == rows[0]["product_id"]:
            row["price"] = price
    with feed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return rows[0]["product_id"]


def price_of(folder, product_id: str) -> float:
    """What a bundle says that a product costs."""
    items = json.loads((folder / "catalog.json").read_text("utf-8"))
    return next(item["price"] for item in items if item["product_id"] == product_id)


def test_a_bad_night(shop_copy, lookbook):
    """Publish, compare, damage, roll back with a hold, build on signed, release."""
    home, bundles = shop_copy.home, shop_copy.home / "android_bundle"

    def bundle(*arguments, ok=True):
        done = lookbook("bundle", *arguments, "--home", home, ok=ok)
        return done.stdout if ok else done.stderr

    first = json.loads(bundle("list", "--json"))["current"]
    assert "no version before the current one" in bundle("diff", ok=False)
    product = set_price(home, "0.01")
    lookbook("build", "--home", home, "--feed", shop_copy.feed, "--select", "raw_catalog,android_bundle")
    second = json.loads(bundle("list", "--json"))["current"]
    assert second != first

    told = bundle("diff")
    assert f"{first} -> {second}" in told
    assert "0 added, 0 removed, 1 changed" in told
    assert f"~ {product}" in told
    assert "-> 0.01 EUR" in told
    found = json.loads(bundle("diff", second, first, "--json"))
    assert found["changed"][0]["fields"]["price"][0] == "0.01 EUR"

    thumb = next((bundles / "current" / "thumbs").iterdir())
    assert thumb.samefile(bundles / "versions" / first / "thumbs" / thumb.name)  # linked, not copied
    assert "every byte is as the manifest says" in bundle("verify")
    whole = thumb.read_bytes()
    thumb.write_bytes(whole[:-1] + b"?")  # in place: what nothing may do
    for command in ("verify", "rollback"):
        problem = bundle(command, ok=False)
        assert thumb.name in problem
        assert "it was exchanged" in problem
        assert len(problem.strip().splitlines()) == 1
    assert json.loads(bundle("list", "--json"))["current"] == second
    thumb.write_bytes(whole)

    told = bundle("rollback", "--hold")
    assert f"current is {first} again, verified; it was {second}, which is kept" in told
    assert price_of(bundles / "current", product) != 0.01
    rows = {row["version"]: row for row in json.loads(bundle("list", "--json"))["versions"]}
    assert rows[first]["current"]
    assert rows[first]["note"].startswith("rolled back to, at 20")
    assert rows[first]["note"].endswith(f"from {second}")
    assert rows[second]["note"].startswith("rolled back from, at 20")

    bundle("keygen")
    set_price(home, "59.50")
    shutil.rmtree(bundles / "versions" / second / "thumbs")  # what is no longer current may be damaged
    built = lookbook("build", "--home", home, "--stale").stderr
    assert "held: " in built
    assert f"{first} stays current; `lookbook bundle release` publishes it" in built
    assert price_of(bundles / "current", product) not in (0.01, 59.5)
    assert "released: current is " in bundle("release", "--require-signature")
    assert price_of(bundles / "current", product) == 59.5
    assert json.loads(bundle("verify", "--json"))["signed_by"] == "signing"
    assert "* " in bundle("list")


def test_signed_and_read(built_shop, tmp_path, lookbook):
    """Signed with a named key, opened by who has the public one, refused by who has not, or another's."""
    folder, home = tmp_path / "bundle", tmp_path / "home"
    shutil.copytree(built_shop.home / "android_bundle" / "current", folder)
    photo = built_shop.queries[0]

    def search(*arguments, ok=True):
        done = lookbook("search", photo, "--home", home, "--bundle", folder, "--json", *arguments, ok=ok)
        return json.loads(done.stdout)["results"] if ok else done.stderr

    unsigned = search()
    assert "is not signed, and a signature is required" in search("--require-signature", ok=False)
    lookbook("bundle", "keygen", "--out", tmp_path / "shop")
    assert (tmp_path / "shop.pem").stat().st_mode & 0o777 == 0o600
    assert "is there already" in lookbook("bundle", "keygen", "--out", tmp_path / "shop", ok=False).stderr
    assert "signing.pem: not there" in lookbook("bundle", "sign", folder, "--home", home, ok=False).stderr
    lookbook("bundle", "sign", folder, "--home", home, "--key", tmp_path / "shop.pem")
    assert "which is none of the trusted ones (no key is trusted here)" in search(ok=False)
    assert search("--key", tmp_path / "shop.pub", "--require-signature") == unsigned
    (home / "keys").mkdir(parents=True)
    shutil.copy(tmp_path / "shop.pub", home / "keys")
    assert search("--require-signature") == unsigned
    text = (folder / "manifest.json").read_text("utf-8")
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    assert "the signature does not fit manifest.json" in search(ok=False)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    (tmp_path / "shop.pem").chmod(0o644)
    refused = lookbook("bundle", "sign", folder, "--home", home, "--key", tmp_path / "shop.pem", ok=False).stderr
    assert "mode 0644, others can read or change this private key" in refused


@pytest.mark.parametrize("command", [("list",), ("list", "--json")])
def test_a_home_without_a_bundle(tmp_path, lookbook, command):
    """Said, not failed."""
    done = lookbook("bundle", *command, "--home", tmp_path)
    assert "no bundle yet; `lookbook build` makes one" in done.stdout or json.loads(done.stdout)["versions"] == []
    assert (
        "manifest.json: not there; build a bundle first"
        in lookbook("bundle", "verify", "--home", tmp_path, ok=False).stderr
    )
