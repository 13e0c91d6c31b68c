"""Django's PostgreSQL, whose pool survives a server that restarts: nobody is handed a connection that is dead."""

from __future__ import annotations

from select import POLLIN, poll
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool.base import AttemptWithBackoff

# The pool would wait twice as long after every attempt, and so up to half a minute longer than the server is away.
AttemptWithBackoff.DELAY_BACKOFF = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        while self.pool and _is_dead(connection):
            self.pool.putconn(connection)  # it opens another in its place
            connection = super().get_new_connection(conn_params)
        return connection


def _is_dead(connection: Any) -> bool:
    """A server says nothing on an idle connection, except that it ends. Asking it (`CONN_HEALTH_CHECKS`) costs a round
    trip for each request; looking whether something came costs a microsecond."""
    heard = poll()
    heard.register(connection.pgconn.socket, POLLIN)
    if not heard.poll(0):
        return False
    try:
        connection.execute("")
    except psycopg.Error:
        return True
    return False
