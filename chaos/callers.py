"""Programs that call Steady over A2A and stream the answer; a stream that breaks they take up at the next server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx

from chaos.agents import STEADY

AGAIN_SECONDS = 0.3
SILENT_SECONDS = 20.0  # the server says at least a comment before that
OVER = ("TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_REJECTED", "TASK_STATE_CANCELED")
NOT_TO_WATCH = -32004  # UnsupportedOperation: the task is over, so it is read instead


class Caller:
    """Asks again and again. A call counts from when its task was named: before that nothing was promised."""

    def __init__(self, ports: Sequence[int], text: str) -> None:
        self._ports = list(ports)
        self._text = text
        self.answers = 0
        self.taken_up = 0  # streams
        self.wrong: list[str] = []
        self.stopping = False

    async def live(self) -> None:
        async with httpx.AsyncClient(timeout=SILENT_SECONDS) as self._http:
            while not self.stopping:
                await self._ask()

    async def _ask(self) -> None:
        self._task, self._state, self._said = "", "", ""
        message = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": [{"text": self._text}]}
        await self._attempt("SendStreamingMessage", {"message": message})
        while self._task and self._state not in OVER:
            await asyncio.sleep(AGAIN_SECONDS)
            self.taken_up += 1
            await self._attempt("SubscribeToTask", {"id": self._task})
        if not self._task:
            await asyncio.sleep(AGAIN_SECONDS)
            return
        self.answers += 1
        if (self._state, self._said) != (OVER[0], STEADY):
            self.wrong.append(f"{self._state} {self._said!r}")

    async def _attempt(self, method: str, params: dict[str, Any]) -> None:
        try:
            await self._stream(method, params)
        except httpx.HTTPError:
            self._ports.append(self._ports.pop(0))

    async def _stream(self, method: str, params: dict[str, Any]) -> None:
        async with self._http.stream("POST", self._url, json=_call(method, params), headers=HEADERS) as answer:
            if "text/event-stream" not in answer.headers.get("content-type", ""):
                await answer.aread()
                await self._refused(answer)
                return
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    self._hear(json.loads(line.removeprefix("data:")))

    async def _refused(self, answer: httpx.Response) -> None:
        if self._task and answer.json().get("error", {}).get("code") == NOT_TO_WATCH:
            read = await self._http.post(self._url, json=_call("GetTask", {"id": self._task}), headers=HEADERS)
            with suppress(KeyError):
                self._hear({"result": {"task": read.json()["result"]}})
        else:
            self._ports.append(self._ports.pop(0))

    def _hear(self, event: dict[str, Any]) -> None:
        result = event.get("result", {})
        if task := result.get("task"):
            self._task, self._state = task["id"], task["status"]["state"]
            self._said = "".join(_text(artifact) for artifact in task.get("artifacts", ()))
        elif update := result.get("artifactUpdate"):
            self._said = (self._said if update.get("append") else "") + _text(update["artifact"])
        elif update := result.get("statusUpdate"):
            self._state = update["status"]["state"]

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}/a2a/steady/"


HEADERS = {"A2A-Version": "1.0"}


def _call(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def _text(artifact: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in artifact["parts"])


class Callers:
    def __init__(self, ports: Sequence[int], count: int, text: str) -> None:
        self._callers = [Caller([*ports[n % len(ports) :], *ports[: n % len(ports)]], text) for n in range(count)]
        self._jobs: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._jobs = [asyncio.create_task(caller.live()) for caller in self._callers]

    async def stop(self, seconds: float) -> list[str]:
        """Let everybody have the last answer; returns what was not as promised."""
        for caller in self._callers:
            caller.stopping = True
        if not self._jobs:
            return []
        done, waiting = await asyncio.wait(self._jobs, timeout=seconds)
        for job in waiting:
            job.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        broken = [f"{len(waiting)} callers without an answer"] if waiting else []
        broken += [f"a caller failed: {job.exception()!r}" for job in done if job.exception()]
        wrong = [said for caller in self._callers for said in caller.wrong]
        return broken + ([f"{len(wrong)} streams not whole, such as {wrong[0]}"] if wrong else [])

    def __str__(self) -> str:
        answers, again = (sum(getattr(caller, name) for caller in self._callers) for name in ("answers", "taken_up"))
        return f"{answers} answers streamed over A2A, {again} streams taken up again"
