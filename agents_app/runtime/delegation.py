"""One agent asks another: a child task in the same conversation, with what is left of the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from accounts import tracing
from agents_app.base import Answer
from agents_app.models import INTERRUPTED, TERMINAL, Agent, Message, Step, Task, TaskState
from agents_app.runtime.answer import Writes
from agents_app.runtime.brake import USED, USED_UP, Limit, passed_on, round_of, spent_limit
from agents_app.runtime.budget import deadline_in
from agents_app.runtime.facts import created_fact, status_fact
from agents_app.runtime.journal import Entry, Refused
from agents_app.runtime.leases import is_parked
from agents_app.runtime.loops import THROUGH, with_mark
from agents_app.runtime.resubmission import resubmission
from agents_app.runtime.stopping import TaskOver, stop_task
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.turn import RunningTurn

LOOK_SECONDS = 2.0  # for the end of a task that another process runs


class Delegation:
    """Asks once in the task's life: the step keeps the child, so a later run waits for the same one."""

    def __init__(self, turn: RunningTurn, key: str, agent_id: str, text: str) -> None:
        self._turn = turn
        self._key = key
        self._agent_id = agent_id.removeprefix("@").strip().lower()
        self._text = text

    async def run(self) -> Answer:
        step = self._turn.recall(self._key)
        if step is None or not step.finished_at:
            with tracing.span("task.delegate", agent=self._agent_id) as span:
                step = await self._ask(step)
                span.note(task=step.child_id, state=step.data["state"])
        return Answer(step.data["agent"], step.data["state"], step.data["text"])

    async def _ask(self, step: Step | None) -> Step:
        if step is None:
            agent = await in_thread(_find_agent, self._agent_id)
            refusal = self._refusal(agent)
            step = await self._begin(agent, refusal)
            if refusal:
                await self._finish(step, TaskState.REJECTED, refusal)
        if not step.finished_at:
            await (self._give_up(step) if self._turn.answers_now else self._wait(step))
        return step

    def _refusal(self, agent: Agent | None) -> str:
        """Why not to ask; empty: go on. A loop is an answer, never silence; about a spent budget a person decides."""
        path = [*self._turn.chain, self._turn.agent.id]
        if agent is None:
            return f'There is no agent "{self._agent_id}" here.'
        if agent.id in path:
            return (
                f"{agent.name} is already part of this: {' → '.join([*path, agent.id])}. Answer without asking again."
            )
        if self._turn.answers_now:
            return USED_UP
        if settings.AGENTS_HOPS <= 0:
            return "Agents do not ask each other on this server. Answer with what is known."
        if limit := self._limit():
            self._turn.run_out(limit)
        return ""

    def _limit(self) -> Limit | None:
        if self._turn.hops_left <= 0:
            return Limit.HOPS
        if self._turn.tokens_left <= 0:
            return Limit.TOKENS
        return Limit.SECONDS if self._turn.seconds_left() <= 0 else None

    async def _begin(self, agent: Agent | None, refusal: str) -> Step:
        name = agent.name if agent else self._agent_id
        data = {"agent": self._agent_id, "agent_name": name, "message": self._text, "state": "", "text": ""}
        step = Step(
            task=self._turn.task, key=self._key, kind=Step.Kind.AGENT, name=name, data=data, started_at=timezone.now()
        )
        if agent is None or refusal:
            await self._turn.begin_step(step)
            return step
        child = self._child(agent)
        step.child = child
        await self._turn.begin_step(
            step, status_fact(child, TaskState.SUBMITTED), created_fact(child.request), new=[child.request, child]
        )
        self._turn.runtime.queue.put_child(child.id)
        return step

    def _child(self, agent: Agent) -> Task:
        turn, now = self._turn, timezone.now()
        request = Message(
            context_id=turn.context_id,
            role=Message.Role.USER,
            agent=turn.task.agent,
            inner=True,
            text=self._text,
            created_at=now,
        )
        child = Task(
            context_id=turn.context_id,
            agent=agent,
            owner_id=turn.task.owner_id,
            request=request,
            parent=turn.task,
            tenant=turn.task.tenant,
            via=turn.task.via,
            chain=[*turn.chain, turn.agent.id],
            budget={
                **turn.task.budget,
                "hops": turn.hops_left - 1,
                "tokens": turn.tokens_left,
                "deadline": deadline_in(turn.seconds_left()),
                THROUGH: with_mark(turn.task.budget, turn.agent.id),
            },
            metadata={"referenceTaskIds": [str(turn.task_id)]},
            created_at=now,
            updated_at=now,
        )
        request.task = child
        return child

    async def _wait(self, step: Step) -> None:
        """Until the child ends. While it waits for somebody, this turn waits as well, with nothing in memory."""
        while (child := await self._settled(step.child_id)) is not None and child.state not in TERMINAL:
            if is_parked(child):
                await self._turn.wait_outside(child.status_text, child.updated_at)
            elif limit := spent_limit(child):
                await self._renew(child, limit)
            else:
                question = await in_thread(_read_question, child)
                asks = f"{step.name} asks: {question}" if question else f"{step.name} asks you something."
                await self._turn.park(asks, Writes(changes=self._turn.answer.saved_text()))
                self._turn.wait_for_person()
        if child is None:
            await self._finish(step, TaskState.FAILED, "The delegated task is gone.")
        else:
            text, tokens = await in_thread(_read_answer, child)
            self._turn.spend(tokens - int(child.budget.get(USED, 0)))
            await self._finish(step, TaskState(child.state), text)

    async def _settled(self, child_id: Any) -> Task | None:
        """The child once it has ended, or waits for somebody."""
        settled = self._turn.runtime.when_settled(child_id, or_parked=True)
        child = await in_thread(_load, child_id)
        if child is not None and child.state not in (*TERMINAL, *INTERRUPTED) and not is_parked(child):
            self._turn.runtime.queue.put_child(child.id)
            await self._turn.runtime.until_settled(child_id, settled, LOOK_SECONDS)
            child = await in_thread(_load, child_id)
        return child

    async def _renew(self, child: Task, limit: Limit) -> None:
        """The child has run out. It goes on when a person has said so since then; else this turn has run out as well."""
        if round_of(child.budget) >= round_of(self._turn.task.budget):
            self._turn.run_out(limit)
        fact, change = resubmission(child)
        change.fields["budget"] = passed_on(self._turn, (await in_thread(_read_answer, child))[1])
        try:
            await self._turn.runtime.journal.append(Entry(child.context_id, [fact], tasks=[change]))
        except Refused:  # it was stopped meanwhile
            return
        self._turn.runtime.queue.put_child(child.id)

    async def _give_up(self, step: Step) -> None:
        """A person wants the answer now: what the child has not finished it does not finish."""
        child = await in_thread(_load, step.child_id)
        if child is not None:
            try:
                await stop_task(self._turn.runtime, child)
            except TaskOver:
                pass
            child = await in_thread(_load, step.child_id)
        if child is not None and child.state == TaskState.COMPLETED:
            await self._finish(step, TaskState.COMPLETED, (await in_thread(_read_answer, child))[0])
        else:
            await self._finish(step, TaskState.CANCELED, await in_thread(_read_unfinished, step))

    async def _finish(self, step: Step, state: TaskState, text: str) -> None:
        step.data |= {"state": state.value, "text": text}
        step.error = "" if state == TaskState.COMPLETED else text
        await self._turn.finish_step(step)


def _find_agent(agent_id: str) -> Agent | None:
    by_name = Agent.objects.enabled().filter(name__iexact=agent_id).first()
    return Agent.objects.enabled().filter(id=agent_id).first() or by_name


def _load(task_id: Any) -> Task | None:
    return Task.objects.filter(id=task_id).first()


def _read_answer(child: Task) -> tuple[str, int]:
    """What the child said to who asked, or why it did not, and the tokens it took. Its questions were for a person."""
    said = _said(child)
    texts = [message.text for message in said if message.text]
    tokens = sum(message.usage.get("input_tokens", 0) + message.usage.get("output_tokens", 0) for message in said)
    if child.state == TaskState.COMPLETED:
        return "\n\n".join(texts), tokens
    reason = child.status_text or ("Stopped." if child.state == TaskState.CANCELED else "It failed.")
    return reason, tokens


def _read_question(child: Task) -> str:
    """What the child waits to be told: nobody else sees its messages over A2A."""
    asks = Step.objects.filter(task=child, kind=Step.Kind.ASK, finished_at=None).exclude(message=None)
    step = asks.select_related("message").order_by("-id").first()
    return step.message.text if step and step.message else ""


def _read_unfinished(step: Step) -> str:
    texts = [message.text for message in _said(step.child) if message.text] if step.child else []
    return "\n\n".join(["This was stopped before it was finished, because the budget was used up.", *texts])


def _said(child: Task) -> QuerySet[Message]:
    return child.messages.filter(role=Message.Role.AGENT, inner=True).order_by("seq")
