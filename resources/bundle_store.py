"""A home's bundles as they lie: versions side by side, the link that says which is current, keys, and the history."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from catalog.errors import BundleError, LookbookError
from catalog.formats import atomic, bundle_history, manifest, signatures
from catalog.formats.bundle_history import ROLLED_BACK, History
from catalog.formats.signatures import Trust

PRIVATE_KEY, PUBLIC_KEY = "signing.pem", "signing.pub"
SHORTEST_VERSION = 4  # letters of a version that may stand for all of it


class BundleStore:
    """One home's `android_bundle/` and `keys/`. Reads; what changes them is `resources.bundle_publishing`."""

    def __init__(self, root: Path, keys: Path) -> None:
        self.root = root
        self.keys = keys

    @property
    def current(self) -> Path:
        """The published bundle; a link, so that publishing is one rename."""
        return self.root / "current"

    @property
    def building(self) -> Path:
        """Where the next bundle is built."""
        return self.root / ".building"

    def folder(self, version: str) -> Path:
        """Where a version lies."""
        return self.root / "versions" / version

    def versions(self) -> list[str]:
        """The versions that are there, by name."""
        folder = self.root / "versions"
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []

    def current_version(self) -> str | None:
        """The version that `current` points to; None before the first publish.

        Raises: BundleError when `current` is no link.
        """
        try:
            return self.current.readlink().name
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BundleError(
                f"{self.current}: is no link to a version, as a copy that follows links leaves it; remove it, and "
                "build again or roll back to a version"
            ) from error

    def history(self) -> History:
        """What happened to the versions, completed by what `current` says. Raises: BundleError, a damaged record."""
        current = self.current_version()
        history = bundle_history.read(self.root)
        if current is None:
            return history
        return history.seen(current, datetime.fromtimestamp(self.current.lstat().st_mtime, UTC))

    def behind(self) -> str | None:
        """Why `current` is not what the last build made; None where it is."""
        history = self.history()
        if history.held:
            return "held: builds keep their bundles beside"
        if history.events and history.events[-1].what == ROLLED_BACK:
            return f"rolled back to, from {history.events[-1].replaced}"
        return None

    def find(self, named: str | None) -> Path:
        """The folder of a version, or of its first letters, or a bundle's folder itself; None is the current one.

        Raises: LookbookError that names the versions there are.
        """
        if named is None:
            return self.current
        fitting = [name for name in self.versions() if name.startswith(named)] if len(named) >= SHORTEST_VERSION else []
        if len(fitting) == 1 or named in fitting:
            return self.folder(named if named in fitting else fitting[0])
        if (Path(named).expanduser() / manifest.NAME).is_file():
            return Path(named).expanduser()
        if len(fitting) > 1:
            raise LookbookError(f"{named}: may be {' or '.join(fitting)}; name one in full")
        raise LookbookError(
            f"{named}: no version of that name, and no bundle's folder; there {_are(self.versions())} in {self.root}"
        )

    def trust(self, more: Sequence[Path] = (), *, required: bool = False) -> Trust:
        """The keys whose signatures this home takes: all `keys/*.pub`, and those that are named."""
        return Trust((*signatures.trusted_keys(self.keys), *more), required)

    @property
    def private_key(self) -> Path:
        """The key that builds of this home sign with, where there is one."""
        return self.keys / PRIVATE_KEY

    def sign(self, folder: Path, key_file: Path | None = None) -> str | None:
        """Sign a bundle with the named key or the home's own; returns the key's id, None where the home has no key.

        The home's own public key is put beside it where it is missing, so that what was signed can be opened.
        Raises: LookbookError, a key that can't be used.
        """
        if key_file is None and not self.private_key.exists():
            return None
        key = signatures.read_private_key(key_file or self.private_key)
        public = self.keys / PUBLIC_KEY
        if key_file is None and not public.exists():
            atomic.write_bytes(public, signatures.public_pem(key))
        if key_file is None and signatures.id_of(signatures.read_public_key(public)) != signatures.id_of(
            key.public_key()
        ):
            raise LookbookError(
                f"{public}: is not the public half of {PRIVATE_KEY} beside it; give it another name ending in .pub, to "
                "go on trusting what its own key signed"
            )
        return signatures.sign(folder, key)


def _are(versions: Sequence[str]) -> str:
    return f"{'is' if len(versions) == 1 else 'are'} {', '.join(versions) or 'none'}"
