"""Charts of the UI's pages: what is more is darker, what is right is framed, long names don't spill."""

import numpy as np
from PIL import Image

from catalog.vision.charts import CELL_HEIGHT_PX, CELL_WIDTH_PX, Part, Search, Tile, heat_map, searches


def cells(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The corner colour of every cell of a heat map: the table ends 12 px before the right and the lower edge."""
    left, top = picture.shape[1] - 12 - columns * CELL_WIDTH_PX, picture.shape[0] - 12 - rows * CELL_HEIGHT_PX
    places = [[picture[top + CELL_HEIGHT_PX * r + 3, left + CELL_WIDTH_PX * c + 3] for c in range(columns)]
              for r in range(rows)]  # fmt: skip
    return np.array(places, int)


def test_more_is_darker() -> None:
    """0, 20, 50, 100 %: the red of each cell falls, nothing is white, all is blue."""
    names = ("asked most of all", "b", "c", "d")
    picture = heat_map(names, names, np.array([[0, 0.2, 0.5, 1.0]] * 4), [3, 2, 1, 1])
    reds = cells(picture, 4, 4)[0, :, 0]
    assert reds[0] == 255
    assert (np.diff(reds) < -20).all()
    assert (cells(picture, 4, 4)[:, 3] == (38, 84, 160)).all()


def test_names_of_any_length_fit() -> None:
    """Of 60 letters as of 18: cut, so that one category does not make the picture unreadable."""
    long, cut = "x" * 60, "x" * 18
    sizes = [heat_map((name, "b"), (name, "b"), np.eye(2), [10, 10]).shape for name in (long, cut)]
    assert abs(sizes[0][1] - sizes[1][1]) < 20
    assert heat_map(("Kleid",), ("Kleid", "(no label)"), np.array([[0.004, 0.996]]), [1000]).ndim == 3


def test_names_of_all_scripts_can_be_told_apart() -> None:
    """Letters that Pillow's own font has not are no boxes, which made all names of one length look the same."""
    for names in (("Пальто", "Платье"), ("裙子", "衬衫"), ("Röcke", "Räcke")):
        labels = heat_map(names, names, np.eye(2), [1, 1])[-12 - 2 * CELL_HEIGHT_PX : -12, : -12 - 2 * CELL_WIDTH_PX]
        assert (labels[:CELL_HEIGHT_PX] != labels[CELL_HEIGHT_PX:]).any()
    both = heat_map(("裙子", "衬衫"), ("衬衫", "裙子"), np.eye(2), [1, 1])
    assert (both == heat_map(("#1", "#2"), ("#2", "#1"), np.eye(2), [1, 1])).all()


def test_a_search_shows_its_pictures_and_bars() -> None:
    """Pictures of any size on tiles; the right product is framed in green; the larger part has the longer bar."""
    red = np.full((300, 200, 3), (200, 0, 0), np.uint8)
    shown = Search([Tile(red, "photo"), Tile(red, "right", right=True)], ["right product: rank 7"],
                   [Part("semantic", 0.4, 0.1), Part("texture", -0.1, 0.4)])  # fmt: skip
    sheet = searches([shown, shown])
    image = Image.fromarray(sheet)
    greens, oranges = ((sheet == color).all(axis=2) for color in ((44, 140, 76), (206, 110, 40)))
    assert (sheet == (200, 0, 0)).all(axis=2).sum() > 4 * 60 * 100  # four tiles of it, as high as they may be
    bars = image.crop((2 * 108 + 80, 24, image.width, image.height // 2))
    first, right = (
        (np.asarray(bars) == color).all(axis=2).any(axis=0).sum() for color in ((206, 110, 40), (44, 140, 76))
    )
    assert (first, right) == (131, 131)  # the longest of each; a negative part is a hair
    assert greens.any() and oranges.any()
