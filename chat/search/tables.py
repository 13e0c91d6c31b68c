"""The index of what was said. It holds nothing that the messages do not say, and triggers keep it in step with them.

`migrate` makes it, each time it has run: it is no model, and a migration that rebuilds the table of messages on SQLite takes
the table's triggers away.
"""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from chat.search import postgresql, sqlite


def keep_search_tables(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    connection = connections[using]
    kind = postgresql if connection.vendor == "postgresql" else sqlite
    known = connection.introspection.table_names()
    if "agents_app_message" not in known:  # `migrate agents_app zero`
        return
    with connection.cursor() as cursor:
        cursor.execute(kind.ARE_THERE)
        if cursor.fetchone()[0]:
            return
        # Triggers keep everybody from writing until they are committed, so most is filled in before.
        for triggers in ((), kind.TRIGGERS):
            with transaction.atomic(using):
                for statement in (*kind.TABLES, *triggers, *kind.FILL):
                    cursor.execute(statement)
