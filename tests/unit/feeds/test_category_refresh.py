"""Which categories are meant by the names that an engineer types."""

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds.category_refresh import find_categories

STANDING = [{"category": name} for name in ("Dress", "dress", "Mug", "Caf\u00e9 ", "Stra\u00dfe")]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("Dress", {"Dress"}),
        ("dress", {"dress"}),
        ("DRESS", {"Dress", "dress"}),
        (" mug ", {"Mug"}),
        ("cafe\u0301", {"Caf\u00e9 "}),
        ("STRASSE", {"Stra\u00dfe"}),
    ],
)
def test_names_are_compared_as_people_read_them(named: str, found: set[str]) -> None:
    """Case, margins and the form of an accent aside; two that differ only there are both meant, the exact one wins."""
    assert find_categories([named], [], STANDING) == found


def test_the_nearest_is_named() -> None:
    """As it is spelt."""
    with pytest.raises(FeedError, match="no category 'Mugs' in the feed or the catalogue; did you mean 'Mug'"):
        find_categories(["Mugs"], [], STANDING)
