"""What a remote agent says, said here once: whether it comes in chunks, as a snapshot, or as both after a break.

Its text artifacts are the answer; what else it makes is an artifact here. `heard` remembers of each artifact what was taken,
so that a snapshot adds only what is missing. What the agent puts in the place of something else takes its place here too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from a2a.types.a2a_pb2 import Artifact, Message, Part, Role, Task, TaskArtifactUpdateEvent

from agents_app.a2a.client.said import is_prose, kept_parts, plain, prose
from agents_app.a2a.client.spoken import Spoken
from agents_app.runtime.artifact import RunningArtifact
from agents_app.runtime.turn import RunningTurn
from agents_app.texts import saveable

MAX_NAME_CHARS = 200
MAX_REPORT_CHARS = 300


@dataclass
class Heard:
    """Of one artifact."""

    text: str = ""
    parts: int = 0  # files, data and the like
    digest: str = ""  # of these
    earlier: dict[str, str] = field(default_factory=dict)  # its text in messages that were finished: by their id


class Hearing:
    def __init__(self, turn: RunningTurn, before: Mapping[str, Mapping[str, Any]]) -> None:
        self._turn = turn
        self._heard = {artifact_id: Heard(**heard) for artifact_id, heard in before.items()}
        self._kept: dict[str, RunningArtifact] = {}
        self._spoken = Spoken()
        self._reported = ""
        self.silent = True  # nothing was said in this run

    def state(self) -> dict[str, dict[str, Any]]:
        """To begin with in a later run, which has another message to write."""
        if (message := self._turn.answer.message) is not None:
            for artifact_id, heard in self._heard.items():
                if text := self._spoken.of(artifact_id):
                    heard.earlier[str(message.id)] = text
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
        await self._keep(event.artifact, heard, event.artifact.parts)

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
        await self._keep(Artifact(artifact_id=f"message:{message.message_id}"), Heard(), message.parts)

    async def _take_whole(self, artifact: Artifact) -> None:
        if not artifact.parts:  # some say only that it is complete
            return
        heard = self._of(artifact)
        # Text that came in chunks is a part for each chunk in a snapshot: nothing belongs between them.
        text, before = prose(artifact.parts, between=""), heard.text
        heard.text = text
        if text.startswith(before):
            await self._say(artifact.artifact_id, text[len(before) :])
        else:
            await self._say_instead(artifact.artifact_id, heard, text)
        kept = [part for part in artifact.parts if not is_prose(part)]
        if heard.digest and _digest(kept[: heard.parts]) != heard.digest:
            await self._keep_instead(artifact, heard, kept)
        else:
            await self._keep(artifact, heard, kept[heard.parts :])

    def _of(self, artifact: Artifact) -> Heard:
        return self._heard.setdefault(artifact.artifact_id, Heard())

    async def _say(self, source: str, text: str) -> None:
        if text:
            self.silent = False
            await self._turn.say(self._spoken.add(source, text))

    async def _say_instead(self, source: str, heard: Heard, text: str) -> None:
        """Put the text where the old one stands, in this message or in a finished one."""
        for number, (message_id, old) in enumerate(heard.earlier.items()):
            await self._turn.rewrite(UUID(message_id), old, "" if number else text)
        said = self._spoken.text
        if heard.earlier:
            heard.earlier = {next(iter(heard.earlier)): text}
            self._spoken.put(source, "")
        else:
            self._spoken.put(source, text)
        same = _same(said, self._spoken.text)
        if same < len(said):
            await self._turn.unsay(same)
        await self._turn.say(self._spoken.text[same:])
        self.silent = self.silent and not text

    async def _keep(self, artifact: Artifact, heard: Heard, wire: Sequence[Part]) -> None:
        parts = kept_parts(wire)
        if not parts:
            return
        self.silent = False
        known = self._kept.get(artifact.artifact_id)
        if known is not None:
            await known.append(*parts)
        else:
            # A part of an artifact that an earlier run has taken belongs to what that run made of it.
            key = _key(artifact, heard.parts)
            self._kept[artifact.artifact_id] = await self._turn.add_keyed(key, parts, _values(artifact))
        heard.parts += len(parts)
        heard.digest = _digest([part for part in wire if not is_prose(part)], heard.digest)

    async def _keep_instead(self, artifact: Artifact, heard: Heard, wire: Sequence[Part]) -> None:
        """The same artifact with other parts: saved from its first part again."""
        parts = tuple(kept_parts(wire))
        self.silent = False
        self._kept[artifact.artifact_id] = await self._turn.add_keyed(_key(artifact, 0), parts, _values(artifact))
        heard.parts, heard.digest = len(parts), _digest(wire)


def last_words(task: Task, known: set[str]) -> list[Message]:
    """What the agent said in the history after it was asked, for those that answer there. `known`: ids said before."""
    words: list[Message] = []
    for message in task.history:
        if message.role == Role.ROLE_USER:
            words = []
        elif message.role == Role.ROLE_AGENT and message.message_id not in known:
            words.append(message)
    return words


def _same(one: str, other: str) -> int:
    """How far two texts are the same."""
    for length, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return length
    return min(len(one), len(other))


def _digest(parts: Sequence[Part], before: str = "") -> str:
    """Of parts that came behind others: the same, whether they came one by one or together."""
    for part in parts:
        data = part.SerializeToString(deterministic=True)
        before = hashlib.sha256(before.encode() + data).hexdigest()
    return before


def _key(artifact: Artifact, parts: int) -> str:
    return f"remote artifact:{artifact.artifact_id}:{parts}"


def _values(artifact: Artifact) -> dict[str, Any]:
    wire = {"artifactId": artifact.artifact_id, "extensions": list(artifact.extensions)}
    return {
        "name": saveable(artifact.name)[:MAX_NAME_CHARS],
        "description": saveable(artifact.description),
        "metadata": plain(artifact.metadata) or {},
        "wire": {name: value for name, value in wire.items() if value},
    }
