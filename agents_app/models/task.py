from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import tracing
from agents_app.ids import uuid7
from agents_app.models.event import Via


class TaskState(models.TextChoices):
    """A2A's task states."""

    SUBMITTED = "submitted"
    WORKING = "working"
    INPUT_REQUIRED = "input-required"
    AUTH_REQUIRED = "auth-required"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"


RUNNABLE = (TaskState.SUBMITTED, TaskState.WORKING)
INTERRUPTED = (TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED)
PARKED = "parked"  # in the place of a runner: the task waits for something outside, and nobody may run it before
TERMINAL = (TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED)


class _IsRunnable(models.Func):
    """The condition of the index `task_to_run`, word for word: SQLite uses a partial index only for a condition that it
    can read, and not when the states are parameters of the statement."""

    template = f"%(expressions)s IN ({', '.join(repr(state.value) for state in RUNNABLE)})"
    output_field = models.BooleanField()


class TaskQuerySet(models.QuerySet["Task"]):
    def unfinished(self) -> TaskQuerySet:
        return self.exclude(state__in=TERMINAL)

    def runnable(self) -> TaskQuerySet:
        """They are few, however many there were: finding them must not become slower with all that have ended."""
        return self.filter(_IsRunnable("state"))


class Task(models.Model):
    """One agent doing one piece of work: an A2A Task."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    context_id = models.UUIDField(help_text="The conversation.")
    agent = models.ForeignKey("agents_app.Agent", models.PROTECT, related_name="tasks")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # `task_by_owner` begins with it
        help_text="For whom.",
    )
    request = models.ForeignKey("agents_app.Message", models.CASCADE, related_name="started", help_text="What asked.")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children", db_index=False)
    state = models.CharField(max_length=16, choices=TaskState, default=TaskState.SUBMITTED)
    status_text = models.TextField(blank=True, help_text="What the agent reports, or why it ended.")
    plain_reply = models.BooleanField(default=False, help_text="Answered with a Message instead of a Task (A2A).")
    version = models.BigIntegerField(default=0, help_text="Number of its last event.")
    tenant = models.CharField(max_length=200, blank=True, help_text="A2A tenant; empty: the default one.")
    via = models.CharField(max_length=8, choices=Via, default=Via.CHAT)
    chain = models.JSONField(default=list, help_text="Ids of the agents that delegated down to it, outermost first.")
    budget = models.JSONField(default=dict, help_text="hops, tokens, deadline (ISO 8601).")
    metadata = models.JSONField(default=dict, blank=True)
    traceparent = models.CharField(
        max_length=55, blank=True, default=tracing.traceparent, help_text="The span that began it (W3C Trace Context)."
    )
    attempts = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    alive_at = models.DateTimeField(
        null=True, blank=True, help_text="Last sign of life of its run: something said, an event, a step."
    )
    cancel_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(help_text="Of the last status: A2A's status.timestamp.")

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["context_id", "id"], name="task_in_context"),
            # Read backwards. What is new goes to its end: at the front SQLite would rearrange three pages for each.
            models.Index(fields=["owner", "updated_at", "id"], name="task_by_owner"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="task_of_parent"),
            models.Index(fields=["lease_until"], condition=Q(state__in=RUNNABLE), name="task_to_run"),
        ]

    def __str__(self) -> str:
        return f"task {self.id} ({self.state})"

    @property
    def line(self) -> tuple[UUID, str]:
        """Tasks of one line run one after the other: those of an agent in a conversation."""
        return self.context_id, self.agent_id

    @property
    def waiting_since(self) -> datetime | None:
        """Since when it waits for something that is not here: a remote agent that does not answer."""
        if self.lease_owner != PARKED:
            return None
        remote = getattr(self, "remote", None)
        return (remote and remote.waiting_since) or self.updated_at

    @property
    def silent_seconds(self) -> int:
        """Since its run last said or saved something."""
        return max(int((timezone.now() - (self.alive_at or self.updated_at)).total_seconds()), 0)

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL


class Step(models.Model):
    """One thing a task did that must not be done twice: a model's answer, a tool call, a question, a delegation."""

    class Kind(models.TextChoices):
        MODEL = "model"  # data: model messages, as pydantic-ai serialises them
        TOOL = "tool"  # data: arguments, text, facts
        ASK = "ask"  # data: question
        AGENT = "agent"  # data: message, and the answer's state and text

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(Task, models.CASCADE, related_name="steps")
    key = models.TextField(help_text="The same in every run of the task.")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.TextField(blank=True, help_text="Tool, agent or model.")
    message = models.ForeignKey("agents_app.Message", models.CASCADE, null=True, blank=True, related_name="steps")
    offset = models.PositiveIntegerField(default=0, help_text="Length of the message's text when it was done.")
    data = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    child = models.ForeignKey(Task, models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "key"], name="step_once")]
        indexes = [
            models.Index(fields=["child"], condition=Q(kind="agent", finished_at=None), name="step_delegation_open")
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.task_id}"

    @property
    def milliseconds(self) -> int | None:
        return round((self.finished_at - self.started_at).total_seconds() * 1000) if self.finished_at else None
