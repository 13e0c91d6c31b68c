from __future__ import annotations

import json
from typing import Any

import pytest
from a2a.types import AgentCard
from a2a.utils.proto_utils import validate_proto_required_fields
from django.utils import timezone
from google.protobuf.json_format import MessageToDict, ParseDict

from accounts.models import User
from agents_app.a2a import extensions, served
from agents_app.a2a.cards import agent_card, catalogue, extended_card
from agents_app.models import Agent, RemoteAgent
from agents_app.registry import UnknownAgent
from agents_app.threads import in_thread

BASE = "https://chat.example.com"
FORMER_FIELDS = {"url", "preferredTransport", "protocolVersion", "additionalInterfaces", "security"}


@pytest.fixture
def chloe(db: None) -> Agent:
    return Agent.objects.get(id="chloe")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    served.forget()


def remote(id: str = "far") -> Agent:
    agent = Agent.objects.create(id=id, name="Far away")
    RemoteAgent.objects.create(
        agent=agent, card_url=BASE, card={}, interface_url=BASE, added_at=timezone.now(), check_at=timezone.now()
    )
    return agent


def test_it_works(chloe: Agent) -> None:
    card = agent_card(chloe, BASE)

    validate_proto_required_fields(ParseDict(card, AgentCard()))  # knows no other field, and misses none
    assert card["name"] == "Chloe" and not FORMER_FIELDS & set(card)
    assert [(each["protocolBinding"], each["url"]) for each in card["supportedInterfaces"]] == [
        ("JSONRPC", f"{BASE}/a2a/chloe/"),
        ("HTTP+JSON", f"{BASE}/a2a/chloe/v1"),
    ]
    assert {each["protocolVersion"] for each in card["supportedInterfaces"]} == {"1.0"}
    assert [each["uri"] for each in card["capabilities"]["extensions"]] == [extensions.RESUMABLE, extensions.CHAIN]


def test_what_the_card_says_is_what_protobuf_makes_of_it(chloe: Agent) -> None:
    """Nothing is empty or a default, so that every way to canonicalise a card gives the same."""
    card = agent_card(chloe, BASE)

    assert MessageToDict(ParseDict(card, AgentCard())) == card


def test_grpc_is_named_last_when_it_is_served(chloe: Agent, settings: Any) -> None:
    settings.A2A_GRPC_URL = "chat.example.com:50051"

    grpc = {"url": "chat.example.com:50051", "protocolBinding": "GRPC", "protocolVersion": "1.0"}
    assert agent_card(chloe, BASE)["supportedInterfaces"][2] == {**grpc, "tenant": "chloe"}
    assert agent_card(chloe, BASE, "acme")["supportedInterfaces"][2] == {**grpc, "tenant": "chloe/acme"}


def test_an_agent_that_says_little_has_a_complete_card() -> None:
    card = agent_card(Agent(id="quiet", name="Quiet", skills=[{"id": "hum", "tags": [], "examples": []}]), BASE)

    assert card["defaultInputModes"] == card["defaultOutputModes"] == ["text/plain"]
    assert card["skills"] == [{"id": "hum", "name": "hum", "description": "hum", "tags": ["quiet"]}]
    validate_proto_required_fields(ParseDict(card, AgentCard()))


def test_an_agent_without_skills_gets_one_of_its_description() -> None:
    card = agent_card(Agent(id="quiet", name="Quiet", description="Hums."), BASE)

    assert card["skills"] == [{"id": "quiet", "name": "Quiet", "description": "Hums.", "tags": ["quiet"]}]


@pytest.mark.parametrize(
    ("anonymous", "base", "offered"),
    [
        ("off", "http://127.0.0.1:8000", False),
        ("loopback", "http://127.0.0.1:8000", True),
        ("loopback", "http://[::1]:8000", True),
        ("loopback", "http://localhost:8000", True),
        ("loopback", BASE, False),
        ("loopback", "http://127.0.0.1.example.com", False),
        ("on", BASE, True),
    ],
)
def test_calls_without_a_token_are_offered_to_those_who_may(
    chloe: Agent, settings: Any, anonymous: str, base: str, offered: bool
) -> None:
    settings.A2A_ANONYMOUS = anonymous

    bearer, *others = agent_card(chloe, base)["securityRequirements"]
    assert bearer == {"schemes": {"bearer": {"list": ["a2a:send", "a2a:read"]}}}
    assert others == ([{}] if offered else [])


def test_a_tenant_is_named_in_every_interface(chloe: Agent) -> None:
    assert {each["tenant"] for each in agent_card(chloe, BASE, "acme")["supportedInterfaces"]} == {"acme"}


def test_an_extended_card_tells_the_model_the_tools_and_who_calls(chloe: Agent) -> None:
    card = extended_card(chloe, BASE, "Ada", "Claude · Anthropic", "acme")

    validate_proto_required_fields(ParseDict(card, AgentCard()))
    assert "Claude · Anthropic" in card["description"] and "Ada" in json.dumps(card["securitySchemes"])
    assert "tool-web_page" in {skill["id"] for skill in card["skills"]}
    assert not any(skill["id"].startswith("tool-") for skill in agent_card(chloe, BASE)["skills"])


def test_a_catalogue_says_where_the_cards_are(chloe: Agent) -> None:
    assert catalogue([chloe], BASE) == [
        {
            "id": "chloe",
            "name": "Chloe",
            "description": chloe.description,
            "cardUrl": f"{BASE}/a2a/chloe/.well-known/agent-card.json",
        }
    ]


@pytest.mark.django_db(transaction=True)
class TestServed:
    @pytest.fixture(autouse=True)
    def agents(self, transactional_db: None) -> None:
        from agents_app.actions.agents import register_agents

        register_agents()

    async def test_it_works(self) -> None:
        card = await served.served_card("phil", BASE)

        assert json.loads(card.body)["name"] == "Phil Connors" and card.last_modified.endswith("GMT")

    async def test_without_a_name_it_is_the_first_agent(self) -> None:
        assert await served.served_card(None, BASE) == await served.served_card("chloe", BASE)

    async def test_the_catalogue_and_the_keys_are_served_too(self) -> None:
        assert {each["id"] for each in json.loads((await served.served_catalogue(BASE)).body)} >= {"chloe"}
        assert json.loads((await served.served_keys(BASE)).body) == {"keys": []}

    @pytest.mark.parametrize("name", ["nobody", "", "/", "/keys", "far", "asleep", "gone"])
    async def test_what_is_not_served_is_unknown(self, name: str) -> None:
        await in_thread(remote)
        await Agent.objects.acreate(id="asleep", name="Switched off", enabled=False)
        await Agent.objects.acreate(id="gone", name="Its class is gone", present=False)

        with pytest.raises(UnknownAgent):
            await served.served_card(name, BASE)

    async def test_without_any_agent_there_is_no_default(self) -> None:
        await Agent.objects.aupdate(enabled=False)

        with pytest.raises(UnknownAgent):
            await served.served_card(None, BASE)

    async def test_a_card_is_kept_for_a_moment_and_then_made_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = await served.served_card("chloe", BASE)
        await Agent.objects.filter(id="chloe").aupdate(description="Changed.")
        assert await served.served_card("chloe", BASE) is first

        monkeypatch.setattr(served.time, "monotonic", lambda: served._shelves[BASE].until)
        second = await served.served_card("chloe", BASE)
        assert b"Changed." in second.body and second.etag != first.etag

    async def test_a_card_that_did_not_change_keeps_its_date(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = await served.served_card("chloe", BASE)
        monkeypatch.setattr(served.time, "monotonic", lambda: served._shelves[BASE].until)

        assert await served.served_card("chloe", BASE) is first

    async def test_who_knows_the_card_is_told_so(self) -> None:
        card = await served.served_card("chloe", BASE)

        assert card.is_known_to(if_none_match=card.etag)
        assert card.is_known_to(if_none_match=f'"other", W/{card.etag}') and card.is_known_to(if_none_match="*")
        assert card.is_known_to(if_modified_since=card.last_modified)
        assert not card.is_known_to() and not card.is_known_to(if_none_match='"other"')
        assert not card.is_known_to('"other"', card.last_modified), "the date counts only without an ETag"
        assert not card.is_known_to(if_modified_since="Thu, 01 Jan 1970 00:00:00 GMT")
        assert not card.is_known_to(if_modified_since="yesterday")

    async def test_invented_addresses_do_not_fill_the_memory(self) -> None:
        for number in range(served.MAX_BASES + 5):
            await served.served_card("chloe", f"https://{number}.example.com")

        assert len(served._shelves) == served.MAX_BASES

    async def test_an_extended_card_is_found(self, ada: User) -> None:
        card = await served.find_extended_card("chloe", BASE, ada.name)

        assert "Ada" in json.dumps(card)
        with pytest.raises(UnknownAgent):
            await served.find_extended_card("nobody", BASE, ada.name)
