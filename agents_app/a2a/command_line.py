"""A client for any A2A server on the terminal: what `manage.py a2a …` does."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import a2a.types.a2a_pb2 as wire
from a2a.client.client import Client, ClientCallContext, ClientConfig
from a2a.client.client_factory import ClientFactory
from django.conf import settings
from google.protobuf.json_format import MessageToDict, MessageToJson
from google.protobuf.message import Message

from agents_app import outgoing
from agents_app.a2a.client.card_file import BINDINGS, CardFile, choose_interface, find_card, keep_binding, parse_card
from agents_app.a2a.client.line import open_channel, with_interface
from agents_app.a2a.signing import verify_card

THIS_MACHINE = ("127.0.0.0/8", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Connection:
    """An agent elsewhere, and how to call it."""

    card: wire.AgentCard
    client: Client
    context: ClientCallContext


@contextmanager
def this_machine_allowed() -> Iterator[None]:
    """Whoever runs commands here may talk with what runs here; agents and their tools may not."""
    before = settings.OUTGOING_ALLOW
    settings.OUTGOING_ALLOW = [*before, *THIS_MACHINE]
    try:
        yield
    finally:
        settings.OUTGOING_ALLOW = before


@asynccontextmanager
async def connect(
    url: str, *, token: str = "", binding: str = "", seconds: float, streaming: bool = True
) -> AsyncIterator[Connection]:
    """Read the card behind an address and make a client of it. Raises `RemoteError`."""
    card = parse_card((await find_card(url)).card)
    keep_binding(card, binding)
    interface = choose_interface(card)
    channel = await open_channel(interface) if interface.binding == "GRPC" else None
    context = ClientCallContext(service_parameters=_parameters(token, interface.binding))
    async with outgoing.open_client(max_bytes=math.inf, seconds=seconds) as http:
        config = ClientConfig(
            streaming=streaming,
            httpx_client=http,
            grpc_channel_factory=lambda _: channel,
            supported_protocol_bindings=list(BINDINGS),
        )
        async with ClientFactory(config).create(with_interface(card, interface)) as client:
            yield Connection(card, client, context)


def message_request(text: str, context_id: str, task_id: str) -> wire.SendMessageRequest:
    message = wire.Message(
        message_id=str(uuid4()),
        role=wire.ROLE_USER,
        parts=[wire.Part(text=text)],
        context_id=context_id,
        task_id=task_id,
    )
    return wire.SendMessageRequest(message=message)


def state_word(state: int) -> str:
    """As everywhere here: "input-required"."""
    return str(wire.TaskState.Name(state)).removeprefix("TASK_STATE_").lower().replace("_", "-")


def state_number(word: str) -> int:
    """Raises `ValueError` for a word that is no state."""
    return wire.TaskState.Value(f"TASK_STATE_{word.upper().replace('-', '_')}")


def parts_text(parts: Iterable[wire.Part]) -> str:
    """What parts hold, for people to read."""
    return "\n".join(_part_text(part) for part in parts)


def artifact_text(artifact: wire.Artifact) -> str:
    """The same for an artifact, whose text may have come in chunks."""
    only_text = all(part.WhichOneof("content") == "text" for part in artifact.parts)
    return "".join(part.text for part in artifact.parts) if only_text else parts_text(artifact.parts)


def as_json(message: Message, *, one_line: bool = False) -> str:
    return MessageToJson(message, indent=None if one_line else 2, ensure_ascii=False)


def task_lines(task: wire.Task) -> Iterator[str]:
    """A task with what it made."""
    yield f"Task     {task.id}"
    yield f"Context  {task.context_id}"
    yield f"State    {state_word(task.status.state)}{_since(task.status)}"
    if said := parts_text(task.status.message.parts):
        yield f"Says     {said}"
    for artifact in task.artifacts:
        yield ""
        yield f"[{artifact.name or artifact.artifact_id}]"
        yield artifact_text(artifact)


def list_line(task: wire.Task) -> str:
    asked = next((parts_text(message.parts) for message in task.history if message.role == wire.ROLE_USER), "")
    return f"{task.id}  {state_word(task.status.state):<15} {_since(task.status):<26} {' '.join(asked.split())[:60]}".rstrip()


async def card_lines(found: CardFile) -> list[str]:
    """A card in words. Raises `RemoteError`."""
    card = parse_card(found.card)
    can = [
        name
        for name, field in (("streaming", "streaming"), ("push", "push_notifications"))
        if getattr(card.capabilities, field)
    ]
    lines = [
        f"{card.name} {card.version}".rstrip(),
        card.description,
        "",
        f"Card       {found.url}",
        f"Signature  {(await verify_card(found.card, found.url)).label.lower()}",
        f"Can        {', '.join(can) or 'neither stream nor push'}",
        f"Wants      {', '.join(card.security_schemes) or 'nobody to sign in'}",
    ]
    lines += [
        f"Speaks     {one.protocol_binding} {one.protocol_version} at {one.url}" for one in card.supported_interfaces
    ]
    lines += [f"Skill      {skill.name}: {skill.description}" for skill in card.skills]
    return [" ".join(line.split("\n")) for line in lines]


def _parameters(token: str, binding: str) -> dict[str, str]:
    name = "authorization" if binding == "GRPC" else "Authorization"
    return {name: f"Bearer {token}"} if token else {}


def _part_text(part: wire.Part) -> str:
    kind = part.WhichOneof("content")
    if kind == "text":
        return part.text
    if kind == "raw":
        return f"[{part.filename or 'file'}, {len(part.raw):,} bytes]"
    if kind == "url":
        return part.url
    data: Any = MessageToDict(part.data) if kind == "data" else None
    return json.dumps(data, ensure_ascii=False, indent=2)


def _since(status: wire.TaskStatus) -> str:
    return f" since {status.timestamp.ToDatetime():%Y-%m-%d %H:%M:%S}" if status.HasField("timestamp") else ""
