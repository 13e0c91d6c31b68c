"""The page with an agent's certificate, and the button that has it tested anew."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.views import SignedInRequest
from agents_app.a2a.certificate.desk import Busy, NobodyHere, request_test
from agents_app.a2a.certificate.shelf import load_certificate
from agents_app.models import Agent
from chat import access

LEVELS = ("red", "amber", "green")  # what needs looking at comes first


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: SignedInRequest, agent_id: str) -> HttpResponse:
    try:
        agent = access.get_agent(agent_id)
    except access.NotFound as missing:
        raise Http404(str(missing)) from None
    return _test(request, agent) if request.method == "POST" else _page(request, agent)


def _test(request: SignedInRequest, agent: Agent) -> HttpResponse:
    if not request.user.is_staff:
        raise PermissionDenied
    try:
        request_test(agent.id, request.user.id)
    except (Busy, NobodyHere) as refused:
        messages.error(request, str(refused))
    return redirect("agent_certificate", agent.id)


def _page(request: SignedInRequest, agent: Agent) -> HttpResponse:
    found = load_certificate(agent)
    rows = sorted(found.findings, key=lambda finding: LEVELS.index(finding["level"]))
    shown = {
        "agent": agent,
        "remote": getattr(agent, "remote", None),
        "certificate": found,
        "rows": rows,
        "counts": [(level, found.counts[level]) for level in reversed(LEVELS)],
        "may_test": request.user.is_staff,
    }
    return render(request, "chat/certificate.html", shown)
