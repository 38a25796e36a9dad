"""Is row i of every .bin of a bundle the lake's own row of item i of its catalog.json?"""

from collections.abc import Mapping

import numpy as np

from assets.bins import COLORS_BIN, EMBEDDINGS_BIN, TEXTURE_BIN, read_bin
from catalog.errors import BundleError
from catalog.formats import matrices, tables
from catalog.model_descriptions import MODELS
from catalog.profiles import Profile
from catalog.vision.color import COLOR_SIGNATURE_DIM
from query.bundle import Bundle
from resources.data_lake import DataLake


def rows_that_differ(bundle: Bundle, data_lake: DataLake, profile: Profile) -> dict[str, int]:
    """How many rows of each .bin are not the lake's; an item that the lake does not know counts in each."""
    dims = {
        EMBEDDINGS_BIN: (MODELS[profile.encoders.semantic].embedding_dim, bundle.embeddings),
        TEXTURE_BIN: (MODELS[profile.encoders.texture].embedding_dim, bundle.texture),
        COLORS_BIN: (COLOR_SIGNATURE_DIM, bundle.colors),
    }
    return {name: _differing(data_lake, name, dim, bundle, shipped) for name, (dim, shipped) in dims.items()}


def check_rows(bundle: Bundle, data_lake: DataLake, profile: Profile) -> None:
    """Hold a bundle to the lake it was made from. Raises: BundleError that tells how many rows of which file differ."""
    wrong: Mapping[str, int] = rows_that_differ(bundle, data_lake, profile)
    if any(wrong.values()):
        told = ", ".join(f"{count} of {name}" for name, count in wrong.items() if count)
        raise BundleError(
            f"{bundle.manifest.folder}: rows that are not the lake's own of their items: {told}; it was not published: "
            "materialize embeddings_bin, texture_bin and color_signatures_bin again, then android_bundle"
        )


def _differing(data_lake: DataLake, name: str, dim: int, bundle: Bundle, shipped: np.ndarray) -> int:
    listed, lake = read_bin(data_lake, name, dim)
    row_of = {tables.item_of(item): row for row, item in enumerate(listed)}
    rows = np.array([row_of.get(tables.item_of(item), -1) for item in bundle.items])
    if shipped.shape[1] != dim:
        return len(rows)
    known = rows >= 0
    kept_as = matrices.DTYPES[bundle.manifest["files"][name].get("dtype", matrices.FLOAT32)]
    own = matrices.as_read(lake[rows[known]].astype(kept_as))
    return int(np.count_nonzero(~known)) + int(np.count_nonzero((own != shipped[known]).any(axis=1)))
