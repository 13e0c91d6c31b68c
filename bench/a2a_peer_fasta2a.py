"""fasta2a's server with the same scripted agent, in memory. Argument: its port."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fasta2a import FastA2A
from fasta2a.broker import InMemoryBroker
from fasta2a.schema import Artifact, Part, TaskIdParams, TaskSendParams
from fasta2a.storage import InMemoryStorage
from fasta2a.worker import Worker

from bench.agents import CHUNKS


class Scripted(Worker[Any]):
    async def run_task(self, params: TaskSendParams) -> None:
        task, context = params["id"], params["context_id"]
        await self.storage.update_task(task, state="working")
        chunks = [Artifact(artifact_id="chunks", parts=[Part(text=str(number))]) for number in range(CHUNKS)]
        for number, chunk in enumerate(chunks):
            last = number == CHUNKS - 1
            await self.publish_artifact(task, context, chunk, append=number > 0, last_chunk=last)
        await self.storage.update_task(task, state="completed", new_artifacts=chunks)

    async def cancel_task(self, params: TaskIdParams) -> None:
        raise NotImplementedError

    def build_message_history(self, history: list[Any]) -> list[Any]:
        return history

    def build_artifacts(self, result: Any) -> list[Artifact]:
        return []


def application(port: int) -> FastA2A:
    storage, broker = InMemoryStorage[Any](), InMemoryBroker()

    @asynccontextmanager
    async def working(app: FastA2A) -> AsyncIterator[None]:
        async with app.task_manager, Scripted(storage=storage, broker=broker).run():
            yield

    return FastA2A(storage=storage, broker=broker, url=f"http://127.0.0.1:{port}/", lifespan=working)


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(application(port), port=port, log_level="error", access_log=False)
