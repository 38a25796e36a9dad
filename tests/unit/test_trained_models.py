"""models/trained/<name>/row.json: what is written is read again, and what can't be right is refused."""

import json

import pytest

from catalog.errors import ModelError
from catalog.formats import trained_models
from catalog.model_descriptions import MODELS, SHIPPED_MODELS, ModelDescription, Quantization, Role, take_trained

ROW = ModelDescription(
    name="ours",
    role=Role.SEMANTIC,
    source="trained:ours/model.onnx",
    sha256="0" * 64,
    size_bytes=7,
    licence="LicenseRef-own",
    licence_terms="Ours.",
    output="semantic_embedding",
    input_side_px=64,
    mean=(0.5, 0.6, 0.7),
    embedding_dim=128,
    pooling="mean",
    quantization=(Quantization.STATIC_QDQ,),
)


@pytest.fixture
def root(tmp_path):
    trained_models.write_row(tmp_path / "ours", ROW)
    return tmp_path


def test_a_row_comes_back_as_it_was(root):
    (root / "unfinished").mkdir()
    assert trained_models.read_rows(root) == [ROW]
    assert trained_models.read_rows(root / "nowhere") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sha256": "00"}, "row.json: sha256: String should match pattern.*train it again with `lookbook train`"),
        ({"version": 2}, r"row.json: version: Input should be 1 \(got 2\)"),
        ({"mean": [0.5]}, "row.json: mean: List should have at least 3 items"),
        ({"std": [0.5, 0.0, 1.0]}, "row.json: std.1: Input should be greater than 0"),
        ({"files": []}, "row.json: files: Extra inputs are not permitted"),
        ({"quantization": ["int3"]}, "'int3' is not a valid Quantization"),
        ({"name": "other"}, "is the row of 'other'.*in another folder"),
        ({"source": "trained:../../secret"}, "in another folder"),
        ({"name": "u2netp"}, "is a model of Lookbook's own"),
    ],
)
def test_a_row_that_cant_be_right_is_refused(root, change, told):
    file = root / "ours" / trained_models.ROW
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(ModelError, match=told):
        trained_models.read_rows(root)


def test_a_row_that_is_cut_short_is_refused(root):
    file = root / "ours" / trained_models.ROW
    file.write_text(file.read_text()[:40])
    with pytest.raises(ModelError, match=r"row.json: can't be read"):
        trained_models.read_rows(root)


def test_what_was_learnt_from_is_kept_beside_the_model(root):
    trained_models.write_learnt(root / "ours", ["b" * 64, "a" * 64, "b" * 64])
    assert json.loads((root / "ours" / "learnt_photos.json").read_text()) == {
        "format": "lookbook-learnt-photos",
        "format_version": 1,
        "sha256": ["a" * 64, "b" * 64],
    }


@pytest.mark.parametrize("name", ["", "Big", "../x", "a/b", ".hidden", "x" * 64])
def test_names_that_no_folder_should_have_are_refused(name):
    with pytest.raises(ModelError, match="use up to 63 lower-case letters"):
        trained_models.check_name(name)


def test_one_homes_models_take_the_place_of_anothers():
    try:
        take_trained([ROW])
        assert MODELS["ours"] == ROW
        assert set(MODELS) == {*SHIPPED_MODELS, "ours"}
    finally:
        take_trained([])
    assert "ours" not in MODELS
