"""Open, name, share and delete conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from accounts.actions.audit import note
from accounts.models import User
from agents_app import runtime
from agents_app.actions.contexts import forget_context
from agents_app.models import Agent, EventType, JournalHead
from agents_app.runtime.journal import Entry, Fact
from agents_app.threads import in_thread
from chat import broadcast
from chat.models import Conversation, Participant

TITLE_MAX_CHARS = 200


class BadConversation(Exception):
    """A change of a conversation that cannot be made; the text says why and what to do."""


async def create_conversation(
    creator: User, agent_ids: Sequence[str] | None = None, title: str = "", id: UUID | None = None
) -> Conversation:
    """Open a room with these agents, or with all of them. Raises `BadConversation` for an unknown one."""
    agents = await in_thread(_load_agents, agent_ids)
    now = timezone.now()
    conversation = Conversation(title=_clean_title(title), created_by=creator, **({"id": id} if id else {}))
    people = [Participant(conversation=conversation, user=creator, active_at=now)]
    rows = people + [Participant(conversation=conversation, agent=agent, active_at=now) for agent in agents]
    fact = Fact(EventType.CONVERSATION_CHANGED, {"title": conversation.title})
    head = JournalHead(context_id=conversation.id, owner=creator)
    await runtime.current().journal.append(Entry(conversation.id, [fact], [conversation, *rows], opens=head))
    return conversation


async def rename_conversation(conversation: Conversation, title: str) -> Conversation:
    conversation.title = _clean_title(title)
    if not conversation.title:
        raise BadConversation("A conversation needs a name. Write one.")
    fact = Fact(EventType.CONVERSATION_CHANGED, {"title": conversation.title})
    await _append(conversation, fact, changes=[(conversation, ("title",))])
    return conversation


async def delete_conversation(conversation: Conversation) -> None:
    """For everybody in it, and for ever."""
    id, people = conversation.id, await in_thread(_people, conversation)
    await forget_context(id)
    await in_thread(conversation.delete)
    await in_thread(note, "conversation.deleted", f"chat.conversation:{id}")
    broadcast.conversation_deleted(id, people)


async def add_agent(conversation: Conversation, agent: Agent) -> Participant:
    return await _add(conversation, {"agent": agent.id}, agent=agent)


async def add_person(conversation: Conversation, user: User) -> Participant:
    participant = await _add(conversation, {"user": str(user.id)}, user=user)
    await in_thread(note, "conversation.joined", conversation, str(conversation.id), user=str(user.id))
    return participant


async def remove_participant(conversation: Conversation, participant: Participant) -> None:
    """A person loses access at once; an agent is not asked any more unless somebody calls it by name."""
    who = {"agent": participant.agent_id} if participant.agent_id else {"user": str(participant.user_id)}
    await in_thread(participant.delete)
    await _append(conversation, Fact(EventType.PARTICIPANT_REMOVED, who))
    if participant.user_id:
        await in_thread(note, "conversation.left", conversation, str(conversation.id), user=who["user"])


async def mark_read(user: User, conversation: Conversation, seq: int) -> None:
    mine = Participant.objects.filter(conversation=conversation, user=user, read_seq__lt=seq)
    await in_thread(mine.update, read_seq=min(seq, conversation.message_seq))


async def _add(conversation: Conversation, who: dict[str, str], **values: Any) -> Participant:
    participant = Participant(conversation=conversation, active_at=timezone.now(), **values)
    try:
        await _append(conversation, Fact(EventType.PARTICIPANT_ADDED, who), new=[participant])
    except IntegrityError:
        raise BadConversation(f"{participant} is in this conversation already.") from None
    return participant


async def _append(conversation: Conversation, fact: Fact, **values: Any) -> None:
    await runtime.current().journal.append(Entry(conversation.id, [fact], **values))


def _clean_title(title: str) -> str:
    return " ".join(title.replace("\x00", "").split())[:TITLE_MAX_CHARS]


def _load_agents(agent_ids: Sequence[str] | None) -> list[Agent]:
    agents = Agent.objects.enabled()
    if agent_ids is None:
        return list(agents)
    found = {agent.id: agent for agent in agents.filter(id__in=agent_ids)}
    unknown = [agent_id for agent_id in agent_ids if agent_id not in found]
    if unknown:
        raise BadConversation(f'There is no agent "{unknown[0]}" here. Choose one of the list.')
    return [found[agent_id] for agent_id in agent_ids]


def _people(conversation: Conversation) -> list[UUID]:
    return list(conversation.participants.filter(user__isnull=False).values_list("user_id", flat=True))
