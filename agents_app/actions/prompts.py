"""An operator's word on an agent's prompt. It holds from the next turn on, in every process: `brains/choice.py` reads it."""

from __future__ import annotations

from django.db import transaction

from accounts.actions.audit import note
from accounts.models import User
from agents_app import registry
from agents_app.models import Agent, PromptVersion
from agents_app.texts import saveable


class NoPrompt(Exception):
    """Only an agent whose code is here has a prompt."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def tidy(text: str) -> str:
    """As prompts are kept and compared: browsers end lines with two characters, files with an empty line."""
    return saveable(text.replace("\r\n", "\n").replace("\r", "\n").strip())


def get_shipped_prompt(agent_id: str) -> str:
    """What the agent's class says. Raises `NoPrompt`."""
    agent = registry.agents().get(agent_id)
    if agent is None:
        raise NoPrompt
    return tidy(agent.prompt)


@transaction.atomic
def override_prompt(agent: Agent, text: str, by: User) -> PromptVersion | None:
    """`text` in the place of what the agent's class says; empty or the same means: back to that.

    To say the same again is to confirm it against a shipped prompt that has changed. None: nothing was to be done.
    Raises `NoPrompt`.
    """
    shipped = get_shipped_prompt(agent.id)
    text = tidy(text)
    text = "" if text == shipped else text
    # Of two at once, the second sees what the first wrote. Without the key: tasks of the agent begin meanwhile.
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    newest = PromptVersion.objects.of(agent.id).first()
    if (newest.text if newest else "") == text and (not text or (newest and newest.shipped == shipped)):
        return None
    version = PromptVersion.objects.create(agent=agent, text=text, shipped=shipped, made_by=by.username)
    note("agent.prompt_overridden" if text else "agent.prompt_restored", agent, actor=by, version=version.pk)
    return version
