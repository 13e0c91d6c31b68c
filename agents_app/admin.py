from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from agents_app.models import Agent, Step, Task


class ReadOnly:
    """Facts to look at. What happened is not edited, and a task is not made by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Agent)
class AgentAdmin(ModelAdmin):
    """Who an agent is stands in its code; whether it answers, and with which model, is the operator's choice."""

    list_display = ("name", "id", "enabled", "model", "present", "position")
    list_filter = ("enabled", "present")
    search_fields = ("id", "name")
    fields = ("id", "name", "description", "enabled", "model", "present", "skills", "input_modes", "output_modes")
    readonly_fields = ("id", "name", "description", "present", "skills", "input_modes", "output_modes")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:
        return False


class StepInline(ReadOnly, TabularInline):
    model = Step
    fk_name = "task"
    fields = ("kind", "name", "started_at", "milliseconds", "error", "child", "data")
    readonly_fields = ("milliseconds",)
    extra = 0


@admin.register(Task)
class TaskAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "agent", "state", "owner", "attempts", "created_at", "updated_at")
    list_filter = ("state", "agent")
    list_select_related = ("agent", "owner")
    search_fields = ("id", "context_id")
    ordering = ("-id",)
    show_full_result_count = False  # counting a million tasks is slow, and nobody asked
    inlines = (StepInline,)
    fields = (
        *("id", "context_id", "agent", "owner", "state", "status_text", "parent", "chain", "budget", "metadata"),
        *("attempts", "lease_owner", "lease_until", "cancel_requested", "created_at", "updated_at"),
    )
