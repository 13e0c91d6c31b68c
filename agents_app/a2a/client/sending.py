"""What is sent to a remote agent, once: the request, and the answers to its questions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid5

from a2a.types.a2a_pb2 import ListTasksResponse, SendMessageRequest, StreamResponse, Task, TaskState, TaskStatus
from django.utils import timezone
from google.protobuf.json_format import ParseDict

from agents_app import base, models
from agents_app.a2a.client import said
from agents_app.a2a.client.chain import chain_metadata
from agents_app.a2a.client.errors import Declined
from agents_app.a2a.client.line import Line
from agents_app.actions.tasks import CREDENTIALS
from agents_app.models import RemoteAgent, RemoteTask, Step
from agents_app.runtime.answer import Writes
from agents_app.runtime.turn import RunningTurn
from agents_app.texts import saveable
from agents_app.threads import in_thread

GO_ON = "The credentials that you asked for have been entered. Please go on."
INTERRUPTED = {
    TaskState.TASK_STATE_INPUT_REQUIRED: models.TaskState.INPUT_REQUIRED,
    TaskState.TASK_STATE_AUTH_REQUIRED: models.TaskState.AUTH_REQUIRED,
}


class Sending:
    """Of one run of a task.

    1. That the message is going to be sent is saved before it is sent, under an id that is the same in every run.
    2. What an earlier run may have sent is looked for there before anything is sent. Where that agent cannot say, it is not
       sent again: what is done twice cannot be undone, and a person can send again what was lost.
    3. An answer is sent only while the task there still waits for it.
    """

    def __init__(self, remote: RemoteAgent, turn: RunningTurn) -> None:
        self._remote = remote
        self._turn = turn
        self.row: RemoteTask | None = None
        self._is_new = False  # the row is not saved yet
        self._may_have_arrived = False

    @property
    def remote_task_id(self) -> str:
        return self.row.remote_task_id if self.row else ""

    async def load(self) -> None:
        self.row = await in_thread(RemoteTask.objects.filter(task_id=self._turn.task_id).first)
        self._may_have_arrived = self.row is not None and self.row.sent_at is not None

    async def prepare(self) -> RemoteTask:
        if self.row is None:
            self.row = await in_thread(_new_row, self._turn, self._remote)
            self._is_new = True
        return self.row

    def note_untouched(self) -> None:
        """What this run sent has certainly not been taken."""
        if self.row is not None and not self._may_have_arrived:
            self.row.sent_at = None

    async def put_off(self, now: datetime) -> tuple[datetime, Writes]:
        """Since when it waits, and what to save with that."""
        row = await self.prepare()
        row.waiting_since = row.waiting_since or now
        return row.waiting_since, self._saved(row, "waiting_since", "sent_at")

    async def events(self, line: Line, answered: Step | None) -> AsyncGenerator[StreamResponse, None]:
        """Send what is to be sent, and hear the answer; with nothing to send, the task as it is there."""
        row = await self.prepare()
        task_id = row.remote_task_id or (await self._find_sent(line, row) if self._may_have_arrived else None)
        found = await line.get_task(task_id) if task_id else None  # a list leaves out what the task has made
        if found is None:
            await self._note_sending(row)
            request = await self._request(row, self._turn.message, self._message_id())
        elif answered is not None and self._is_waited_for(found, answered):
            request = await self._request(row, await self._words(answered), self._message_id(answered))
        else:
            yield StreamResponse(task=found)
            return
        async with aclosing(line.send(request)) as events:
            async for event in events:
                if found is not None and answered is not None:
                    await self._note_delivered(answered)
                yield event

    async def note_names(self, event: StreamResponse) -> None:
        """The agent's own names for the task and the conversation."""
        row = await self.prepare()
        task_id, context_id = _names_in(event)
        known = (row.remote_task_id, row.remote_context_id)
        if (task_id or known[0], context_id or known[1]) != known:
            row.remote_task_id = saveable(task_id or known[0])
            row.remote_context_id = saveable(context_id or known[1])
            await self._turn.commit(changes=[(row, ("remote_task_id", "remote_context_id"))])

    def _saved(self, row: RemoteTask, *fields: str) -> Writes:
        return Writes(new=[row]) if self._is_new else Writes(changes=[(row, fields)])

    async def _note_sending(self, row: RemoteTask) -> None:
        row.sent_at = timezone.now()
        writes = self._saved(row, "sent_at")
        await self._turn.commit(new=writes.new, changes=writes.changes)
        self._is_new = False

    async def _note_delivered(self, step: Step) -> None:
        if not step.data.get("delivered"):
            step.data["delivered"] = True
            await self._turn.commit(changes=[(step, ("data",))])

    def _message_id(self, step: Step | None = None) -> str:
        return str(uuid5(self._turn.task_id, step.key if step else "request"))

    async def _request(self, row: RemoteTask, words: base.Said, message_id: str) -> SendMessageRequest:
        message = said.message(words, message_id, row.remote_context_id, row.remote_task_id)
        request = SendMessageRequest(message=message)
        ParseDict(await chain_metadata(self._turn), request.metadata)
        return request

    async def _words(self, answered: Step) -> base.Said:
        if answered.data.get(CREDENTIALS):
            return replace(self._turn.message, text=GO_ON, parts=(base.Part(text=GO_ON),), metadata={})
        return await self._turn.ask_keyed(answered.key, "")  # it is answered: this only reads

    async def _find_sent(self, line: Line, row: RemoteTask) -> str | None:
        """The id of the task that an earlier run began there and did not live to hear of. None: it has not arrived."""
        listed = await _list(line, row.remote_context_id)
        if listed is None:
            listed = await _list(line, "")  # some servers know no context without tasks
        if listed is None:
            name = self._remote.agent.name
            await self._turn.fail(
                f"The connection to {name} ended while your message was being sent, and {name} cannot say whether it "
                f"has it. It was not sent a second time, so that nothing is done twice. Try again if it should be."
            )
            return None
        known = await in_thread(_known_there, row)
        for task in listed.tasks:
            if self._message_id() in {message.message_id for message in task.history}:
                return str(task.id)
            if not task.history and task.id not in known and task.context_id == row.remote_context_id:
                return str(task.id)
        return None

    def _is_waited_for(self, task: Task, step: Step) -> bool:
        """Whether the task there still waits for this answer."""
        if step.data.get("delivered") or self._message_id(step) in {message.message_id for message in task.history}:
            return False
        return task.status.state in INTERRUPTED and question_id(task.status) == step.data.get("asked")


def question_id(status: TaskStatus) -> str:
    return status.message.message_id or status.timestamp.ToJsonString()


async def _list(line: Line, context_id: str) -> ListTasksResponse | None:
    try:
        return await line.list_tasks(context_id)
    except Declined:  # v0.3 has no list
        return None


def _names_in(event: StreamResponse) -> tuple[str, str]:
    """The task's and the context's id there."""
    found: Any = getattr(event, event.WhichOneof("payload") or "task")
    return (found.id if isinstance(found, Task) else found.task_id), found.context_id


def _new_row(turn: RunningTurn, remote: RemoteAgent) -> RemoteTask:
    """With its own name for this conversation; the first time a name we make for both of us."""
    rows = RemoteTask.objects.filter(context_id=turn.context_id, task__agent_id=remote.agent_id)
    last = rows.exclude(remote_context_id="").order_by("-task_id").values_list("remote_context_id", flat=True).first()
    context_id = last or str(uuid5(turn.context_id, remote.agent_id))
    return RemoteTask(task_id=turn.task_id, context_id=turn.context_id, remote_context_id=context_id)


def _known_there(row: RemoteTask) -> set[str]:
    rows = RemoteTask.objects.filter(remote_context_id=row.remote_context_id).exclude(remote_task_id="")
    return set(rows.values_list("remote_task_id", flat=True))
