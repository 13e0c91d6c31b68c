"""A database of an earlier version gets the indexes of this one, and can go back."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from agents_app.models import JournalHead, Message, Task, WireMessage
from chat.models import Conversation, Participant

TABLES = [model._meta.db_table for model in (Message, Task, WireMessage, JournalHead, Conversation, Participant)]
BEFORE = [("agents_app", "0013_own_certificates"), ("chat", "0002_a2a")]
NEW = {
    "agent_takes_part_once",
    "conversation_by_activity",
    "message_of_agent",
    "message_of_task",
    "message_of_user",
    "person_takes_part_once",
    "task_by_owner",
    "task_of_parent",
}
OLD = {
    "agents_app_journalhead_owner_id_d17196cf",
    "agents_app_message_agent_id_fe3ec5ac",
    "agents_app_message_task_id_5baf4825",
    "agents_app_message_user_id_a3771d73",
    "agents_app_task_owner_id_9ee97261",
    "agents_app_task_parent_id_d7fe2506",
    "agents_app_wiremessage_task_id_b53424cb",
    "chat_conversation_created_by_id_615454ae",
    "chat_participant_agent_id_1e6eeb36",
    "chat_participant_conversation_id_568ba5d5",
    "chat_participant_user_id_3f5ce7b2",
    "conversation_list",
    "message_for_people",
    "participant_agent_once",
    "participant_person_once",
    "task_of_owner",
}


@pytest.mark.django_db(transaction=True)
def test_there_and_back() -> None:
    now = _indexes()
    assert now >= NEW and not now & OLD
    try:
        _migrate(BEFORE)
        before = _indexes()
        assert before >= OLD and not before & NEW
    finally:
        _migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    assert _indexes() == now


def _migrate(targets: list[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def _indexes() -> set[str]:
    with connection.cursor() as cursor:
        found = (connection.introspection.get_constraints(cursor, table) for table in TABLES)
        return {name for constraints in found for name, each in constraints.items() if each["index"] or each["unique"]}
