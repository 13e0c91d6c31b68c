"""Running processes, their sockets and their logs, in the admin. What is done to them is `actions/control.py`'s."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.confirmation import ask_first
from accounts.read_only_admin import ReadOnly
from metrics.models import Process
from ops.actions import control
from ops.control.giving import NoSuchProcess, Outcome
from ops.logs import FILES, level_of, read_lines
from ops.models import LogFile, OpenSocket

STATES = {"alive": "success", "silent": "danger"}
# What is asked before it is done, what it does, and the button that does it.
QUESTIONS = {
    "reset_pool": (
        "Replace database connections?",
        "Idle connections are closed at once, those in use when they come back. Requests wait for new ones.",
        "Replace them",
    ),
    "clear_caches": (
        "Clear the caches?",
        "What is cached is read anew: pages are slower for a while.",
        "Clear them",
    ),
    "drain": (
        "Let these processes end?",
        "They hand their tasks over and end. What keeps them up (systemd, Docker) starts them again; else they stay away.",
        "Drain",
    ),
}
RECONNECT = "Pages connect again by themselves within seconds, and lose nothing."
KIND_COLOURS = {"Web": "info", "Worker": "success", "gRPC": "warning"}


class ForStaff(ReadOnly):
    """Every member of the staff sees them; only superusers change something."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff)


@admin.register(Process)
class ProcessAdmin(ForStaff, ModelAdmin):
    list_display = ("name", "shown_kind", "state", "version", "started_at", "memory", "lag", "sockets", "tasks", "pool")
    list_display_links = None
    list_before_template = "ops/_processes.html"
    actions = ("reset_pools", "drain")

    def get_urls(self) -> list[URLPattern]:
        wrapped = {
            name: self.admin_site.admin_view(require_POST(self._button(name, act)))
            for name, act in (
                ("reset_pool", control.reset_pool),
                ("recover", control.recover_tasks),
                ("clear_caches", control.clear_caches),
            )
        }
        ours = [path(f"{name}/", view, name=f"ops_{name}") for name, view in wrapped.items()]
        return [*ours, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        shown = {"may_change": request.user.is_superuser}
        return super().changelist_view(request, (extra_context or {}) | shown)

    @admin.action(description="Replace their database connections", permissions=["change_processes"])
    def reset_pools(self, request: HttpRequest, processes: QuerySet[Process]) -> HttpResponse | None:
        return self._each(request, "reset_pool", control.reset_pool, processes)

    @admin.action(description="Drain: hand over what runs, and end", permissions=["change_processes"])
    def drain(self, request: HttpRequest, processes: QuerySet[Process]) -> HttpResponse | None:
        return self._each(request, "drain", control.drain_process, processes)

    def has_change_processes_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @display(description="Kind", ordering="kind", label=KIND_COLOURS)
    def shown_kind(self, process: Process) -> str:
        return process.get_kind_display()

    @display(description="State", label=STATES)
    def state(self, process: Process) -> str:
        return "alive" if process.is_alive else "silent"

    @display(description="Memory", ordering="memory_bytes")
    def memory(self, process: Process) -> str:
        return filesizeformat(process.memory_bytes)

    @display(description="Loop lag", ordering="loop_lag_seconds")
    def lag(self, process: Process) -> str:
        return f"{process.loop_lag_seconds * 1000:,.0f} ms"

    @display(description="Sockets", ordering="open_sockets")
    def sockets(self, process: Process) -> int:
        return process.open_sockets

    @display(description="Tasks", ordering="running_tasks")
    def tasks(self, process: Process) -> int:
        return process.running_tasks

    @display(description="Pool")
    def pool(self, process: Process) -> str:
        if process.pool_size is None:
            return "–"
        used = f"{process.pool_in_use} of {process.pool_size} in use, at most {process.pool_max}"
        return format_html("{}<br>{} waiting, {} in vain", used, process.pool_waiting, process.pool_timeouts)

    def _button(self, name: str, act: Callable[[], Outcome]) -> Callable[[HttpRequest], HttpResponse]:
        def press(request: HttpRequest) -> HttpResponse:
            _require_superuser(request)
            asked = name in QUESTIONS and self._ask(request, name, ["Every process"])
            if asked:
                return asked
            _tell(request, act)
            return HttpResponseRedirect(reverse("admin:metrics_process_changelist"))

        return press

    def _each(
        self, request: HttpRequest, name: str, act: Callable[[str], Outcome], processes: QuerySet[Process]
    ) -> HttpResponse | None:
        asked = self._ask(request, name, [process.name for process in processes])
        if asked is None:
            for process in processes:
                _tell(request, partial(act, process.name))
        return asked

    def _ask(self, request: HttpRequest, name: str, about: list[str]) -> HttpResponse | None:
        question, what_happens, button = QUESTIONS[name]
        back = reverse("admin:metrics_process_changelist")
        return ask_first(request, self.admin_site, question, what_happens, button=button, back=back, about=about)


@admin.register(OpenSocket)
class OpenSocketAdmin(ForStaff, ModelAdmin):
    """Asked of the processes when the page is loaded."""

    def get_urls(self) -> list[URLPattern]:
        close = self.admin_site.admin_view(require_POST(self.close))
        return [path("close/", close, name="ops_close_sockets"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        found = control.list_sockets()
        for one in found.sockets:
            for name in ("since", "heard_at"):
                one[name] = datetime.fromtimestamp(one[name], UTC)
        page = {"title": "WebSockets", "found": found, "may_change": request.user.is_superuser}
        return TemplateResponse(request, "ops/sockets.html", self.admin_site.each_context(request) | page)

    def close(self, request: HttpRequest) -> HttpResponse:
        _require_superuser(request)
        socket, person = request.POST.get("socket", ""), request.POST.get("person", "")
        back = reverse("admin:ops_opensocket_changelist")
        which = "this WebSocket" if socket else "every WebSocket of this person" if person else "every WebSocket"
        asked = ask_first(request, self.admin_site, f"Close {which}?", RECONNECT, button="Close", back=back)
        if asked is not None:
            return asked
        _tell(request, lambda: control.reset_sockets(socket, person))
        return HttpResponseRedirect(back)


@admin.register(LogFile)
class LogFileAdmin(ForStaff, ModelAdmin):
    """Searched, and followed: the page loads itself again when asked to."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        file = request.GET.get("file", "server")
        file = file if file in FILES else "server"
        words, level = request.GET.get("words", "")[:200], request.GET.get("level", "")
        lines = [(level_of(line), line) for line in read_lines(file, words, level)]
        page: dict[str, Any] = {
            "title": "Logs",
            "file": file,
            "files": list(FILES),
            "words": words,
            "level": level,
            "lines": lines,
        }
        page |= {"levels": ("DEBUG", "INFO", "WARNING", "ERROR"), "follow": "follow" in request.GET}
        response = TemplateResponse(request, "ops/logs.html", self.admin_site.each_context(request) | page)
        if "follow" in request.GET:
            response["Refresh"] = "3"
        return response


def _require_superuser(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied


def _tell(request: HttpRequest, act: Callable[[], Outcome]) -> None:
    try:
        outcome = act()
    except NoSuchProcess as missing:
        messages.error(request, str(missing))
        return
    for name, told in outcome.answers.items():
        messages.success(request, f"{name}: {', '.join(f'{key} {value}' for key, value in told.items())}")
    for name in outcome.silent:
        messages.error(request, f"{name} is alive and did not answer.")
