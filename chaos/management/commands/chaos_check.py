from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management import BaseCommand
from django.db.models import Count, F, Max, Min, Q

from agents_app.models import INTERRUPTED, PARKED, RUNNABLE, Event, JournalHead, Message, Task, TaskState
from chaos.agents import STEADY
from chaos.provider import ANSWER

WHOLE = {"steady": STEADY, "elsewhere": STEADY, "thinker": ANSWER}  # what they say when they come to their end


class Command(BaseCommand):
    help = "Read the numbers of acknowledged messages from stdin; print as JSON what the database holds of what was promised."

    def handle(self, **_: Any) -> None:
        acknowledged = json.loads(sys.stdin.read())
        found = Message.objects.filter(client_id__in=acknowledged)
        rows, present = found.count(), found.values("client_id").distinct().count()
        answers = _answers_per_request(acknowledged)
        self.stdout.write(
            json.dumps(
                {
                    "present": present,
                    "doubled": rows - present + sum(1 for count in answers if count > 1),
                    "unanswered": sum(1 for count in answers if count == 0),
                    "gaps": _gaps_in_journals() + _gaps_in_tasks(),
                    "unfinished": Task.objects.filter(state__in=RUNNABLE).exclude(lease_owner=PARKED).count(),
                    "waiting": Task.objects.filter(Q(state__in=INTERRUPTED) | Q(lease_owner=PARKED)).count(),
                    "tasks": Task.objects.count(),
                    "failed": Task.objects.filter(state=TaskState.FAILED).count(),
                    "leases": Task.objects.exclude(state__in=RUNNABLE).exclude(lease_owner="").count(),
                    "left open": Message.objects.filter(state="streaming").exclude(task__state__in=RUNNABLE).count(),
                    "wrong": _wrong_answers(),
                }
            )
        )


def _answers_per_request(client_ids: list[str]) -> list[int]:
    requests = Message.objects.filter(client_id__in=client_ids)
    return list(requests.annotate(count=Count("started")).values_list("count", flat=True))


def _gaps_in_journals() -> int:
    heads = dict(JournalHead.objects.values_list("context_id", "seq"))
    journals = Event.objects.values("context_id").annotate(count=Count("seq"), first=Min("seq"), last=Max("seq"))
    right = {row["context_id"] for row in journals if row["first"] == 1 and row["count"] == row["last"]}
    ends = {row["context_id"]: row["last"] for row in journals}
    return sum(1 for id, seq in heads.items() if seq and (id not in right or ends[id] != seq))


def _gaps_in_tasks() -> int:
    tasks = Task.objects.annotate(count=Count("events"), first=Min("events__version"), last=Max("events__version"))
    whole = Q(first=1, count=F("last"), version=F("last"))
    return tasks.exclude(whole).count()


def _wrong_answers() -> int:
    answers = Message.objects.filter(agent__in=WHOLE, role="agent", task__state=TaskState.COMPLETED)
    return sum(1 for agent, text in answers.values_list("agent", "text") if text != WHOLE[agent])
