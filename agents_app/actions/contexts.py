from __future__ import annotations

from functools import partial
from uuid import UUID

from django.db import transaction

from agents_app import runtime
from agents_app.models import Artifact, Attachment, Event, JournalHead, Message, PushDelivery, Step, Task
from agents_app.threads import in_thread


async def forget_context(context_id: UUID) -> None:
    """Delete everything said and done in a conversation, for ever. What still runs in it finds it gone."""
    for task_id in await in_thread(_delete_rows, context_id):
        runtime.current().queue.cancel(task_id)


def _delete_rows(context_id: UUID) -> list[UUID]:
    """Rows first, files after the commit: a file without a row is rubbish, a row without its file would be a loss."""
    with transaction.atomic():
        # Whoever writes to this journal holds its head; afterwards nobody can number an event in it.
        list(JournalHead.objects.select_for_update().filter(context_id=context_id))
        JournalHead.objects.filter(context_id=context_id).delete()
        tasks = Task.objects.filter(context_id=context_id)
        # Whoever sends a notification right now holds it while the outcome is saved.
        list(PushDelivery.objects.select_for_update().filter(config__task__in=tasks).order_by("id").values_list("id"))
        running = list(tasks.unfinished().values_list("id", flat=True))
        files = [attachment.file for attachment in Attachment.objects.filter(context_id=context_id)]
        Event.objects.filter(context_id=context_id).delete()
        Step.objects.filter(task__in=tasks).delete()
        Artifact.objects.filter(task__in=tasks).delete()
        tasks.delete()
        Message.objects.filter(context_id=context_id).delete()
        Attachment.objects.filter(context_id=context_id).delete()
        for file in files:
            transaction.on_commit(partial(file.delete, save=False))
    return running
