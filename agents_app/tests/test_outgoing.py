"""`fetch` and `open_client` against a real server: pinning, redirects, limits, certificates."""

from __future__ import annotations

import asyncio
import gzip
import math
import socket
import threading
import time
import zlib
from itertools import repeat

import httpx
import pytest

from agents_app.outgoing import (
    BadAnswer,
    BadUrl,
    Fetched,
    ForbiddenAddress,
    LeadsElsewhere,
    OutgoingError,
    TooLarge,
    TooSlow,
    Unreachable,
    fetch,
    open_client,
)
from agents_app.outgoing.redirects import same_site
from agents_app.tests.fake_internet import Page, redirect

REAL_GETADDRINFO = socket.getaddrinfo


@pytest.fixture
def names(monkeypatch) -> dict[str, list[str]]:
    """A name server of this test's own: for each host, what it says the first time, the second time …"""
    answers: dict[str, list[str]] = {}

    def getaddrinfo(host, port, *rest, **more):
        if host in answers:
            host = answers[host].pop(0)
        return REAL_GETADDRINFO(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


async def test_it_works(internet):
    internet.pages["/hello"] = Page("Grüß Gott", "text/plain; charset=utf-8")
    found = await fetch(f"{internet.url}/hello?a=1&b=x%20y#part", accept="text/plain")
    assert found == Fetched(
        f"{internet.url}/hello?a=1&b=x%20y#part", 200, "text/plain; charset=utf-8", "Grüß Gott".encode()
    )
    asked = internet.asked[0]
    assert asked.query == {"a": "1", "b": "x y"}
    assert asked.headers["accept"] == "text/plain"
    assert asked.headers["host"] == f"127.0.0.1:{internet.port}"
    assert asked.headers["user-agent"].startswith("tkr-agent-chat")


async def test_any_status_is_an_answer(internet):
    assert (await fetch(f"{internet.url}/nothing-here")).status == 404


# Where the connection goes


async def test_the_host_name_is_resolved_once_and_stays_in_the_host_header(internet, names, settings):
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    names["site.example"] = ["127.0.0.1", "an address that would fail"]
    assert (await fetch(f"http://site.example:{internet.port}/article")).status == 200
    assert internet.asked[0].headers["host"] == f"site.example:{internet.port}"
    assert names["site.example"] == ["an address that would fail"]


async def test_a_name_that_turns_local_after_the_check_gains_nothing(internet, names, settings, monkeypatch):
    """DNS rebinding: a public address for the check, this machine's for the connection."""
    settings.OUTGOING_ALLOW = []
    names["rebind.example"] = ["93.184.215.14", "127.0.0.1"]
    connected = watch_connections(monkeypatch)
    with pytest.raises(Unreachable, match="rebind.example"):
        await fetch(f"http://rebind.example:{internet.port}/article")
    assert connected == ["93.184.215.14"]
    assert names["rebind.example"] == ["127.0.0.1"], "the name was resolved twice"
    assert internet.asked == []


async def test_a_name_that_turns_local_for_the_next_request_is_refused(internet, names, settings, monkeypatch):
    settings.OUTGOING_ALLOW = []
    names["rebind.example"] = ["93.184.215.14", "127.0.0.1"]
    watch_connections(monkeypatch)
    url = f"http://rebind.example:{internet.port}/article"
    async with open_client() as client:
        with pytest.raises(Unreachable):
            await client.get(url)
        with pytest.raises(ForbiddenAddress):
            await client.get(url)
    assert internet.asked == []


def watch_connections(monkeypatch) -> list[str]:
    """Refuse every connection; returns the addresses that were tried."""
    tried: list[str] = []

    async def create_connection(self, factory, host=None, port=None, **more):
        tried.append(host)
        raise ConnectionRefusedError(f"{host}:{port}")

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", create_connection)
    return tried


async def test_all_addresses_are_tried_in_turn(settings, monkeypatch):
    def getaddrinfo(host, port, *rest, **more):
        return [(2, 1, 6, "", (address, port)) for address in ("93.184.215.14", "8.8.8.8", "1.1.1.1")]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    connected = watch_connections(monkeypatch)
    with pytest.raises(Unreachable):
        await fetch("http://site.example/")
    assert connected == ["93.184.215.14", "8.8.8.8", "1.1.1.1"]


async def test_a_host_on_the_allow_list_may_be_local(internet, names, settings):
    settings.OUTGOING_ALLOW = ["intranet.example"]
    names["intranet.example"] = ["127.0.0.1"]
    names["other.example"] = ["127.0.0.1"]
    assert (await fetch(f"http://intranet.example:{internet.port}/article")).status == 200
    with pytest.raises(ForbiddenAddress):
        await fetch(f"http://other.example:{internet.port}/article")


async def test_proxies_and_passwords_of_the_environment_are_not_used(internet, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await fetch(f"{internet.url}/article")).status == 200
    assert "authorization" not in internet.asked[0].headers


async def test_a_closed_port_is_a_plain_sentence(internet):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 cannot be reached\.$"):
            await fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/")


# Redirects


async def test_redirects_inside_the_site_are_followed(internet):
    internet.pages["/a"] = redirect("/b?x=1#top", 301)
    internet.pages["/b"] = redirect(f"{internet.url}/article", 307)
    found = await fetch(f"{internet.url}/a")
    assert (found.status, found.url) == (200, f"{internet.url}/article")
    assert [asked.path for asked in internet.asked] == ["/a", "/b", "/article"]


async def test_no_more_than_five(internet):
    for number in range(7):
        internet.pages[f"/{number}"] = redirect(f"/{number + 1}")
    internet.pages["/7"] = Page("there")
    assert (await fetch(f"{internet.url}/2")).body == b"there"
    with pytest.raises(BadAnswer, match="more than 5 times"):
        await fetch(f"{internet.url}/1")


async def test_a_redirect_to_another_site_is_an_error_that_names_it(internet):
    internet.pages["/away"] = redirect("https://elsewhere.example/page")
    with pytest.raises(LeadsElsewhere, match="https://elsewhere.example/page") as refusal:
        await fetch(f"{internet.url}/away")
    assert refusal.value.url == "https://elsewhere.example/page"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://localhost/",
        "http://2130706433/",
        "//192.168.1.1/",
        "http://127.0.0.1:6379/",
    ],
)
async def test_a_redirect_to_a_local_address_goes_nowhere(target, internet, monkeypatch):
    internet.pages["/in"] = redirect(target)
    with pytest.raises(LeadsElsewhere):
        await fetch(f"{internet.url}/in")
    assert len(internet.asked) == 1


async def test_a_redirect_inside_a_site_is_checked_again(internet, names, settings):
    """The second host of the same domain is a local machine that the allow-list does not have."""
    settings.OUTGOING_ALLOW = ["www.site.com"]
    names["www.site.com"] = ["127.0.0.1"]
    names["inside.site.com"] = ["127.0.0.1"]
    internet.pages["/in"] = redirect(f"http://inside.site.com:{internet.port}/article")
    with pytest.raises(ForbiddenAddress, match="inside.site.com"):
        await fetch(f"http://www.site.com:{internet.port}/in")
    assert [asked.path for asked in internet.asked] == ["/in"]


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "javascript:alert(1)", "http://ada:secret@127.0.0.1/", "http://["],
)
async def test_a_redirect_to_what_is_no_web_address_is_refused(target, internet):
    internet.pages["/in"] = redirect(target)
    with pytest.raises((BadUrl, BadAnswer)) as refusal:
        await fetch(f"{internet.url}/in")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "target", "same"),
    [
        ("http://example.com/", "https://example.com/", True),
        ("http://example.com/", "https://www.example.com/", True),
        ("https://www.example.com/", "https://news.example.com/a", True),
        ("https://example.com:8443/", "https://example.com:8443/b", True),
        ("https://example.com./", "https://EXAMPLE.com/b", True),
        ("https://a.example.co.uk/", "https://b.example.co.uk/", True),
        ("https://example.com/", "https://example.org/", False),
        ("https://one.co.uk/", "https://two.co.uk/", False),
        ("https://one.github.io/", "https://two.github.io/", False),
        ("https://example.com/", "https://example.com.evil.example/", False),
        ("https://example.com/", "https://example.com:6379/", False),
        ("http://10.0.0.1/", "http://10.0.0.2/", False),
        ("http://intranet/", "http://intranet/x", True),
        ("http://wiki.internal/", "http://www.wiki.internal/", True),
        ("http://intranet/", "http://printer/", False),
    ],
)
def test_what_the_same_site_is(url, target, same):
    assert same_site(httpx.URL(url), httpx.URL(target)) is same


async def test_a_client_follows_no_redirect_by_itself(internet):
    internet.pages["/a"] = redirect("/article")
    async with open_client() as client:
        assert (await client.get(f"{internet.url}/a")).status_code == 302


# Size and time


async def test_a_body_with_a_length_that_is_too_large_is_not_read(internet, settings):
    settings.OUTGOING_MAX_BYTES = 100_000
    internet.pages["/big"] = Page(b"x" * 100_001)
    with pytest.raises(TooLarge, match=r"larger than 97\.7 KiB"):
        await fetch(f"{internet.url}/big")
    assert len((await fetch(f"{internet.url}/big", max_bytes=100_001)).body) == 100_001


async def test_an_endless_body_is_cut_off(internet):
    internet.pages["/endless"] = Page(repeat(b"x" * 10_000))
    with pytest.raises(TooLarge):
        await fetch(f"{internet.url}/endless", max_bytes=1_000_000)


async def test_a_packed_body_is_unpacked(internet):
    text = b"The same thing again and again. " * 10_000
    internet.pages["/packed"] = Page(gzip.compress(text), headers={"Content-Encoding": "gzip"})
    assert (await fetch(f"{internet.url}/packed")).body == text
    assert internet.asked[0].headers["accept-encoding"] == "gzip"


async def test_a_zip_bomb_is_stopped_at_the_limit(internet, monkeypatch):
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(bomb.compress(bytes(2**20)) for _ in range(500)) + bomb.flush()
    assert len(packed) < 600_000, "the bomb must be small to mean anything"
    internet.pages["/bomb"] = Page(packed, headers={"Content-Encoding": "gzip"})
    unpacked = count_unpacked(monkeypatch)
    with pytest.raises(TooLarge):
        await fetch(f"{internet.url}/bomb", max_bytes=1_000_000)
    assert sum(unpacked) < 1_100_000
    assert max(unpacked) <= 65_536


def count_unpacked(monkeypatch) -> list[int]:
    sizes: list[int] = []
    make = zlib.decompressobj

    class Counting:
        def __init__(self, **options):
            self.real = make(**options)

        def decompress(self, data, at_most):
            piece = self.real.decompress(data, at_most)
            sizes.append(len(piece))
            return piece

        def __getattr__(self, name):
            return getattr(self.real, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    return sizes


async def test_packed_rubbish_without_end_is_stopped_too(internet):
    """Bytes after the end of the packed data unpack to nothing, for ever."""
    pieces = (gzip.compress(b"x") if number == 0 else b"\0" * 10_000 for number in range(10**9))
    internet.pages["/rubbish"] = Page(pieces, headers={"Content-Encoding": "gzip"})
    with pytest.raises(TooLarge):
        await fetch(f"{internet.url}/rubbish", max_bytes=500_000)


async def test_damaged_packing_is_a_plain_sentence(internet):
    internet.pages["/damaged"] = Page(b"no gzip at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(BadAnswer, match="is damaged"):
        await fetch(f"{internet.url}/damaged")


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip"])
async def test_packing_nobody_asked_for_is_refused(encoding, internet):
    internet.pages["/odd"] = Page(b"xxxx", headers={"Content-Encoding": encoding})
    with pytest.raises(BadAnswer, match="compression"):
        await fetch(f"{internet.url}/odd")


async def test_a_body_that_trickles_ends_at_the_time_limit(internet, settings):
    settings.OUTGOING_TIMEOUT_SECONDS = 0.5
    internet.pages["/slow"] = Page(repeat(b"."), pause_seconds=0.1)
    start = time.monotonic()
    with pytest.raises(TooSlow, match=r"0\.5 seconds"):
        await fetch(f"{internet.url}/slow")
    assert time.monotonic() - start < 10


async def test_a_server_that_says_nothing_ends_at_the_time_limit(settings):
    settings.OUTGOING_ALLOW, settings.OUTGOING_TIMEOUT_SECONDS = ["127.0.0.1"], 0.3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(TooSlow):
            await fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        async with open_client(seconds=0.2) as client:
            with pytest.raises(httpx.TimeoutException):
                await client.get(f"http://127.0.0.1:{silent.getsockname()[1]}/")


async def test_redirects_share_one_time_limit(internet, settings):
    settings.OUTGOING_TIMEOUT_SECONDS = 0.5
    for number in range(5):
        internet.pages[f"/{number}"] = Page(
            iter([b"x"]), status=302, headers={"Location": f"/{number + 1}"}, pause_seconds=0
        )
    internet.pages["/5"] = Page(repeat(b"x"), pause_seconds=0.1)
    with pytest.raises(TooSlow):
        await fetch(f"{internet.url}/0")


async def test_a_name_server_that_is_silent_ends_at_the_time_limit(settings, monkeypatch):
    settings.OUTGOING_TIMEOUT_SECONDS = 0.2
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(5) and [])
    try:
        with pytest.raises(TooSlow):
            await fetch("http://slow.example/")
        async with open_client(seconds=0.1) as client:
            with pytest.raises(TooSlow):
                await client.get("http://slow.example/")
    finally:
        answered.set()


async def test_a_server_that_is_none_is_a_plain_sentence(settings):
    settings.OUTGOING_ALLOW = ["127.0.0.1"]

    async def greet(reader, writer):
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        with pytest.raises(BadAnswer, match="as a web server does"):
            await fetch(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


async def test_a_stream_of_events_may_be_read_as_it_comes(internet):
    internet.pages["/events"] = Page((b"data: %d\n\n" % n for n in range(5)), "text/event-stream", pause_seconds=0.02)
    async with open_client(max_bytes=math.inf) as client, client.stream("GET", f"{internet.url}/events") as answer:
        lines = [line async for line in answer.aiter_lines() if line]
    assert lines == [f"data: {n}" for n in range(5)]


async def test_a_cancelled_fetch_stays_cancelled(internet):
    internet.pages["/slow"] = Page(repeat(b"."), pause_seconds=0.1)
    fetching = asyncio.create_task(fetch(f"{internet.url}/slow"))
    await asyncio.sleep(0.2)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching


def test_libraries_take_a_refusal_for_a_failed_connection():
    assert issubclass(OutgoingError, httpx.TransportError)
    assert issubclass(TooSlow, httpx.TimeoutException)
