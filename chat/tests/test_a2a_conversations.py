"""What a program begins is a conversation like any other."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.actions.users import get_guest
from accounts.models import User
from agents_app import runtime
from agents_app.ids import uuid7
from agents_app.models import EventType, JournalHead, Message, Via
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry, Fact
from chat import projection
from chat.models import Conversation
from chat.rendering import conversation_item_html

pytestmark = pytest.mark.django_db(transaction=True)


def begin(owner: User, *, guest: bool = False) -> Conversation:
    projection._administrator.cache_clear()
    id = uuid7()
    message = Message(context_id=id, role=Message.Role.USER, user=owner, text="What is new?", created_at=timezone.now())
    data = {"owner": str(owner.id), "guest": guest, "agent": "chloe", "via": "a2a", "text": message.text}
    facts = [Fact(EventType.CONVERSATION_OPENED, data), created_fact(message)]
    head = JournalHead(context_id=id, owner=owner, via=Via.A2A)
    runtime.current().journal.append_now(Entry(id, facts, [message], opens=head))
    return Conversation.objects.get(id=id)


def people(conversation: Conversation) -> set[str]:
    return {seat.user.username for seat in conversation.participants.exclude(user=None)}


def test_it_works(ada: User, grace: User) -> None:
    conversation = begin(ada)

    assert conversation.title == "What is new?" and conversation.message_seq == 2
    assert people(conversation) == {"ada"}
    assert [seat.agent_id for seat in conversation.participants.exclude(agent=None)] == ["chloe"]


def test_the_list_says_how_it_came(ada: User) -> None:
    assert "A2A" in conversation_item_html(begin(ada))
    assert "A2A" not in conversation_item_html(Conversation.objects.create(created_by=ada, title="Ours"))


def test_an_administrator_sees_what_a_guest_began(ada: User, grace: User) -> None:
    assert people(begin(get_guest(), guest=True)) == {"a2a-guest", "grace"}
