"""An operator's word on a prompt: what is kept, what the admin shows, and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import AppendOnly, AuditEntry, User
from agents_app import registry
from agents_app.actions.prompts import NoPrompt, override_prompt
from agents_app.base import Agent as AgentClass
from agents_app.models import Agent, PromptVersion
from agents_app.prompt_page import Line, lines_between

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:agents_app_agent_change", args=["poet"])
CHOOSE = reverse("admin:agents_app_agent_prompt", args=["poet"])
SHIPPED = "Speak in verse.\nBe brief."


class Poet(AgentClass):
    id = "poet"
    name = "Poet"
    description = "Writes."
    prompt = SHIPPED + "\n"


@pytest.fixture
def poet(db: None) -> Iterator[Agent]:
    registry.add(Poet)
    yield Agent.objects.create(id="poet", name="Poet")
    registry.remove("poet")


def texts() -> list[str]:
    return list(PromptVersion.objects.of("poet").values_list("text", flat=True))


def save(client: Client, prompt: str, seen: str, **more: Any) -> Any:
    """As a browser does it, which ends lines with two characters."""
    values = {"enabled": "on", "queue": "agents", "prompt": prompt, "initial-prompt": seen} | more
    return client.post(PAGE, {name: value.replace("\n", "\r\n") for name, value in values.items()})


def test_it_works(poet, grace):
    version = override_prompt(poet, " Speak in prose.\r\nBe brief.\n", grace)

    assert version is not None
    assert (version.text, version.shipped, version.made_by) == ("Speak in prose.\nBe brief.", SHIPPED, "grace")
    entry = AuditEntry.objects.get(action="agent.prompt_overridden")
    assert (entry.actor, entry.about_name, entry.details) == ("grace", "Poet", {"version": version.pk})


def test_what_is_so_already_is_not_written_again(poet, grace):
    assert override_prompt(poet, "", grace) is None
    assert override_prompt(poet, SHIPPED, grace) is None, "the shipped prompt is no override"
    override_prompt(poet, "Prose.", grace)
    assert override_prompt(poet, "Prose.\n", grace) is None
    override_prompt(poet, SHIPPED, grace)

    assert texts() == ["", "Prose."]
    assert AuditEntry.objects.filter(action="agent.prompt_restored").count() == 1


def test_versions_are_never_changed_and_outlive_the_person(poet, grace):
    version = override_prompt(poet, "Prose.", grace)
    for change in (version.save, version.delete, PromptVersion.objects.all().delete):
        with pytest.raises(AppendOnly):
            change()
    with pytest.raises(AppendOnly):
        PromptVersion.objects.update(text="Other")
    grace.delete()

    assert PromptVersion.objects.get().made_by == "grace"


def test_an_agent_elsewhere_has_no_prompt(grace):
    with pytest.raises(NoPrompt):
        override_prompt(Agent.objects.create(id="faraway", name="Far"), "Prose.", grace)
    assert not PromptVersion.objects.exists()


def test_lines_that_differ():
    old = "\n".join("abcdefghijklmnop")
    assert lines_between(old, old) == []
    lines = lines_between(old, old.replace("a", "A") + "\n--- q")

    assert lines[:2] == [Line("−", "a"), Line("+", "A")]
    assert Line("⋯", "") in lines and Line("", "h") not in lines
    assert lines[-1] == Line("+", "--- q")


def test_the_page_saves_an_override_with_everything_else(client, poet, grace):
    client.force_login(grace)
    page = client.get(PAGE).content.decode()
    assert "Speak in verse." in page and "Nobody has changed it yet." in page

    assert save(client, "Speak in <b>prose</b>.\nBe brief.", SHIPPED, model="embedded").status_code == 302
    poet.refresh_from_db()
    page = client.get(PAGE).content.decode()

    assert poet.model == "embedded"
    assert "<ins><b>+</b>Speak in &lt;b&gt;prose&lt;/b&gt;.</ins>" in page
    assert "<del><b>−</b>Speak in verse.</del>" in page and "<span><b></b>Be brief.</span>" in page
    assert "<b>prose" not in page and "grace" in page
    assert "The shipped prompt has changed" not in page


def test_to_save_something_else_brings_no_older_prompt_back(client, poet, grace):
    client.force_login(grace)
    override_prompt(poet, "Meanwhile.", grace)

    assert save(client, SHIPPED, SHIPPED).status_code == 302
    refused = save(client, "Mine.", SHIPPED)

    assert texts() == ["Meanwhile."]
    assert "changed while this page was open" in str(refused.context["adminform"].form.errors["prompt"])
    save(client, "", "Meanwhile.")
    assert texts() == ["", "Meanwhile."], "an empty field is the way back"


def test_buttons_bring_a_version_back_and_the_shipped_prompt(client, poet, grace):
    client.force_login(grace)
    first = override_prompt(poet, "First.", grace)
    override_prompt(poet, "Second.", grace)

    client.post(CHOOSE, {"version": first.pk})
    client.post(CHOOSE)
    client.post(CHOOSE)

    assert texts() == ["", "First.", "Second.", "First."]
    assert client.post(CHOOSE, {"version": "99999"}).status_code == 404
    assert client.post(CHOOSE, {"version": "one"}).status_code == 404
    assert client.get(CHOOSE).status_code == 405


def test_a_shipped_prompt_that_changed_is_told_until_somebody_says_that_it_is_right(client, poet, grace, monkeypatch):
    client.force_login(grace)
    version = override_prompt(poet, "Prose.", grace)
    monkeypatch.setattr(Poet, "prompt", f"{SHIPPED}\nRhyme.")
    page = client.get(PAGE).content.decode()
    assert "The shipped prompt has changed" in page and "<ins><b>+</b>Rhyme.</ins>" in page

    client.post(CHOOSE, {"version": version.pk})

    assert "The shipped prompt has changed" not in client.get(PAGE).content.decode()
    assert texts() == ["Prose.", "Prose."]


def test_a_long_history_has_pages(client, poet, grace):
    client.force_login(grace)
    for number in range(12):
        override_prompt(poet, f"Prose {number}.", grace)

    newest, oldest = client.get(PAGE).context["prompt"], client.get(PAGE, {"history": 2}).context["prompt"]

    assert [len(newest["versions"]), len(oldest["versions"])] == [10, 2]
    assert newest["versions"][-1].since_before == [Line("−", "Prose 1."), Line("+", "Prose 2.")]
    assert Line("−", "Speak in verse.") in oldest["versions"][-1].since_before


def test_members_stay_outside(client, poet, ada):
    client.force_login(ada)

    assert client.get(PAGE).status_code == 302
    assert client.post(CHOOSE).status_code == 302
    save(client, "Mine.", SHIPPED)
    assert not PromptVersion.objects.exists()


def test_staff_who_may_only_look_see_and_change_no_prompt(client, poet, grace):
    override_prompt(poet, "Prose.", grace)
    helper = User.objects.create_user("helper", password="x", is_staff=True)
    client.force_login(helper)
    assert client.post(CHOOSE).status_code == 403
    helper.user_permissions.add(Permission.objects.get(codename="view_agent"))

    page = client.get(PAGE)
    assert page.status_code == 200 and "Prose." not in page.content.decode()
    assert client.post(CHOOSE).status_code == 403
    assert save(client, "Mine.", "Prose.").status_code == 403
    assert texts() == ["Prose."]


def test_who_may_change_agents_may_change_prompts(client, poet):
    helper = User.objects.create_user("helper", password="x", is_staff=True)
    helper.user_permissions.add(Permission.objects.get(codename="change_agent"))
    client.force_login(helper)

    assert save(client, "Prose.", SHIPPED).status_code == 302
    assert PromptVersion.objects.get().made_by == "helper"
    assert AuditEntry.objects.get(action="agent.prompt_overridden").actor == "helper"
