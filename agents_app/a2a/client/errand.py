"""A task of ours that a remote agent does."""

from __future__ import annotations

import logging
from contextlib import aclosing
from datetime import datetime

from a2a.types.a2a_pb2 import (
    Message,
    StreamResponse,
    Task,
    TaskState,
    TaskStatus,
)
from django.utils import timezone

from agents_app import models
from agents_app.a2a.client import said
from agents_app.a2a.client.errors import BadCard, Declined, Unavailable
from agents_app.a2a.client.following import Following
from agents_app.a2a.client.health import note_answer, note_failure
from agents_app.a2a.client.hearing import Hearing, last_words
from agents_app.a2a.client.line import QUIET_SECONDS, Line, open_line
from agents_app.a2a.client.sending import INTERRUPTED, Sending, question_id
from agents_app.models import RemoteAgent, Step
from agents_app.runtime.endings import Ended
from agents_app.runtime.turn import RunningTurn
from agents_app.threads import in_thread

logger = logging.getLogger(__name__)

ASKED = "ask:"  # before the number of a question


class Errand:
    """One run of such a task.

    1. The message is sent, or looked for where an earlier run may have sent it (`Sending`).
    2. What the agent says is followed to its end (`Following`) and said here (`Hearing`).
    3. Its question waits for a person; in the next run the answer goes to the same task there.

    An agent that cannot be reached is noted, and the task waits without anything in memory until it is back.
    """

    def __init__(self, remote: RemoteAgent, turn: RunningTurn) -> None:
        self._remote = remote
        self._turn = turn
        self._name = remote.agent.name
        self._asked = _asked(turn)
        self._hearing = Hearing(turn, self._asked[-1].data.get("heard", {}) if self._asked else {})
        self._sending = Sending(remote, turn)

    async def run(self) -> None:
        if self._asked and not self._asked[-1].finished_at:
            self._turn.wait_for_person()
        await self._sending.load()
        await self._stop_on_hold()
        if self._remote.down_since:
            await self._wait()
        try:
            quiet = QUIET_SECONDS if self._streams else self._turn.seconds_left()
            async with open_line(self._remote, quiet_seconds=quiet, task_id=self._turn.task_id) as line:
                await self._carry_out(line)
        except Unavailable as failure:
            self._remote = await in_thread(note_failure, self._remote.agent_id, str(failure))
            if failure.untouched:
                self._sending.note_untouched()
            await self._wait()
        except (Declined, BadCard) as refusal:
            await self._turn.fail(str(refusal))

    async def _stop_on_hold(self) -> None:
        if self._sending.row is None and self._remote.is_on_hold:
            await self._turn.reject(
                f"{self._name} has changed what it says about itself. It gets no new work until an administrator has "
                f"accepted the change on its page."
            )

    async def _carry_out(self, line: Line) -> None:
        if self._turn.answers_now:
            await self._settle_for_less(line)
            return
        row = await self._sending.prepare()
        following = Following(line, row, steady=self._remote.protocol_version != "0.3" and self._streams)
        answered = self._asked[-1] if self._asked else None
        async with aclosing(following.events(self._sending.events(line, answered))) as events:
            async for event in events:
                if await self._take(event, line):
                    break
        if following.was_taken_up:
            await self._compare(line)

    async def _compare(self, line: Line) -> None:
        """What was said here with the whole, at the end. Where that cannot be had any more, what was said stands."""
        try:
            await self._hearing.snapshot(await line.get_task(self._sending.remote_task_id))
        except (Declined, Unavailable):
            logger.info("A task was not compared with its whole.", extra={"action": "remote.not_compared"})

    async def _settle_for_less(self, line: Line) -> None:
        """A person wants the answer now: what there is of it."""
        if task_id := self._sending.remote_task_id:
            await self._hearing.snapshot(await line.get_task(task_id))
            try:
                await line.cancel_task(task_id)
            except Declined:
                pass  # it is over there already, or goes on regardless
        if self._hearing.silent:
            await self._turn.fail(f"{self._name} has not said anything yet.")

    @property
    def _streams(self) -> bool:
        return bool((self._remote.card.get("capabilities") or {}).get("streaming"))

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
        if self._hearing.silent and not status.message.parts and task is None:
            task = await line.get_task(self._sending.remote_task_id)
            await self._hearing.snapshot(task)
        if not self._hearing.silent:
            await self._hearing.keep_message(status.message)
        elif status.message.parts:
            await self._hearing.say_message(status.message)
        elif task is not None:
            for message in last_words(task, {step.data.get("asked", "") for step in self._asked}):
                await self._hearing.say_message(message)

    async def _ask(self, status: TaskStatus, text: str) -> None:
        asked = question_id(status)
        if any(step.data.get("asked") == asked for step in self._asked):
            return  # an old question: the answer is on its way through
        await self._hearing.keep_message(status.message)
        state = INTERRUPTED[status.state]
        if state == models.TaskState.AUTH_REQUIRED:
            text = f"{text}\n\n" if text else f"{self._name} wants to know who is asking.\n\n"
            text += f"An administrator can enter credentials on the page of {self._name}; then it goes on by itself. "
            text += "Or answer here to go on."
        key = f"{ASKED}{len(self._asked) + 1}"
        question = text or f"{self._name} needs more from you to go on."
        await self._turn.ask_keyed(key, question, state=state, asked=asked, heard=self._hearing.state())

    async def _reply(self, message: Message) -> None:
        parts = said.kept_parts(message.parts)
        await self._turn.reply(said.prose(message.parts), *parts, metadata=said.plain(message.metadata) or {})

    async def _note_accepted(self, event: StreamResponse) -> None:
        """Keep its names for the task, and that it answers."""
        await self._sending.note_names(event)
        if self._remote.failures:
            self._remote.failures = 0
            await in_thread(note_answer, self._remote.agent_id)

    # -- when it does not work

    async def _wait(self) -> None:
        now = timezone.now()
        since, writes = await self._sending.put_off(now)
        down_since = self._remote.down_since or now
        words = f"Waiting for {self._name}, which has not answered since {_clock(down_since, now)}."
        await self._turn.wait_outside(words, since, writes)


def _asked(turn: RunningTurn) -> list[Step]:
    """The questions of earlier runs, in their order. From now on nothing is a replay: what is new is said."""
    steps = [step for step in turn.steps.values() if step.key.startswith(ASKED)]
    turn.skip([step.key for step in steps])
    return sorted(steps, key=lambda step: step.id)


def _clock(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%-d %B, %H:%M} UTC"
