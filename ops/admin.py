from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.actions.audit import note
from accounts.read_only_admin import ReadOnly
from ops import process_admin  # noqa: F401  (registers its pages)
from ops.access import last_proof
from ops.actions.backups import ask_for_backup, ask_for_proof, take_stock
from ops.backups.refusals import Refused
from ops.backups.stores import the_store
from ops.models import Backup

CHUNK_BYTES = 1024 * 1024
STATE_COLOURS = {"whole": "success", "running": "info", "failed": "danger", "gone": "warning"}
PROOF_COLOURS = {"proven": "success", "running": "info", "failed": "danger", "not yet": "warning"}


@admin.register(Backup)
class BackupAdmin(ReadOnly, ModelAdmin):
    """The ledger. Whoever holds a backup holds everything, so only superusers make, prove and fetch one."""

    list_display = ("made", "shown_state", "shown_proof", "shown_size", "messages", "version", "took", "fetch")
    list_filter = ("state", "proof")
    search_fields = ("name",)
    list_before_template = "ops/_backups.html"
    change_form_outer_before_template = "ops/_backup.html"
    fields = (
        *("name", "state", "error", "made_at", "took", "shown_size", "messages", "version", "database", "encrypted"),
        *("asked_by", "proof", "proof_error", "proven_at", "proof_took", "missing_files"),
    )

    def get_urls(self) -> list[URLPattern]:
        views = {
            "make": path("make/", self.admin_site.admin_view(require_POST(self.make)), name="ops_backup_make"),
            "prove": path(
                "<int:pk>/prove/", self.admin_site.admin_view(require_POST(self.prove)), name="ops_backup_prove"
            ),
            "download": path(
                "<int:pk>/download/", self.admin_site.admin_view(self.download), name="ops_backup_download"
            ),
        }
        return [*views.values(), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            take_stock()
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        shown: dict[str, Any] = {
            "proof": last_proof(),
            "at": settings.BACKUP_AT,
            "encrypted": bool(settings.BACKUP_KEY),
        }
        shown |= {"where": _where(), "may_make": request.user.is_superuser}
        return super().changelist_view(request, (extra_context or {}) | shown)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        shown = {"may_make": request.user.is_superuser}
        return super().changeform_view(request, object_id, form_url, (extra_context or {}) | shown)

    def make(self, request: HttpRequest) -> HttpResponse:
        _require_superuser(request)
        return self._done(
            request, "It is being made. Load this page again in a while.", lambda: ask_for_backup(request.user)
        )

    def prove(self, request: HttpRequest, pk: int) -> HttpResponse:
        _require_superuser(request)
        backup = get_object_or_404(Backup, pk=pk)
        return self._done(
            request, "It is being proven. Load this page again in a while.", lambda: ask_for_proof(backup)
        )

    def download(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        _require_superuser(request)
        backup = get_object_or_404(Backup.objects.whole(), pk=pk)
        note("backup.downloaded", backup)
        response = StreamingHttpResponse(_chunks(backup.name), content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{backup.name}"'
        response["Content-Length"] = str(backup.size)
        return response

    @display(description="Made", ordering="made_at")
    def made(self, backup: Backup) -> str:
        return f"{backup.made_at:%Y-%m-%d %H:%M} UTC"

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def shown_state(self, backup: Backup) -> str:
        return backup.get_state_display().lower()

    @display(description="Proof", ordering="proof", label=PROOF_COLOURS)
    def shown_proof(self, backup: Backup) -> str:
        return backup.get_proof_display().lower()

    @display(description="Size", ordering="size")
    def shown_size(self, backup: Backup) -> str:
        return filesizeformat(backup.size) if backup.size else "–"

    @display(description="Took", ordering="seconds")
    def took(self, backup: Backup) -> str:
        return "–" if backup.seconds is None else f"{backup.seconds:,.1f} s"

    @display(description="The proof took")
    def proof_took(self, backup: Backup) -> str:
        return "–" if backup.proof_seconds is None else f"{backup.proof_seconds:,.1f} s"

    @display(description="File")
    def fetch(self, backup: Backup) -> str:
        if backup.state != Backup.State.WHOLE:
            return "–"
        return format_html('<a href="{}">Download</a>', reverse("admin:ops_backup_download", args=[backup.pk]))

    def _done(self, request: HttpRequest, said: str, do: Any) -> HttpResponse:
        try:
            do()
            self.message_user(request, said, messages.SUCCESS)
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:ops_backup_changelist"))


def _where() -> str:
    try:
        return the_store().where
    except Refused as refusal:
        return str(refusal)


def _require_superuser(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied


async def _chunks(name: str) -> AsyncIterator[bytes]:
    """Read beside the event loop, and never more of it than is sent."""
    with the_store().reading(name) as source:
        while data := await asyncio.to_thread(source.read, CHUNK_BYTES):
            yield data
