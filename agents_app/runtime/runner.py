"""Runs one task: claims it, lets the agent answer, and ends it in exactly one state."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from accounts import tracing
from accounts.context import bind
from agents_app import base, parts, registry
from agents_app.brains import BrainError
from agents_app.models import RUNNABLE, Message, Task, TaskState
from agents_app.runtime import brake
from agents_app.runtime.budget import ends_at, first_budget
from agents_app.runtime.delegators import wake_delegators
from agents_app.runtime.endings import Ended, LeaseLost, Spent
from agents_app.runtime.facts import status_fact
from agents_app.runtime.journal import Entry, Refused, TaskChange
from agents_app.runtime.leases import is_free, lease_end
from agents_app.runtime.loops import came_round
from agents_app.runtime.receipt import DatabaseAway, is_full
from agents_app.runtime.saved_turn import Recalled
from agents_app.runtime.stopping import stop_children
from agents_app.runtime.turn import RunningTurn
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)

FULL_SECONDS = 2.0  # until a task is tried again for which there was no room

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
    loaded = await runtime.loader.load(task_id)
    if loaded is None:
        return None
    task = loaded.task
    if loaded.agent is None:
        runtime.queue.put_behind(task)
        return None
    said = await _said(task.request)
    end = await _take_lease(runtime, task)
    turn = RunningTurn(runtime, task, loaded.agent, Recalled(said, end, list(loaded.steps), loaded.open_answer))
    await turn.resume()
    return turn


async def _said(request: Message) -> base.Said:
    if parts.has_attachments(request):
        return await in_thread(parts.said, request, with_bytes=True)
    return parts.said(request)


async def _take_lease(runtime: Runtime, task: Task) -> float:
    """Returns when the task's time ends, on this process's monotonic clock."""
    seen = task.attempts

    def check(current: Task) -> None:
        reserved = current.lease_owner == runtime.owner and task.lease_owner == runtime.owner
        if current.state not in RUNNABLE or current.attempts != seen or not (reserved or is_free(current)):
            raise LeaseLost

    budget = first_budget(task.budget)
    end = ends_at(budget)
    is_new = task.state == TaskState.SUBMITTED
    fields = {
        "state": TaskState.WORKING,
        "attempts": seen + 1,
        "lease_owner": runtime.owner,
        "lease_until": lease_end(),
        "budget": budget,
        **({"updated_at": timezone.now(), "status_text": ""} if is_new else {}),
    }
    facts = [status_fact(task, TaskState.WORKING)] if is_new else []
    await runtime.journal.append(Entry(task.context_id, facts, tasks=[TaskChange(task.id, fields, check)]))
    for name, value in fields.items():
        setattr(task, name, value)
    return end


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
    That it was away, or full, is not the agent's fault and no attempt of it."""
    logger.warning("The database failed a task: %s", error, extra={"action": "task.database_failed"})
    if turn is None:
        return
    fields: dict[str, Any] = {"lease_owner": "", "lease_until": None}
    full = is_full(error)
    if full or isinstance(error, DatabaseAway):
        fields["attempts"] = turn.task.attempts - 1
    change = TaskChange(turn.task_id, fields, turn.check_mine)
    while True:
        try:
            await turn.runtime.journal.append(Entry(turn.context_id, tasks=[change]))
            break
        except (Refused, DatabaseError) as why:
            if not is_full(why):
                logger.info("Task %s is left to others: %s", turn.task_id, why, extra={"action": "task.left"})
                return
            await asyncio.sleep(FULL_SECONDS)  # not even that fits: the lease stays here until there is room
    put = partial(turn.runtime.queue.put, turn.task_id)
    # What gives up a lease may fit where nothing else does: a full disk is not tried again and again at once.
    if full:
        asyncio.get_running_loop().call_later(FULL_SECONDS, put)
    else:
        put()
