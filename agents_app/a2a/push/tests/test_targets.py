"""Where notifications may not go, at the beginning and at every delivery."""

from __future__ import annotations

import asyncio

import pytest
from a2a.utils.errors import InvalidParamsError
from django.utils import timezone

from agents_app.a2a.push.configs import create_config
from agents_app.a2a.push.tests.conftest import tell
from agents_app.a2a.push.tests.receiver import eventually
from agents_app.models import PushAttempt, PushConfig
from agents_app.threads import in_thread


async def test_it_works(task, names):
    names["hook.example"] = ["93.184.215.14"]
    assert (await create_config(task, {"url": "https://hook.example/a2a"}))["url"] == "https://hook.example/a2a"


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.7/",
        "https://192.168.1.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.7]/",
        "https://0.0.0.0/",
        "http://127.0.0.2:8000/",
        "http://169.254.169.254/",
        "http://93.184.215.14/",  # public, but not encrypted
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "https://user:password@93.184.215.14/",
        "https://",
        "not an address",
    ],
)
async def test_these_are_refused(task, url):
    with pytest.raises(InvalidParamsError, match="cannot be posted"):
        await create_config(task, {"url": url})
    assert await PushConfig.objects.acount() == 0


async def test_a_name_that_leads_to_a_private_address_is_refused(task, names):
    names["hook.example"] = ["10.0.0.7"]
    with pytest.raises(InvalidParamsError, match="not a public address"):
        await create_config(task, {"url": "https://hook.example/"})


async def test_a_host_that_does_not_exist_is_refused(task):
    with pytest.raises(InvalidParamsError, match="no host called"):
        await create_config(task, {"url": "https://nowhere.invalid/"})


async def test_the_metadata_service_is_refused_even_in_an_allowed_network(task, settings):
    settings.OUTGOING_ALLOW = ["169.254.0.0/16"]
    with pytest.raises(InvalidParamsError):
        await create_config(task, {"url": "http://169.254.169.254/"})


async def attempts(count: int) -> list[PushAttempt]:
    async with asyncio.timeout(10):
        while len(found := await in_thread(list, PushAttempt.objects.order_by("id"))) < count:
            await asyncio.sleep(0.02)
    return found


async def keep(task, url: str) -> None:
    """As if it had been checked when it led somewhere else."""
    await PushConfig.objects.acreate(task=task, name="old", url=url, created_at=timezone.now())


async def test_a_name_that_turns_private_later_is_not_posted_to(task, receiver, names, sending, settings):
    settings.OUTGOING_ALLOW = []
    port = receiver.url.rpartition(":")[2]
    names["rebind.example"] = ["93.184.215.14", *["127.0.0.1"] * 50]
    await create_config(task, {"url": f"https://rebind.example:{port}/"})
    await tell(task, "working")
    first, *_ = await attempts(1)
    assert first.status is None and "not a public address" in first.error
    assert receiver.got == []


async def test_the_connection_goes_to_the_address_that_was_checked(task, receiver, names, sending):
    port = receiver.url.rpartition(":")[2]
    # One look-up for the creation, one for the rule about http, and one that checks and connects.
    names["hook.example"] = ["127.0.0.1", "127.0.0.1", "127.0.0.1", "an address that would fail"]
    await create_config(task, {"url": f"http://hook.example:{port}/"})
    await tell(task, "working")
    got, *_ = await receiver.until(1)
    assert got.headers["host"] == f"hook.example:{port}"
    assert names["hook.example"] == ["an address that would fail"]


async def test_http_to_a_name_that_is_allowed_no_more_is_not_posted_to(task, receiver, sending, settings):
    await keep(task, receiver.url)
    settings.OUTGOING_ALLOW = []
    await tell(task, "working")
    first, *_ = await attempts(1)
    assert first.status is None and "OUTGOING_ALLOW" in first.error
    assert receiver.got == []


async def test_a_redirect_is_a_failure_and_is_not_followed(task, receiver, sending):
    receiver.answers = [302]
    receiver.headers = [(b"location", f"{receiver.url}/elsewhere".encode())]
    await create_config(task, {"url": f"{receiver.url}/hook"})
    await tell(task, "working")
    await receiver.until(2)  # the second is the try after it
    assert [got.path for got in receiver.got] == ["/hook", "/hook"]
    assert (await attempts(1))[0].status == 302


async def test_a_redirect_that_cannot_be_read_is_a_failure_too(task, receiver, sending):
    receiver.answers = [301]
    receiver.headers = [(b"location", b"http://[nonsense")]
    await create_config(task, {"url": receiver.url})
    await tell(task, "working")
    assert (await attempts(1))[0].succeeded is False
    await eventually(lambda: len(receiver.got) >= 2)
