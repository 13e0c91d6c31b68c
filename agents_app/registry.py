"""Finds the agents: every `Agent` subclass in the `agents.py` of an installed app, as Django finds `admin.py`."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from agents_app.base import Agent

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class UnknownAgent(LookupError):
    """There is no agent with that id. The text is fit to show."""

    def __init__(self, agent_id: str) -> None:
        super().__init__(f'There is no agent called "{agent_id}" here.')


class BadAgent(Exception):
    """A class cannot be an agent. One sentence says what to change."""


@functools.cache
def agents() -> dict[str, Agent]:
    """Every agent by its id, in the order of the installed apps. The same instances each time."""
    found: dict[str, Agent] = {}
    for agent_class in _find_classes():
        _register(agent_class, found)
    return found


Resolver = Callable[[str], Agent | None]
_resolvers: list[Resolver] = []


def get_agent(agent_id: str) -> Agent:
    """Also one that lives elsewhere; may read the database for it. Raises `UnknownAgent`."""
    if agent := agents().get(agent_id):
        return agent
    for resolve in _resolvers:
        if found := resolve(agent_id):
            return found
    raise UnknownAgent(agent_id)


def add_resolver(resolve: Resolver) -> None:
    """Ask this as well for agents that are no classes here."""
    if resolve not in _resolvers:
        _resolvers.append(resolve)


def answers_with_message(agent_id: str) -> bool:
    """An agent that says so answers every request with a plain message instead of a task."""
    agent = agents().get(agent_id)
    return agent is not None and agent.answers_with_message


def add(agent_class: type[Agent]) -> Agent:
    """Register one more, for tests and benchmarks."""
    return _register(agent_class, agents())


def remove(agent_id: str) -> None:
    agents().pop(agent_id, None)


def _find_classes() -> Iterator[type[Agent]]:
    autodiscover_modules("agents")
    for config in apps.get_app_configs():
        name = f"{config.name}.agents"
        if name in sys.modules:
            yield from (value for value in vars(sys.modules[name]).values() if _is_agent(value, name))


def _is_agent(value: Any, module: str) -> bool:
    """A class without an id is a base that the file's agents share."""
    own = inspect.isclass(value) and issubclass(value, Agent) and value.__module__ == module
    return own and bool(getattr(value, "id", ""))


def _register(agent_class: type[Agent], found: dict[str, Agent]) -> Agent:
    _check_identity(agent_class, found)
    found[agent_class.id] = agent = agent_class()
    return agent


def _check_identity(agent_class: type[Agent], found: dict[str, Agent]) -> None:
    where = f"{agent_class.__module__}.{agent_class.__qualname__}"
    if not ID.fullmatch(agent_class.id):
        raise BadAgent(
            f'{where} has the id "{agent_class.id}": use up to 64 lower case letters, digits, "-" and "_", '
            "starting with a letter or digit."
        )
    if agent_class.id in found:
        other = type(found[agent_class.id])
        raise BadAgent(f'{where} and {other.__module__}.{other.__qualname__} share the id "{agent_class.id}".')
    for field in ("name", "description"):
        if not getattr(agent_class, field, ""):
            raise BadAgent(f'{where} has no {field}: write {field} = "…" in the class.')
    if len(agent_class.name) > 120 or len(agent_class.avatar) > 8:
        raise BadAgent(f"{where} is too long: a name has up to 120 characters, an avatar up to 8.")
    if not COLOUR.fullmatch(agent_class.colour):
        raise BadAgent(f'{where} has the colour "{agent_class.colour}": write it as #rrggbb, such as "#5b6b7f".')
