"""Runs one task: claims it, lets the agent answer, and ends it in exactly one state."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from accounts import tracing
from accounts.context import bind
from agents_app import base, parts, registry
from agents_app.brains import BrainError
from agents_app.models import RUNNABLE, Agent, Message, Task, TaskState
from agents_app.runtime import brake
from agents_app.runtime.budget import first_budget
from agents_app.runtime.delegators import wake_delegators
from agents_app.runtime.endings import Ended, LeaseLost, Spent
from agents_app.runtime.facts import status_fact
from agents_app.runtime.journal import Entry, Refused, TaskChange
from agents_app.runtime.leases import is_free, is_parked, lease_end
from agents_app.runtime.limits import limit_of, reserve
from agents_app.runtime.loops import came_round
from agents_app.runtime.receipt import DatabaseAway
from agents_app.runtime.saved_turn import Recalled
from agents_app.runtime.stopping import stop_children
from agents_app.runtime.turn import RunningTurn
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)

# Why the queue cancels a running task.
STOPPED = "a person stopped it"
HANDED_OVER = "this process ends"


@dataclass(slots=True)
class Begun:
    """A task that its maker has claimed for this process already; `turn` is there while it runs and afterwards."""

    task: Task
    recalled: Recalled
    turn: RunningTurn | None = None


async def run(runtime: Runtime, task_id: UUID, begun: Begun | None = None) -> None:
    """Run a task if it may run now. Never raises for what the agent does."""
    bind(task=task_id)
    turn = None
    try:
        turn = _take_up(runtime, begun) if begun else await _claim(runtime, task_id)
        if turn is not None:
            bind(conversation=turn.task.context_id, person=turn.task.owner_id)
            runtime.queue.enter(turn)
            await _run_to_the_end(runtime, turn)
    except Refused as loss:  # somebody else has it, or the conversation is gone: nothing of this run is saved
        why = turn.unsaved_because if turn else None
        if why is not None and not isinstance(why, Refused):
            await _begin_anew(turn, why)
        else:
            logger.info("Task %s is left to others: %s", task_id, loss, extra={"action": "task.left"})
    except (OperationalError, InterfaceError) as error:
        await _begin_anew(turn, error)  # a task that was not claimed is found by recovery
    finally:
        if turn is not None:
            turn.answer.close()
            runtime.queue.leave(turn)


async def _run_to_the_end(runtime: Runtime, turn: RunningTurn) -> None:
    task = turn.task
    with tracing.span("task.run", parent=task.traceparent, task=task.id, agent=task.agent_id) as span:
        span.note(conversation=task.context_id, attempt=task.attempts)
        await turn.end(await _braked(turn))
        span.note(state=task.state)
        await wake_delegators(runtime, task)


def _take_up(runtime: Runtime, begun: Begun) -> RunningTurn:
    begun.turn = RunningTurn(runtime, begun.task, registry.get_agent(begun.task.agent_id), begun.recalled)
    return begun.turn


async def _claim(runtime: Runtime, task_id: UUID) -> RunningTurn | None:
    """Take the lease. None: it is over, somebody has it, its agent has enough to do, or an earlier task goes first."""
    found = await in_thread(_load, task_id, runtime.owner)
    if isinstance(found, Task):
        runtime.queue.put_behind(found)
    if not isinstance(found, tuple):
        return None
    task, agent, recalled = found
    await _take_lease(runtime, task)
    turn = RunningTurn(runtime, task, agent, recalled)
    await turn.resume()
    return turn


async def _take_lease(runtime: Runtime, task: Task) -> None:
    seen = task.attempts

    def check(current: Task) -> None:
        reserved = current.lease_owner == runtime.owner and task.lease_owner == runtime.owner
        if current.state not in RUNNABLE or current.attempts != seen or not (reserved or is_free(current)):
            raise LeaseLost

    is_new = task.state == TaskState.SUBMITTED
    fields = {
        "state": TaskState.WORKING,
        "attempts": seen + 1,
        "lease_owner": runtime.owner,
        "lease_until": lease_end(),
        "budget": first_budget(task.budget),
        **({"updated_at": timezone.now(), "status_text": ""} if is_new else {}),
    }
    facts = [status_fact(task, TaskState.WORKING)] if is_new else []
    await runtime.journal.append(Entry(task.context_id, facts, tasks=[TaskChange(task.id, fields, check)]))
    for name, value in fields.items():
        setattr(task, name, value)


async def _braked(turn: RunningTurn) -> Ended:
    """When the budget is used up a person decides how it goes on; but only once, who wanted the answer at once."""
    if turn.choice == brake.Choice.END:
        await stop_children(turn.runtime, turn.task)
        return Ended(TaskState.CANCELED)
    if came_round(turn.task):
        name = turn.agent.name
        path = " → ".join([*turn.chain, name])
        return Ended(TaskState.REJECTED, f"{name} is already part of this: {path}. Answer without asking again.")
    ended = await _answer(turn)
    if not isinstance(ended, Spent) or turn.answers_now:
        return ended
    await brake.stop_at(turn, ended.limit)
    return Ended(TaskState.INPUT_REQUIRED)


async def _answer(turn: RunningTurn) -> Ended:
    """Let the agent work. Whatever happens to it becomes an end with words a person understands."""
    name = turn.agent.name
    if turn.task.attempts > settings.AGENTS_MAX_ATTEMPTS:
        return Ended(TaskState.FAILED, f"{name} began {settings.AGENTS_MAX_ATTEMPTS} times and never came to an end.")
    try:
        async with asyncio.timeout(turn.seconds_left()):
            await turn.agent.respond(turn)
        return Ended(TaskState.COMPLETED)
    except Ended as ended:
        return ended
    except asyncio.CancelledError:
        return await _cancelled(turn)
    except TimeoutError:
        return Spent(brake.Limit.SECONDS, f"{name} ran out of time.")
    except BrainError as error:
        return Ended(TaskState.FAILED, str(error))
    except (Refused, OperationalError, InterfaceError):
        raise
    except Exception:  # an agent's own code may raise anything; the task must end all the same
        logger.exception("Agent %s failed.", turn.agent.id, extra={"action": "agent.failed"})
        return Ended(TaskState.FAILED, f"{name} made a mistake nobody foresaw. The server's log has the details.")


async def _cancelled(turn: RunningTurn) -> Ended:
    """Stopped by a person, handed over because this process ends, or the task was taken from this run."""
    if turn.abandoned:
        raise asyncio.CancelledError
    job = asyncio.current_task()
    if job is not None:
        job.uncancel()  # what follows must run to its end
    if turn.runtime.queue.why_cancelled(turn.task_id) == STOPPED:
        await turn.cancel_children()
        return Ended(TaskState.CANCELED)
    await turn.hand_over()
    raise asyncio.CancelledError


async def _begin_anew(turn: RunningTurn | None, error: Exception) -> None:
    """The database failed in the middle: run again from the last finished step, and not only when the lease has expired.
    That it was away is not the agent's fault and no attempt of it."""
    logger.warning("The database failed a task: %s", error, extra={"action": "task.database_failed"})
    if turn is None:
        return
    fields: dict[str, Any] = {"lease_owner": "", "lease_until": None}
    if isinstance(error, DatabaseAway):
        fields["attempts"] = turn.task.attempts - 1
    try:
        change = TaskChange(turn.task_id, fields, turn.check_mine)
        await turn.runtime.journal.append(Entry(turn.context_id, tasks=[change]))
    except (Refused, DatabaseError) as why:
        logger.info("Task %s is left to others: %s", turn.task_id, why, extra={"action": "task.left"})
    else:
        turn.runtime.queue.put(turn.task_id)


def _load(task_id: UUID, owner: str) -> tuple[Task, base.Agent, Recalled] | Task | None:
    """The task with what is known of it; alone when an earlier one goes first; None when there is nothing to run."""
    tasks = Task.objects.select_related("agent", "request__user", "request__agent")
    task = tasks.filter(id=task_id, state__in=RUNNABLE).first()
    if task is None or not is_free(task):
        return None
    if earlier := _find_earlier(task):
        return None if is_parked(earlier) else task
    if limit_of(task.agent):
        if not reserve(task, owner):
            return None
        task.lease_owner = owner
    answers = Message.objects.filter(task_id=task.id, role=Message.Role.AGENT, state=Message.State.STREAMING)
    steps = list(task.steps.select_related("message"))
    recalled = Recalled(parts.said(task.request, with_bytes=True), steps, answers.order_by("-seq").first())
    return task, _agent(task), recalled


def _agent(task: Task) -> base.Agent:
    try:
        return registry.get_agent(task.agent_id)
    except registry.UnknownAgent:
        return _Gone(task.agent)


class _Gone(base.Agent):
    """In the place of an agent that was removed while something waited for it."""

    def __init__(self, row: Agent) -> None:
        self.id, self.name = row.id, row.name  # type: ignore[misc]

    async def respond(self, turn: base.Turn) -> None:
        await turn.fail(f"{self.name} is not here any more.")


def _find_earlier(task: Task) -> Task | None:
    """Messages to a busy agent wait in order. Delegations do not: whoever asked waits for them."""
    if task.parent_id is not None:
        return None
    earlier = Task.objects.filter(context_id=task.context_id, agent_id=task.agent_id, parent=None, id__lt=task.id)
    return earlier.runnable().only("id", "lease_owner").order_by("id").first()
