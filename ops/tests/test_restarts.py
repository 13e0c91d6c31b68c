"""An operator restarts what hangs: in the admin, over REST and by a command. `agents_app/tests/runtime` sees it run."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from agents_app.ids import uuid7
from agents_app.models import Agent, JournalHead, Message, Task
from chat.tests.api_client import Program, token_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = reverse("admin:agents_app_agent_running", args=["chloe"])
BUTTON = reverse("admin:agents_app_agent_restart", args=["chloe"])


def run(*, silent: int, agent: str = "chloe") -> Task:
    """A task on which a process elsewhere works; it was silent for so many seconds."""
    now, context_id = timezone.now(), uuid7()
    JournalHead.objects.create(context_id=context_id)
    request = Message.objects.create(context_id=context_id, seq=0, role="user", text="go", created_at=now)
    return Task.objects.create(
        context_id=context_id,
        agent_id=agent,
        request=request,
        state="working",
        attempts=3,
        lease_owner="elsewhere/pid:[1]/2/3",
        lease_until=now + timedelta(minutes=1),
        alive_at=now - timedelta(seconds=silent),
        created_at=now,
        updated_at=now,
    )


@pytest.fixture
def agents(db: None) -> None:
    for id in ("chloe", "phil"):
        Agent.objects.update_or_create(id=id, defaults={"name": id.title()})


@pytest.fixture
def hung(agents: None) -> Task:
    return run(silent=300)


@pytest.fixture
def lively(agents: None) -> Task:
    return run(silent=2)


@pytest.fixture
def operator(client: Client, grace: User) -> Client:
    client.force_login(grace)
    return client


def press(operator: Client, **form: str) -> str:
    return operator.post(BUTTON, form, follow=True).content.decode()


def restarted(*tasks: Task) -> list[bool]:
    return [Task.objects.get(pk=task.pk).lease_owner == "" for task in tasks]


def command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    try:
        call_command("restartagent", *arguments, "--json", stdout=out)
    except SystemExit:
        pass
    return json.loads(out.getvalue())


def test_it_works(operator: Client, hung: Task, lively: Task) -> None:
    assert "2 tasks, 1 seems to hang" in operator.get(reverse("admin:agents_app_agent_changelist")).content.decode()
    page = operator.get(PAGE).content.decode()
    assert str(hung.pk) in page and str(lively.pk) in page and "Restart what seems to hang" in page

    assert "Restart what seems to hang of Chloe?" in press(operator) and restarted(hung, lively) == [False, False]
    assert "1 restarted." in press(operator, confirmed="yes") and restarted(hung, lively) == [True, False]
    task = Task.objects.get(pk=hung.pk)
    assert (task.state, task.attempts, task.status_text) == ("working", 2, "An operator restarts it.")
    entry = AuditEntry.objects.get(action="task.restarted")
    assert (entry.actor, entry.about) == ("grace", f"agents_app.task:{hung.pk}")


def test_one_task_or_everything_of_the_agent_alone(operator: Client, hung: Task, lively: Task) -> None:
    other = run(silent=300, agent="phil")
    form = {"task": str(lively.pk)}
    assert f"Restart task {lively.pk}?" in press(operator, **form)
    press(operator, **form, confirmed="yes")
    assert restarted(hung, lively, other) == [False, True, False]
    assert "does not work on task" in press(operator, **form, confirmed="yes")
    assert "1 restarted." in press(operator, everything="yes", confirmed="yes")
    assert restarted(hung, other) == [True, False]
    assert "Nothing seems to hang any more." in press(operator, confirmed="yes")
    assert operator.post(BUTTON, {"task": "nonsense"}).status_code == 404


def test_who_may_only_look_presses_nothing(client: Client, ada: User, hung: Task) -> None:
    ada.is_staff = True
    ada.save()
    client.force_login(ada)
    assert client.get(PAGE).status_code == 403
    assert client.post(BUTTON, {"confirmed": "yes"}).status_code == 403
    assert restarted(hung) == [False]
    assert client.get(BUTTON).status_code == 405


async def test_the_same_over_rest(grace: User, hung: Task, lively: Task) -> None:
    program = Program(token_of(grace))
    _, runs = await program.call("GET", "/admin/agents/running?agent=chloe")
    assert [(one["task"], one["seems_to_hang"]) for one in runs] == [(str(hung.pk), True), (str(lively.pk), False)]
    assert runs[0]["silent_seconds"] >= 300 and runs[0]["agent"] == "chloe"

    status, answer = await program.call("POST", "/admin/agents/chloe/restart", {})
    assert (status, answer) == (200, {"restarted": [str(hung.pk)]})
    _, answer = await program.call("POST", "/admin/agents/chloe/restart", {"task": str(lively.pk)})
    assert answer == {"restarted": [str(lively.pk)]}


async def test_what_is_wrong_is_refused_over_rest(ada: User, grace: User, hung: Task) -> None:
    path = "/admin/agents/chloe/restart"
    assert await Program().refused("POST", path) == (401, "unauthenticated")
    assert await Program(token_of(ada)).refused("POST", path) == (403, "forbidden")
    program = Program(token_of(grace))
    assert await program.refused("GET", path) == (405, "method_not_allowed")
    assert await program.refused("POST", "/admin/agents/nobody/restart", {}) == (404, "not_found")
    assert await program.refused("POST", path, {"task": str(uuid7())}) == (404, "not_found")
    assert (await program.refused("POST", path, {"taks": str(hung.pk)}))[0] == 422


def test_the_same_by_a_command(hung: Task, lively: Task) -> None:
    assert command("@chloe") == {"ok": True, "agent": "chloe", "restarted": [str(hung.pk)]}
    assert command("chloe") == {"ok": True, "agent": "chloe", "restarted": []}
    assert command("chloe", "--everything")["restarted"] == [str(lively.pk)]
    assert command("chloe", "--task", str(hung.pk))["error"] == f"Chloe does not work on task {hung.pk} now."
    assert command("nobody")["error"] == "There is no agent 'nobody'."
    assert AuditEntry.objects.filter(action="task.restarted", via="command").count() == 2
