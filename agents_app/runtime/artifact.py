from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents_app import base
from agents_app.actions.attachments import save_parts
from agents_app.base import Part
from agents_app.models import Artifact, EventType
from agents_app.parts import to_json
from agents_app.runtime.journal import Fact
from agents_app.runtime.rows import twin
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.turn import RunningTurn


FIELDS = ("name", "description", "metadata", "parts", "complete", "message")


class RunningArtifact(base.Artifact):
    """An artifact that its turn may still add to. After a crash it is written again from its first part."""

    def __init__(self, turn: RunningTurn, row: Artifact, known: bool) -> None:
        self.id = row.id
        self._turn = turn
        self._row = row
        self._known = known
        self._ids = {"artifact": str(row.id), "message": str(row.message_id)}

    async def append(self, *parts: Part, last: bool = False) -> None:
        if not self._turn.replaying:
            await self.save(parts, append=True, last=last)

    async def save(self, parts: tuple[Part, ...], *, append: bool, last: bool) -> None:
        await self._turn.answer.show()  # what was said before comes before
        if any(part.raw is not None for part in parts):
            json = await in_thread(save_parts, self._turn.context_id, parts)
        else:
            json = [to_json(part) for part in parts]
        row = self._row
        row.parts = [*row.parts, *json] if append else json
        row.complete = last
        data: dict[str, Any] = {**self._ids, "parts": json, "append": append, "last": last}
        if not append:
            data |= {"name": row.name, "description": row.description, "metadata": row.metadata}
        fact = Fact(EventType.TASK_ARTIFACT, data, self._turn.task_id)
        saved = twin(row)  # as it is with this part: the row may grow before it is written
        if self._known:
            await self._turn.post(fact, changes=[(saved, FIELDS)])
        else:
            await self._turn.post(fact, new=[saved])
        self._known = True
