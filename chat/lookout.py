"""Looks from time to time for what nobody told of: a notice got lost, or there is nothing that carries any."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread
from chat.lost_access import find_lost_access
from chat.missed import find_heads, find_moved, load_events, load_saved_text

if TYPE_CHECKING:
    from chat.broadcast import Browsers

LOOK_SECONDS = 2.0
LOOK_ALONE_SECONDS = 1.0  # the same without Redis, where nobody tells
RECENT = timedelta(seconds=15)  # clocks of several machines differ, and commits come late


async def look_around(browsers: Browsers, runtime: Runtime) -> None:
    """For ever. What is found goes the way of what was told."""
    others_sign_out = bool(settings.REDIS_URL or settings.ON_POSTGRESQL)  # web processes besides this one
    next_access = time.monotonic() + LOOK_SECONDS
    while True:
        await asyncio.sleep(LOOK_SECONDS if settings.REDIS_URL else LOOK_ALONE_SECONDS)
        try:
            await _look_for_numbers(browsers)
            await _look_for_text(browsers, runtime)
            await _look_for_moved(browsers)
            if others_sign_out and time.monotonic() >= next_access:
                next_access = time.monotonic() + LOOK_SECONDS
                await _look_for_access(browsers)
        except (DatabaseError, InterfaceError):
            pass  # whoever writes says so; the next look finds what this one would have


async def _look_for_numbers(browsers: Browsers) -> None:
    heads = await in_thread(find_heads, list(browsers.seqs)) if browsers.seqs else {}
    for context_id, seq in heads.items():
        known = browsers.seqs.get(context_id)
        if known is not None and seq > known:
            browsers.hear(await in_thread(load_events, context_id, known, seq))


async def _look_for_text(browsers: Browsers, runtime: Runtime) -> None:
    """Of what streams in other processes, when no pieces come from there: as much of it as is saved."""
    elsewhere = [id for id in browsers.streams.ids() if runtime.live.snapshot(id) is None]
    if elsewhere:
        await browsers.stream(await in_thread(load_saved_text, elsewhere))


async def _look_for_moved(browsers: Browsers) -> None:
    since = timezone.now() - RECENT
    browsers.touched = {id: at for id, at in browsers.touched.items() if at >= since}
    moved = await in_thread(find_moved, browsers.sockets.people, since) if browsers.sockets else {}
    news = {id: at for id, at in moved.items() if at > browsers.touched.get(id, since)}
    browsers.touched |= news
    if news:
        await browsers.push_items(set(news))


async def _look_for_access(browsers: Browsers) -> None:
    keys = {socket.session_key for socket in browsers.sockets} - {""}
    seats = browsers.sockets.seats
    if not keys and not seats:
        return
    lost = await in_thread(find_lost_access, keys, seats)
    for key in lost.session_keys:
        browsers.sockets.close_session(key)
    for context_id, user_id in lost.deleted:
        browsers.conversation_deleted(context_id, [user_id])
    for context_id, user_id in lost.seats:
        browsers.expel(context_id, user_id)
