"""Which addresses may be connected to. The tables are written out: `ipaddress.is_global` changes between Python versions."""

from __future__ import annotations

import asyncio
import socket
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from agents_app.outgoing.errors import BadUrl, ForbiddenAddress, UnknownHost

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Cloud machines hand out their credentials here. Some lie in public or commonly allowed networks (Azure's is public),
# so they are refused by name, and allowed only when OUTGOING_ALLOW has the very address.
METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
        ),
    )
)

NOT_PUBLIC_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # "this" network; Linux connects 0.0.0.0 to itself
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",
        ),
    )
)

# Outside of it: loopback, unique local, link-local, multicast, IPv4-compatible and what nobody has been given yet.
PUBLIC_IPV6 = IPv6Network("2000::/3")
NOT_PUBLIC_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # Teredo, which hides an IPv4 address, and protocol assignments
            "2001:db8::/32",
            "2002::/16",  # 6to4, which hides an IPv4 address; nobody serves from there any more
            "3fff::/20",
        ),
    )
)
NAT64 = IPv6Network("64:ff9b::/96")  # how networks with IPv6 only reach IPv4: as public as the IPv4 address in it
PORTS = range(1, 2**16)  # all of them: whose machine it is decides, not the port


def is_public(address: Address) -> bool:
    address = unwrapped(address)
    if address in METADATA:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_IPV4)
    return address in PUBLIC_IPV6 and not any(address in network for network in NOT_PUBLIC_IPV6)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that a connection to this IPv6 address ends at, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def is_allowed(host: str, address: Address) -> bool:
    """Whether `settings.OUTGOING_ALLOW` lets this host, or this address, be reached though it is not public."""
    networks, hosts = _allow_list(tuple(settings.OUTGOING_ALLOW))
    address = unwrapped(address)
    listed = [network for network in networks if address in network]
    if address in METADATA:
        return any(network.num_addresses == 1 for network in listed)
    return bool(listed) or host.lower().rstrip(".") in hosts


@lru_cache(maxsize=8)
def _allow_list(entries: tuple[str, ...]) -> tuple[tuple[Network, ...], frozenset[str]]:
    networks, hosts = [], []
    for entry in entries:
        try:
            networks.append(ip_network(entry.strip(), strict=False))
        except ValueError:
            if "/" in entry:
                raise ImproperlyConfigured(
                    f"OUTGOING_ALLOW has {entry!r}: write a network such as 10.0.0.0/8, an address or a host name."
                ) from None
            hosts.append(entry.strip().lower().rstrip("."))
    return tuple(networks), frozenset(hosts)


def checked_url(url: str | httpx.URL) -> httpx.URL:
    """The address in parts, if it is one of the web. Says nothing yet about where it leads."""
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, ValueError):  # ValueError: an international name that is none
        raise BadUrl(f"“{str(url)[:200]}” is not a web address I can read.") from None
    if parsed.scheme not in ("http", "https"):
        raise BadUrl("Only addresses that begin with http:// or https:// can be opened.")
    if not host or "%" in host or (parsed.port is not None and parsed.port not in PORTS):
        raise BadUrl(f"“{str(url)[:200]}” does not name a host as addresses of the web do.")
    if parsed.userinfo:
        raise BadUrl("Addresses with a user name or password in them are not opened.")
    return parsed


async def resolve(host: str, port: int) -> list[str]:
    """Every address of the host, asked for once and all of them checked. Connect to these, never to the name again.

    One address that is not public spoils all: an attacker's name server mixes them to get past a check of one.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, ValueError):  # ValueError: a name too long or odd for DNS
        raise UnknownHost(f"There is no host called {host}, or it cannot be found right now.") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in map(ip_address, addresses):
        if not is_public(address) and not is_allowed(host, address):
            raise ForbiddenAddress(
                f"{host} is not a public address. Addresses of local networks are only opened "
                "when the operator lists them in OUTGOING_ALLOW."
            )
    return addresses
