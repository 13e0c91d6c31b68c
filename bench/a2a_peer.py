"""The Python SDK's own server with the same scripted agent: in memory, or with its database store (argument: its URL)."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Part
from starlette.applications import Starlette

CHUNKS = 20


class Scripted(AgentExecutor):
    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        from a2a.helpers import new_task_from_user_message  # noqa: PLC0415

        assert context.message is not None, "a call of this agent brings one"
        task = context.current_task or new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.start_work()
        if "chunks" in context.get_user_input():
            for number in range(CHUNKS):
                await updater.add_artifact(
                    [Part(text=str(number))], artifact_id="chunks", append=number > 0, last_chunk=number == CHUNKS - 1
                )
        else:
            await updater.add_artifact([Part(text="Hello.")], artifact_id="answer", name="answer")
        await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        raise NotImplementedError


def card(port: int) -> AgentCard:
    return AgentCard(
        name="Scripted",
        description="Says hello.",
        version="1",
        supported_interfaces=[
            AgentInterface(url=f"http://127.0.0.1:{port}/", protocol_binding="JSONRPC", protocol_version="1.0")
        ],
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="hello", name="Hello", description="Says hello.", tags=["hello"])],
    )


async def store(url: str) -> Any:
    if not url:
        return InMemoryTaskStore()
    from a2a.server.tasks import DatabaseTaskStore  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    tasks = DatabaseTaskStore(create_async_engine(url, pool_size=20))
    await tasks.initialize()
    return tasks


async def main(port: int, url: str) -> None:
    agent = card(port)
    handler = DefaultRequestHandler(Scripted(), await store(url), agent)
    routes = [*create_agent_card_routes(agent), *create_jsonrpc_routes(handler, "/")]
    config = uvicorn.Config(Starlette(routes=routes), port=port, log_level="error", access_log=False)
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
