from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from agents_app.ids import uuid7
from agents_app.models import Agent, Message, Step, Task
from chat.models import Conversation


@pytest.fixture
def task(grace) -> Task:
    agent = Agent.objects.create(id="tester", name="Tester")
    now = timezone.now()
    request = Message.objects.create(context_id=uuid7(), seq=1, role="user", user=grace, text="Hello", created_at=now)
    values = {"context_id": request.context_id, "request": request, "created_at": now, "updated_at": now}
    task = Task.objects.create(agent=agent, **values)
    Step.objects.create(task=task, key="1", kind=Step.Kind.TOOL, name="calculate", data={"text": "42"}, started_at=now)
    return task


def test_it_works(client, grace, task):
    client.force_login(grace)
    assert "calculate" in client.get(reverse("admin:agents_app_task_change", args=[task.id])).content.decode()
    assert client.get(reverse("admin:agents_app_task_changelist")).status_code == 200


def test_an_operator_chooses_the_model_and_nothing_else(client, grace, task):
    client.force_login(grace)
    address = reverse("admin:agents_app_agent_change", args=["tester"])
    assert client.get(address).status_code == 200
    assert (
        client.post(address, {"model": "openai:gpt-5", "queue": "agents", "name": "Somebody else"}).status_code == 302
    )
    agent = Agent.objects.get(id="tester")
    assert (agent.model, agent.enabled, agent.name) == ("openai:gpt-5", False, "Tester")


def test_conversations_are_listed(client, grace, ada):
    Conversation.objects.create(title="Holidays", created_by=ada)
    client.force_login(grace)
    assert "Holidays" in client.get(reverse("admin:chat_conversation_changelist")).content.decode()


@pytest.mark.parametrize("name", ["agents_app_task", "agents_app_agent", "chat_conversation"])
def test_nothing_is_made_by_hand(client, grace, name):
    client.force_login(grace)
    assert client.get(reverse(f"admin:{name}_add")).status_code == 403


def test_ordinary_people_stay_outside(client, ada):
    client.force_login(ada)
    assert client.get(reverse("admin:agents_app_task_changelist")).status_code == 302
