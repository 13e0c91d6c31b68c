"""Two of our servers add each other's agents and delegate, in both directions and in each binding and
version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from a2a.types import a2a_pb2 as pb

from tkr_chat.tests.a2a.conftest import SECONDS, VERSIONS, open_client
from tkr_chat.tests.a2a.site import Site, site
from tkr_chat.tests.a2a.test_python_client import a_request, texts

NAMES = {
    ("1.0", "JSONRPC"): "jsonrpc",
    ("1.0", "HTTP+JSON"): "rest",
    ("1.0", "GRPC"): "grpc",
    ("0.3", "JSONRPC"): "former-jsonrpc",
    ("0.3", "HTTP+JSON"): "former-rest",
    ("0.3", "GRPC"): "former-grpc",
}
ADD = """
from dataclasses import replace
from asgiref.sync import async_to_sync
from accounts.access import find_first_admin
from agents_app.a2a.client.card_file import Interface
from agents_app.a2a.client.preview import preview_remote_agent
from agents_app.actions.remote_agents import add_remote_agent

for (version, binding), name in {names}.items():
    preview = async_to_sync(preview_remote_agent)({urls}[version])
    [offered] = [each for each in preview.parsed.supported_interfaces if each.protocol_binding == binding]
    chosen = replace(preview, interface=Interface(offered.url, binding, version, offered.tenant))
    add_remote_agent(find_first_admin(), chosen, {{"bearer": "{token}"}}, f"{{name}}-clerk")
print("added")
"""


class Neighbours(NamedTuple):
    home: Site
    away: Site


@pytest.fixture(scope="module")
def neighbours(home: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Each knows the other's clerk by a name for each binding and version, with a token that the other made for it."""
    with site(tmp_path_factory.mktemp("away"), "a2a_away") as away:
        for one, other in ((home, away), (away, home)):
            code = ADD.format(urls=_cards(other), token=other.token("neighbour"), names=NAMES)
            assert one.shell(code) == "added"
            one.token("ada")  # made now: it takes a process of its own for seconds, which no call should seem to take
        yield Neighbours(home, away)


def _cards(site: Site) -> dict[str, str]:
    return {version: f"{site.card_url(version=version)}/.well-known/agent-card.json" for version in VERSIONS}


@pytest.fixture(params=["there", "back"])
def asking(request: pytest.FixtureRequest, neighbours: Neighbours) -> Site:
    """The server whose clerk passes the question on."""
    return neighbours.home if request.param == "there" else neighbours.away


async def asked(http: httpx.AsyncClient, site: Site, text: str) -> pb.Task:
    client = await open_client(http, site.card_url(), "JSONRPC", site.token("ada"), streaming=False)
    [answer] = [each async for each in client.send_message(a_request(text))]
    return answer.task


@pytest.mark.parametrize("name", NAMES.values())
async def test_it_works(http: httpx.AsyncClient, asking: Site, name: str) -> None:
    agent = f"{name}-clerk"
    task = await asked(http, asking, f"pass {agent} say Hello from over there.")

    assert task.status.state == pb.TASK_STATE_COMPLETED, task
    assert texts(task)[-1] == f"{agent} says: Hello from over there."


async def test_what_fails_there_is_an_answer_here(http: httpx.AsyncClient, asking: Site) -> None:
    task = await asked(http, asking, "pass jsonrpc-clerk fail No paper left.")

    assert task.status.state == pb.TASK_STATE_COMPLETED and "No paper left." in texts(task)[-1]


@pytest.mark.parametrize("name", ["jsonrpc-clerk", "grpc-clerk", "former-rest-clerk"])
async def test_a_ring_over_both_ends_at_once(http: httpx.AsyncClient, asking: Site, name: str) -> None:
    task = await asked(http, asking, f"pass {name} pass {name} say Round and round.")

    assert "Clerk is already part of this: ada → Clerk → Clerk → Clerk." in texts(task)[-1]
    assert "Round and round." not in texts(task)[-1]


async def test_a_question_comes_back_to_who_asked(http: httpx.AsyncClient, asking: Site) -> None:
    client = await open_client(http, asking.card_url(), "JSONRPC", asking.token("ada"), streaming=False)
    [waiting] = [each async for each in client.send_message(a_request("pass rest-clerk ask Your name?"))]
    assert waiting.task.status.state == pb.TASK_STATE_INPUT_REQUIRED, waiting
    assert waiting.task.status.message.parts[0].text == "Clerk asks: Your name?"

    [done] = [each async for each in client.send_message(a_request("Ada", task_id=waiting.task.id))]
    assert done.task.status.state == pb.TASK_STATE_COMPLETED
    assert texts(done.task)[-1] == "rest-clerk says: You said Ada."


async def test_a_stop_goes_all_the_way(http: httpx.AsyncClient, neighbours: Neighbours) -> None:
    home, away = neighbours
    client = await open_client(http, home.card_url(), "JSONRPC", home.token("ada"))
    stream = client.send_message(a_request(f"pass jsonrpc-clerk wait {SECONDS}"))
    task = (await anext(stream)).task
    there = await open_client(http, away.card_url(), "JSONRPC", away.token("neighbour"))
    running = await _newest(there, pb.TASK_STATE_WORKING)

    assert (await client.cancel_task(pb.CancelTaskRequest(id=task.id))).status.state == pb.TASK_STATE_CANCELED
    while (found := await there.get_task(pb.GetTaskRequest(id=running.id))).status.state == pb.TASK_STATE_WORKING:
        await asyncio.sleep(0.05)
    assert found.status.state == pb.TASK_STATE_CANCELED


async def _newest(client: object, state: int) -> pb.Task:
    """Waits for it."""
    while True:
        found = await client.list_tasks(pb.ListTasksRequest(status=state, page_size=1))  # type: ignore[attr-defined]
        if found.tasks:
            return found.tasks[0]
