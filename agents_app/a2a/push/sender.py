"""Empties the outbox, as long as this process's runtime runs. Several processes may do so at once."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

import httpx
from django.db import DatabaseError
from django.utils import timezone

from agents_app.a2a.push import outbox
from agents_app.a2a.push.deliveries import claim_next, drop, find_due, give_back, record
from agents_app.a2a.push.post import load_body, open_lane, post
from agents_app.models import PushAttempt, PushDelivery
from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread

logger = logging.getLogger(__name__)

LANES = 16  # configurations posted to at the same time
POLL_SECONDS = 1.0  # for what other processes wrote, and tries that are due
STOP_SECONDS = 2.0  # for receivers to answer what was posted before the end


def start_sender(runtime: Runtime) -> None:
    runtime.beside(Sender().run())


class Sender:
    def __init__(self) -> None:
        self._lanes: dict[UUID, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._ending = False

    async def run(self) -> None:
        """For ever; when cancelled, ends what is on its way or gives it back."""
        stop_listening = outbox.listen(self._woken.set)
        try:
            while True:
                self._woken.clear()
                await self._open_lanes()
                await self._rest()
        finally:
            stop_listening()
            await self._close_lanes()

    async def _open_lanes(self) -> None:
        free = LANES - len(self._lanes)
        if not free:
            return
        try:
            for config_id in await in_thread(find_due, list(self._lanes), free):
                self._lanes[config_id] = asyncio.create_task(self._empty_lane(config_id))
        except DatabaseError:
            logger.exception("The outbox cannot be read; trying again.", extra={"action": "push.retry"})

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _close_lanes(self) -> None:
        self._ending = True
        lanes = list(self._lanes.values())
        if lanes:
            await asyncio.wait(lanes, timeout=STOP_SECONDS)
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    async def _empty_lane(self, config_id: UUID) -> None:
        """Send to one configuration until nothing is due, or until a try fails."""
        try:
            async with open_lane() as client:
                while not self._ending and await self._send_next(client, config_id):
                    pass
            self._woken.set()  # a place is free; and what came while this lane ended was not seen
        except DatabaseError:
            logger.exception("A notification's outcome was not saved.", extra={"action": "push.not_recorded"})
        finally:
            del self._lanes[config_id]

    async def _send_next(self, client: httpx.AsyncClient, config_id: UUID) -> bool:
        delivery = await in_thread(claim_next, config_id)
        if delivery is None:
            return False
        try:
            attempt = await _try_once(client, delivery)
        except asyncio.CancelledError:
            await in_thread(give_back, delivery)
            raise
        if attempt is None:
            await in_thread(drop, delivery)
            return True
        self._wake_in(await in_thread(record, delivery, attempt))
        return attempt.succeeded

    def _wake_in(self, seconds: float | None) -> None:
        if seconds is not None and seconds < POLL_SECONDS:
            asyncio.get_running_loop().call_later(seconds, self._woken.set)


async def _try_once(client: httpx.AsyncClient, delivery: PushDelivery) -> PushAttempt | None:
    """None: there is nothing to tell."""
    try:
        body = await load_body(delivery)
        return await post(client, delivery, body) if body else None
    except DatabaseError:
        raise
    except Exception:  # a body that cannot be made must count as a try, or it would block what comes behind it for ever
        logger.exception("A notification could not be made.", extra={"action": "push.failed"})
        sorry = "The notification could not be made. The server's log has the details."
        return PushAttempt(delivery=delivery, at=timezone.now(), error=sorry)
