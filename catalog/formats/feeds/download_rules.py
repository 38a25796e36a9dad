"""What a feed's `[download]` allows: which hosts are asked for photos, how hard, and what is too much.

Belongs here: the table's keys, their defaults and bounds. The network itself is `resources.web`.
"""

from dataclasses import dataclass, fields

from catalog.formats.feeds.toml_tables import Table, type_name

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class DownloadRules:
    """How the network may be used. Without a rule of its own a key has the default here."""

    allow_hosts: tuple[str, ...] = ()  # "cdn.shop.example", "*.shop.example"; empty: any
    allow_private: bool = False  # private and loopback addresses, too: a shop's own network
    per_host: int = 4  # requests at once
    timeout_s: float = 30  # of one try, from asking to the last byte
    max_bytes: int = 32 * MIB  # of one photo
    retries: int = 3  # after the first try, of what can pass
    use_proxy: bool = False  # of the environment (HTTPS_PROXY ...), which then connects in our place
    max_age_hours: float = 0  # a photo that was asked for within is not asked for again; 0: always ask

    def allows_host(self, host: str) -> bool:
        """Whether `allow_hosts` has the host, by its name or as "*." and a name that it is below."""
        host = host.rstrip(".").casefold()
        return not self.allow_hosts or any(
            host.endswith(rule[1:]) if rule.startswith("*.") else host == rule for rule in self.allow_hosts
        )


_BOUNDS: dict[str, tuple[float, float]] = {  # smallest and largest
    "per_host": (1, 64),
    "timeout_s": (0.1, 3600),
    "max_bytes": (1024, 1024 * MIB),
    "retries": (0, 10),
    "max_age_hours": (0, 24 * 365),
}


def download_rules(table: Table) -> DownloadRules:
    """The rules that a `[download]` table gives; an empty one has every default.

    Raises: FeedError, an unknown key, a wrong type, a number out of its bounds, a host that is none.
    """
    table.allow([field.name for field in fields(DownloadRules)])
    defaults = DownloadRules()
    return DownloadRules(
        allow_hosts=_hosts(table),
        allow_private=_flag(table, "allow_private"),
        use_proxy=_flag(table, "use_proxy"),
        per_host=int(_number(table, "per_host", defaults.per_host, whole=True)),
        timeout_s=_number(table, "timeout_s", defaults.timeout_s),
        max_bytes=int(_number(table, "max_bytes", defaults.max_bytes, whole=True)),
        retries=int(_number(table, "retries", defaults.retries, whole=True)),
        max_age_hours=_number(table, "max_age_hours", defaults.max_age_hours),
    )


def _number(table: Table, key: str, default: float, *, whole: bool = False) -> float:
    value = table.values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise table.error(
            key, f"must be {'a whole number' if whole else 'a number'}, not {type_name(value)} ({value!r})"
        )
    smallest, largest = _BOUNDS[key]
    if not smallest <= value <= largest:
        raise table.error(key, f"must be from {smallest:g} to {largest:g}, not {value!r}")
    return value


def _flag(table: Table, key: str) -> bool:
    value = table.values.get(key, False)
    if not isinstance(value, bool):
        raise table.error(key, f"must be true or false, not {type_name(value)} ({value!r})")
    return value


def _hosts(table: Table) -> tuple[str, ...]:
    key = "allow_hosts"
    value = table.values.get(key, [])
    if not isinstance(value, list):
        raise table.error(key, f'must be a list, such as ["cdn.shop.example"], not {type_name(value)}')
    hosts = []
    for one in value:
        bare = one.removeprefix("*.") if isinstance(one, str) else ""
        if not bare or not one.isprintable() or set(bare) & set("*/@? #"):
            raise table.error(
                key, f'{one!r} is no host: write "cdn.shop.example", or "*.shop.example" for all below it'
            )
        hosts.append(one.rstrip(".").casefold())
    return tuple(hosts)
