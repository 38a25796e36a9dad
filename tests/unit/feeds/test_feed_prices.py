"""Prices as shops write them. Expected values by hand."""

import math

import pytest

from catalog.formats.feeds.prices import parse_price


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("15.00 USD", 15.0, "USD"),
        ("USD 15", 15.0, "USD"),
        ("usd15.5", 15.5, "USD"),
        ("1.234,56 €", 1234.56, "EUR"),
        ("1,234.56 EUR", 1234.56, "EUR"),
        ("£12", 12.0, "GBP"),
        ("1,299.00", 1299.0, ""),
        ("1,299", 1299.0, ""),
        ("1.234.567 €", 1234567.0, "EUR"),
        ("1 299,00 zł", 1299.0, "PLN"),
        ("1\u202f299,90 €", 1299.9, "EUR"),
        ("CHF 1'299.00", 1299.0, "CHF"),
        ("19,- €", 19.0, "EUR"),
        ("Rs. 499", 499.0, "INR"),
        ("kr 99,50", 99.5, ""),
        ("$12", 12.0, "USD"),
        ("CA$12", 12.0, "CAD"),
        ("0.125", 0.125, ""),
        ("1.299 KWD", 1.299, "KWD"),
        ("0", 0.0, ""),
        ("007", 7.0, ""),
        ("19.9", 19.9, ""),
        (" 19.90 ", 19.9, ""),
    ],
)
def test_reads_a_price(text: str, amount: float, currency: str) -> None:
    """Amount and currency, with no currency named elsewhere."""
    assert parse_price(text, "", "") == (amount, currency, "")


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "inf", "-5", "-5.00 EUR", "free", "10 - 20 EUR", "10 EUR 20 EUR", "USD 10 EUR", "12 Taler", "1e3",
        "1.299 €", "1.23.456", "12,34,56", "1,2,3.4", "€", "," , "1" * 400,
    ],
)  # fmt: skip
def test_what_could_be_another_price_is_no_price(text: str) -> None:
    """No amount, and a problem that says how to mend it."""
    price = parse_price(text, "", "EUR")
    assert price.amount is None
    assert price.problem


def test_no_price_is_no_problem() -> None:
    """An empty cell is "not given"."""
    assert parse_price("", "EUR", "EUR") == (None, "", "")
    assert parse_price("  ", "", "EUR") == (None, "", "")


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0])
def test_numbers_that_are_no_price(number: float) -> None:
    """Typed formats hold them; they are told like unreadable text."""
    assert parse_price(number, "", "EUR").amount is None
    assert "can't be" in parse_price(number, "", "EUR").problem


def test_a_number_is_never_taken_for_thousands() -> None:
    """1.299 as text is ambiguous; as a number it is 1.299."""
    assert parse_price(1.299, "", "EUR") == (1.299, "EUR", "")


def test_which_currency_goes_first() -> None:
    """The price's own, then the column's, then the description's; a shared sign means the shop's own dollar."""
    assert parse_price("15 USD", "GBP", "EUR").currency == "USD"
    assert parse_price("15", "GBP", "EUR").currency == "GBP"
    assert parse_price("15", "", "EUR").currency == "EUR"
    assert parse_price("$15", "", "CAD").currency == "CAD"
    assert parse_price("$15", "aud", "").currency == "AUD"
    assert parse_price("15 kr", "", "SEK").currency == "SEK"


def test_an_unknown_currency_column_keeps_the_amount() -> None:
    """The number is certain, its currency isn't."""
    price = parse_price("15.00", "Taler", "")
    assert (price.amount, price.currency) == (15.0, "")
    assert "ISO 4217" in price.problem
