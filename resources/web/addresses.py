"""Which addresses may be connected to: the public ones, and a shop's own network where that is allowed.

Belongs here: the rule and looking names up. That a connection goes to the very address that was checked is `transport`.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

import httpx

from catalog.errors import DownloadError
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.records import Reason

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1, long out of use
_LOW_32_BITS = 0xFFFFFFFF


def why_refused(address: Address, *, allow_private: bool) -> str:
    """Why nothing may be sent to `address`, in words; "" where it may.

    Link-local addresses are refused even where private ones are allowed: a cloud machine's own secrets are there.
    """
    inner = _carried(address)
    if inner is not None:
        return why_refused(inner, allow_private=allow_private)
    if address.is_unspecified:
        return "no address of any machine"
    if address.is_multicast:
        return "a multicast address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_loopback:
        return "" if allow_private else "a loopback address"
    if address.is_global and not getattr(address, "is_site_local", False):
        return ""
    if address.is_reserved:
        return "a reserved address"
    return "" if allow_private else "a private address"


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address only wraps: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & _LOW_32_BITS)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


async def checked_addresses(host: str, port: int, *, allow_private: bool) -> Sequence[str]:
    """The addresses of `host`, all of them allowed.

    Raises: DownloadError when one is refused: a name with a public and a private address is a trap; OSError when the
    name can't be looked up.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label too long or empty
        raise OSError(f"{host!r} is no host name") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in addresses:
        if why := why_refused(ipaddress.ip_address(text), allow_private=allow_private):
            told = f"{host} is {text}" if host != text else text
            raise DownloadError(
                Reason.ADDRESS_REFUSED,
                f"{told}, {why}: give a public address, or allow the shop's own network with allow_private = true",
            )
    return addresses


def check_url(url: httpx.URL, rules: DownloadRules) -> None:
    """Hold a URL to the rules, before its name is looked up.

    Raises: DownloadError, another scheme than http and https, no host, no such port, a login, a host that
    `allow_hosts` hasn't.
    """
    why = ""
    if url.scheme not in ("http", "https"):
        why = f"only http and https are fetched, not {url.scheme or 'a URL without a scheme'!r}"
    elif not url.host:
        why = "the URL names no host"
    elif url.port is not None and not 0 < url.port < 2**16:
        why = f"{url.host} has no port {url.port}: they go from 1 to 65535"
    elif url.userinfo:
        why = f"the URL on {url.host} holds a user name or password: give one without"
    elif not (rules.allows_host(url.host) or rules.allows_host(url.raw_host.decode("ascii"))):
        why = f"{url.host} is not among allow_hosts: add it there if it is meant"
    if why:
        raise DownloadError(Reason.ADDRESS_REFUSED, why)
