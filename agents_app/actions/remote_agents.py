"""Add, change and remove agents that live elsewhere. Administrators only; talking to them is for everybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.audit import note
from accounts.models import User
from agents_app import registry, runtime
from agents_app.a2a.client.card_file import CardFile
from agents_app.a2a.client.credentials import seal, unseal
from agents_app.a2a.client.preview import Preview, preview_of
from agents_app.actions.tasks import TaskOver, TaskWrites, authorise, cancel_task
from agents_app.colours import colour_of
from agents_app.models import Agent, Message, RemoteAgent, Step, Task, TaskState
from agents_app.outgoing.client_certificate import BadCertificate, ClientCertificate
from agents_app.runtime.journal import Entry, Refused
from agents_app.signals import remote_agent_changed
from agents_app.vault import Unreadable

FIRST_POSITION = 1000  # behind every agent of this server
UNSENDABLE = re.compile(r"[\x00-\x1f\x7f]")


class NotAllowed(Exception):
    """Only administrators add and change agents of other servers."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BadRemoteAgent(Exception):
    """It cannot be added like this; the text says what to change."""


def add_remote_agent(user: User, preview: Preview, credentials: Mapping[str, str], agent_id: str) -> RemoteAgent:
    """Keep what the preview showed, as an agent that takes part under `agent_id`. Raises `BadRemoteAgent`, `NotAllowed`."""
    _require_administrator(user)
    agent_id = agent_id.strip().lower()
    _check_id(agent_id)
    sealed = seal(_checked(credentials))
    try:
        with transaction.atomic():
            agent = _save_agent(agent_id, preview, colour_of(agent_id))
            remote = RemoteAgent.objects.create(
                agent=agent, credentials=sealed, added_by=user, added_at=timezone.now(), **_seen(preview)
            )
            note("remote_agent.added", agent, actor=user, card_url=remote.card_url)
            return remote
    except IntegrityError:  # two administrators at the same moment
        raise BadRemoteAgent(f"“{agent_id}” is taken. Choose another name to call it by.") from None


def accept_changed_card(user: User, remote: RemoteAgent) -> RemoteAgent:
    """Take the changed card for the one that was accepted. Raises `agents_app.a2a.client.errors.BadCard`."""
    _require_administrator(user)
    if remote.pending_card is None:
        return remote
    preview = async_to_sync(preview_of)(CardFile(remote.card_url, remote.pending_card))
    with transaction.atomic():
        _save_agent(remote.agent_id, preview, remote.agent.colour)
        for name, value in (_seen(preview) | {"pending_card": None}).items():
            setattr(remote, name, value)
        remote.save()
        note("remote_agent.card_accepted", remote.agent, actor=user)
    remote.agent.refresh_from_db()
    remote_agent_changed.send(sender=RemoteAgent, remote=remote)
    return remote


def update_credentials(user: User, remote: RemoteAgent, credentials: Mapping[str, str | None]) -> None:
    """Secrets by the name of their scheme; None keeps what is there, an empty text removes it.

    Tasks that wait for credentials go on.
    """
    _require_administrator(user)
    given = _checked({name: secret for name, secret in credentials.items() if secret is not None})
    try:
        known = unseal(remote)
    except Unreadable:
        known = {}
    remote.credentials = seal(known | given)
    remote.check_at = timezone.now()
    remote.save(update_fields=["credentials", "check_at"])
    if any(given.values()):
        _go_on(remote)
    note("remote_agent.credentials_changed", remote.agent, actor=user, schemes=sorted(credentials))


def remove_remote_agent(user: User, remote: RemoteAgent) -> None:
    """Forget the agent and its credentials, and stop its tasks. What it has said stays, under its name."""
    _require_administrator(user)
    for task in Task.objects.filter(agent_id=remote.agent_id).unfinished():
        _stop(task)
    with transaction.atomic():
        agent = remote.agent
        note("remote_agent.removed", agent, actor=user)
        remote.delete()
        if Task.objects.filter(agent=agent).exists() or Message.objects.filter(agent=agent).exists():
            agent.present = False
            agent.save(update_fields=["present"])
        else:
            agent.delete()


def _go_on(remote: RemoteAgent) -> None:
    asks = Step.objects.filter(kind=Step.Kind.ASK, finished_at=None, task__agent_id=remote.agent_id)
    for question in asks.filter(task__state=TaskState.AUTH_REQUIRED).select_related("task", "message"):
        writes = TaskWrites()
        authorise(writes, question)
        entry = Entry(question.task.context_id, writes.facts, changes=writes.changes, tasks=writes.tasks)
        try:
            async_to_sync(_append)(entry, writes)
        except Refused:  # somebody has answered, or stopped it
            pass


async def _append(entry: Entry, writes: TaskWrites) -> None:
    await runtime.current().journal.append(entry)
    runtime.current().queue.put(*writes.put)


def _stop(task: Task) -> None:
    try:
        async_to_sync(cancel_task)(task)
    except TaskOver:
        pass


def _require_administrator(user: User) -> None:
    if not user.is_staff:
        raise NotAllowed


def _check_id(agent_id: str) -> None:
    if not registry.ID.fullmatch(agent_id):
        raise BadRemoteAgent(
            'Use up to 64 lower case letters, digits, "-" and "_" to call it by, starting with a letter or digit.'
        )
    if agent_id == "all":
        raise BadRemoteAgent("“@all” calls everybody. Choose another name to call it by.")
    # Who was removed may be added again, and finds what it has said.
    if agent_id in registry.agents() or Agent.objects.filter(id=agent_id, present=True).exists():
        raise BadRemoteAgent(f"“{agent_id}” is taken. Choose another name to call it by.")


def _checked(credentials: Mapping[str, str]) -> dict[str, str]:
    stripped = {name: secret.strip() for name, secret in credentials.items()}
    certificates = {name: secret for name, secret in stripped.items() if secret.startswith("-----BEGIN ")}
    try:
        for pem in certificates.values():
            ClientCertificate.read(pem)
    except BadCertificate as bad:
        raise BadRemoteAgent(str(bad)) from None
    sent = [secret for name, secret in stripped.items() if name not in certificates]
    if any(UNSENDABLE.search(secret) or not secret.isascii() for secret in sent):
        raise BadRemoteAgent("These credentials hold a character that cannot be sent. Copy them anew.")
    return stripped


def _save_agent(agent_id: str, preview: Preview, colour: str) -> Agent:
    values: dict[str, Any] = {
        "name": preview.name,
        "description": preview.description,
        "colour": colour,
        "skills": preview.skills,
        "input_modes": list(preview.parsed.default_input_modes),
        "output_modes": list(preview.parsed.default_output_modes),
        "position": FIRST_POSITION,
        "present": True,
    }
    return Agent.objects.update_or_create(id=agent_id, defaults=values)[0]


def _seen(preview: Preview) -> dict[str, Any]:
    return {
        "card_url": preview.url,
        "card": preview.card,
        "card_sha256": preview.sha256,
        "signature": preview.signature,
        "interface_url": preview.interface.url,
        "binding": preview.interface.binding,
        "protocol_version": preview.interface.version,
        "tenant": preview.interface.tenant,
        "check_at": timezone.now(),
    }
