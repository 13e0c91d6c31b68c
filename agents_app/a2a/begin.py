"""A message from outside becomes a task like any other, or goes on with one that waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from a2a.utils.errors import UnsupportedOperationError
from django.db import IntegrityError
from django.utils import timezone

from agents_app import registry, runtime
from agents_app.a2a import access
from agents_app.a2a.caller import Caller
from agents_app.a2a.chain import came_with
from agents_app.a2a.errors import TooMany, invalid
from agents_app.a2a.loading import context_names, has_files
from agents_app.a2a.push.configs import add_config
from agents_app.a2a.schema import SendRequest
from agents_app.a2a.streams import TaskStream
from agents_app.a2a.wire import TaskView
from agents_app.actions.attachments import save_parts
from agents_app.actions.tasks import TaskWrites, answer_question, begin_claimed, begin_task
from agents_app.allowance import AllowanceSpent, require_allowance
from agents_app.base import Said
from agents_app.ids import uuid7
from agents_app.models import (
    INTERRUPTED,
    TERMINAL,
    Agent,
    Artifact,
    EventType,
    JournalHead,
    Message,
    Step,
    Task,
    TaskState,
    Via,
)
from agents_app.parts import to_json
from agents_app.runtime.budget import ends_at
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Chain, Entry, Fact
from agents_app.runtime.rows import new_row
from agents_app.runtime.runner import Begun
from agents_app.runtime.saved_turn import Recalled
from agents_app.threads import in_thread

TITLE_CHARS = 500  # of the request, from which the conversation gets its title


@dataclass(slots=True)
class Started:
    """A task that was begun, or goes on, for a caller."""

    task_id: UUID
    context: str
    settled: asyncio.Future[str] | None = None
    stream: TaskStream | None = None
    first_view: TaskView | None = None  # of a new task
    begun: Begun | None = None  # it runs in this process
    answers_with_message: bool = False

    def view_in_memory(self) -> TaskView | None:
        """What the task came to, when it ran here from beginning to end; None: read it."""
        turn = self.begun.turn if self.begun else None
        if turn is None or turn.task.state not in (*TERMINAL, *INTERRUPTED) or self.first_view is None:
            return None
        artifacts = list(turn.artifacts.values())
        rows: list[Message | Artifact] = [*turn.answers, *artifacts, *self.first_view.said]
        if any(has_files(row.parts) for row in rows):
            return None
        said = [*self.first_view.said, *([turn.question] if turn.question else [])]
        return TaskView(turn.task, self.context, said, turn.question, turn.answers, artifacts)


async def begin(request: SendRequest, agent: Agent, caller: Caller, *, wait: bool) -> Started:
    """A new task, in a new conversation or in one of the caller's. Returns when it is saved. Raises `TooMany`."""
    try:
        await require_allowance(caller.user_id)
    except AllowanceSpent as spent:
        raise TooMany(str(spent), spent.seconds_left) from None
    head = await in_thread(access.find_context, request.context_id, caller) if request.context_id else None
    try:
        return await _begin(request, agent, caller, head, wait)
    except IntegrityError:  # the same contextId from two calls at once: now it is there
        head = await in_thread(access.find_context, request.context_id, caller) if request.context_id else None
        if head is None:
            raise
        return await _begin(request, agent, caller, head, wait)


async def _begin(request: SendRequest, agent: Agent, caller: Caller, head: JournalHead | None, wait: bool) -> Started:
    opens = None if head else _new_context(request.context_id, caller)
    context_id = (head or opens).context_id  # type: ignore[union-attr]
    message = await _message(request, context_id, caller)
    writes = TaskWrites(new=[message], facts=[created_fact(message)])
    values = {
        "tenant": caller.tenant,
        "via": Via.A2A,
        "metadata": _metadata(request),
        **came_with(request.request_metadata),
    }
    started = Started(uuid7(), request.context_id or str(context_id))
    chain = Chain()
    if opens:
        writes.facts.insert(0, _opened(message, agent, caller))
    if opens and runtime.current().queue.may_start(agent):
        task, running = begin_claimed(writes, message, agent, caller.user_id, id=started.task_id, **values)
        started.begun = Begun(running, Recalled(_said(request, message, caller), ends_at(running.budget), chain=chain))
    else:
        task = begin_task(writes, message, agent.id, caller.user_id, id=started.task_id, **values)
    if request.push_config is not None:
        await add_config(writes, task, request.push_config, legacy=caller.is_legacy)
    _hear(started, context_id, agent, wait)
    saved = runtime.current().journal.post(Entry(context_id, writes.facts, writes.new, opens=opens, chain=chain))
    if started.begun:
        runtime.current().queue.start(started.begun)  # what it saves is saved behind its beginning, or not at all
    if not (wait and started.begun and not request.context_id):  # who waits for the end need not wait for the beginning
        try:
            await saved
        except BaseException:
            _let_go(started)
            raise
    runtime.current().queue.put(*writes.put)
    started.first_view = _first_view(started, message, task)
    if not saved.done():
        saved.add_done_callback(lambda _: _give_up(started, saved))
    return started


def _hear(started: Started, context_id: UUID, agent: Agent, wait: bool) -> None:
    """Before the task is saved, so that nothing it does is missed."""
    started.answers_with_message = registry.answers_with_message(agent.id)
    if wait or started.answers_with_message:
        started.settled = runtime.current().when_settled(started.task_id)
    if not wait:
        started.stream = TaskStream(started.task_id, context_id, started.context)


def _let_go(started: Started) -> None:
    if started.stream is not None:
        started.stream.close()


def _give_up(started: Started, saved: asyncio.Future[Any]) -> None:
    """Who waits for the end of a task that could not be saved is told why."""
    error = saved.exception()
    if error is not None and started.settled is not None and not started.settled.done():
        started.settled.set_exception(error)


async def go_on(request: SendRequest, task: Task, *, wait: bool, legacy: bool = False) -> Started:
    """The caller answers what a task asked. Raises `UnsupportedOperationError` when it does not wait."""
    context = (await in_thread(context_names, {task.context_id}))[task.context_id]
    if request.context_id and request.context_id not in (context, str(task.context_id)):
        raise invalid("message.contextId", "is not the context of this task")
    if task.state in TERMINAL:
        raise UnsupportedOperationError("This task has ended. Send a message without its taskId to begin another.")
    question = await in_thread(_open_question, task)
    if question is None:
        raise UnsupportedOperationError("This task does not wait for a message: it is being worked on.")
    message = await _message(request, task.context_id, None)
    message.user_id = task.owner_id
    writes = TaskWrites(new=[message], facts=[created_fact(message)])
    answer_question(writes, question, message)
    started = Started(task.id, context)
    if wait:
        started.settled = runtime.current().when_settled(task.id)
    else:
        started.stream = TaskStream(task.id, task.context_id, context)
    if request.push_config is not None:
        await add_config(writes, task, request.push_config, legacy=legacy)
    try:
        entry = Entry(task.context_id, writes.facts, writes.new, writes.changes, writes.tasks)
        await runtime.current().journal.append(entry)
    except BaseException:
        _let_go(started)
        raise
    runtime.current().queue.put(*writes.put)
    return started


def _open_question(task: Task) -> Step | None:
    """What this task asked, or one that it delegated to."""
    family = [task.id]
    for _ in range(32):  # a chain is never longer than its hops
        children = Task.objects.filter(parent_id__in=family, state=TaskState.INPUT_REQUIRED).exclude(id__in=family)
        found = list(children.values_list("id", flat=True))
        if not found:
            break
        family += found
    asks = Step.objects.filter(task_id__in=family, kind=Step.Kind.ASK, finished_at=None)
    return asks.filter(task__state__in=INTERRUPTED).select_related("task__agent").order_by("-id").first()


def _new_context(name: str, caller: Caller) -> JournalHead:
    return new_row(
        JournalHead, context_id=uuid7(), owner_id=caller.user_id, tenant=caller.tenant, name=name, via=Via.A2A
    )


def _opened(message: Message, agent: Agent, caller: Caller) -> Fact:
    data = {"owner": str(caller.user_id), "guest": caller.is_anonymous, "agent": agent.id, "via": Via.A2A.value}
    return Fact(EventType.CONVERSATION_OPENED, data | {"text": message.text[:TITLE_CHARS]})


async def _message(request: SendRequest, context_id: UUID, caller: Caller | None) -> Message:
    parts = request.parts
    texts = [part.text for part in parts if part.text is not None]
    plain = len(parts) == 1 and bool(texts) and not (parts[0].metadata or parts[0].media_type or parts[0].filename)
    if plain:
        json = []
    elif any(part.raw is not None for part in parts):
        json = await in_thread(save_parts, context_id, parts)
    else:
        json = [to_json(part) for part in parts]
    wire = {"messageId": request.message_id, "extensions": request.extensions, "referenceTaskIds": request.references}
    return new_row(
        Message,
        context_id=context_id,
        role=Message.Role.USER,
        user_id=caller.user_id if caller else None,
        text="\n\n".join(texts),
        parts=json,
        metadata=request.metadata,
        wire={name: value for name, value in wire.items() if value},
        created_at=timezone.now(),
    )


def _said(request: SendRequest, message: Message, caller: Caller) -> Said:
    """The message as its agent reads it, without reading it from the database."""
    return Said(
        id=message.id,
        role="user",
        author=caller.user_name,
        author_id=str(caller.user_id),
        text=message.text,
        parts=request.parts,
        metadata=request.metadata,
        created_at=message.created_at,
    )


def _first_view(started: Started, message: Message, task: Task) -> TaskView:
    """The task as it was when it began: its own row belongs to the journal, and goes on."""
    first = new_row(
        Task,
        id=task.id,
        context_id=task.context_id,
        agent_id=task.agent_id,
        state=TaskState.SUBMITTED,
        version=1,
        created_at=task.created_at,
        updated_at=task.created_at,
    )
    return TaskView(first, started.context, [message])


def _metadata(request: SendRequest) -> dict[str, Any]:
    extra = {"acceptedOutputModes": list(request.accepted_output_modes)} if request.accepted_output_modes else {}
    references = {"referenceTaskIds": list(request.references)} if request.references else {}
    return {**request.request_metadata, **extra, **references}
