"""Prices as shops write them, to a number and an ISO 4217 code: "15.00 USD", "1.234,56 €", "£12", "1,299.00".

Belongs here: what a price's text means. Which price of a feed is meant is told by the format.
"""

import functools
import math
import re
from typing import NamedTuple

# ISO 4217, active codes of currencies that shops sell in (funds, metals and test codes left out).
_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
    UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₺": "TRY", "₽": "RUB", "₩": "KRW", "₪": "ILS", "₫": "VND", "₴": "UAH",
    "฿": "THB", "₱": "PHP", "₦": "NGN", "zł": "PLN", "kč": "CZK", "ft": "HUF", "lei": "RON", "лв": "BGN", "fr.": "CHF",
    "us$": "USD", "ca$": "CAD", "c$": "CAD", "au$": "AUD", "a$": "AUD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD",
    "r$": "BRL", "mx$": "MXN",
}  # fmt: skip
# A sign that several currencies share means the feed's own currency where that is one of them, else the first.
# "kr" has no first: Swedish, Norwegian and Danish shops all write it.
SHARED_SIGNS = {
    "$": ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "TWD"),
    "¥": ("JPY", "CNY"),
    "kr": ("", "SEK", "NOK", "DKK", "ISK"),
    "kr.": ("", "DKK", "SEK", "NOK", "ISK"),
    "rs": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "rs.": ("INR", "PKR", "LKR", "NPR", "MUR"),
}

_LONGEST_CHARS = 64
_WORD = r"(?:[^\d.,+-]+\.?\s*)?"  # a currency, before or behind: "USD ", "€", "kr."
_WHOLE = re.compile(rf"(?P<before>{_WORD})(?P<number>\d[\d.,'’ \u00a0\u202f]*)(?:-|–|—)?(?P<after>{_WORD})")
_PLAIN = re.compile(r"\d+(?:\.\d{1,2})?")
_SPACES = re.compile(r"(?<=\d)['’ \u00a0\u202f](?=\d{3}(?!\d))")  # of thousands: "1 299", "1'299"


class Price(NamedTuple):
    """`amount` is None where there is none, or none that can be read; `problem` says why, "" where all is well."""

    amount: float | None
    currency: str
    problem: str = ""


def parse_price(given: str | float, currency: str, feed_currency: str) -> Price:
    """Read a price.

    Args: the price as given; the feed's currency column, or ""; the currency that the feed description names, or "".
    Returns: the amount and its currency; the one in the price's own text goes before the column's, that before the
        description's. No price is no problem; one that can't be read is, and so is a currency that no one knows.
    """
    if isinstance(given, float):
        if not (math.isfinite(given) and given >= 0):
            return Price(None, "", f"a price can't be {given}")
        return Price(given, *_currency(currency, feed_currency))
    return _parse_text(given.strip(), currency.strip(), feed_currency)


@functools.lru_cache(maxsize=4096)
def _parse_text(text: str, column: str, feed_currency: str) -> Price:
    if not text:
        return Price(None, "")
    if len(text) > _LONGEST_CHARS:
        return Price(None, "", f"no price has {len(text)} characters: write it as 15.00 USD")
    if _PLAIN.fullmatch(text):
        return Price(float(text), *_currency(column, feed_currency))
    whole = _WHOLE.fullmatch(text)
    words = [w for w in (whole["before"].strip(), whole["after"].strip()) if w] if whole else []
    if whole is None or len(words) > 1:
        return Price(None, "", f"no price can be read from {text!r}: write it as 15.00 USD")
    currency, problem = _currency(words[0] if words else column, column.upper() or feed_currency)
    if words and problem:
        return Price(None, "", f"no price can be read from {text!r}: {problem}")
    amount = _number(whole["number"].strip(), currency)
    if amount is None:
        return Price(None, "", f"{text!r} can be read in more than one way, or in none: write it as 1299.00 {currency}")
    return Price(amount, currency, problem)


def _currency(word: str, feed_currency: str) -> tuple[str, str]:
    """The code that `word` stands for, and the problem where it stands for none."""
    word = word.strip()
    if not word:
        return feed_currency if feed_currency in CURRENCIES else "", ""
    if word.upper() in CURRENCIES:
        return word.upper(), ""
    sign = word.casefold()
    if sign in SHARED_SIGNS:
        known = SHARED_SIGNS[sign]
        return (feed_currency if feed_currency in known else known[0]), ""
    if sign in SIGNS:
        return SIGNS[sign], ""
    return "", f"{word[:32]!r} is no currency of ISO 4217 (EUR, USD ...)"


def _number(text: str, currency: str) -> float | None:
    """The number in `text`, which starts with a digit; None where it could be another a thousand times larger."""
    text = _SPACES.sub("", text).rstrip(".,")
    if not re.fullmatch(r"[\d.,]+", text):
        return None
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return float(text)
    whole, mark, decimals = text[:last], text[last], text[last + 1 :]
    other = "," if mark == "." else "."
    if mark in whole:  # twice or more: thousands only, "1.234.567"
        return float(text.replace(mark, "")) if _grouped(text, mark) else None
    if other in whole:  # both: the last is the decimal mark, "1.234,56"
        return float(whole.replace(other, "") + "." + decimals) if _grouped(whole, other) else None
    if len(decimals) == 3 and len(whole) <= 3 and not whole.startswith("0") and currency not in THREE_DECIMALS:
        # "1,299" is how shops write thousands; "1.299" is that too, or a machine's 1.299: nobody can tell.
        return float(whole + decimals) if mark == "," else None
    return float(f"{whole}.{decimals}")


def _grouped(text: str, mark: str) -> bool:
    return re.fullmatch(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+", text) is not None
