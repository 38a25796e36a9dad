"""Files that carry no checksum of their own, held to what they were when they were written.

A note beside them, `<name of the first, without its suffix>.sha256`, says it in the layout of sha256sum, which checks
it as well: a line a file. Or a file's own name ends in its digest's first letters: `<stem>-<16 letters><suffix>`.
Parquet tables and pictures stored by content need neither.
"""

from pathlib import Path

from catalog.errors import FormatError
from catalog.formats import atomic, digests

NOTE, LETTERS = ".sha256", 16


def note(*files: Path) -> None:
    """Note what files of one folder are now; one that was not written whole differs from the note before."""
    atomic.write_text(_note(*files), "".join(map(_line, files)))


def check(*files: Path, mend: str) -> None:
    """Hold files to the note beside them.

    Raises: FormatError that names the file which is missing or is not what was noted, and ends with `mend`.
    """
    try:
        noted = _note(*files).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        found = [_line(file) for file in files]
    except OSError as error:
        raise FormatError(f"{error.filename}: can't be read ({error.strerror}); {mend}") from error
    for file, line in zip(files, found, strict=True):
        if line not in noted:
            raise FormatError(
                f"{file}: its sha256 is {line[:12]}..., which {_note(*files).name} beside it does not say; it was "
                f"damaged or exchanged: {mend}"
            )


def is_whole(file: Path) -> bool:
    """Is a file there, and what was noted of it?"""
    try:
        check(file, mend="")
    except FormatError:
        return False
    return True


def write_named(stem: Path, suffix: str, content: bytes) -> Path:
    """Write a file whose name tells its content, in the place of those of the same stem; returns its path."""
    for other in _named(stem, suffix):
        other.unlink(missing_ok=True)
    path = stem.with_name(f"{stem.name}-{digests.of_bytes(content)[:LETTERS]}{suffix}")
    atomic.write_bytes(path, content)
    return path


def find_named(stem: Path, suffix: str) -> Path | None:
    """The file that `write_named` wrote; None where there is none, or it is not what its name tells."""
    for path in _named(stem, suffix):
        if path.stem.endswith(digests.of_file(path)[:LETTERS]):
            return path
    return None


def stem_of(named: Path) -> str:
    """The name of the stem that a file of `write_named` was written under."""
    return named.stem.rpartition("-")[0]


def _note(*files: Path) -> Path:
    return files[0].with_suffix(NOTE)


def _line(file: Path) -> str:
    return f"{digests.of_file(file)}  {file.name}\n"


def _named(stem: Path, suffix: str) -> list[Path]:
    return sorted(stem.parent.glob(f"{stem.name}-*{suffix}"))
