"""procrastinate's jobs in the admin, as our other pages look: only with PostgreSQL are there any."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from procrastinate.contrib.django import admin as _theirs  # noqa: F401  (its import registers what we replace)
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.read_only_admin import ReadOnly

admin.site.unregister(ProcrastinateJob)

STATE_COLOURS = {"todo": "info", "doing": "warning", "succeeded": "success", "failed": "danger"}


class EventInline(ReadOnly, TabularInline):
    model = ProcrastinateEvent
    fields = readonly_fields = ("type", "at")
    extra = 0


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnly, ModelAdmin):
    """A job is a hint that wakes a worker, and gone when one has it. What becomes of the task is the task's."""

    list_display = ("id", "task", "state", "queue_name", "priority", "attempts", "scheduled_at")
    list_filter = ("status", "queue_name")
    search_fields = ("queueing_lock",)
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (EventInline,)
    fields = ("id", "task", "state", "queue_name", "priority", "attempts", "scheduled_at", "queueing_lock")

    @display(description="Task")
    def task(self, job: Any) -> str:
        task_id = job.args.get("task_id", "")
        if not task_id:
            return job.task_name
        return format_html('<a href="{}">{}</a>', reverse("admin:agents_app_task_change", args=[task_id]), task_id)

    @display(description="State", ordering="status", label=STATE_COLOURS)
    def state(self, job: Any) -> str:
        return job.status
