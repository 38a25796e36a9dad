"""Where a connection may go: by every way of writing an address, by name, by a name that changes, under TLS."""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from catalog.formats.feeds.download_rules import DownloadRules
from resources.downloads import Fetched, fetch_photos
from resources.photo_store import PhotoStore
from resources.web.addresses import why_refused


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[..., Fetched]:
    """Fetches one URL, by default under the rules of a feed that says nothing."""

    def run(url: str, **rules: object) -> Fetched:
        store = PhotoStore(tmp_path / "downloads", tmp_path / "downloads" / "raw_catalog.parquet")
        return fetch_photos({url: ""}, DownloadRules(**{"retries": 0, "timeout_s": 5, **rules}), store)

    return run


@pytest.fixture
def names(monkeypatch) -> dict[str, list[list[str]]]:
    """The addresses of names, one list a look-up, in place of the system's resolver; the last list stays."""
    table: dict[str, list[list[str]]] = {}
    system = socket.getaddrinfo

    def look_up(host: str, port: int, *arguments: object, **options: object):
        if host not in table:
            return system(host, port, *arguments, **options)
        lists = table[host]
        found = lists.pop(0) if len(lists) > 1 else lists[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


def told(fetched: Fetched) -> str:
    """Why the one photo was refused."""
    [had] = fetched.photos.values()
    return str(had.failure)


@pytest.mark.parametrize(
    ("address", "public", "private_allowed"),
    [  # by the IANA special-purpose address registries
        ("93.184.216.34", "", ""),
        ("2606:4700:4700::1111", "", ""),
        ("127.0.0.1", "loopback", ""),
        ("127.255.255.254", "loopback", ""),
        ("::1", "loopback", ""),
        ("10.0.0.1", "private", ""),
        ("172.31.255.255", "private", ""),
        ("192.168.1.1", "private", ""),
        ("100.64.0.1", "private", ""),
        ("fd00::1", "private", ""),
        ("169.254.169.254", "link-local", "link-local"),
        ("fe80::1", "link-local", "link-local"),
        ("0.0.0.0", "no address", "no address"),
        ("::", "no address", "no address"),
        ("224.0.0.1", "multicast", "multicast"),
        ("ff02::1", "multicast", "multicast"),
        ("240.0.0.1", "reserved", "reserved"),
        ("255.255.255.255", "reserved", "reserved"),
        ("::ffff:127.0.0.1", "loopback", ""),
        ("::ffff:169.254.169.254", "link-local", "link-local"),
        ("::ffff:93.184.216.34", "", ""),
        ("::127.0.0.1", "loopback", ""),
        ("64:ff9b::10.0.0.1", "private", ""),
        ("2002:7f00:1::", "loopback", ""),
    ],
)
def test_each_kind_of_address(address: str, public: str, private_allowed: str) -> None:
    """What is refused by default, and what still is where private addresses are allowed."""
    for allow_private, expected in ((False, public), (True, private_allowed)):
        found = why_refused(ipaddress.ip_address(address), allow_private=allow_private)
        assert (expected in found) if expected else (found == "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"])
def test_loopback_is_refused_however_it_is_written(shop, fetch, photo, host: str) -> None:
    """Nothing reaches the server that listens there."""
    shop.serve("/a.jpg", photo(1))
    found = told(fetch(f"http://{host}:{shop.host.partition(':')[2]}/a.jpg"))
    assert "address_refused" in found
    assert "allow_private = true" in found
    assert shop.connections == 0


def test_a_name_with_a_private_address_is_refused(shop, fetch, names) -> None:
    """Also where another of its addresses is public."""
    names["shop.test"] = [["93.184.216.34", "10.0.0.7"]]
    assert "shop.test is 10.0.0.7, a private address" in told(fetch("http://shop.test/a.jpg"))


def test_the_connection_goes_to_the_address_that_was_checked(shop, fetch, photo, names) -> None:
    """A name that is another address at the next look-up is looked up once; the server is told the name."""
    shop.serve("/a.jpg", photo(1))
    names["shop.test"] = [["127.0.0.1"], ["169.254.169.254"]]
    port = shop.host.partition(":")[2]
    assert fetch(f"http://shop.test:{port}/a.jpg", allow_private=True).downloaded == 1
    assert shop.asked[0][1]["Host"] == f"shop.test:{port}"
    assert names["shop.test"] == [["169.254.169.254"]]
    assert "169.254.169.254" in told(fetch(f"http://shop.test:{port}/a.jpg", allow_private=True))


def test_the_next_address_is_tried(shop, fetch, photo, names) -> None:
    """Where the first takes no connection."""
    shop.serve("/a.jpg", photo(1))
    names["shop.test"] = [["127.0.0.2", "127.0.0.1"]]
    assert fetch(f"http://shop.test:{shop.host.partition(':')[2]}/a.jpg", allow_private=True).downloaded == 1


def test_proxies_of_the_environment_are_not_used(shop, fetch, photo, monkeypatch) -> None:
    """Unless the rules ask for it: they connect where we can't check."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(shop.serve("/a.jpg", photo(1)), allow_private=True).downloaded == 1


def test_a_proxy_that_is_asked_for(shop, fetch, photo, monkeypatch) -> None:
    """It is sent whole addresses, and none that is private as far as we can tell."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://{shop.host}")
    monkeypatch.setenv("no_proxy", ".shop.test,127.0.0.1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    shop.serve("http://93.184.216.34/a.jpg", photo(1))
    assert fetch("http://93.184.216.34/a.jpg", use_proxy=True).downloaded == 1
    assert "10.0.0.1, a private address" in told(fetch("http://10.0.0.1/a.jpg", use_proxy=True))
    assert shop.paths() == ["http://93.184.216.34/a.jpg"]
    assert "a loopback address" in told(fetch(shop.url("/b.jpg"), use_proxy=True))
    assert fetch(shop.serve("/b.jpg", photo(1)), use_proxy=True, allow_private=True).downloaded == 1
    assert shop.paths()[1:] == ["/b.jpg"]


def test_a_certificate_is_held_to_the_name(start_shop, fetch, photo, names, tmp_path, monkeypatch) -> None:
    """The address that is connected to plays no part in it."""
    certificate = self_signed(tmp_path, "shop.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    shop = start_shop(lambda plain: context.wrap_socket(plain, server_side=True))
    shop.serve("/a.jpg", photo(1))
    names["shop.test"] = names["other.test"] = [["127.0.0.1"]]
    port = shop.host.partition(":")[2]
    assert fetch(f"https://shop.test:{port}/a.jpg", allow_private=True).downloaded == 1
    assert "certificate" in told(fetch(f"https://other.test:{port}/a.jpg", allow_private=True))


def self_signed(folder: Path, name: str) -> Path:
    """A key and a certificate for one name, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
