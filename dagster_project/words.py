"""`lookbook search --text`: words, embedded for the engine by the text towers of a home's checkpoints."""

import os
from collections.abc import Sequence
from pathlib import Path

from catalog.errors import LookbookError
from catalog.formats.manifest import Manifest
from catalog.model_descriptions import MODELS
from catalog.torch_models.text_towers import TextTower, has_text_tower
from query.text_search import TextQuery
from resources.home import find_home
from resources.model_store import ModelStore


def embed_words(text: str, manifest: Manifest, spaces: Sequence[str], home: Path | None) -> dict[str, TextQuery]:
    """The words in each of `spaces`, by the checkpoints of `home` (by default LOOKBOOK_HOME's, or the checkout's).

    Raises: LookbookError when a space's encoder reads no words, or the home's checkpoint is not the one that the
    bundle was made with; ModelError when it was not pulled or can't be opened.
    """
    names = {space: str(manifest["spaces"][space]["model"]) for space in spaces}
    for name in names.values():
        if name not in MODELS or not has_text_tower(MODELS[name]):
            raise LookbookError(
                f"{manifest.folder}: its encoder {name!r} reads photos only, no words; build with a profile whose "
                "encoders have a text tower, such as imagesearch, or search by photo"
            )
    store = ModelStore(root=str(find_home(home, os.environ).models))
    found = {}
    for space, name in names.items():
        source = store.source(name)
        wanted, got = manifest["models"][name]["source_sha256"], store.model(name).sha256
        if got != wanted:
            raise LookbookError(
                f"{manifest.folder}: was made with {name} of sha256 {wanted}, {source} has {got}; words of one "
                "mean nothing to the other's photos: name the home that built the bundle (--home), or build it again"
            )
        tower = TextTower(source, store.model(name))
        [embedding] = tower.embed([text])
        found[space] = TextQuery(embedding, tower.logit_scale, tower.logit_bias)
    return found
