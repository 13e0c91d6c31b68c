"""The journal: numbered, durable facts, many callers in one commit."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import tracing
from agents_app import signals
from agents_app.models import Event
from agents_app.runtime.commit import commit_though_away
from agents_app.runtime.entry import Chain, ConversationGone, Entry, Fact, Refused, TaskChange, Unfounded, Waiting
from agents_app.runtime.receipt import DatabaseAway

__all__ = ["Chain", "ConversationGone", "Entry", "Fact", "Journal", "Refused", "TaskChange", "Unfounded"]

logger = logging.getLogger(__name__)

BATCH = 512  # entries in one commit
Listener = Callable[[list[Event]], None]


class Journal:
    """Commits everything that waits in one transaction, in a thread of its own.

    `append` returns when the commit has returned, so whoever was told "saved" was told the truth. Listeners hear of
    events after the commit, on the event loop they subscribed from, in the order of the journal.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[list[Waiting] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
        self._listeners: list[tuple[asyncio.AbstractEventLoop, Listener, bool]] = []
        self._last_words: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    async def append(self, entry: Entry) -> list[Event]:
        """Save an entry. Raises `Refused` when a check says no, `DatabaseError` when the database does."""
        saved = self.post(entry)
        return await (saved if entry.chain is None else asyncio.shield(saved))

    def post(self, entry: Entry) -> asyncio.Future[list[Event]]:
        """The same for who need not wait right now. Entries are saved in the order in which they are posted.

        What a run posts in one go is one entry, with one future for all: a hundred chunks are checked and told once.
        """
        loop = asyncio.get_running_loop()
        gathered = self._gathered.setdefault(loop, [])
        if gathered and (last := gathered[-1]).entry.takes_in(entry):
            last.entry.take_in(entry)
            assert isinstance(last.future, asyncio.Future), "only threads have others"
            return last.future
        waiter: asyncio.Future[list[Event]] = loop.create_future()
        gathered.append(Waiting(entry, loop, waiter))
        tracing.until(waiter, "journal.commit")
        if len(gathered) == 1:
            # Not at once but behind what is ready to run now: what has just begun often has more to save.
            loop.call_soon(loop.call_soon, self._hand_over, loop)
        return waiter

    def append_now(self, entry: Entry) -> list[Event]:
        """The same for code outside an event loop; blocks."""
        future: Future[list[Event]] = Future()
        self._put([Waiting(entry, None, future)])
        return future.result()

    def subscribe(self, listener: Listener, *, everywhere: bool = True) -> Callable[[], None]:
        """Call `listener` on this loop after every commit; returns the function that ends it.

        `everywhere`: also of those in other processes, as far as they are heard of: some may be missing or late.
        """
        item = (asyncio.get_running_loop(), listener, everywhere)
        self._listeners.append(item)
        return lambda: self._listeners.remove(item) if item in self._listeners else None

    def pass_on(self, events: list[Event]) -> None:
        """What another process committed; on the loop of those who listen."""
        here = asyncio.get_running_loop()
        for loop, listener, everywhere in list(self._listeners):
            if everywhere and loop is here:
                listener(events)

    def at_close(self, say: Callable[[], None]) -> None:
        """Call `say` before the end: it may still post what it held back."""
        self._last_words.append(say)

    def close(self, *, silently: bool = False) -> None:
        """Save what waits, then end the thread and its connection. `silently`: nobody has last words, as in a crash."""
        while self._last_words:
            say = self._last_words.pop()
            if not silently:
                say()
        for loop in list(self._gathered):
            self._hand_over(loop)
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if gathered := self._gathered.pop(loop, None):
            self._put(gathered)

    def _put(self, waiting: list[Waiting]) -> None:
        if self._thread is None:
            self._start()
        self._queue.put(waiting)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
                self._thread.start()

    def _write(self) -> None:
        try:
            database = connections["default"]
            while (first := self._queue.get()) is not None:
                batch, last = self._gather(first)
                self._save(batch)
                _give_back(database)
                self._tell(batch)
                if last:
                    return
        finally:
            connections["default"].close()

    def _gather(self, first: list[Waiting]) -> tuple[list[Waiting], bool]:
        batch = list(first)
        while len(batch) < BATCH:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            batch += waiting
        return batch, False

    def _save(self, batch: list[Waiting]) -> None:
        for waiting in batch:
            waiting.error = None
        begun = time.monotonic()
        try:
            commit_though_away(batch)
        except Exception as error:  # whatever a driver or a receiver raises must reach the callers, not end the thread
            if not isinstance(error, (DatabaseError, Refused)):
                logger.exception("The journal could not save an entry.", extra={"action": "journal.failed"})
            self._save_apart(batch, error)
        else:
            signals.journal_committed.send(sender=Journal, entries=len(batch), seconds=time.monotonic() - begun)

    def _save_apart(self, batch: list[Waiting], error: Exception) -> None:
        """One entry that fails must not fail the others; but a database that is away is away for each of them."""
        if len(batch) > 1 and not isinstance(error, DatabaseAway):
            for waiting in batch:
                self._save([waiting])
            return
        for waiting in batch:
            waiting.fail(error)

    def _tell(self, batch: list[Waiting]) -> None:
        """One call of each loop: whoever listens there hears it before whoever waits for the commit goes on."""
        events = [event for waiting in batch if waiting.error is None for event in waiting.events]
        listeners: dict[asyncio.AbstractEventLoop | None, list[Listener]] = {}
        for loop, listener, _ in list(self._listeners) if events else ():
            listeners.setdefault(loop, []).append(listener)
        waiters: dict[asyncio.AbstractEventLoop | None, list[Waiting]] = {}
        for waiting in batch:
            waiters.setdefault(waiting.loop, []).append(waiting)
        for home in listeners.keys() | waiters.keys():
            tell = partial(_tell_here, listeners.get(home, ()), events, waiters.get(home, ()))
            if home is None:
                tell()
                continue
            try:
                home.call_soon_threadsafe(tell)
            except RuntimeError:  # the loop has ended, and with it whoever waited there
                logger.debug("Nobody waits for this commit any more.", extra={"action": "journal.loop_closed"})


def _give_back(database: BaseDatabaseWrapper) -> None:
    """A broken connection, or one that belongs to a pool. Whatever that raises must not end the thread: all would wait."""
    try:
        database.close_if_unusable_or_obsolete()
    except Exception:
        logger.exception("The journal could not give its connection back.", extra={"action": "journal.connection"})


def _tell_here(listeners: Iterable[Listener], events: list[Event], waiters: Iterable[Waiting]) -> None:
    for listener in listeners:
        try:
            listener(events)
        except Exception:  # one that fails must not keep the news from the others
            logger.exception("A listener of the journal failed.", extra={"action": "journal.listener_failed"})
    for waiting in waiters:
        waiting.settle()
