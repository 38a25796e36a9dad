"""Where `lookbook evaluate` keeps what it makes, so that a second run computes only what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.formats import digests
from resources.data_lake import DataLake
from resources.home import Home

SHARED = ("lock.toml", "checkpoints", "fp32", "trained")  # of a home's models: what every home of it may use


@dataclass(frozen=True)
class EvaluationWork:
    """The folder of one data folder and one profile or bundle."""

    root: Path

    @classmethod
    def of(cls, work: Path, data: Path, subject: str) -> "EvaluationWork":
        """Its place in the work folder: two data folders, or two subjects, never meet."""
        names = (data.name, subject)
        told = "-".join("".join(c if c.isalnum() else "-" for c in name)[:32] for name in names)
        return cls(work.absolute() / f"{told}-{digests.of_texts(str(data.resolve()), subject)[:8]}")

    @property
    def last(self) -> Path:
        """The report of the run before: what the next one is compared with."""
        return self.root / "last.json"

    def home(self, name: str) -> Home:
        """The home that a protocol's gallery is built in."""
        return Home(self.root / name)

    def described(self, name: str, part: str) -> DataLake:
        """Where the descriptions of one set of photos by one engine are remembered."""
        folder = self.root / name / "described" / part
        return DataLake(root=str(folder), home=str(folder))

    def exact_masks(self, name: str) -> Path:
        """Exact masks in black and white."""
        return self.root / name / "exact_masks"

    def sample_shop(self, products: int) -> Path:
        """The drawn shop of so many products, one for all data folders."""
        return self.root.parent / f"sample_shop_{products}"


def share_models(of: Home, into: Home) -> None:
    """Let a home use what another has pulled and made float: links, so that nothing is fetched or kept twice."""
    for name in SHARED:
        there, here = of.models / name, into.models / name
        if there.exists() and not here.exists():
            here.parent.mkdir(parents=True, exist_ok=True)
            here.unlink(missing_ok=True)  # a link to what is gone
            here.symlink_to(there.resolve())


def largest_common_folder(files: Sequence[Path]) -> Path:
    """The folder that photos of a feed start from: the deepest that holds all of them."""
    folders = [file.absolute().parent for file in files]
    common = folders[0]
    for folder in folders[1:]:
        while not folder.is_relative_to(common):
            common = common.parent
    return common
