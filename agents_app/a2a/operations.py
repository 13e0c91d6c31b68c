"""What A2A's operations do, on plain JSON: the bindings only translate.

Every method takes the caller, who is already in the tenant of the call, and the agent whose address was called. What is
not the caller's does not exist for them. Errors are the SDK's; nothing is saved before every check has passed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from a2a.utils.errors import (
    ContentTypeNotSupportedError,
    InternalError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from django.conf import settings
from django.db import DatabaseError

from accounts.models import Scope
from agents_app import runtime
from agents_app.a2a import access, listing, wire
from agents_app.a2a.begin import Started, begin, go_on
from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import Unauthenticated
from agents_app.a2a.loading import load_view
from agents_app.a2a.push import configs
from agents_app.a2a.push.fields import read_fields
from agents_app.a2a.schema import Reader, SendRequest, read_list, read_send
from agents_app.a2a.served import find_extended_card
from agents_app.a2a.streams import Position, StreamEvent, TaskStream
from agents_app.a2a.wire import Json, TaskView
from agents_app.actions.tasks import TaskOver, cancel_task
from agents_app.models import TERMINAL, Agent, Task
from agents_app.runtime.journal import Refused
from agents_app.threads import in_thread

LOOK_SECONDS = 2.0  # for the end of a task that another process runs

Stream = AsyncGenerator[list[StreamEvent], None]  # what is told together; empty: nothing happened for a while


class Operations:
    """The eleven operations of one agent, for one call."""

    def __init__(self, agent: Agent, base: str) -> None:
        self.agent = agent
        self.base = base
        self.task_id: UUID | None = None  # that a message began, or went on with

    # -- messages

    async def send_message(self, params: Any, caller: Caller) -> Json:
        """`{task}` or `{message}`: when the task has ended or waits, or at once when the caller wants that."""
        caller.require(Scope.SEND, self.agent.id)
        request = read_send(params)
        started = await self._start(request, caller, wait=not request.return_immediately)
        if not request.return_immediately:
            await _settle(started)
        view = await _view_of(started)
        if view.reply is not None:
            return {"message": wire.message_json(view.reply, view)}
        return {"task": wire.task_json(view, request.history_length)}

    async def send_streaming_message(self, params: Any, caller: Caller) -> Stream:
        """First the task, then what happens to it, until it ends or asks; or one message alone."""
        caller.require(Scope.SEND, self.agent.id)
        request = read_send(params)
        started = await self._start(request, caller, wait=False)
        stream = started.stream
        assert stream is not None
        try:
            if started.answers_with_message:
                await _settle(started)
                view = await _view_of(started)
                if view.reply is not None:
                    yield [StreamEvent(str(view.task.version), {"message": wire.message_json(view.reply, view)})]
                    return
            yield [await stream.begin(await _view_at_start(started))]
            async with aclosing(stream.follow(until_waiting=True)) as following:
                async for events in following:
                    yield events
        finally:
            stream.close()

    async def subscribe_to_task(self, params: Any, caller: Caller, last_event_id: str = "") -> Stream:
        """The task, then what happens to it until it ends. With the id of an event: what came after that event."""
        task = await self._task(params, caller, Scope.READ)
        position = Position.parse(last_event_id) if last_event_id else None
        if task.state in TERMINAL and position is None:
            raise UnsupportedOperationError("This task has ended; get it with GetTask.")
        view = await in_thread(load_view, task.id)
        if view is None:
            raise TaskNotFoundError
        stream = TaskStream(task.id, task.context_id, view.context)
        try:
            if position is None:
                view = await in_thread(load_view, task.id) or view  # as it is now that its news are heard
                yield [await stream.begin(view)]
                if view.task.state in TERMINAL:
                    return
            else:
                stream.resume(position)
                if task.state in TERMINAL and position.version >= task.version:
                    return
            async with aclosing(stream.follow(until_waiting=False)) as following:
                async for events in following:
                    yield events
        finally:
            stream.close()

    # -- tasks

    async def get_task(self, params: Any, caller: Caller) -> Json:
        length = Reader(params).whole("historyLength", 0)
        task = await self._task(params, caller, Scope.READ)
        return wire.task_json(await _load(task.id), length)

    async def list_tasks(self, params: Any, caller: Caller) -> Json:
        caller.require(Scope.READ, self.agent.id)
        return await in_thread(listing.list_page, self.agent.id, caller, read_list(params))

    async def cancel_task(self, params: Any, caller: Caller) -> Json:
        task = await self._task(params, caller, Scope.SEND)
        try:
            await cancel_task(task)
        except TaskOver:
            raise TaskNotCancelableError("This task has ended.") from None
        return wire.task_json(await _load(task.id))

    # -- push notifications

    async def create_task_push_notification_config(self, params: Any, caller: Caller) -> Json:
        caller.require(Scope.PUSH, self.agent.id)
        read_fields(params)  # what is wrong with it is said before anything is looked up
        task = await self._task(params, caller, Scope.PUSH, "taskId")
        return await configs.create_config(task, params, legacy=caller.is_legacy)

    async def get_task_push_notification_config(self, params: Any, caller: Caller) -> Json:
        caller.require(Scope.PUSH, self.agent.id)
        id = Reader(params).text("id", required=True)
        return await configs.get_config(await self._task(params, caller, Scope.PUSH, "taskId"), id)

    async def list_task_push_notification_configs(self, params: Any, caller: Caller) -> Json:
        caller.require(Scope.PUSH, self.agent.id)
        page_size, page_token = Reader(params).whole("pageSize", 1, 100), Reader(params).text("pageToken")
        task = await self._task(params, caller, Scope.PUSH, "taskId")
        return await configs.list_configs(task, page_size, page_token)

    async def delete_task_push_notification_config(self, params: Any, caller: Caller) -> None:
        caller.require(Scope.PUSH, self.agent.id)
        id = Reader(params).text("id", required=True)
        await configs.delete_config(await self._task(params, caller, Scope.PUSH, "taskId"), id)

    # -- the card

    async def get_extended_agent_card(self, params: Any, caller: Caller) -> Json:
        if caller.is_anonymous:
            raise Unauthenticated(
                "The extended card is for callers with a token. What everybody may know is in the card."
            )
        return await find_extended_card(self.agent.id, self.base, caller.user_name, caller.tenant)

    # -- what they share

    async def _start(self, request: SendRequest, caller: Caller, *, wait: bool) -> Started:
        self._check_media_types(request)
        try:
            if request.task_id:
                task = await access.get_task(request.task_id, self.agent.id, caller)
                started = await go_on(request, task, wait=wait, legacy=caller.is_legacy)
            else:
                started = await begin(request, self.agent, caller, wait=wait)
            self.task_id = started.task_id
            return started
        except Refused as refused:
            raise UnsupportedOperationError(str(refused)) from None
        except DatabaseError:
            raise InternalError("The server could not save this. Try again.") from None

    def _check_media_types(self, request: SendRequest) -> None:
        allowed = {mode.lower() for mode in self.agent.input_modes} | {"text/plain", "application/json"}
        for part in request.parts:
            kind = part.media_type.lower().partition(";")[0].strip()
            if kind and kind not in allowed and f"{kind.partition('/')[0]}/*" not in allowed and "*/*" not in allowed:
                raise ContentTypeNotSupportedError(
                    f"{self.agent.name} does not read {kind}; it reads {', '.join(sorted(allowed))}."
                )

    async def _task(self, params: Any, caller: Caller, scope: Scope, field: str = "id") -> Task:
        caller.require(scope, self.agent.id)
        return await access.get_task(Reader(params).text(field, required=True), self.agent.id, caller)


async def _settle(started: Started) -> None:
    """Until the task has ended or waits, or for as long as a caller is kept waiting: then it gets what there is."""
    assert started.settled is not None
    within = settings.A2A_WAIT_SECONDS
    await runtime.current().until_settled(started.task_id, started.settled, LOOK_SECONDS, within)


async def _view_of(started: Started) -> TaskView:
    """The task as it is now; from memory when it ran here and is over."""
    view = started.view_in_memory()
    return view or await _load(started.task_id)


async def _view_at_start(started: Started) -> TaskView:
    return started.first_view or await _load(started.task_id)


async def _load(task_id: UUID) -> TaskView:
    view = await in_thread(load_view, task_id)
    if view is None:
        raise TaskNotFoundError
    return view
