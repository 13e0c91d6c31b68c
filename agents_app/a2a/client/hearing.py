"""What a remote agent says, said here once: whether it comes in chunks, as a snapshot, or as both after a break.

Its text artifacts are the answer; what else it makes is an artifact here. `heard` remembers of each artifact what was taken,
so that a snapshot adds only what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from a2a.types.a2a_pb2 import Artifact, Message, Role, Task, TaskArtifactUpdateEvent

from agents_app import base
from agents_app.a2a.client.said import kept_parts, plain, prose, saveable
from agents_app.runtime.artifact import RunningArtifact
from agents_app.runtime.turn import RunningTurn

MAX_NAME_CHARS = 200
MAX_REPORT_CHARS = 300


@dataclass
class Heard:
    """Of one artifact."""

    text: str = ""
    parts: int = 0  # files, data and the like


class Hearing:
    def __init__(self, turn: RunningTurn, before: Mapping[str, Mapping[str, Any]]) -> None:
        self._turn = turn
        self._heard = {artifact_id: Heard(**heard) for artifact_id, heard in before.items()}
        self._kept: dict[str, RunningArtifact] = {}
        self._speaking = ""  # the artifact whose text was said last
        self._reported = ""
        self.silent = True  # nothing was said in this run

    def state(self) -> dict[str, dict[str, Any]]:
        """To begin with in a later run."""
        return {artifact_id: asdict(heard) for artifact_id, heard in self._heard.items()}

    async def snapshot(self, task: Task) -> None:
        for artifact in task.artifacts:
            await self._take_whole(artifact)

    async def update(self, event: TaskArtifactUpdateEvent) -> None:
        if not event.append:
            await self._take_whole(event.artifact)
            return
        heard = self._of(event.artifact)
        if text := prose(event.artifact.parts, between=""):
            heard.text += text
            await self._say(event.artifact.artifact_id, text)
        await self._keep(event.artifact, heard, kept_parts(event.artifact.parts))

    async def report(self, text: str) -> None:
        """What it is doing, once."""
        text = " ".join(text.split())[:MAX_REPORT_CHARS]
        if text and text != self._reported:
            self._reported = text
            await self._turn.report(text)

    async def say_message(self, message: Message) -> None:
        """What it says beside its artifacts: with a question, or at the end."""
        if text := prose(message.parts):
            await self._say(message.message_id, text)
        await self.keep_message(message)

    async def keep_message(self, message: Message) -> None:
        """The files and the like that came with a message."""
        if parts := kept_parts(message.parts):
            await self._keep(Artifact(artifact_id=f"message:{message.message_id}"), Heard(), parts)

    async def _take_whole(self, artifact: Artifact) -> None:
        heard = self._of(artifact)
        # Text that came in chunks is a part for each chunk in a snapshot: nothing belongs between them.
        text, before = prose(artifact.parts, between=""), heard.text
        heard.text = text or before
        if text.startswith(before):
            await self._say(artifact.artifact_id, text[len(before) :])
        elif text:  # put in the place of what was said; that cannot be taken back
            self._speaking = ""
            await self._say(artifact.artifact_id, text)
        await self._keep(artifact, heard, kept_parts(artifact.parts)[heard.parts :])

    def _of(self, artifact: Artifact) -> Heard:
        return self._heard.setdefault(artifact.artifact_id, Heard())

    async def _say(self, source: str, text: str) -> None:
        if not text:
            return
        between = "\n\n" if not self.silent and self._speaking != source else ""
        self.silent = False
        self._speaking = source
        await self._turn.say(between + text)

    async def _keep(self, artifact: Artifact, heard: Heard, parts: Sequence[base.Part]) -> None:
        if not parts:
            return
        self.silent = False
        known = self._kept.get(artifact.artifact_id)
        if known is not None:
            await known.append(*parts)
        else:
            # A part of an artifact that an earlier run has taken belongs to what that run made of it.
            key = f"remote artifact:{artifact.artifact_id}:{heard.parts}"
            self._kept[artifact.artifact_id] = await self._turn.add_keyed(key, parts, _values(artifact))
        heard.parts += len(parts)


def last_words(task: Task, known: set[str]) -> list[Message]:
    """What the agent said in the history after it was asked, for those that answer there. `known`: ids said before."""
    words: list[Message] = []
    for message in task.history:
        if message.role == Role.ROLE_USER:
            words = []
        elif message.role == Role.ROLE_AGENT and message.message_id not in known:
            words.append(message)
    return words


def _values(artifact: Artifact) -> dict[str, Any]:
    wire = {"artifactId": artifact.artifact_id, "extensions": list(artifact.extensions)}
    return {
        "name": saveable(artifact.name)[:MAX_NAME_CHARS],
        "description": saveable(artifact.description),
        "metadata": plain(artifact.metadata) or {},
        "wire": {name: value for name, value in wire.items() if value},
    }
