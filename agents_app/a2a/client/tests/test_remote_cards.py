from __future__ import annotations

import json
from typing import Any

import pytest

from agents_app.a2a.client.card_file import card_sha256, difference
from agents_app.a2a.client.errors import BadCard, Unavailable
from agents_app.a2a.client.preview import preview_remote_agent, slug
from agents_app.a2a.client.tests.elsewhere import answer
from agents_app.models import Agent, RemoteAgent
from agents_app.tests.fake_internet import FakeInternet, Page, as_json

PATH = "/.well-known/agent-card.json"
CARD: dict[str, Any] = {
    "name": "Weather Bot",
    "description": "Knows the weather.",
    "version": "1",
    "capabilities": {"streaming": True},
    "supportedInterfaces": [
        {"url": "https://example.com/soap", "protocolBinding": "SOAP", "protocolVersion": "1.0"},
        {"url": "http://127.0.0.1:9/v2", "protocolBinding": "JSONRPC", "protocolVersion": "2.0"},
        {"url": "http://127.0.0.1:9/a", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0.1", "tenant": "acme"},
        {"url": "http://127.0.0.1:9/b", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"},
    ],
    "defaultInputModes": ["text/plain"],
    "defaultOutputModes": ["text/plain"],
    "skills": [{"id": "rain", "name": "Rain", "description": "Tells.", "tags": ["wet"]}],
}
OLD_CARD: dict[str, Any] = {
    "name": "Old Bot",
    "description": "From before.",
    "version": "1",
    "protocolVersion": "0.3.0",
    "url": "http://127.0.0.1:9/old",
    "preferredTransport": "JSONRPC",
    "capabilities": {},
    "defaultInputModes": ["text/plain"],
    "defaultOutputModes": ["text/plain"],
    "skills": [],
    "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    "security": [{"token": []}],
}


async def test_it_works(internet: FakeInternet):
    internet.pages[PATH] = as_json(CARD)
    preview = await preview_remote_agent(internet.url)
    assert (preview.name, preview.agent_id, preview.url) == ("Weather Bot", "weather-bot", f"{internet.url}{PATH}")
    chosen = preview.interface
    assert (chosen.url, chosen.binding, chosen.version, chosen.tenant) == (
        *("http://127.0.0.1:9/a", "HTTP+JSON", "1.0"),
        "acme",
    )
    assert preview.signature == RemoteAgent.Signature.NONE
    assert [skill["name"] for skill in preview.skills] == ["Rain"]
    assert preview.card == CARD


@pytest.mark.django_db
async def test_nothing_is_kept_by_looking(internet: FakeInternet):
    internet.pages[PATH] = as_json(CARD)
    await preview_remote_agent(internet.url)
    assert not await Agent.objects.filter(name="Weather Bot").aexists()


async def test_a_card_of_version_0_3_is_read(internet: FakeInternet):
    internet.pages[PATH] = as_json(OLD_CARD)
    preview = await preview_remote_agent(internet.url)
    assert (preview.interface.version, preview.interface.url) == ("0.3", "http://127.0.0.1:9/old")
    assert [(scheme.name, scheme.required) for scheme in preview.schemes] == [("token", True)]


@pytest.mark.parametrize(
    ("served", "pasted"),
    [
        (PATH, PATH),
        ("/agents/7/card.json", "/agents/7/card.json"),
        (f"/agents/7{PATH}", "/agents/7"),
        (f"/agents/7{PATH}", "/agents/7/"),
        ("/card", "/card"),
        ("/.well-known/agent.json", ""),
    ],
)
async def test_whatever_of_its_addresses_is_pasted(internet: FakeInternet, served: str, pasted: str):
    internet.pages[served] = as_json(CARD)
    assert (await preview_remote_agent(f" {internet.url}{pasted} ")).url == f"{internet.url}{served}"


def without(gone: str) -> dict[str, Any]:
    return {name: value for name, value in CARD.items() if name != gone}


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page("<h1>Hello</h1>"), "is not JSON, so it is not an agent card"),
        (as_json(["a", "b"]), "is not an agent card"),
        (as_json("x" * 600_000), "larger than"),
        (as_json(without("name")), "has no name"),
        (as_json(without("supportedInterfaces")), "does not say where the agent is called"),
        (as_json(CARD | {"supportedInterfaces": CARD["supportedInterfaces"][:2]}), "This server speaks JSONRPC"),
        (as_json(CARD | {"name": 7}), "This is not an agent card"),
        (as_json(CARD | {"description": "\x00"}), "a character that cannot be saved"),
        (Page(status=404), "There is no agent card at"),
    ],
)
async def test_what_is_no_card_is_refused_in_words(internet: FakeInternet, page: Page, words: str):
    internet.pages[PATH] = page
    with pytest.raises(BadCard, match=words):
        await preview_remote_agent(internet.url + PATH)


async def test_an_extension_it_requires_must_be_known_here(internet: FakeInternet):
    wanted = {"extensions": [{"uri": "https://example.com/pay", "required": True}]}
    internet.pages[PATH] = as_json(CARD | {"capabilities": wanted})
    with pytest.raises(BadCard, match="requires an extension that this server does not know: https://example.com/pay"):
        await preview_remote_agent(internet.url)


async def test_a_machine_inside_is_not_looked_at(internet: FakeInternet, settings):
    internet.pages[PATH] = as_json(CARD)
    settings.OUTGOING_ALLOW = []
    with pytest.raises(BadCard, match="127.0.0.1 is not a public address"):
        await preview_remote_agent(internet.url)
    assert internet.asked == []


async def test_a_card_that_sends_messages_to_a_machine_inside_is_refused(internet: FakeInternet):
    inside = [{"url": "http://10.0.0.7/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}]
    internet.pages[PATH] = as_json(CARD | {"supportedInterfaces": inside})
    with pytest.raises(BadCard, match="The agent is called at http://10.0.0.7/rpc. 10.0.0.7 is not a public address"):
        await preview_remote_agent(internet.url)


async def test_nobody_there_is_no_bad_card(settings):
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 cannot be reached"):
        await preview_remote_agent("http://127.0.0.1:9")


@pytest.mark.parametrize(
    "address", ["ftp://example.com", "http://ada:secret@example.com", "http://", "nonsense nonsense"]
)
async def test_what_is_no_address_is_refused(address: str):
    with pytest.raises(BadCard):
        await preview_remote_agent(address)


async def test_the_card_of_a_real_server_is_read(server):
    preview = await preview_remote_agent(server(answer, binding="GRPC").url)
    assert preview.interface.binding == "GRPC"


def test_how_it_is_written_does_not_matter_nor_who_signs():
    again = json.loads(json.dumps(CARD, indent=4, sort_keys=True)) | {"signatures": [{"protected": "x"}]}
    assert card_sha256(again) == card_sha256(CARD)
    assert card_sha256(CARD | {"version": "2"}) != card_sha256(CARD)


def test_the_difference_names_each_place():
    after = CARD | {"version": "2", "capabilities": {"streaming": True, "pushNotifications": False}, "skills": []}
    changes = {change.path: (change.before, change.after) for change in difference(CARD, after)}
    assert changes["version"] == ("1", "2")
    assert changes["capabilities.pushNotifications"] == ("", "false")
    assert changes["skills[0].name"] == ("Rain", "")
    assert "name" not in changes


@pytest.mark.parametrize(
    ("name", "id"), [("Weather Bot", "weather-bot"), ("Café №5!", "cafe-no5"), ("天气", "agent"), ("x" * 99, "x" * 64)]
)
def test_a_name_becomes_an_id(name: str, id: str):
    assert slug(name) == id
