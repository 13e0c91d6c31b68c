"""A task of ours that a remote agent does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import uuid5

from a2a.types.a2a_pb2 import (
    ListTasksResponse,
    Message,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskState,
    TaskStatus,
)
from django.utils import timezone
from google.protobuf.json_format import ParseDict

from agents_app import base, models
from agents_app.a2a.client import said
from agents_app.a2a.client.chain import chain_metadata
from agents_app.a2a.client.errors import BadCard, Declined, Unavailable
from agents_app.a2a.client.following import Following
from agents_app.a2a.client.health import note_answer, note_failure
from agents_app.a2a.client.hearing import Hearing, last_words
from agents_app.a2a.client.line import QUIET_SECONDS, Line, open_line
from agents_app.models import RemoteAgent, RemoteTask, Step
from agents_app.runtime.answer import Writes
from agents_app.runtime.endings import Ended
from agents_app.runtime.turn import RunningTurn
from agents_app.threads import in_thread

ASKED = "ask:"  # before the number of a question
INTERRUPTED = {
    TaskState.TASK_STATE_INPUT_REQUIRED: models.TaskState.INPUT_REQUIRED,
    TaskState.TASK_STATE_AUTH_REQUIRED: models.TaskState.AUTH_REQUIRED,
}


class Errand:
    """One run of such a task.

    1. That the message is going to be sent is saved before it is sent, under an id that is the same in every run.
    2. What an earlier run may have sent is looked for there before anything is sent. Where that agent cannot say, it is not
       sent again: what is done twice cannot be undone, and a person can send again what was lost.
    3. What the agent says is followed to its end (`Following`) and said here (`Hearing`).
    4. Its question waits for a person; in the next run the answer goes to the same task there.

    An agent that cannot be reached is noted, and the task waits without anything in memory until it is back.
    """

    def __init__(self, remote: RemoteAgent, turn: RunningTurn) -> None:
        self._remote = remote
        self._turn = turn
        self._name = remote.agent.name
        self._asked = _asked(turn)
        self._hearing = Hearing(turn, self._asked[-1].data.get("heard", {}) if self._asked else {})
        self._row: RemoteTask | None = None
        self._is_new = False  # its row is not saved yet
        self._may_have_arrived = False

    async def run(self) -> None:
        if self._asked and not self._asked[-1].finished_at:
            self._turn.wait_for_person()
        self._row = await in_thread(RemoteTask.objects.filter(task_id=self._turn.task_id).first)
        self._may_have_arrived = self._row is not None and self._row.sent_at is not None
        await self._stop_on_hold()
        if self._remote.down_since:
            await self._wait()
        try:
            quiet = QUIET_SECONDS if self._streams else self._turn.seconds_left()
            async with open_line(self._remote, quiet_seconds=quiet, task_id=self._turn.task_id) as line:
                await self._carry_out(line)
        except Unavailable as failure:
            self._remote = await in_thread(note_failure, self._remote.agent_id, str(failure))
            if failure.untouched and self._row is not None and not self._may_have_arrived:
                self._row.sent_at = None
            await self._wait()
        except (Declined, BadCard) as refusal:
            await self._turn.fail(str(refusal))

    async def _stop_on_hold(self) -> None:
        if self._row is None and self._remote.is_on_hold:
            await self._turn.reject(
                f"{self._name} has changed what it says about itself. It gets no new work until an administrator has "
                f"accepted the change on its page."
            )

    async def _carry_out(self, line: Line) -> None:
        if self._turn.answers_now:
            await self._settle_for_less(line)
            return
        if self._row is None:
            await self._make_row()
        following = Following(line, self._row, steady=self._remote.protocol_version != "0.3" and self._streams)
        async with aclosing(following.events(self._first_events(line))) as events:
            async for event in events:
                if await self._take(event, line):
                    return

    async def _settle_for_less(self, line: Line) -> None:
        """A person wants the answer now: what there is of it."""
        if self._row is not None and self._row.remote_task_id:
            await self._hearing.snapshot(await line.get_task(self._row.remote_task_id))
            try:
                await line.cancel_task(self._row.remote_task_id)
            except Declined:
                pass  # it is over there already, or goes on regardless
        if self._hearing.silent:
            await self._turn.fail(f"{self._name} has not said anything yet.")

    @property
    def _streams(self) -> bool:
        return bool((self._remote.card.get("capabilities") or {}).get("streaming"))

    async def _make_row(self) -> None:
        self._row = await in_thread(_new_row, self._turn, self._remote)
        self._is_new = True

    def _row_saved(self, *fields: str) -> Writes:
        assert self._row is not None
        return Writes(new=[self._row]) if self._is_new else Writes(changes=[(self._row, fields)])

    # -- what is sent

    async def _first_events(self, line: Line) -> AsyncGenerator[StreamResponse, None]:
        assert self._row is not None
        if not self._row.remote_task_id:
            found = await self._find_sent(line) if self._may_have_arrived else None
            if found is None:
                await self._note_sending()
                async with aclosing(line.send(await self._request(self._turn.message, self._message_id()))) as events:
                    async for event in events:
                        yield event
                return
        else:
            found = await line.get_task(self._row.remote_task_id)
        answered = self._asked[-1] if self._asked else None
        if answered is not None and self._is_waited_for(found, answered):
            async with aclosing(line.send(await self._answer(answered))) as events:
                async for event in events:
                    await self._note_delivered(answered)
                    yield event
            return
        yield StreamResponse(task=found)

    async def _note_sending(self) -> None:
        assert self._row is not None
        self._row.sent_at = timezone.now()
        writes = self._row_saved("sent_at")
        await self._turn.commit(new=writes.new, changes=writes.changes)
        self._is_new = False

    def _message_id(self, step: Step | None = None) -> str:
        return str(uuid5(self._turn.task_id, step.key if step else "request"))

    async def _request(self, words: base.Said, message_id: str) -> SendMessageRequest:
        assert self._row is not None
        message = said.message(words, message_id, self._row.remote_context_id, self._row.remote_task_id)
        request = SendMessageRequest(message=message)
        ParseDict(await chain_metadata(self._turn), request.metadata)
        return request

    async def _answer(self, step: Step) -> SendMessageRequest:
        words = await self._turn.ask_keyed(step.key, "")  # it is answered: this only reads
        return await self._request(words, self._message_id(step))

    async def _find_sent(self, line: Line) -> Task | None:
        """The task that an earlier run began there and did not live to hear of. None: it has not arrived."""
        assert self._row is not None
        listed = await self._list(line, self._row.remote_context_id)
        if listed is None:
            listed = await self._list(line, "")  # some servers know no context without tasks
        if listed is None:
            await self._turn.fail(
                f"The connection to {self._name} ended while your message was being sent, and {self._name} cannot say "
                f"whether it has it. It was not sent a second time, so that nothing is done twice. Try again if it "
                f"should be."
            )
            return None
        known = await in_thread(_known_there, self._row)
        for task in listed.tasks:
            if self._message_id() in {message.message_id for message in task.history}:
                return task
            if not task.history and task.id not in known and task.context_id == self._row.remote_context_id:
                return task
        return None

    async def _list(self, line: Line, context_id: str) -> ListTasksResponse | None:
        try:
            return await line.list_tasks(context_id)
        except Declined:  # v0.3 has no list
            return None

    def _is_waited_for(self, task: Task, step: Step) -> bool:
        """Whether the task there still waits for this answer."""
        if step.data.get("delivered") or self._message_id(step) in {message.message_id for message in task.history}:
            return False
        return task.status.state in INTERRUPTED and _question_id(task.status) == step.data.get("asked")

    # -- what comes back

    async def _take(self, event: StreamResponse, line: Line) -> bool:
        """True: the task there has ended."""
        await self._note_accepted(event)
        kind = event.WhichOneof("payload")
        if kind == "message":
            await self._reply(event.message)
        elif kind == "artifact_update":
            await self._hearing.update(event.artifact_update)
        elif kind == "task":
            await self._hearing.snapshot(event.task)
            return await self._heed(event.task.status, line, event.task)
        elif kind == "status_update":
            return await self._heed(event.status_update.status, line)
        return False

    async def _heed(self, status: TaskStatus, line: Line, task: Task | None = None) -> bool:
        text = said.prose(status.message.parts)
        match status.state:
            case TaskState.TASK_STATE_COMPLETED:
                await self._finish(status, line, task)
                return True
            case TaskState.TASK_STATE_FAILED:
                await self._turn.fail(text or f"{self._name} could not do it.")
            case TaskState.TASK_STATE_REJECTED:
                await self._turn.reject(text or f"{self._name} does not want to do this.")
            case TaskState.TASK_STATE_CANCELED:
                raise Ended(models.TaskState.CANCELED, text or f"{self._name} stopped it.")
            case TaskState.TASK_STATE_INPUT_REQUIRED | TaskState.TASK_STATE_AUTH_REQUIRED:
                await self._ask(status, text)
            case _:
                await self._hearing.report(text)
        return False

    async def _finish(self, status: TaskStatus, line: Line, task: Task | None) -> None:
        """Agents that make no artifact answer with the last status, or in the history only."""
        assert self._row is not None
        if self._hearing.silent and not status.message.parts and task is None:
            task = await line.get_task(self._row.remote_task_id)
            await self._hearing.snapshot(task)
        if not self._hearing.silent:
            await self._hearing.keep_message(status.message)
        elif status.message.parts:
            await self._hearing.say_message(status.message)
        elif task is not None:
            for message in last_words(task, {step.data.get("asked", "") for step in self._asked}):
                await self._hearing.say_message(message)

    async def _ask(self, status: TaskStatus, text: str) -> None:
        question_id = _question_id(status)
        if any(step.data.get("asked") == question_id for step in self._asked):
            return  # an old question: the answer is on its way through
        await self._hearing.keep_message(status.message)
        state = INTERRUPTED[status.state]
        if state == models.TaskState.AUTH_REQUIRED:
            text = f"{text}\n\n" if text else f"{self._name} wants to know who is asking.\n\n"
            text += f"An administrator can enter credentials on the page of {self._name}. Answer here to go on."
        key = f"{ASKED}{len(self._asked) + 1}"
        question = text or f"{self._name} needs more from you to go on."
        await self._turn.ask_keyed(key, question, state=state, asked=question_id, heard=self._hearing.state())

    async def _reply(self, message: Message) -> None:
        parts = said.kept_parts(message.parts)
        await self._turn.reply(said.prose(message.parts), *parts, metadata=said.plain(message.metadata) or {})

    async def _note_accepted(self, event: StreamResponse) -> None:
        """Keep its names for the task, and that it answers."""
        assert self._row is not None
        task_id, context_id = _names_in(event)
        known = (self._row.remote_task_id, self._row.remote_context_id)
        if (task_id or known[0], context_id or known[1]) != known:
            self._row.remote_task_id = (task_id or known[0])[:255]
            self._row.remote_context_id = (context_id or known[1])[:255]
            await self._turn.commit(changes=[(self._row, ("remote_task_id", "remote_context_id"))])
        if self._remote.failures:
            self._remote.failures = 0
            await in_thread(note_answer, self._remote.agent_id)

    async def _note_delivered(self, step: Step) -> None:
        if not step.data.get("delivered"):
            step.data["delivered"] = True
            await self._turn.commit(changes=[(step, ("data",))])

    # -- when it does not work

    async def _wait(self) -> None:
        now = timezone.now()
        if self._row is None:
            await self._make_row()
        self._row.waiting_since = self._row.waiting_since or now
        writes = self._row_saved("waiting_since", "sent_at")
        down_since = self._remote.down_since or now
        words = f"Waiting for {self._name}, which has not answered since {_clock(down_since, now)}."
        await self._turn.wait_outside(words, self._row.waiting_since, writes)


def _asked(turn: RunningTurn) -> list[Step]:
    """The questions of earlier runs, in their order. From now on nothing is a replay: what is new is said."""
    steps = [step for step in turn.steps.values() if step.key.startswith(ASKED)]
    turn.skip([step.key for step in steps])
    return sorted(steps, key=lambda step: step.id)


def _question_id(status: TaskStatus) -> str:
    return status.message.message_id or status.timestamp.ToJsonString()


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


def _clock(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%-d %B, %H:%M} UTC"
