from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.access import find_first_admin, find_person
from accounts.models import User
from agents_app import runtime
from agents_app.actions.agents import register_agents
from agents_app.asking import Asking, Outcome
from agents_app.checks import AGENTS
from agents_app.management.terminal import EXIT_CODES, WAITS, read_line
from agents_app.models import Agent, TaskState
from agents_app.runtime.queue_inline import InlineQueue
from agents_app.threads import in_thread


class Command(BaseCommand):
    requires_system_checks = (AGENTS,)  # the others load every page
    help = (
        "Ask an agent and show its answer while it is said; no server is needed. What it asks back is asked here. "
        "Exit code: 0 completed, 1 failed, 2 declined, 3 stopped, 4 it waits for an answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agent", help="Its id, as after @.")
        parser.add_argument("text", nargs="?", help="What to ask; left out: the standard input.")
        parser.add_argument("--user", help="For whom, by username; left out: the first administrator.")
        parser.add_argument("--json", action="store_true", help="Print the outcome as JSON, and ask nothing back.")

    def handle(self, *args: Any, **options: Any) -> None:
        register_agents()
        agent = _get_agent(options["agent"])
        text = (sys.stdin.read() if options["text"] is None else options["text"]).strip()
        if not text:
            raise CommandError('Say what to ask, such as: manage.py ask chloe "What is 15 % of 87?"')
        try:
            outcome, shown = asyncio.run(self._ask(agent, _get_owner(options["user"]), text, options["json"]))
        except DatabaseError as error:
            raise CommandError(f"The database did not take it: {error}. See manage.py doctor.") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=EXIT_CODES[TaskState.CANCELED]) from None
        self._tell(outcome, shown if options["json"] else None)

    async def _ask(self, agent: Agent, owner: User | None, text: str, as_json: bool) -> tuple[Outcome, dict[str, Any]]:
        runtime.choose_queue(InlineQueue)  # it is asked here, whoever works elsewhere
        silent = (_say_nothing, _say_nothing, _answer_nothing)
        asking = Asking(agent, owner, *(silent if as_json else (self._show, self._report, self._answer)))
        try:
            outcome = await asking.ask(text)
            return outcome, await in_thread(outcome.as_json) if as_json else {}
        finally:
            await runtime.stop()

    def _tell(self, outcome: Outcome, shown: dict[str, Any] | None) -> None:
        task = outcome.task
        code = EXIT_CODES.get(task.state, WAITS)
        if shown is not None:
            self.stdout.write(json.dumps(shown, ensure_ascii=False, indent=2))
        elif code == WAITS:
            self.stderr.write(f"{task.agent.name} waits for an answer.")
        elif code:
            self.stderr.write(task.status_text or f"{task.agent.name} did not finish: {task.state}.")
        if code:
            sys.exit(code)

    def _show(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def _report(self, text: str) -> None:
        self.stderr.write(f"… {text}")

    async def _answer(self) -> str | None:
        self._show("> ")
        return await read_line(sys.stdin)


def _say_nothing(text: str) -> None:
    pass


async def _answer_nothing() -> str | None:
    return None


def _get_agent(id: str) -> Agent:
    agent = Agent.objects.enabled().filter(id=id.removeprefix("@").lower()).first()
    if agent is None:
        known = ", ".join(Agent.objects.enabled().values_list("id", flat=True))
        raise CommandError(f'There is no agent "{id}" here. There are: {known or "none"}.')
    return agent


def _get_owner(username: str | None) -> User | None:
    """Nobody at all when there is no administrator yet: an agent can be tried out before anybody signs in."""
    if username is None:
        return find_first_admin()
    person = find_person(username)
    if person is None:
        raise CommandError(f'There is nobody called "{username}".')
    return person
