"""Which addresses may be connected to. The lists are what attackers try."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from agents_app.outgoing import BadUrl, ForbiddenAddress, UnknownHost, checked_url, fetch, resolve
from agents_app.outgoing.addresses import METADATA, is_allowed, is_public

LOCAL = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255
198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 168.63.129.16 100.100.100.200
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::7f00:1 100::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1
3fff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1 fe80::1%1 fec0::1 ff02::1 ff0e::1
""".split()  # noqa: SIM905

PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 172.15.255.255 172.32.0.1
192.0.1.1 192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.255
2606:4700:4700::1111 2a00:1450:4001:82b::200e 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
""".split()  # noqa: SIM905


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", LOCAL)
def test_all_others_are_not(address):
    assert not is_public(ip_address(address))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_is_public_that_python_calls_local(address: IPv4Address | IPv6Address):
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "127.0.1", "0",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]",
        "[fe80::1]", "[fd00:ec2::254]", "169.254.169.254", "0xa9fea9fe", "2852039166", "localhost",
        "LOCALHOST", "10.0.0.1", "192.168.1.1",
    ],
)  # fmt: skip
async def test_no_way_of_writing_a_local_address_gets_through(host, internet, settings):
    settings.OUTGOING_ALLOW = []
    with pytest.raises(ForbiddenAddress, match="OUTGOING_ALLOW"):
        await fetch(f"http://{host}:{internet.port}/article")
    assert internet.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "0177.0.0.1",
        "127.0.0.1%00.example.com",
        "[fe80::1%25eth0]",
        "①②⑦.0.0.1",
        "１２７.０.０.１",
        "127。0。0。1",
        "localhost.",
    ],
)
async def test_nor_any_odd_way(host, internet, settings):
    settings.OUTGOING_ALLOW = []
    with pytest.raises((BadUrl, UnknownHost, ForbiddenAddress)):
        await fetch(f"http://{host}:{internet.port}/article")
    assert internet.asked == []


def resolves_to(monkeypatch, *addresses: str) -> list[str]:
    """Every name now has these addresses; returns the names that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host, port, *rest, **more):
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


async def test_every_address_of_a_host_is_returned_once(monkeypatch):
    resolves_to(monkeypatch, "93.184.215.14", "2606:2800:21f:cb07::1", "93.184.215.14")
    assert await resolve("example.com", 443) == ["93.184.215.14", "2606:2800:21f:cb07::1"]


@pytest.mark.parametrize("local", ["10.0.0.1", "127.0.0.1", "::1", "::ffff:192.168.0.1", "169.254.169.254"])
async def test_one_local_address_among_public_ones_spoils_the_host(local, monkeypatch):
    resolves_to(monkeypatch, "93.184.215.14", local, "8.8.8.8")
    with pytest.raises(ForbiddenAddress, match="evil.example is not a public address"):
        await resolve("evil.example", 80)


async def test_the_refusal_does_not_tell_which_local_address_a_name_has(monkeypatch):
    resolves_to(monkeypatch, "10.1.2.3")
    with pytest.raises(ForbiddenAddress) as refusal:
        await resolve("intranet.example", 80)
    assert "10.1.2.3" not in str(refusal.value)


async def test_an_unknown_host_is_named(monkeypatch):
    def getaddrinfo(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(UnknownHost, match="no host called nowhere.example"):
        await resolve("nowhere.example", 80)


def test_the_allow_list_takes_networks_addresses_and_hosts(settings):
    settings.OUTGOING_ALLOW = ["10.0.0.0/8", "127.0.0.1", "fd12::/16", "Intranet.Example"]
    assert is_allowed("a", ip_address("10.9.8.7"))
    assert is_allowed("a", ip_address("::ffff:10.9.8.7"))
    assert is_allowed("a", ip_address("127.0.0.1"))
    assert is_allowed("a", ip_address("fd12::5"))
    assert is_allowed("intranet.example.", ip_address("192.168.1.1"))
    assert not is_allowed("a", ip_address("127.0.0.2"))
    assert not is_allowed("www.intranet.example", ip_address("192.168.1.1"))


def test_the_allow_list_may_have_an_address_of_a_network_written_carelessly(settings):
    settings.OUTGOING_ALLOW = ["10.0.0.7/8"]
    assert is_allowed("a", ip_address("10.200.0.1"))


def test_a_network_that_is_none_stops_with_a_sentence(settings):
    settings.OUTGOING_ALLOW = ["10.0.0.0/99"]
    with pytest.raises(ImproperlyConfigured, match="10.0.0.0/99"):
        is_allowed("a", ip_address("10.0.0.1"))


@pytest.mark.parametrize("address", sorted(METADATA, key=str))
def test_a_cloud_s_credentials_need_an_entry_of_their_own(address, settings):
    settings.OUTGOING_ALLOW = ["0.0.0.0/0", "::/0", "metadata.example"]
    assert not is_public(address)
    assert not is_allowed("metadata.example", address)
    settings.OUTGOING_ALLOW = [str(address)]
    assert is_allowed("metadata.example", address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "data:text/html,x",
        "example.com", "//example.com/", "", "http://", "http:///path", "https://ada:secret@example.com/",
        "http://ada@example.com/", "http://example.com:99999/", "http://example.com:0/", "http://xn--/",
        "http://exa mple.com/", "http://[::1/", "http://\x00/",
        "unix:///var/run/docker.sock",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_with_a_sentence(url):
    with pytest.raises(BadUrl) as refusal:
        checked_url(url)
    assert str(refusal.value).endswith(".")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://example.com", "https://example.com:8443/a?b=c#d", "HTTPS://EXAMPLE.com/"])
def test_web_addresses_with_any_port_are_taken(url):
    assert checked_url(url).host == "example.com"
