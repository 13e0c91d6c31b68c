"""All questions in their order, each with a time limit; what one finds out the next may use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from a2a.types.a2a_pb2 import AgentCard

from agents_app.a2a.certificate import (
    access_probes,
    card_probes,
    error_probes,
    extra_probes,
    message_probes,
    stream_probes,
)
from agents_app.a2a.certificate.calls import Calls, NoReply, Reply, Target
from agents_app.a2a.certificate.findings import Finding, Level, Verdict, red
from agents_app.a2a.certificate.grpc_calls import GrpcCalls
from agents_app.a2a.certificate.http_calls import HttpCalls, fetch
from agents_app.a2a.certificate.legacy_calls import LegacyGrpcCalls, LegacyHttpCalls

ASKED = "Reply with the word ready."
QUICK_SECONDS = 30.0
NO_CARD = "Not tested: without its card nobody knows how it is called."
ANSWER_SECONDS = 120.0  # for what needs an answer of the agent itself

Report = Callable[[int, int, str], Awaitable[None]]  # how many are done, of how many, and which comes now


@dataclass
class Examination:
    """What is known of the agent so far."""

    target: Target
    calls: Calls
    client: httpx.AsyncClient  # for documents
    card: dict[str, Any] = field(default_factory=dict)
    parsed: AgentCard = field(default_factory=AgentCard)
    task: dict[str, Any] | None = None  # one that has ended, or waits
    context_id: str = ""

    async def fetch_card(self) -> Reply:
        """Raises `NoReply`."""
        return await fetch(self.target, self.client, self.target.card_url)

    @property
    def demands_credentials(self) -> bool:
        requirements = list(self.parsed.security_requirements)
        return bool(requirements) and all(requirement.schemes for requirement in requirements)

    def message(self, text: str = ASKED) -> dict[str, Any]:
        """Params of a SendMessage, in the conversation that the first one began."""
        message = {"messageId": str(uuid4()), "role": "ROLE_USER", "parts": [{"text": text}]}
        return {"message": message | ({"contextId": self.context_id} if self.context_id else {})}

    async def begin_task(self) -> tuple[dict[str, Any] | None, Reply]:
        """A task that may still be at work; None: it answers with a message, or not at all."""
        params = self.message() | {"configuration": {"returnImmediately": True}}
        reply = await self.calls.call("SendMessage", params)
        task = reply.result.get("task") if isinstance(reply.result, dict) else None
        return (task if isinstance(task, dict) and task.get("id") else None), reply


@dataclass(frozen=True)
class Probe:
    id: str
    title: str
    ask: Callable[[Examination], Awaitable[Verdict]]
    seconds: float = QUICK_SECONDS


ABOUT_THE_CARD = (
    Probe("card", "Agent card", card_probes.read),
    Probe("card-caching", "Caching of the card", card_probes.caching),
    Probe("card-accepted", "Card as accepted", card_probes.accepted),
    Probe("signature", "Signature of the card", card_probes.signature),
    Probe("encryption", "Encryption", card_probes.encryption),
)
ABOUT_CALLS = (
    Probe("version", "Protocol version", access_probes.version),
    Probe("auth", "Calls without credentials", access_probes.without_credentials),
    Probe("send", "Sending a message", message_probes.send, ANSWER_SECONDS),
    Probe("get", "Reading a task", message_probes.get),
    Probe("history", "Length of the history", message_probes.history),
    Probe("list", "Listing tasks", message_probes.list_tasks),
    Probe("stream", "Streaming", stream_probes.stream, ANSWER_SECONDS),
    Probe("subscribe", "Following a task", stream_probes.subscribe, ANSWER_SECONDS),
    Probe("cancel", "Stopping a task", message_probes.cancel, ANSWER_SECONDS),
    Probe("cancel-ended", "Stopping what has ended", message_probes.cancel_ended),
    Probe("unknown-task", "A task that does not exist", error_probes.unknown_task),
    Probe("unknown-method", "A method that does not exist", error_probes.unknown_method),
    Probe("malformed", "A message that cannot be read", error_probes.malformed),
    Probe("invalid", "A message without content", error_probes.invalid),
    Probe("extended-card", "Extended card", extra_probes.extended_card),
    Probe("push", "Push notifications", extra_probes.push),
)
PROBES = (*ABOUT_THE_CARD, *ABOUT_CALLS)


async def examine(target: Target, report: Report | None = None) -> list[Finding]:
    """Takes a few calls of the agent. Never raises for what it does."""
    findings: list[Finding] = []
    async with target.open_client() as client, open_calls(target, client) as calls:
        examination = Examination(target, calls, client)
        for number, probe in enumerate(PROBES):
            if report:
                await report(number, len(PROBES), probe.title)
            findings.append(await _ask(probe, examination))
            if probe.id == "card" and findings[-1].level == Level.RED:
                return [*findings, Finding("calls", "Calls", Level.AMBER, NO_CARD)]
    return findings


@asynccontextmanager
async def open_calls(target: Target, client: httpx.AsyncClient) -> AsyncIterator[Calls]:
    """As the agent is called: in its version, over its binding. Nothing is connected before the first call."""
    is_grpc = target.interface.binding == "GRPC"
    calls: Calls
    if target.is_legacy:
        calls = LegacyGrpcCalls(target) if is_grpc else LegacyHttpCalls(target)
    else:
        calls = GrpcCalls(target) if is_grpc else HttpCalls(target, client)
    try:
        yield calls
    finally:
        await calls.close()


async def _ask(probe: Probe, examination: Examination) -> Finding:
    try:
        async with asyncio.timeout(probe.seconds):
            verdict = await probe.ask(examination)
    except TimeoutError:
        verdict = red(f"It took longer than {probe.seconds:g} seconds.")
    except NoReply as silence:
        verdict = red(str(silence), silence.exchange)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError):
        # A foreign server may send JSON of any shape; what a probe does not expect is not A2A.
        verdict = red("What it sent is not what A2A says.")
    return Finding(probe.id, probe.title, verdict.level, verdict.text, verdict.exchange)
