"""All that a bundle can be asked before it is trusted: every byte, its signature, its own golden queries."""

from pathlib import Path

from catalog.formats import digests
from catalog.formats.file_digests import DigestOf
from catalog.formats.signatures import NOBODY, Trust
from query.engine import Engine
from query.golden import check_golden


def verify(folder: Path, trust: Trust = NOBODY, digest_of: DigestOf = digests.of_file) -> Engine:
    """Open the bundle in `folder` and have it answer its golden queries; returns the engine that did.

    Raises: BundleError that names what is not as it should be; LookbookError, a key or a model that can't be used.
    """
    engine = Engine(folder, trust=trust, digest_of=digest_of)
    check_golden(engine)
    return engine
