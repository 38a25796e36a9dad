"""Protocols on hand-made labels: who is asked, what is left out, and what a ranking is worth. Values are by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import FormatError
from catalog.evaluation import evaluation_report, protocol_scores, protocols
from catalog.evaluation.evaluation_report import FULL, Measured
from catalog.evaluation.labelled_photos import Photo, read_manifest
from catalog.evaluation.protocol_scores import PRINT_MEAN, Ranked
from catalog.evaluation.protocols import FABRIC, GROCERY, LUMA, PRINTS, ROUTING, Protocol
from catalog.training import photos as training_photos
from tests.conftest import CHECKOUT
from tests.labelled_folder import write_manifest


def photo(name: str, **labels: str) -> Photo:
    """A photo with some labels; it is a product of its own unless told."""
    return Photo(name=name, file=Path(name), **{"product_id": name, **labels})


def test_a_manifest_is_read(tmp_path):
    """Cells are stripped, a photo without a product is one, several tasks are told apart, a mask lies in the folder."""
    write_manifest(
        tmp_path,
        [{"path": "a/1.jpg", "source": "clothing", "task": "x; y", "category": " hat ", "mask_path": "m.png"}],
    )
    (found,) = read_manifest(tmp_path)
    assert (found.name, found.product_id, found.category, found.tasks) == ("a/1.jpg", "a/1.jpg", "hat", ("x", "y"))
    assert (found.file, found.mask) == (tmp_path / "a" / "1.jpg", tmp_path / "m.png")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "not there; name the folder"),
        ("", "no column path, source, category, role"),
        ("path,source,category,role\n", "holds no row"),
        ("path,source,category\na.jpg,luma,x\n", "no column role"),
        ("path,source,category,role\n,luma,x,query\n", "line 2: has no path"),
        ("path,source,category,role\n../a.jpg,luma,x,query\n", "line 2: '../a.jpg' leaves the manifest's folder"),
        ("path,source,category,role\n/a.jpg,luma,x,query\n", "leaves the manifest's folder"),
        ('path,source,category,role\n"a,luma,x,query\n', "no CSV"),
        (b"path,source,category,role\n\xff,luma,x,query\n", "not UTF-8 at its byte 26"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path, text, told):
    """In one line that says what and where."""
    if text is not None:
        (tmp_path / "manifest.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FormatError, match=r"manifest\.csv") as error:
        read_manifest(tmp_path)
    assert told in str(error.value)


def test_roles_say_who_is_asked():
    """Rows are a protocol's by their source or by one of their tasks; others are nobody's."""
    rows = [
        photo("g", source="luma", role="gallery"),
        photo("q", source="another", tasks=("instance+colour retrieval",), role="query"),
        photo("s", source="sylius", tasks=("smoke/category routing",), role="query"),
    ]
    found = protocols.choose(LUMA, rows)
    assert found is not None
    assert ([p.name for p in found.gallery], [p.name for p in found.queries]) == (["g"], ["q"])
    assert protocols.choose(ROUTING, rows) is None
    assert protocols.choose(GROCERY, rows) is None


def test_a_photo_that_two_rows_name_counts_once(tmp_path):
    """The earlier row stands, and the later is counted."""
    row = {"path": "g.jpg", "source": "luma", "role": "gallery", "product_id": "1"}
    write_manifest(tmp_path, [row, {**row, "product_id": "2"}, {**row, "path": "q.jpg", "role": "query"}])
    found = protocols.choose(LUMA, read_manifest(tmp_path))
    assert found is not None
    assert [p.product_id for p in found.gallery] == ["1"]
    assert found.left_out == {"an earlier row names the same photo": ("g.jpg",)}


def test_uncertain_fabrics_are_left_out_and_counted():
    """And every fabric photo can be ranked by itself."""
    rows = [
        photo("1", source="fingercam", role="gallery", product_id="f"),
        photo("2", source="fingercam", role="query", product_id="f", notes="by eye; uncertain join"),
        photo("3", source="fingercam", role="query", product_id="f"),
    ]
    found = protocols.choose(FABRIC, rows)
    assert found is not None
    assert [p.name for p in found.queries] == ["3"]
    assert found.left_out == {"uncertain join": ("2",)}
    assert [p.variant for p in found.gallery] == ["1"]


def prints() -> Protocol:
    """Five labelled photos of three senders, and one that nobody labelled."""
    own = {"source": "clothing", "tasks": ("category routing", "print-class retrieval"), "role": "gallery+query"}
    rows = [
        photo("1", pattern="plain", sender_id="a", **own),
        photo("2", pattern="plain", sender_id="a", **own),
        photo("3", pattern="plain", sender_id="b", **own),
        photo("4", pattern="floral", sender_id="b", **own),
        photo("5", pattern="dotted", sender_id="c", **own),
        photo("6", sender_id="c", **own),
    ]
    found = protocols.choose(PRINTS, rows)
    assert found is not None
    return found


def test_a_print_never_finds_its_senders_photos():
    """Nor itself, its copies, or what nobody labelled; a class that is not scored stays in the gallery."""
    found = prints()
    assert [p.name for p in found.queries] == ["1", "2", "3", "4"]
    assert [p.name for p in found.gallery] == ["1", "2", "3", "4", "5"]
    labels = (*found.gallery, photo("6", sender_id="c"))
    known = replace(found, copies={"1": frozenset(("1", "3"))})
    assert protocols.left_out_rows(known, found.queries[0], labels) == [0, 1, 2, 5]


def test_print_scores_weigh_every_class_the_same():
    """plain .1, .2 and .3 (mean .2), floral 1.0: the plain mean of the two classes is .6, however many photos each."""
    found = prints()
    hits = {"1": 1, "2": 2, "3": 3, "4": 10}
    answers = []
    for query in found.queries:
        same = [photo(f"s{n}", pattern=query.pattern) for n in range(hits[query.name])]
        others = [photo(f"o{n}", pattern="dotted") for n in range(10 - len(same))]
        answers.append(Ranked(query=query, products=(*same, *others)))
    values = protocol_scores.score(found, answers, found.gallery)
    assert values["print precision@10, plain"] == pytest.approx({"1": 0.1, "2": 0.2, "3": 0.3})
    measured = Measured(gallery=5, queries=4, groups={name: name for name in hits}, rows={FULL: values})
    row = evaluation_report.protocol_report(measured)["rows"][FULL]
    assert row[PRINT_MEAN]["mean"] == pytest.approx((0.2 + 1.0) / 2)
    assert row[PRINT_MEAN]["values"] == pytest.approx({"1": 0.1, "2": 0.2, "3": 0.3, "4": 1.0})
    assert protocol_scores.chance(found, found.gallery) == pytest.approx(
        {"print precision@10, plain": 3 / 5, "print precision@10, floral": 1 / 5, PRINT_MEAN: 2 / 5}
    )


def test_what_another_protocol_put_into_the_gallery_is_never_found():
    """Routing shares its gallery with prints: a photo that only prints labels is no neighbour."""
    own = {"source": "clothing", "role": "gallery+query"}
    found = protocols.choose(ROUTING, [photo("1", sender_id="a", **own), photo("2", sender_id="b", **own)])
    assert found is not None
    labels = (*found.gallery, photo("3", source="fabric", pattern="plain", sender_id="c"))
    assert protocols.left_out_rows(found, found.queries[0], labels) == [0, 2]


def test_labels_are_read_however_they_are_written(tmp_path):
    """Role in capitals, a path with "./", an accent as one character or as two: all the same."""
    row = {"path": "./a.jpg", "source": "luma", "role": "Gallery", "product_id": "caf\u00e9"}
    write_manifest(tmp_path, [row, {**row, "path": "b.jpg", "role": "QUERY", "product_id": "cafe\u0301"}])
    found = protocols.choose(LUMA, read_manifest(tmp_path))
    assert found is not None
    assert [(p.name, p.product_id) for p in found.gallery] == [("a.jpg", "caf\u00e9")]
    assert [(p.name, p.product_id) for p in found.queries] == [("b.jpg", "caf\u00e9")]
    write_manifest(tmp_path, [row, {**row, "path": "a.jpg"}, {**row, "path": "c.jpg", "role": "test"}])
    found = protocols.choose(LUMA, read_manifest(tmp_path))
    assert found is not None
    assert found.left_out == {
        "an earlier row names the same photo": ("a.jpg",), "its role is neither gallery nor query": ("c.jpg",),
    }  # fmt: skip


@pytest.mark.parametrize("character", ["\u2028", "\x85", "\f", "\x1c"])
def test_only_line_ends_end_a_row(tmp_path, character):
    """Not the other characters that Python takes for one."""
    write_manifest(tmp_path, [{"path": "a.jpg", "source": "luma", "role": "query", "notes": f"one{character}two"}])
    (found,) = read_manifest(tmp_path)
    assert found.notes == f"one{character}two"


def test_luma_asks_for_the_style_and_for_the_colour():
    """The style is first, its very colour third of the variants."""
    query = photo("q", product_id="s", variant="s:red", category="tees")
    styles = tuple(photo(name, product_id=name) for name in ("s", "t"))
    variants = tuple(photo(name, product_id=name[0], variant=name) for name in ("s:blue", "t:red", "s:red"))
    found = protocol_scores.score(
        Protocol(name=LUMA, gallery=styles, queries=(query,)),
        [Ranked(query=query, products=styles, variants=variants, searched=("tops", "tees"))],
        styles,
    )
    assert {name: values["q"] for name, values in found.items()} == {
        "success@1": 1.0, "success@5": 1.0, "success@10": 1.0,
        "variant success@1": 0.0, "variant success@5": 1.0, "variant success@10": 1.0,
        "routed@1": 0.0, "routed": 1.0,
    }  # fmt: skip


def test_fabric_precision_divides_by_all_of_its_photos():
    """Relevant at places 1 and 3 of 4, three in the gallery: (1/1 + 2/3 + 0) / 3 = 5/9."""
    query = photo("q", product_id="f")
    whole = tuple(photo(f"{n}", product_id=fabric) for n, fabric in enumerate("fgfh"))
    labels = (*whole, photo("unseen", product_id="f"))
    ranked = Ranked(query=query, products=whole, whole=whole)
    found = protocol_scores.score(Protocol(name=FABRIC, gallery=labels, queries=(query,)), [ranked], labels)
    assert found == {"success@1": {"q": 1.0}, "mAP": {"q": pytest.approx(5 / 9)}}


def test_the_reciprocal_rank_counts_products():
    """Two photos of one product before it count as one place: it is second."""
    assert protocol_scores.reciprocal_rank(["a", "a", "b"], "b") == 0.5
    assert protocol_scores.reciprocal_rank(["a"], "b") == 0.0


def test_queries_without_an_answer_are_not_asked():
    """Their product is nowhere in the gallery, or they are a photo of it."""
    gallery = (photo("g", product_id="p"),)
    queries = (photo("q1", product_id="p"), photo("q2", product_id="none"), photo("copy", product_id="p"))
    copies = {"q1": frozenset[str](), "copy": frozenset(("g",))}
    found = protocols.askable(Protocol(name=LUMA, gallery=gallery, queries=queries, copies=copies), gallery)
    assert [query.name for query in found.queries] == ["q1"]
    assert found.left_out == {
        "its product is not in the gallery": ("q2",),
        "its very photo, or nearly, is in the gallery": ("copy",),
    }


def test_folds_part_senders():
    """Five folds, all photos of a sender in one, and the same ones whatever else is there."""
    photos = [photo(f"{sender}-{n}", sender_id=f"s{sender}") for sender in range(12) for n in range(3)]
    found = protocols.folds(photos)
    assert set(found.values()) == {0, 1, 2, 3, 4}
    assert all(len({found[f"{sender}-{n}"] for n in range(3)}) == 1 for sender in range(12))
    assert protocols.folds(photos[::-1]) == found
    assert set(protocols.folds(photos[:6]).values()) == {0, 1}


def test_the_street_photos_held_back_never_change():
    """By `printf 0592.jpg | sha256sum`: under 0x66666666, two fifths, is held out, wherever the file lies."""
    digests = {"0005.jpg": 0x6EF5B7A2, "0008.jpg": 0xBBF1BBB1, "0592.jpg": 0x3543BEEA, "0012.jpg": 0x3EBCC61E}
    for name, digest in digests.items():
        assert training_photos.is_held_out_photo(f"ccp/photo/{name}") == (digest < 0x66666666)


def test_every_protocol_has_its_definition():
    """docs/evaluation.md names each."""
    text = (CHECKOUT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    section = text.partition("## Protocols")[2]
    assert [name for name in protocols.NAMES if f"`{name}`" not in section] == []
