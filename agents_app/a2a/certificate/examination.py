"""All questions in their order, each with a time limit; what one finds out the next may use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

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

ASKED = "Reply with the word ready."
QUICK_SECONDS = 30.0
ANSWER_SECONDS = 120.0  # for what needs an answer of the agent itself

Report = Callable[[int, int, str], Awaitable[None]]  # how many are done, of how many, and which comes now


@dataclass
class Examination:
    """What is known of the agent so far."""

    target: Target
    calls: Calls
    card: dict[str, Any] = field(default_factory=dict)
    parsed: AgentCard = field(default_factory=AgentCard)
    task: dict[str, Any] | None = None  # one that has ended, or waits
    context_id: str = ""

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
    Probe("malformed", "Broken JSON", error_probes.malformed),
    Probe("invalid", "A message without content", error_probes.invalid),
    Probe("extended-card", "Extended card", extra_probes.extended_card),
    Probe("push", "Push notifications", extra_probes.push),
)
PROBES = (*ABOUT_THE_CARD, *ABOUT_CALLS)


async def examine(target: Target, report: Report | None = None) -> list[Finding]:
    """Takes a few calls of the agent. Never raises for what it does."""
    findings: list[Finding] = []
    async with target.open_client() as client:
        examination = Examination(target, Calls(target, client))
        for number, probe in enumerate(PROBES):
            if report:
                await report(number, len(PROBES), probe.title)
            findings.append(await _ask(probe, examination))
            if reason := _reason_to_stop(probe, findings[-1], target):
                return [*findings, Finding("calls", "Calls", Level.AMBER, reason)]
    return findings


def _reason_to_stop(probe: Probe, finding: Finding, target: Target) -> str:
    if probe.id == "card" and finding.level == Level.RED:
        return "Not tested: without its card nobody knows how it is called."
    if probe is not ABOUT_THE_CARD[-1]:
        return ""
    interface = target.interface
    if interface.binding not in ("JSONRPC", "HTTP+JSON"):
        return f"Not tested: the agent is called by {interface.binding}, whose raw messages cannot be shown here."
    if interface.version != "1.0":
        return f"Not tested: the agent speaks A2A {interface.version}, and this test is about 1.0."
    return ""


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
