from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline

from accounts.confirmation import ask_first
from accounts.read_only_admin import ReadOnly
from agents_app.a2a.push.deliveries import send_again
from agents_app.actions.scheduled_runs import run_now
from agents_app.actions.signing_keys import revoke_signing_key, rotate_signing_key
from agents_app.models import Agent, PushAttempt, PushConfig, PushDelivery, ScheduledRun, SigningKey, Step, Task
from agents_app.prompt_admin import PromptAdmin
from agents_app.restart_admin import RestartAdmin

if settings.ON_POSTGRESQL:
    from agents_app import queue_admin  # noqa: F401  (its tables are PostgreSQL's)


@admin.register(Agent)
class AgentAdmin(RestartAdmin, PromptAdmin):
    """Who an agent is stands in its code; whether it answers, with which model and prompt, is the operator's choice."""

    list_display = ("name", "id", "enabled", "works_on", "model", "at_once", "queue", "present", "position")
    list_filter = ("enabled", "present")
    search_fields = ("id", "name")
    fields = (
        *("id", "name", "description", "enabled", "model", "at_once", "queue"),
        *("present", "skills", "input_modes", "output_modes"),
    )
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
        *("attempts", "lease_owner", "lease_until", "alive_at", "cancel_requested", "created_at", "updated_at"),
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
    def revoke(self, request: HttpRequest, keys: QuerySet[SigningKey]) -> HttpResponse | None:
        asked = ask_first(
            request,
            self.admin_site,
            "Revoke these keys?",
            "Agent cards that they have signed are trusted no more. This cannot be taken back.",
            button="Revoke",
            back=reverse("admin:agents_app_signingkey_changelist"),
            about=[key.kid for key in keys],
        )
        if asked is None:
            for key in keys:
                revoke_signing_key(key)
            self.message_user(request, "Revoked.", messages.SUCCESS)
        return asked

    def has_change_permission(self, request: HttpRequest, obj: SigningKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SigningKey | None = None) -> bool:
        return False


@admin.register(PushConfig)
class PushConfigAdmin(ReadOnly, ModelAdmin):
    """Where tasks are told of. That there are secrets is shown, never which."""

    list_display = ("url", "task", "scheme", "has_token", "has_credentials", "created_at")
    search_fields = ("url", "task__id")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("task", "name", "url", "has_token", "scheme", "has_credentials", "created_at")

    @admin.display(boolean=True, description="Token")
    def has_token(self, config: PushConfig) -> bool:
        return bool(config.token)

    @admin.display(boolean=True, description="Credentials")
    def has_credentials(self, config: PushConfig) -> bool:
        return bool(config.credentials)


class PushAttemptInline(ReadOnly, TabularInline):
    model = PushAttempt
    fields = ("at", "status", "error", "milliseconds")
    extra = 0


@admin.register(PushDelivery)
class PushDeliveryAdmin(ReadOnly, ModelAdmin):
    """The ledger of notifications. What they said is for those who were told."""

    list_display = ("task", "version", "url", "state", "tries", "last_outcome", "due_at", "sent_at")
    list_filter = ("state", "created_at", "due_at")
    list_select_related = ("config",)
    search_fields = ("config__url", "config__task__id")
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (PushAttemptInline,)
    actions = ("send_again",)
    fields = ("task", "version", "url", "state", "tries", "due_at", "lease_until", "created_at", "sent_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PushDelivery]:
        attempts = PushAttempt.objects.filter(delivery=OuterRef("pk")).order_by("-id")
        last = {
            "last_status": Subquery(attempts.values("status")[:1]),
            "last_error": Subquery(attempts.values("error")[:1]),
        }
        return super().get_queryset(request).annotate(**last)

    @admin.display(ordering="config__task")
    def task(self, delivery: PushDelivery) -> str:
        return str(delivery.config.task_id)

    @admin.display(ordering="config__url")
    def url(self, delivery: PushDelivery) -> str:
        return delivery.config.url

    @admin.display(description="Last answer")
    def last_outcome(self, delivery: Any) -> str:
        return str(delivery.last_status or delivery.last_error or "–")

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[PushDelivery]) -> None:
        count = send_again(deliveries)
        self.message_user(request, f"{count} will be sent again. What still waits was left as it is.", messages.SUCCESS)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("agents_app.change_pushdelivery")


@admin.register(ScheduledRun)
class ScheduledRunAdmin(ReadOnly, ModelAdmin):
    """What runs from time to time, and how it went."""

    list_display = ("name", "due_at", "runner", "begun_at", "ended_at", "went_well", "error")
    fields = ("name", "due_at", "runner", "begun_at", "ended_at", "error")
    actions = ("run_now",)

    @admin.display(boolean=True, description="Went well")
    def went_well(self, run: ScheduledRun) -> bool | None:
        return not run.error if run.ended_at else None

    @admin.action(description="Run now", permissions=["run"])
    def run_now(self, request: HttpRequest, runs: QuerySet[ScheduledRun]) -> None:
        self.message_user(request, f"{run_now(runs)} will run within seconds.", messages.SUCCESS)

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("agents_app.change_scheduledrun")
