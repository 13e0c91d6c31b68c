"""Post a message: save it with the tasks it starts, once, however often it arrives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from agents_app import runtime
from agents_app.actions.tasks import TaskWrites, answer_question, begin_task, fits, open_questions
from agents_app.allowance import look_up, require_allowance
from agents_app.models import Agent, Attachment, EventType, Message, Task
from agents_app.parts import attachment_json
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry, Fact
from agents_app.texts import UNSAVEABLE
from agents_app.threads import in_thread
from chat import rates
from chat.mentions import find_mentions
from chat.models import Conversation, Participant
from chat.titles import title_from


class BadMessage(Exception):
    """A message that cannot be taken; the text says why and what to do."""


async def post_message(
    author: User, conversation: Conversation, client_id: UUID, text: str, attachment_ids: Sequence[UUID] = ()
) -> Message:
    """Save what a person says and let the agents it is for answer. The same `client_id` again returns the same message."""
    text = text.strip()
    _check_text(text, attachment_ids)
    prepared = await in_thread(_prepare, author, conversation, client_id, text, list(attachment_ids))
    if isinstance(prepared, Message):
        return prepared
    message, entry, writes = prepared
    await rates.count_message(author.id)
    if any(isinstance(row, Task) for row in writes.new):  # to answer what an agent asks is always possible
        await require_allowance(author.id)
    current = runtime.current()
    try:
        await current.journal.append(entry)
    except IntegrityError:
        return await in_thread(_get_posted, author, client_id)
    current.queue.put(*writes.put)
    return message


async def retry_message(asker: User, failed: Message) -> None:
    """Give the request of an answer that failed or was stopped to the same agent again."""
    task = failed.task
    if task is None or failed.agent_id is None or failed.state not in (Message.State.FAILED, Message.State.STOPPED):
        raise BadMessage("Only an answer that failed or was stopped can be tried again.")
    await require_allowance(asker.id)
    writes = TaskWrites()
    request = await in_thread(Message.objects.get, id=task.request_id)
    begin_task(writes, request, failed.agent_id, asker.id, metadata={"referenceTaskIds": [str(task.id)]})
    await runtime.current().journal.append(Entry(failed.context_id, writes.facts, writes.new))
    runtime.current().queue.put(*writes.put)


def _check_text(text: str, attachment_ids: Sequence[UUID]) -> None:
    if not text and not attachment_ids:
        raise BadMessage("Write something first.")
    if len(text) > settings.CHAT_MESSAGE_MAX_CHARS:
        limit = f"{settings.CHAT_MESSAGE_MAX_CHARS:,}"
        raise BadMessage(f"This message is too long: at most {limit} characters. Send the rest as a file.")
    if UNSAVEABLE.search(text):
        raise BadMessage("This message holds a character that cannot be saved. Write it anew and send again.")


def _prepare(
    author: User, conversation: Conversation, client_id: UUID, text: str, attachment_ids: list[UUID]
) -> Message | tuple[Message, Entry, TaskWrites]:
    known = Message.objects.filter(user=author, client_id=client_id).first()
    if known is not None:
        return known
    message = Message(
        context_id=conversation.id,
        role=Message.Role.USER,
        user=author,
        text=text,
        parts=_parts(text, _load_attachments(conversation, attachment_ids)),
        client_id=client_id,
        created_at=timezone.now(),
    )
    writes = TaskWrites(new=[message])
    present = _present(conversation)
    agent_ids = choose_agents(conversation, text, present)
    _invite(writes, conversation, agent_ids, present)
    questions = open_questions(conversation.id)
    for agent_id in agent_ids:
        question = questions.get(agent_id)
        if question is not None and message.task_id is None and fits(question, text):
            answer_question(writes, question, message)
        else:
            begin_task(writes, message, agent_id, author.id)
    look_up(author.id)
    writes.facts.insert(0, created_fact(message, client_id=str(client_id)))
    if not conversation.title and (title := title_from(text)):
        conversation.title = title
        writes.changes.append((conversation, ("title",)))
        writes.facts.append(Fact(EventType.CONVERSATION_CHANGED, {"title": title}))
    return message, Entry(conversation.id, writes.facts, writes.new, writes.changes, writes.tasks), writes


def choose_agents(conversation: Conversation, text: str, present: Collection[str]) -> list[str]:
    """Whom a message is for: whom it mentions, else the agent that spoke last, else the first one here."""
    agents = list(Agent.objects.enabled().values_list("id", "name"))
    here = [agent_id for agent_id, _ in agents if agent_id in present]
    mentioned = find_mentions(text, agents, everybody=here)
    if mentioned or not here:
        return mentioned
    if len(here) == 1:
        return here
    spoken = Message.objects.in_context(conversation.id).for_people().filter(role=Message.Role.AGENT)
    last = spoken.order_by("-seq").values_list("agent_id", flat=True).first()
    return [last if last in here else here[0]]


def _present(conversation: Conversation) -> set[str]:
    return set(conversation.participants.filter(agent__isnull=False).values_list("agent_id", flat=True))


def _invite(writes: TaskWrites, conversation: Conversation, agent_ids: list[str], present: Collection[str]) -> None:
    """Who is called by name comes in."""
    for agent_id in agent_ids:
        if agent_id not in present:
            writes.new.append(Participant(conversation=conversation, agent_id=agent_id, active_at=timezone.now()))
            writes.facts.append(Fact(EventType.PARTICIPANT_ADDED, {"agent": agent_id}))


def _load_attachments(conversation: Conversation, ids: list[UUID]) -> list[Attachment]:
    if not ids:
        return []
    found = {
        attachment.id: attachment for attachment in Attachment.objects.filter(id__in=ids, context_id=conversation.id)
    }
    if len(found) < len(set(ids)):
        raise BadMessage("A file of this message is not here any more. Attach it again.")
    return [found[attachment_id] for attachment_id in ids]


def _parts(text: str, attachments: list[Attachment]) -> list[dict[str, Any]]:
    if not attachments:
        return []
    return [*([{"text": text}] if text else []), *(attachment_json(attachment) for attachment in attachments)]


def _get_posted(author: User, client_id: UUID) -> Message:
    return Message.objects.get(user=author, client_id=client_id)
