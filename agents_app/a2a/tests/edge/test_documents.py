from __future__ import annotations

from agents_app.a2a.tests.edge.conftest import Caller


async def test_it_works(guest: Caller) -> None:
    answer = await guest.client.get(f"{guest.address}/a2a/clerk/.well-known/agent-card.json")

    card = answer.json()
    assert card["name"] == "Clerk" and card["supportedInterfaces"][0]["url"] == f"{guest.address}/a2a/clerk/"
    assert "max-age" in answer.headers["cache-control"] and answer.headers["last-modified"]
    again = await guest.client.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and not again.content


async def test_the_default_agent_is_at_the_well_known_address(guest: Caller) -> None:
    default = (await guest.client.get(f"{guest.address}/.well-known/agent-card.json")).json()
    catalogue = (await guest.client.get(f"{guest.address}/a2a/")).json()
    agents = catalogue["agents"] if isinstance(catalogue, dict) else catalogue

    assert default["name"] == agents[0]["name"] and {"clerk", "parrot"} <= {agent["id"] for agent in agents}


async def test_every_card_leads_to_its_agent(guest: Caller) -> None:
    catalogue = (await guest.client.get(f"{guest.address}/a2a/")).json()
    for agent in catalogue["agents"] if isinstance(catalogue, dict) else catalogue:
        assert (await guest.client.get(agent["cardUrl"])).json()["name"] == agent["name"]


async def test_an_agent_nobody_knows_is_not_here(guest: Caller) -> None:
    for path in ("/a2a/nobody/.well-known/agent-card.json", "/a2a/nobody/", "/a2a/nobody/v1/tasks"):
        assert (await guest.client.get(f"{guest.address}{path}")).status_code == 404


async def test_the_address_works_with_and_without_its_slash(guest: Caller) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ListTasks"}
    for path in ("/a2a/clerk", "/a2a/clerk/"):
        answer = await guest.client.post(f"{guest.address}{path}", json=body, headers=guest.headers)
        assert answer.status_code == 200 and "result" in answer.json()


async def test_the_extended_card_is_for_callers(guest: Caller, ada_calls: Caller) -> None:
    card = await ada_calls.call("GetExtendedAgentCard")
    assert (await guest.rest("GET", "/extendedAgentCard")).status_code == 401
    body = {"jsonrpc": "2.0", "id": 1, "method": "GetExtendedAgentCard"}
    refused = await guest.client.post(f"{guest.address}/a2a/clerk/", json=body, headers=guest.headers)
    assert refused.status_code == 401 and "Bearer" in refused.headers["www-authenticate"]

    assert (
        card["name"] == "Clerk"
        and card != (await guest.client.get(f"{guest.address}/a2a/clerk/.well-known/agent-card.json")).json()
    )
