"""A turn that runs: what an agent's `say`, `use`, `ask` … do to the journal, the live text and the steps."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID, uuid5

from django.db.models import Q
from django.utils import timezone

from agents_app import base, parts
from agents_app.actions.attachments import save_parts
from agents_app.base import Part, Said, Tool, ToolResult
from agents_app.brains import thinking
from agents_app.models import PARKED, TERMINAL, Artifact, EventType, Message, Step, Task, TaskState
from agents_app.runtime.answer import AnswerText, Writes, join
from agents_app.runtime.artifact import RunningArtifact
from agents_app.runtime.brake import BUDGET, Choice, Limit, last_choice
from agents_app.runtime.delegation import Delegation
from agents_app.runtime.facts import status_fact, step_fact
from agents_app.runtime.journal import Chain, Entry, Fact, Refused, TaskChange
from agents_app.runtime.thinking import DurableThinking
from agents_app.runtime.tool_call import ToolCall
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)

UNSAVED_AT_MOST = 64  # entries of one turn that wait for their commit


class LeaseLost(Refused):
    """Another process has this task now, or it is over."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Ended(base.TurnEnded):
    """The turn is over, or waits (`input-required`). `reason` is fit to show."""

    def __init__(self, state: TaskState, reason: str = "", *, extra: dict[str, Any] | None = None) -> None:
        super().__init__(state, reason)
        self.state = state
        self.reason = reason
        self.extra = extra  # fields of the message that ends it


class Spent(Ended):
    """The budget is used up: a person decides how it goes on, or it ends like this when it ended before."""

    def __init__(self, limit: Limit, reason: str) -> None:
        super().__init__(TaskState.FAILED, reason)
        self.limit = limit


@dataclass
class Recalled:
    """What the database knows of a task when it begins to run, perhaps not for the first time."""

    said: Said
    steps: list[Step] = field(default_factory=list)
    open_answer: Message | None = None
    chain: Chain = field(default_factory=Chain)  # of the entry that made the task, where that is not saved yet


class RunningTurn(base.Turn):
    def __init__(self, runtime: Runtime, task: Task, agent: base.Agent, recalled: Recalled) -> None:
        self.runtime = runtime
        self.task = task
        self.agent = agent
        self.message = recalled.said
        self.task_id = task.id
        self.context_id = task.context_id
        self.metadata = task.metadata
        self.chain = tuple(task.chain)
        self.answer = AnswerText(runtime.live, task)
        self.steps = {step.key: step for step in recalled.steps}
        self._open_answer = recalled.open_answer
        self._ran_before = task.attempts > 1 or bool(recalled.steps) or recalled.open_answer is not None
        self._chain = recalled.chain
        self._unsaved = 0
        self.answers: list[Message] = []
        self.question: Message | None = None  # what it waits with
        self.artifacts: dict[UUID, Artifact] = {}
        self.choice = last_choice(recalled.steps)  # when the budget was used up
        # What an earlier run finished and this one has not come to yet. A brain's own calls come from its log.
        finished = (step for step in recalled.steps if step.finished_at and step.name != BUDGET)
        self._ahead = {step.key for step in finished if not step.key.startswith("call:")}
        self._counts: Counter[str] = Counter()
        self._beginning = asyncio.Lock()
        self._tokens_left = int(task.budget["tokens"])
        self._hops_left = int(task.budget["hops"])
        self._job = asyncio.current_task()

    # -- what an agent says

    async def history(self, limit: int = 40) -> list[Said]:
        return await in_thread(self._history, limit)

    def _history(self, limit: int) -> list[Said]:
        if self.task.request.seq is None:  # not saved yet: the conversation begins with it
            return []
        heard = Q(seq__lt=self.task.request.seq) | Q(role=Message.Role.AGENT)
        messages = Message.objects.in_context(self.context_id).for_people().filter(heard)
        messages = messages.exclude(id=self.message.id).exclude(state=Message.State.STREAMING)
        newest = messages.select_related("user", "agent").order_by("-seq")[:limit]
        return [parts.said(message) for message in reversed(newest) if message.text or message.parts]

    async def say(self, text: str) -> None:
        self._stop_if_cancelled()
        if not text or self.replaying:
            return
        await self._begin()
        await self.answer.say(text)

    async def report(self, text: str) -> None:
        self._stop_if_cancelled()
        if not self.replaying:
            await self.answer.show()
            await self.post(status_fact(self.task, TaskState.WORKING, text), status_text=text)

    async def add_artifact(
        self,
        *parts: Part,
        name: str = "",
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        last: bool = True,
    ) -> RunningArtifact:
        values = {"name": name, "description": description, "metadata": dict(metadata or {})}
        return await self.add_keyed(self._key("artifact"), parts, values, last=last)

    async def add_keyed(
        self, key: str, parts: Sequence[Part], values: dict[str, Any], *, last: bool = True
    ) -> RunningArtifact:
        """Save a result under a key that is the same in every run. `values`: fields of the artifact."""
        self._stop_if_cancelled()
        artifact_id = uuid5(self.task_id, key)
        row = await in_thread(Artifact.objects.filter(id=artifact_id).first) if self._ran_before else None
        if row is None or not self.replaying:
            message = await self._begin()
            known = row is not None
            row = Artifact(id=artifact_id, task=self.task, message=message, created_at=timezone.now(), **values)
            await RunningArtifact(self, row, known).save(tuple(parts), append=False, last=last)
        return RunningArtifact(self, row, True)

    # -- what an agent does

    async def think(self, *, prompt: str = "", tools: Sequence[Tool] | None = None) -> str:
        self._stop_if_cancelled()
        log = DurableThinking(self, self._key("model"))
        tools = self.agent.tools if tools is None else tools
        return await thinking.think(log, prompt=prompt or self.agent.prompt, tools=tools)

    async def use(self, tool: Tool, **arguments: Any) -> ToolResult:
        return await self.use_keyed(tool, self._key("tool"), arguments)

    async def use_keyed(self, tool: Tool, key: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool once in the task's life, however often the task runs."""
        self._stop_if_cancelled()
        return await ToolCall(self, tool, key, arguments).run()

    async def ask_agent(self, agent_id: str, text: str) -> base.Answer:
        self._stop_if_cancelled()
        return await Delegation(self, self._key("agent"), agent_id, text).run()

    async def ask(self, question: str) -> Said:
        return await self.ask_keyed(self._key("ask"), question)

    async def ask_keyed(
        self, key: str, question: str, *, state: TaskState = TaskState.INPUT_REQUIRED, **data: Any
    ) -> Said:
        """Ask once in the task's life. `data` is kept with the step."""
        self._stop_if_cancelled()
        step = self.recall(key)
        if step is None:
            data = {"question": question, **data}
            step = Step(task=self.task, key=key, kind=Step.Kind.ASK, data=data, started_at=timezone.now())
            self.question, writes = self.answer.question(question)
            step.message = self.question
            await self.park(question, join(writes, Writes(new=[step])), self.question, state=state)
        if not step.finished_at:
            self.wait_for_person()
        return await in_thread(_load_said, UUID(step.data["answer"]))

    async def reply(self, text: str, *parts: Part, metadata: Mapping[str, Any] | None = None) -> None:
        await self.say(text)
        said = [Part(text=text), *parts] if text else list(parts)
        json = await in_thread(save_parts, self.context_id, tuple(said)) if parts else []
        self.task.plain_reply = True
        raise Ended(TaskState.COMPLETED, extra={"parts": json, "metadata": dict(metadata or {})})

    async def reject(self, reason: str) -> None:
        raise Ended(TaskState.REJECTED, reason)

    async def fail(self, reason: str) -> None:
        raise Ended(TaskState.FAILED, reason)

    @property
    def cancelled(self) -> bool:
        return self._job is not None and self._job.cancelling() > 0

    # -- what the runner asks of it

    def seconds_left(self) -> float:
        deadline = datetime.fromisoformat(self.task.budget["deadline"])
        return max((deadline - timezone.now()).total_seconds(), 0)

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

    async def hand_over(self) -> None:
        """Leave the task as it is for the next process."""
        changes = self.answer.saved_text()
        await self.commit(changes=changes, lease_owner="", lease_until=None, attempts=self.task.attempts - 1)
        self.answer.close()

    async def cancel_children(self) -> None:
        children = Task.objects.filter(parent=self.task).runnable().values_list("id", flat=True)
        for child_id in await in_thread(list, children):
            self.runtime.queue.cancel(child_id)

    # -- what its parts share

    def recall(self, key: str) -> Step | None:
        self._ahead.discard(key)
        return self.steps.get(key)

    def skip(self, keys: Sequence[str]) -> None:
        self._ahead.difference_update(keys)

    def spend(self, tokens: int) -> None:
        self._tokens_left -= tokens

    def check_tokens(self, tokens: int = 0) -> None:
        if not self.answers_now and (self._tokens_left < tokens or self._tokens_left <= 0):
            self.run_out(Limit.TOKENS)

    def run_out(self, limit: Limit) -> NoReturn:
        """Leave the turn: a person decides how it goes on."""
        raise Spent(limit, f"{self.agent.name} had used up its budget.")

    @property
    def answers_now(self) -> bool:
        """A person wants an answer out of what is known: nothing more is asked for or looked up."""
        return self.choice == Choice.ANSWER

    @property
    def tokens_left(self) -> int:
        return self._tokens_left

    @property
    def hops_left(self) -> int:
        return self._hops_left

    @property
    def replaying(self) -> bool:
        """An earlier run came further than this one so far: what is said now was said already."""
        return bool(self._ahead)

    def wait_for_person(self) -> None:
        raise Ended(TaskState.INPUT_REQUIRED)

    async def commit(self, *facts: Fact, new: Any = (), changes: Any = (), **fields: Any) -> None:
        """Save something of this run, only while the run still holds the lease."""
        await self.runtime.journal.append(self._entry(facts, new, changes, fields))

    async def post(self, *facts: Fact, new: Any = (), changes: Any = (), **fields: Any) -> None:
        """The same without waiting for it. When it cannot be saved, nothing that follows in this run is."""
        saved = self.runtime.journal.post(self._entry(facts, new, changes, fields))
        self._unsaved += 1
        saved.add_done_callback(self._saved)
        if self._unsaved > UNSAVED_AT_MOST:
            await asyncio.shield(saved)

    def _saved(self, saved: asyncio.Future[Any]) -> None:
        self._unsaved -= 1
        saved.exception()  # the chain keeps it for whatever comes next

    def _entry(self, facts: Any, new: Any, changes: Any, fields: dict[str, Any]) -> Entry:
        change = TaskChange(self.task_id, fields, self._check_mine)
        return Entry(self.context_id, facts, new, changes, [change], chain=self._chain)

    async def begin_step(self, step: Step, *facts: Fact, new: Sequence[Any] = ()) -> None:
        """Save that something begins, and show it behind what was said so far."""
        step.message = await self._begin()
        step.offset = self.answer.length
        await self.answer.show()
        self.steps[step.key] = step
        started = step_fact(EventType.TOOL_STARTED, step)
        await self.commit(*facts, started, new=[*new, step], changes=self.answer.saved_text())

    async def finish_step(self, step: Step) -> None:
        step.finished_at = timezone.now()
        finished = step_fact(EventType.TOOL_FINISHED, step)
        await self.commit(finished, changes=[(step, ("data", "error", "finished_at"))])

    # -- its own

    async def _begin(self) -> Message:
        async with self._beginning:
            if self.answer.message is None:
                writes = self.answer.begin()
                self._note_answers(writes)
                await self.post(*writes.facts, new=writes.new)
            assert self.answer.message is not None
            return self.answer.message

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

    def _check_mine(self, task: Task) -> None:
        mine = task.lease_owner == self.runtime.owner and task.attempts == self.task.attempts
        if not mine or task.is_terminal:
            raise LeaseLost

    def _note_answers(self, writes: Writes) -> None:
        self.answers += [row for row in writes.new if isinstance(row, Message)]

    def _stop_if_cancelled(self) -> None:
        if self.cancelled:
            raise asyncio.CancelledError
        if self._chain.error is not None:
            raise self._chain.error

    def _key(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{kind}:{self._counts[kind]}"


def _load_said(message_id: UUID) -> Said:
    return parts.said(Message.objects.select_related("user", "agent").get(id=message_id), with_bytes=True)
