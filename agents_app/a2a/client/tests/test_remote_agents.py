"""The actions of administrators."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync

from agents_app import registry
from agents_app.a2a.client.credentials import unseal
from agents_app.a2a.client.preview import Preview, preview_remote_agent
from agents_app.a2a.client.tests.elsewhere import answer
from agents_app.actions.agents import register_agents
from agents_app.actions.remote_agents import (
    BadRemoteAgent,
    NotAllowed,
    add_remote_agent,
    remove_remote_agent,
    update_credentials,
)
from agents_app.ids import uuid7
from agents_app.models import Agent, Message, RemoteAgent

pytestmark = pytest.mark.django_db(transaction=True)
SCHEMES = {
    "securitySchemes": {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}},
    "securityRequirements": [{"schemes": {"key": {}}}],
}


@pytest.fixture
def preview(server) -> Preview:
    return async_to_sync(preview_remote_agent)(server(answer, extra=SCHEMES).url)


def test_it_works(grace, preview):
    remote = add_remote_agent(grace, preview, {"key": " open sesame "}, "Rain")
    agent = Agent.objects.enabled().get(id="rain")
    assert (agent.name, agent.description) == ("Weather Bot", "Knows the weather everywhere.")
    assert agent.skills[0]["examples"] == ["Rain?"]
    assert agent.colour.startswith("#") and agent.colour != Agent._meta.get_field("colour").default
    assert unseal(remote) == {"key": "open sesame"}
    assert (remote.added_by, remote.signature) == (grace, "none")
    assert registry.get_agent("rain").name == "Weather Bot"


def test_only_administrators_may(ada, grace, preview):
    with pytest.raises(NotAllowed):
        add_remote_agent(ada, preview, {}, "rain")
    remote = add_remote_agent(grace, preview, {}, "rain")
    for forbidden in (lambda: remove_remote_agent(ada, remote), lambda: update_credentials(ada, remote, {})):
        with pytest.raises(NotAllowed):
            forbidden()
    assert RemoteAgent.objects.count() == 1


@pytest.mark.parametrize("agent_id", ["chloe", "all", "", "two words", "ä", "x" * 65])
def test_a_name_that_cannot_be_called_is_refused(grace, preview, agent_id):
    register_agents()
    with pytest.raises(BadRemoteAgent):
        add_remote_agent(grace, preview, {}, agent_id)
    assert not RemoteAgent.objects.exists()


def test_a_name_is_given_once(grace, preview):
    add_remote_agent(grace, preview, {}, "rain")
    with pytest.raises(BadRemoteAgent, match="“rain” is taken"):
        add_remote_agent(grace, preview, {}, "rain")


def test_a_secret_that_would_end_the_header_is_refused(grace, preview):
    with pytest.raises(BadRemoteAgent, match="a character that cannot be sent"):
        add_remote_agent(grace, preview, {"key": "a\r\nX-Evil: 1"}, "rain")


def test_credentials_are_replaced_one_by_one(grace, preview):
    remote = add_remote_agent(grace, preview, {"key": "old", "other": "stays"}, "rain")
    update_credentials(grace, remote, {"key": "new", "other": None})
    assert unseal(RemoteAgent.objects.get()) == {"key": "new", "other": "stays"}
    update_credentials(grace, remote, {"key": ""})
    assert unseal(RemoteAgent.objects.get()) == {"other": "stays"}


def test_it_stays_when_the_agents_of_this_server_are_registered(grace, preview):
    add_remote_agent(grace, preview, {}, "rain")
    register_agents()
    agents = list(Agent.objects.enabled().values_list("id", flat=True))
    assert agents[0] == "chloe" and agents[-1] == "rain"


def test_an_agent_that_said_nothing_leaves_nothing_behind(grace, preview):
    remove_remote_agent(grace, add_remote_agent(grace, preview, {}, "rain"))
    assert not Agent.objects.filter(id="rain").exists()
    with pytest.raises(registry.UnknownAgent):
        registry.get_agent("rain")


def test_what_it_said_stays_under_its_name_and_it_may_come_back(grace, preview):
    remote = add_remote_agent(grace, preview, {}, "rain")
    message = Message.objects.create(
        context_id=uuid7(), seq=1, role="agent", agent_id="rain", text="Rain.", created_at=remote.added_at
    )
    remove_remote_agent(grace, remote)
    message.refresh_from_db()
    assert (message.agent_id, message.agent.present) == ("rain", False)
    assert not Agent.objects.enabled().filter(id="rain").exists()
    add_remote_agent(grace, preview, {}, "rain")
    assert Agent.objects.enabled().filter(id="rain").exists()
