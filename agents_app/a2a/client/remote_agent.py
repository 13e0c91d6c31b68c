"""A remote agent as the runtime runs it."""

from __future__ import annotations

from agents_app import base
from agents_app.models import RemoteAgent
from agents_app.runtime.turn import RunningTurn


class Remote(base.Agent):
    def __init__(self, remote: RemoteAgent) -> None:
        # Of this one agent: the class stands for all of them.
        self.id, self.name = remote.agent_id, remote.agent.name  # type: ignore[misc]
        self.description, self.colour = remote.agent.description, remote.agent.colour  # type: ignore[misc]
        self._remote = remote

    async def respond(self, turn: base.Turn) -> None:
        from agents_app.a2a.client.errand import Errand  # noqa: PLC0415  (loads A2A's clients, and pages only ask for its name)

        assert isinstance(turn, RunningTurn)
        await Errand(self._remote, turn).run()


def find_remote(agent_id: str) -> base.Agent | None:
    """For `registry.add_resolver`. Reads the database."""
    remote = RemoteAgent.objects.select_related("agent").filter(agent_id=agent_id).first()
    return Remote(remote) if remote else None
