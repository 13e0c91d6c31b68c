"""Database work beside the event loop, in threads of our own: `database_sync_to_async` shares one in the process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import OperationalError, close_old_connections, connection

P = ParamSpec("P")
T = TypeVar("T")

RECONNECT_SECONDS = 1.0

_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="database")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that reads (or rarely writes) the database; the connection goes back to the pool after it."""

    def call() -> T:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_pool, copy_context().run, call)


def leave_pool() -> None:
    """From now on this thread's connection is its own, and none of the pool of PostgreSQL."""
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    own = {"OPTIONS": options, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    connection.settings_dict = connection.settings_dict | own


_apart = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apart", initializer=leave_pool)


async def in_thread_apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """For what tells how this process is and for what its operators want: just when the pool is exhausted and the threads
    of `in_thread` are stuck, this has to work."""

    def call() -> T:
        close_old_connections()
        try:
            connect_patiently()
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_apart, copy_context().run, call)


def connect_patiently() -> None:
    """As a pool does: whoever comes while the database is away waits for it."""
    deadline = time.monotonic() + settings.DB_POOL_TIMEOUT
    while True:
        try:
            connection.close_if_health_check_failed()
            return connection.ensure_connection()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RECONNECT_SECONDS)
