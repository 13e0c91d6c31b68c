"""An operator restarts what hangs."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from accounts.actions.audit import note
from agents_app import runtime
from agents_app.models import Agent, Task
from agents_app.runtime.restarting import NotRunning, hung, restart, running

__all__ = ["NoSuchRun", "NotRunning", "restart_agent", "restart_task"]


class NoSuchRun(Exception):
    """The text names what was asked for."""


def restart_task(task: Task) -> None:
    """It begins anew from its last saved step, within seconds. Blocks. Raises `NotRunning`."""
    restart(runtime.current().journal, task)
    note("task.restarted", task, agent=task.agent_id, attempt=task.attempts, owner=task.lease_owner)


def restart_agent(agent: Agent, task_id: UUID | None = None, *, everything: bool = False) -> list[Task]:
    """What seems to hang of an agent; everything it works on; or one task, however lively. Returns what was restarted.

    Raises `NoSuchRun` when that one does not run.
    """
    found = running() if everything or task_id else hung()
    tasks = found.filter(agent=agent, **({"id": task_id} if task_id else {}))
    restarted = list(_restarted(tasks))
    if task_id and not restarted:
        raise NoSuchRun(f"{agent.name} does not work on task {task_id} now.")
    return restarted


def _restarted(tasks: Iterable[Task]) -> Iterable[Task]:
    for task in tasks:
        try:
            restart_task(task)
        except NotRunning:  # it came to its end meanwhile
            continue
        yield task
