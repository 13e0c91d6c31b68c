"""Search on PostgreSQL: a table of word vectors beside the messages, with a GIN index.

A GIN index knows no order, so a common word would be found everywhere before the newest places are chosen. Therefore the
newest messages are looked through first; what is not found often enough there is rare enough for the index. The rooms are
words of the index, too: who has few of them gets the matches of these alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection

from chat.pages import read_id
from chat.search.words import Query

NEWEST_ROWS = 2_000
FEW_MESSAGES = 20_000
INDEXED_CHARS = 100_000  # a vector holds at most a megabyte, and a message that cannot be indexed could not be saved
VECTOR = (
    "array_to_tsvector(ARRAY['#' || replace({row}.context_id::text, '-', '')]) || to_tsvector('simple',"
    f" translate(left({{row}}.text, {INDEXED_CHARS}), "
    r"""'!"#$%&''()*+,-./:;<=>?@[\]^_`{{|}}~', repeat(' ', 32)))"""
)
FOR_PEOPLE = "NOT {row}.inner AND {row}.state <> 'streaming' AND {row}.text <> ''"
TABLES = (
    """
    CREATE TABLE IF NOT EXISTS chat_found
        (message_id uuid PRIMARY KEY, context_id uuid NOT NULL, words tsvector NOT NULL)
    """,
    "CREATE INDEX IF NOT EXISTS chat_found_words ON chat_found USING gin (words)",
    # What was added last waits in a list that every search reads from end to end: a short one.
    "ALTER INDEX chat_found_words SET (gin_pending_list_limit = 128)",
    f"""
    CREATE OR REPLACE FUNCTION chat_found_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP <> 'DELETE' AND {FOR_PEOPLE.format(row="NEW")} THEN
            INSERT INTO chat_found VALUES (NEW.id, NEW.context_id, {VECTOR.format(row="NEW")})
            ON CONFLICT (message_id) DO UPDATE SET words = excluded.words;
        ELSIF TG_OP <> 'INSERT' THEN
            DELETE FROM chat_found WHERE message_id = OLD.id;
        END IF;
        RETURN NULL;
    END $$
    """,
)
TRIGGERS = tuple(
    f"CREATE TRIGGER {name} AFTER {moment} ON agents_app_message"
    f" FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION chat_found_keep()"
    for name, moment, when in (
        ("chat_found_created", "INSERT", FOR_PEOPLE.format(row="NEW")),
        (  # a message that streams is saved every second, and is looked at when it is complete
            "chat_found_changed",
            'UPDATE OF text, state, "inner"',
            "NOT (OLD.state = 'streaming' AND NEW.state = 'streaming')",
        ),
        ("chat_found_deleted", "DELETE", "NOT OLD.inner"),
    )
)
ARE_THERE = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'agents_app_message'::regclass AND tgname ^@ 'chat_found_'"
FILL = (
    f"""
    INSERT INTO chat_found SELECT message.id, message.context_id, {VECTOR.format(row="message")}
    FROM agents_app_message AS message WHERE {FOR_PEOPLE.format(row="message")}
        AND NOT EXISTS (SELECT 1 FROM chat_found WHERE message_id = message.id)
    ON CONFLICT DO NOTHING
    """,
)
# A seat is looked up for each message (LIMIT keeps the database from gathering all the seats of the person first).
MINE = """
    CROSS JOIN LATERAL (SELECT FROM chat_participant AS seat
        WHERE seat.conversation_id = found.context_id AND seat.user_id = %(user)s LIMIT 1) AS mine
    ORDER BY message_id DESC LIMIT %(size)s
"""
AMONG_NEWEST = f"""
    SELECT message_id FROM (SELECT * FROM (
        SELECT * FROM chat_found WHERE message_id < %(before)s ORDER BY message_id DESC LIMIT {NEWEST_ROWS}
    ) AS newest WHERE words @@ %(words)s::tsquery) AS found {MINE}
"""
# MATERIALIZED: the database would otherwise be tempted to walk through all messages instead of using the index.
IN_INDEX = f"""
    WITH found AS MATERIALIZED (
        SELECT message_id, context_id FROM chat_found
        WHERE words @@ %(words)s::tsquery AND message_id < %(before)s)
    SELECT message_id FROM (SELECT * FROM found ORDER BY message_id DESC) AS found {MINE}
"""
# All that was said in few and small rooms, then what is looked for: a common word would have to be fetched from everywhere.
IN_ROOMS = f"""
    WITH said AS MATERIALIZED (SELECT * FROM chat_found WHERE words @@ %(rooms)s::tsquery)
    SELECT message_id FROM (
        SELECT * FROM said WHERE words @@ %(words)s::tsquery AND message_id < %(before)s ORDER BY message_id DESC
    ) AS found {MINE}
"""
IN_INDEX_OF_ROOMS = IN_INDEX.replace("%(words)s::tsquery", "(%(words)s::tsquery && %(rooms)s::tsquery)")
NEWEST = UUID(int=2**128 - 1)


def find(
    user_id: UUID, rooms: Mapping[UUID, int] | None, query: Query, before: str, size: int
) -> list[tuple[str, UUID]]:
    """Cursors and ids of matches, newest first. `rooms`: all that the person has, when they are few, with the number of the
    last message in each."""
    with connection.cursor() as cursor:
        words = _words(cursor, query)
        if not words:
            return []
        before_id = read_id(before) if before else NEWEST
        mine = " | ".join(map(_word, rooms or ()))
        values: dict[str, Any] = {"words": words, "rooms": mine, "before": before_id, "user": user_id, "size": size}
        for statement in _statements(rooms):
            cursor.execute(statement, values)
            found = [(str(message_id), message_id) for (message_id,) in cursor.fetchall()]
            if len(found) == size:
                break
    return found


def _statements(rooms: Mapping[UUID, int] | None) -> list[str]:
    if rooms is None:
        return [AMONG_NEWEST, IN_INDEX]
    return [IN_ROOMS if sum(rooms.values()) <= FEW_MESSAGES else IN_INDEX_OF_ROOMS]


def _words(cursor: Any, query: Query) -> str:
    """The question as text, worked out once: a constant is what the database can plan with."""
    phrases = [f"'{phrase}'" for phrase in query.phrases]
    if query.unfinished:
        phrases[-1] += ":*"
    cursor.execute("SELECT to_tsquery('simple', %s)::text", [" & ".join(phrases)])
    (words,) = cursor.fetchone()
    return str(words)


def _word(room: UUID) -> str:
    return f"'#{room.hex}'"
