"""Take the pictures of the search page that are in docs/pictures: on a desktop, on a phone, in the dark.

Needs a running service (`lookbook serve`) on the sample shop, its query photos, and Chromium:

    python benchmarks/page_pictures.py http://127.0.0.1:8080 FOLDER_OF_QUERY_PHOTOS
"""

import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

OUT = Path(__file__).resolve().parents[1] / "docs" / "pictures"
COLORS = 256
PICTURES_LOADED = "() => [...document.querySelectorAll('.card img')].every((picture) => picture.naturalWidth > 0)"


@dataclass(frozen=True)
class Shot:
    """One picture: its file's name, how the page is looked at, and the query photo whose name begins so."""

    name: str
    width: int
    height: int
    scheme: str
    photo: str
    phone: bool = False


SHOTS = (
    Shot("page-desktop.png", 1280, 900, "light", "lb-tsh-0202"),
    Shot("page-phone.png", 390, 1340, "light", "lb-drs-0691", phone=True),
    Shot("page-dark.png", 1280, 900, "dark", "lb-csh-0349"),
)


def take(browser: Browser, address: str, shot: Shot, photo: Path) -> bytes:
    """The page as PNG once it shows what it found with a photo."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=shot.scheme,
        has_touch=shot.phone,
        is_mobile=shot.phone,
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(address)
    page.set_input_files("#choose", photo)
    page.wait_for_selector("#cards:not([aria-busy]) .card:not(.waiting)")
    for card in page.locator(".card").all():
        card.scroll_into_view_if_needed()  # pictures load when they come into sight
    page.wait_for_function(PICTURES_LOADED)
    page.evaluate("() => scrollTo(0, 0)")
    taken = page.screenshot()
    context.close()
    return taken


def write_small(taken: bytes, path: Path) -> int:
    """Write a PNG of `COLORS` colours; returns its bytes."""
    with Image.open(io.BytesIO(taken)) as picture:
        few = picture.convert("RGB").quantize(COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
    return path.stat().st_size


def main(address: str, photos: Path) -> None:
    """Take them all."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for shot in SHOTS:
            photo = min(photos.glob(f"{shot.photo}*.jpg"))
            size = write_small(take(browser, address, shot, photo), OUT / shot.name)
            print(f"{shot.name}: {photo.name}, {size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
