from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from agents_app.actions.signing_keys import revoke_signing_key, rotate_signing_key
from agents_app.models import Agent, SigningKey, Step, Task


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


@admin.register(SigningKey)
class SigningKeyAdmin(ModelAdmin):
    """To add one is to rotate: the new key signs, the one before is retired. The private halves are never shown."""

    list_display = ("kid", "state", "created_at", "retired_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), ("retired_at", admin.EmptyFieldListFilter))
    fields = readonly_fields = ("kid", "state", "public_jwk", "created_at", "retired_at", "revoked_at")
    actions = ("revoke",)

    def get_fieldsets(self, request: HttpRequest, obj: SigningKey | None = None) -> Any:
        new = "Agent cards are signed with the new key. What the one before has signed still holds."
        return super().get_fieldsets(request, obj) if obj else [(None, {"fields": (), "description": new})]

    def save_model(self, request: HttpRequest, obj: SigningKey, form: ModelForm[SigningKey], change: bool) -> None:
        obj.kid = rotate_signing_key().kid
        obj.refresh_from_db()

    @admin.action(description="Revoke: what it has signed holds no more", permissions=["add"])
    def revoke(self, request: HttpRequest, keys: QuerySet[SigningKey]) -> None:
        for key in keys:
            revoke_signing_key(key)
        self.message_user(request, "Revoked.", messages.SUCCESS)

    def has_change_permission(self, request: HttpRequest, obj: SigningKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SigningKey | None = None) -> bool:
        return False
