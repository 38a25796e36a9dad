"""Pairs of street and shop photos: which are read, which are asked."""

from collections import Counter
from pathlib import Path

import pytest

from catalog.errors import FormatError
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.pairs import read_pairs, sample


def pairs(counts: dict[str, int]) -> list[tuple[Photo, Photo]]:
    """So many street photos a shop photo."""
    return [
        (
            Photo(name=f"{shop}-{n}", file=Path(f"{shop}-{n}"), product_id=shop),
            Photo(name=shop, file=Path(shop), product_id=shop),
        )
        for shop, count in counts.items()
        for n in range(count)
    ]


def test_pairs_are_read(tmp_path):
    """From the data folder, else from beside the file; a street photo of two products is asked for each."""
    data, beside = tmp_path / "data", tmp_path / "lists"
    for file in (data / "s1.jpg", beside / "shop.jpg"):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    listed = beside / "pairs.csv"
    listed.write_text("shop,street,category\nshop.jpg,s1.jpg,\nother.jpg,s1.jpg,mug\nshop.jpg,s1.jpg,\n")
    found = read_pairs(listed, data)
    assert [street.repeats for street, _ in found] == [False, False, True]
    assert str(sample(found, 1.0, 0)[1]) == (
        "2 of 2 pairs are asked (sampling ratio 1.000), of 2 of 2 products; 1 rows repeat an earlier one and count once"
    )
    found = found[:2]
    assert [street.name for street, _ in found] == ["s1.jpg", "s1.jpg for other.jpg"]
    assert [street.file for street, _ in found] == [data / "s1.jpg"] * 2
    assert [shop.file for _, shop in found] == [beside / "shop.jpg", beside / "other.jpg"]
    named = [(street.product_id, street.category) for street, _ in found]
    assert named == [("shop.jpg", "product"), ("other.jpg", "mug")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "pairs.csv: not there; --pairs names a CSV file"),
        ("street\na.jpg\n", "no column shop"),
        ("street,shop\na.jpg,\n", "line 2: both a street and a shop photo"),
        ("street,shop\n", "holds no row; --pairs names"),
        ("street,shop\na.jpg,../../b.jpg\n", "line 2: '../../b.jpg' leaves the photos' folder; name a path below it"),
        ("street,shop\n/a.jpg,b.jpg\n", "line 2: '/a.jpg' leaves the photos' folder"),
        ('street,shop\n"a,b\n', "no CSV"),
        (b"street,shop\n\xff,b\n", "not UTF-8 at its byte 12"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, told):
    """In one line that says what and where."""
    path = tmp_path / "pairs.csv"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FormatError) as error:
        read_pairs(path, tmp_path)
    assert "pairs.csv" in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize("seed", range(5))
def test_a_share_is_asked_of_every_product(seed):
    """Half of 8, 5, 1, 1, 1 and 2 pairs: nine in all; of each product the half rounded down or up."""
    counts = {"a": 8, "b": 5, "c": 1, "d": 1, "e": 1, "f": 2}
    protocol, sampling = sample(pairs(counts), 0.5, seed)
    asked = Counter(query.product_id for query in protocol.queries)
    assert (sampling.pairs, sampling.asked, sampling.ratio) == (18, 9, 0.5)
    assert all(counts[name] // 2 <= asked[name] <= -(-counts[name] // 2) for name in counts)
    assert [shop.name for shop in protocol.gallery] == list(counts)
    assert protocol == sample(pairs(counts), 0.5, seed)[0]


@pytest.mark.parametrize(("share", "total"), [(0.29, 44), (0.3, 45), (0.7, 106)])
def test_a_share_is_rounded_for_every_product(share, total):
    """Of 100, 50 and 1 pairs, .29 is 29, 14.5 and .29: what is whole stays whole, and the half takes what is left."""
    counts = {"a": 100, "b": 50, "c": 1}
    for seed in range(20):
        protocol, sampling = sample(pairs(counts), share, seed)
        asked = Counter(query.product_id for query in protocol.queries)
        assert sampling.asked == total
        assert asked["a"] == round(share * 100)
        assert asked["b"] in (int(share * 50), int(share * 50) + 1)


def test_all_or_little_can_be_asked():
    """A share of 1 asks every pair, a small one at least one; another seed asks others."""
    listed = pairs({"a": 3, "b": 4})
    assert len(sample(listed, 1.0, 0)[0].queries) == 7
    assert len(sample(listed, 0.01, 0)[0].queries) == 1
    assert len({sample(listed, 0.3, seed)[0].queries for seed in range(8)}) > 1
