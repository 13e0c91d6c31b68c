"""The only way to fetch something for somebody. `find_` may return None, `get_` raises `NotFound`, `list_` is lazy.

What a person may not see and what does not exist look the same from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet

from agents_app.models import Agent, Attachment, Message, Task
from agents_app.models.agent import AgentQuerySet
from agents_app.models.message import MessageQuerySet
from chat.models import Conversation, Participant

if TYPE_CHECKING:
    from accounts.models import User


class NotFound(LookupError):
    """Nothing of that kind for this person. The text is fit to show."""


class NotAllowed(PermissionError):
    """This person sees it, and may not do that with it. The text is fit to show."""


def find_participation(user: User, conversation_id: UUID | str) -> Participant | None:
    """A person's seat in a conversation, with the conversation loaded."""
    return list_participations(user).filter(conversation_id=conversation_id).first()


def get_participation(user: User, conversation_id: UUID | str) -> Participant:
    participation = find_participation(user, conversation_id)
    if participation is None:
        raise NotFound("This conversation does not exist, or you are not part of it.")
    return participation


def list_participations(user: User) -> QuerySet[Participant]:
    """A person's conversations, newest activity first."""
    return (
        Participant.objects.filter(user=user).select_related("conversation").order_by("-active_at", "-conversation_id")
    )


def find_conversation(user: User, conversation_id: UUID | str) -> Conversation | None:
    participation = find_participation(user, conversation_id)
    return participation.conversation if participation else None


def get_conversation(user: User, conversation_id: UUID | str) -> Conversation:
    return get_participation(user, conversation_id).conversation


def get_conversation_to_delete(user: User, conversation_id: UUID | str) -> Conversation:
    """For everybody, so only for whoever began it, and for administrators who take part. Raises `NotAllowed` too."""
    conversation = get_conversation(user, conversation_id)
    if not user.is_staff and conversation.created_by_id != user.pk:
        raise NotAllowed(
            "Only who began a conversation, or an administrator, can delete it for everybody. You can leave it."
        )
    return conversation


def list_messages(conversation: Conversation) -> MessageQuerySet:
    """What people read, oldest first."""
    return Message.objects.in_context(conversation.id).for_people().order_by("seq")


def get_message(user: User, message_id: UUID | str) -> Message:
    message = Message.objects.select_related("agent", "user", "task").filter(id=message_id).first()
    if message is None or not _is_member(user, message.context_id):
        raise NotFound("This message does not exist, or you may not see it.")
    return message


def get_task(user: User, task_id: UUID | str) -> Task:
    task = Task.objects.select_related("agent").filter(id=task_id).first()
    if task is None or not _is_member(user, task.context_id):
        raise NotFound("This task does not exist, or you may not see it.")
    return task


def list_tasks(user: User, *, everybody: bool = False) -> QuerySet[Task]:
    """A person's own tasks, last changed first; for administrators also everybody's, last begun first.

    No index has everybody's tasks by their changes, and one more would be written at every change of every task.
    """
    if everybody and user.is_staff:
        return Task.objects.order_by("-id")
    return Task.objects.filter(owner=user).order_by("-updated_at", "-id")


def get_task_record(user: User, task_id: UUID | str) -> Task:
    """A task with all that was done and sent for it: only for whom it was begun, and for administrators."""
    tasks = Task.objects.select_related("agent", "owner", "request", "parent")
    task = tasks.filter(id=task_id).first()
    if task is None or not (user.is_staff or task.owner_id == user.pk):
        raise NotFound("This task does not exist, or it is not yours.")
    return task


def list_unfinished_tasks(conversation: Conversation) -> QuerySet[Task]:
    tasks = Task.objects.filter(context_id=conversation.id).unfinished()
    return tasks.select_related("agent", "remote").order_by("id")


def get_attachment(user: User, attachment_id: UUID | str) -> Attachment:
    attachment = Attachment.objects.filter(id=attachment_id).first()
    if attachment is None or not _is_member(user, attachment.context_id):
        raise NotFound("This file does not exist, or you may not see it.")
    return attachment


def get_participant(user: User, participant_id: UUID | str) -> Participant:
    """Somebody in one of the user's conversations."""
    participant = Participant.objects.select_related("conversation", "user", "agent").filter(id=participant_id).first()
    if participant is None or not _is_member(user, participant.conversation_id):
        raise NotFound("Nobody like that takes part in this conversation.")
    return participant


def list_participants(conversation: Conversation) -> QuerySet[Participant]:
    """Agents in their own order, then people in the order they came."""
    participants = Participant.objects.filter(conversation=conversation).select_related("agent__remote", "user")
    return participants.order_by("agent__position", "agent_id", "joined_at", "id")


def list_agents() -> AgentQuerySet:
    """Every signed-in person may talk to every agent that is switched on."""
    return Agent.objects.enabled().select_related("remote")


def get_agent(agent_id: str) -> Agent:
    agent = list_agents().filter(id=agent_id).first()
    if agent is None:
        raise NotFound(f'There is no agent called "{agent_id}" here.')
    return agent


def _is_member(user: User, conversation_id: UUID) -> bool:
    return Participant.objects.filter(user=user, conversation_id=conversation_id).exists()
