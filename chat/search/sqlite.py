"""Search on SQLite: an FTS5 table whose row numbers grow with time, so the newest matches come first without sorting.

`chat_found` says which message has which row number. FTS5 keeps no text of its own here (`content=''`) and has to be told the
old one when it changes. The rooms are words of the index, too: who has few of them gets the matches of these alone.

FTS5 writes as much for one message as for many, so the newest await others, with a row number and without their words: the
numbers behind the last that the index has. Every so many messages, and before a search, they go into it together.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import OperationalError, connection, transaction

from chat.pages import read_number
from chat.search.words import Query

logger = logging.getLogger(__name__)

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS chat_found
        (id integer PRIMARY KEY, message_id char(32) NOT NULL UNIQUE, context_id char(32) NOT NULL)
    """,
    # 2 to 4 letters of a word that is being written match most; with indexes of their own they need no merging.
    """
    CREATE VIRTUAL TABLE IF NOT EXISTS chat_found_words
        USING fts5(text, room, content='', prefix='2 3 4', tokenize='unicode61 remove_diacritics 0')
    """,
)
FOR_PEOPLE = "{row}.inner = 0 AND {row}.state <> 'streaming' AND {row}.text <> ''"
NEW, OLD = FOR_PEOPLE.format(row="new"), FOR_PEOPLE.format(row="old")
LAST = "(SELECT coalesce(max(id), 0) FROM chat_found_words_docsize)"  # that the index has
AWAIT = "INSERT OR IGNORE INTO chat_found (message_id, context_id) VALUES (new.id, new.context_id);"
REMOVE = """
    INSERT INTO chat_found_words (chat_found_words, rowid, text, room)
        SELECT 'delete', id, old.text, context_id FROM chat_found
        WHERE message_id = old.id AND EXISTS (SELECT 1 FROM chat_found_words_docsize AS known WHERE known.id = chat_found.id);
"""
PUT_BACK = f"""
    INSERT INTO chat_found_words (rowid, text, room)
        SELECT id, new.text, context_id FROM chat_found WHERE message_id = new.id AND id <= {LAST};
"""
FORGET = "DELETE FROM chat_found WHERE message_id = old.id;"
TRIGGERS = (
    # Of databases that are older than this: they put each message into the index at once.
    *(f"DROP TRIGGER IF EXISTS chat_found_{name}" for name in ("created", "unsaid", "changed", "said", "deleted")),
    *(
        f"CREATE TRIGGER IF NOT EXISTS chat_found_{name} AFTER {moment} ON agents_app_message WHEN {when} BEGIN {what} END"
        for name, moment, when, what in (
            ("awaits", "INSERT", NEW, AWAIT),
            ("awaits_end", "UPDATE OF text, state, inner", f"{NEW} AND NOT ({OLD})", AWAIT),
            (
                "is_changed",
                "UPDATE OF text, state, inner",
                f"{OLD} AND {NEW} AND old.text <> new.text",
                REMOVE + PUT_BACK,
            ),
            ("is_unsaid", "UPDATE OF text, state, inner", f"{OLD} AND NOT ({NEW})", REMOVE + FORGET),
            ("is_deleted", "DELETE", OLD, REMOVE + FORGET),
        )
    ),
)
ARE_THERE = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = 'chat_found_awaits'"
FILL = (
    f"""
    INSERT OR IGNORE INTO chat_found (message_id, context_id)
        SELECT id, context_id FROM agents_app_message AS message
        WHERE {FOR_PEOPLE.format(row="message")} ORDER BY id
    """,
    """
    INSERT INTO chat_found_words (rowid, text, room)
        SELECT chat_found.id, message.text, chat_found.context_id
        FROM chat_found JOIN agents_app_message AS message ON message.id = chat_found.message_id
        WHERE chat_found.id NOT IN (SELECT id FROM chat_found_words_docsize) ORDER BY chat_found.id
    """,
)
AWAITED = f"SELECT EXISTS (SELECT 1 FROM chat_found WHERE id > {LAST})"
TAKE_IN = f"""
    INSERT INTO chat_found_words (rowid, text, room)
        SELECT chat_found.id, message.text, chat_found.context_id
        FROM chat_found JOIN agents_app_message AS message ON message.id = chat_found.message_id
        WHERE chat_found.id > {LAST} ORDER BY chat_found.id
"""
TOGETHER = 64  # messages
# CROSS JOIN: FTS5 hands out its rows from the newest on, and stops when the page is full.
FIND = """
    SELECT chat_found.id, chat_found.message_id FROM chat_found_words CROSS JOIN chat_found
    WHERE chat_found_words MATCH %s AND chat_found_words.rowid < %s AND chat_found.id = chat_found_words.rowid
        AND EXISTS (SELECT 1 FROM chat_participant AS seat
            WHERE seat.conversation_id = chat_found.context_id AND seat.user_id = %s)
    ORDER BY chat_found_words.rowid DESC LIMIT %s
"""
NEWEST = 2**62


_awaiting = 0  # messages, since this process last took some in; how many there are really, the database knows


def await_more(messages: int) -> None:
    """In the transaction that saves so many."""
    global _awaiting
    _awaiting += messages
    if _awaiting >= TOGETHER:
        _awaiting = 0
        _take_in()


def _take_in() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TAKE_IN)


def _take_in_what_awaits() -> None:
    with connection.cursor() as cursor:
        cursor.execute(AWAITED)
        if not cursor.fetchone()[0]:
            return
    try:
        with transaction.atomic():
            _take_in()
    except OperationalError:  # such as a full disk: what the index has is found all the same
        logger.exception("The newest messages are not found yet.", extra={"action": "search.behind"})


def find(
    user_id: UUID, rooms: Mapping[UUID, int] | None, query: Query, before: str, size: int
) -> list[tuple[str, UUID]]:
    """Cursors and ids of matches, newest first. `rooms`: all that the person has, when they are few, with the number of the
    last message in each."""
    _take_in_what_awaits()
    asked = [False, True] if query.unfinished else [False]
    with connection.cursor() as cursor:
        for unfinished in asked:  # all the words that begin like it are merged before the first is handed out
            match = _match(query, unfinished, rooms)
            cursor.execute(FIND, [match, read_number(before) if before else NEWEST, user_id.hex, size])
            found = [(str(id), UUID(message_id)) for id, message_id in cursor.fetchall()]
            if len(found) == size:
                break
    return found


def _match(query: Query, unfinished: bool, rooms: Iterable[UUID] | None) -> str:
    phrases = " AND ".join(f'"{phrase}"' for phrase in query.phrases)
    text = f"{{text}} : ({phrases}{' *' if unfinished else ''})"
    return text if rooms is None else f"{text} AND {{room}} : ({' OR '.join(map(_word, rooms))})"


def _word(room: UUID) -> str:
    return f'"{room.hex}"'
