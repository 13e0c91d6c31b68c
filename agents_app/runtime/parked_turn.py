"""How a turn ends, waits with nothing held in memory, and is taken up again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from agents_app.models import PARKED, TERMINAL, EventType, Message, Step, Task, TaskState
from agents_app.runtime.answer import Writes, join
from agents_app.runtime.brake import BUDGET, Choice
from agents_app.runtime.endings import Ended
from agents_app.runtime.facts import status_fact, step_fact
from agents_app.runtime.saved_turn import SavedTurn
from agents_app.runtime.stopping import request_cancel
from agents_app.threads import in_thread


class ParkedTurn(SavedTurn):
    async def resume(self) -> None:
        """Go on where an earlier run's last finished step ended."""
        message = self._open_answer
        if message is None:
            return
        finished = [step for step in self.steps.values() if step.finished_at and step.message_id == message.id]
        covered = max((step.offset for step in finished if step.name != BUDGET), default=0)
        if self.choice == Choice.END:
            covered = len(message.text)
        writes = self.answer.reopen(message, covered)
        for step in finished:
            if step.offset > covered:  # it asked behind words that are taken back now
                step.offset = covered
                writes.changes.append((step, ("offset",)))
        if writes.facts:
            await self.commit(*writes.facts, changes=writes.changes)

    async def end(self, ended: Ended) -> None:
        """The one place where a task's run ends. A turn that waits for a person was saved when it began to wait."""
        if ended.state in TERMINAL:
            message_state = {
                TaskState.COMPLETED: Message.State.COMPLETE,
                TaskState.CANCELED: Message.State.STOPPED,
            }.get(ended.state, Message.State.FAILED)
            writes = self.answer.finish(message_state, ended.reason, extra=ended.extra)
            self._note_answers(writes)
            await self._leave(ended.state, ended.reason, writes)
        self.answer.close()

    async def park(
        self,
        reason: str,
        writes: Writes,
        question: Message | None = None,
        *,
        state: TaskState = TaskState.INPUT_REQUIRED,
        **more: Any,
    ) -> None:
        """Wait for a person, with nothing held in memory."""
        await self._leave(state, reason, writes, question, attempts=0, **more)

    async def park_with(self, step: Step, reason: str) -> None:
        """The same with a question that stands in the answer, behind what was said so far."""
        step.message = await self._begin()
        step.offset = self.answer.length
        await self.answer.show()
        started = step_fact(EventType.TOOL_STARTED, step)
        await self.park(reason, Writes([started], [step], self.answer.saved_text()))

    async def wait_outside(self, reason: str, since: datetime, writes: Writes | None = None) -> None:
        """Wait for something that is not here, with nothing held in memory, until somebody commits a `resubmission`."""
        writes = join(writes or Writes(), Writes(changes=self.answer.saved_text()))
        budget = {name: value for name, value in self.task.budget.items() if name != "deadline"}
        fields: dict[str, Any] = {"lease_owner": PARKED, "attempts": 0, "budget": budget}
        await self._leave(TaskState.SUBMITTED, reason, writes, waiting_since=since, **fields)
        raise Ended(TaskState.SUBMITTED)

    def wait_for_person(self) -> None:
        raise Ended(TaskState.INPUT_REQUIRED)

    async def hand_over(self) -> None:
        """Leave the task as it is for the next process."""
        changes = self.answer.saved_text()
        await self.commit(changes=changes, lease_owner="", lease_until=None, attempts=self.task.attempts - 1)
        self.answer.close()

    async def cancel_children(self) -> None:
        children = Task.objects.filter(parent=self.task).runnable().values_list("id", flat=True)
        for child_id in await in_thread(list, children):
            if not self.runtime.queue.cancel(child_id):
                await in_thread(request_cancel, child_id)

    async def _leave(
        self,
        state: TaskState,
        reason: str,
        writes: Writes,
        question: Message | None = None,
        waiting_since: datetime | None = None,
        **more: Any,
    ) -> None:
        now = timezone.now()
        fields: dict[str, Any] = {"state": state, "status_text": reason, "plain_reply": self.task.plain_reply}
        fields |= {"lease_owner": "", "lease_until": None, "updated_at": now} | more
        fact = status_fact(self.task, state, reason, question, waiting_since)
        # What others may read before `commit` returns, because they hear of the event first.
        self.task.state, self.task.status_text, self.task.updated_at = state, reason, now
        await self.commit(*writes.facts, fact, new=writes.new, changes=writes.changes, **fields)
