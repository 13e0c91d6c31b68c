"""A turn that runs: what an agent's `say`, `use`, `ask` … do to the journal, the live text and the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from django.db.models import Q
from django.utils import timezone

from agents_app import base, brains, parts
from agents_app.actions.attachments import save_parts
from agents_app.base import Part, Said, Tool, ToolResult
from agents_app.models import Artifact, Message, Step, TaskState
from agents_app.runtime.answer import Writes, join
from agents_app.runtime.artifact import RunningArtifact
from agents_app.runtime.delegation import Delegation
from agents_app.runtime.endings import Ended
from agents_app.runtime.facts import status_fact
from agents_app.runtime.parked_turn import ParkedTurn
from agents_app.runtime.rows import new_row
from agents_app.runtime.thinking import DurableThinking
from agents_app.runtime.tool_call import ToolCall
from agents_app.texts import saveable
from agents_app.threads import in_thread


class RunningTurn(ParkedTurn):
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
        self._shows_life = True
        await self.answer.say(saveable(text))

    async def report(self, text: str) -> None:
        self._stop_if_cancelled()
        if not self.replaying:
            text = saveable(text)
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
        values = saveable({"name": name, "description": description, "metadata": dict(metadata or {})})
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
            row = new_row(
                Artifact, id=artifact_id, task=self.task, message=message, created_at=timezone.now(), **values
            )
            self.artifacts[artifact_id] = row
            artifact = RunningArtifact(self, row, known)
            await artifact.save(tuple(parts), append=False, last=last)
            return artifact
        return RunningArtifact(self, row, True)

    # -- what an agent does

    async def think(self, *, prompt: str = "", tools: Sequence[Tool] | None = None) -> str:
        self._stop_if_cancelled()
        log = DurableThinking(self, self._key("model"))
        tools = self.agent.tools if tools is None else tools
        return await brains.think(log, prompt=prompt, tools=tools)

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
            question = saveable(question)
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
        raise Ended(TaskState.REJECTED, saveable(reason))

    async def fail(self, reason: str) -> None:
        raise Ended(TaskState.FAILED, saveable(reason))

    def _key(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{kind}:{self._counts[kind]}"


def _load_said(message_id: UUID) -> Said:
    return parts.said(Message.objects.select_related("user", "agent").get(id=message_id), with_bytes=True)
