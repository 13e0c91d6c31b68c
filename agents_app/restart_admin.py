"""What an agent works on now, in the admin, and the buttons that restart what hangs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin

from accounts.confirmation import ask_first
from agents_app.actions.restarts import NoSuchRun, restart_agent
from agents_app.models import Agent
from agents_app.runtime.restarting import count_runs, hung, running

WHAT_HAPPENS = (
    "What runs is stopped, and the task begins anew from its last finished step, within seconds. Tools that had finished "
    "are not called again; one that was running is."
)


class RestartAdmin(ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<str:agent_id>/running/", view(require_safe(self.running)), name="agents_app_agent_running"),
            path("<str:agent_id>/restart/", view(require_POST(self.restart)), name="agents_app_agent_restart"),
            *super().get_urls(),
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        runs = count_runs()  # one pair of queries for the whole list
        for agent in changelist.result_list:
            agent.runs = runs.get(agent.pk, (0, 0))
        return changelist

    def works_on(self, agent: Any) -> str:
        at_work, silent = agent.runs
        if not at_work:
            return "–"
        hanging = f", {silent} seem{'s' if silent == 1 else ''} to hang" if silent else ""
        text = f"{at_work} task{'s' if at_work > 1 else ''}{hanging}"
        link = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
        return format_html(link, reverse("admin:agents_app_agent_running", args=[agent.pk]), text)

    works_on.short_description = "Works on"  # type: ignore[attr-defined]

    def running(self, request: HttpRequest, agent_id: str) -> HttpResponse:
        agent = get_object_or_404(Agent, pk=agent_id)
        if not self.has_view_permission(request, agent):
            raise PermissionDenied
        hanging = set(hung().filter(agent=agent).values_list("pk", flat=True))
        runs = [(task, task.pk in hanging) for task in running().filter(agent=agent).select_related("owner")]
        page = {"title": f"What {agent} works on", "agent": agent, "runs": runs, "hanging": len(hanging)}
        page |= {"may_change": self.has_change_permission(request, agent)}
        return TemplateResponse(request, "agents_app/running.html", self.admin_site.each_context(request) | page)

    def restart(self, request: HttpRequest, agent_id: str) -> HttpResponse:
        """One task, everything, or what seems to hang."""
        agent = get_object_or_404(Agent, pk=agent_id)
        if not self.has_change_permission(request, agent):
            raise PermissionDenied
        task_id, everything = _task_id(request), bool(request.POST.get("everything"))
        back = reverse("admin:agents_app_agent_running", args=[agent.pk])
        which = f"task {task_id}" if task_id else f"{'everything' if everything else 'what seems to hang'} of {agent}"
        asked = ask_first(request, self.admin_site, f"Restart {which}?", WHAT_HAPPENS, button="Restart", back=back)
        if asked is not None:
            return asked
        try:
            restarted = restart_agent(agent, task_id, everything=everything)
        except NoSuchRun as gone:
            self.message_user(request, str(gone), messages.WARNING)
        else:
            said = f"{len(restarted)} restarted." if restarted else "Nothing seems to hang any more."
            self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(back)


def _task_id(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST["task"]) if request.POST.get("task") else None
    except ValueError:
        raise Http404 from None
