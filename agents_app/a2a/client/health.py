"""Which remote agents answer. One that does not is asked again, ever more rarely."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction
from django.utils import timezone

from agents_app.a2a.client.card_file import CardFile, card_sha256, fetch_card, parse_card
from agents_app.a2a.client.errors import RemoteError
from agents_app.a2a.client.waking import wake_waiting
from agents_app.a2a.signing import verify_card
from agents_app.models import RemoteAgent
from agents_app.signals import remote_agent_changed
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 300.0
CALM_SECONDS = 600.0  # between looks at an agent that answers
CHECK_SECONDS = 60.0  # a look that is not over by then is another process's
AT_ONCE = 20


def start_health(runtime: Runtime) -> None:
    runtime.beside(_look_after(runtime))


async def _look_after(runtime: Runtime) -> None:
    while True:
        try:
            await check_due()
            await wake_waiting(runtime)
        except DatabaseError:
            logger.exception("The database did not answer; trying again.", extra={"action": "health.retry"})
        await asyncio.sleep(ROUND_SECONDS)


async def check_due() -> None:
    due = await in_thread(_claim_due)
    await asyncio.gather(*(check(remote) for remote in due))


async def check(remote: RemoteAgent) -> None:
    """Look at its card: whether it answers, and whether it still is what somebody accepted."""
    try:
        found = await fetch_card(remote.card_url)
        parse_card(found.card)
    except RemoteError as failure:
        await in_thread(note_failure, remote.agent_id, str(failure), looked=True)
        return
    signature = await verify_card(found.card, found.url)
    await in_thread(_note_card, remote.agent_id, found, signature)


def note_failure(agent_id: str, error: str, *, looked: bool = False) -> RemoteAgent:
    """It did not answer. Returns the row as it is now.

    `looked`: somebody looked whether it is back. Tasks that all broke off when it went away are one failure: counted each,
    fifty of them would have it asked again only after the longest pause.
    """
    now = timezone.now()
    with transaction.atomic():
        remote = RemoteAgent.objects.select_for_update(of=("self",)).select_related("agent").get(agent_id=agent_id)
        went_down = remote.down_since is None
        remote.down_since = remote.down_since or now
        remote.last_error = error
        if went_down or looked:
            remote.failures += 1
            remote.check_at = now + timedelta(seconds=retry_seconds(remote.failures))
        remote.save(update_fields=["failures", "down_since", "last_error", "check_at"])
    if went_down:
        logger.info("%s does not answer: %s", agent_id, error, extra={"action": "remote.down"})
        _tell(remote)
    return remote


def note_answer(agent_id: str) -> None:
    """It took a message, so its failures do not count any more."""
    RemoteAgent.objects.filter(agent_id=agent_id).update(failures=0, down_since=None, last_error="")


def retry_seconds(failures: int) -> float:
    return min(FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 16), LONGEST_RETRY_SECONDS)


def _note_card(agent_id: str, found: CardFile, signature: RemoteAgent.Signature) -> None:
    """It answers. Its failures stay until it takes a message: a card may be served by something else than the agent."""
    with transaction.atomic():
        remote = RemoteAgent.objects.select_for_update(of=("self",)).select_related("agent").get(agent_id=agent_id)
        came_back = remote.down_since is not None
        was_on_hold = remote.is_on_hold
        changed = card_sha256(found.card) != remote.card_sha256
        forged = signature == RemoteAgent.Signature.INVALID and remote.signature != signature
        remote.pending_card = found.card if changed or forged else None
        remote.down_since, remote.last_error = None, ""
        remote.check_at = timezone.now() + timedelta(seconds=CALM_SECONDS)
        remote.save(update_fields=["pending_card", "down_since", "last_error", "check_at"])
    if remote.is_on_hold and not was_on_hold:
        logger.warning("The card of %s has changed: it is on hold.", agent_id, extra={"action": "remote.changed"})
    if came_back or remote.is_on_hold != was_on_hold:
        _tell(remote)


def _claim_due() -> list[RemoteAgent]:
    """Agents to look at now; another process leaves them alone meanwhile."""
    now = timezone.now()
    claimed = []
    for remote in RemoteAgent.objects.filter(check_at__lte=now).order_by("check_at")[:AT_ONCE]:
        mine = RemoteAgent.objects.filter(pk=remote.pk, check_at=remote.check_at)
        if mine.update(check_at=now + timedelta(seconds=CHECK_SECONDS)):
            claimed.append(remote)
    return claimed


def _tell(remote: RemoteAgent) -> None:
    remote_agent_changed.send(sender=RemoteAgent, remote=remote)
