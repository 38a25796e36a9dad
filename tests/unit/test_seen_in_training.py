"""Photos that a home's own models learnt from, as their training wrote them down."""

import json

from assets.evaluation.seen_in_training import Learnt, learnt_by


def test_what_a_homes_models_learnt_from(tmp_path):
    """Lookbook's own models are another's business; one whose list is not there, or damaged, is named."""
    for name, text in (("mine", json.dumps({"sha256": ["a", "b"]})), ("cut", "{"), ("old", None)):
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "learnt_photos.json").write_text(text)
    models = ("lookbook-semantic", "mine", "cut", "old", "elsewhere")
    assert learnt_by(models, tmp_path) == Learnt(frozenset("ab"), ("cut", "old", "elsewhere"))
    assert learnt_by(("lookbook-semantic",), tmp_path) == Learnt(frozenset(), ())
