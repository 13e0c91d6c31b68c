"""The pages of agents: who is here, and, for administrators, adding agents of other servers and looking after them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.views import SignedInRequest
from agents_app.a2a.client.card_file import difference, parse_card
from agents_app.a2a.client.credentials import list_schemes, unseal
from agents_app.a2a.client.errors import RemoteError
from agents_app.a2a.client.health import check
from agents_app.a2a.client.preview import Preview, preview_remote_agent
from agents_app.actions.remote_agents import (
    BadRemoteAgent,
    accept_changed_card,
    add_remote_agent,
    remove_remote_agent,
    update_credentials,
)
from agents_app.brains import brain_label
from agents_app.models import Agent, RemoteAgent
from agents_app.vault import Unreadable
from chat import access

CREDENTIAL = "credential:"  # before the name of a security scheme


@login_required
@require_safe
def agents(request: SignedInRequest) -> HttpResponse:
    return _list(request)


@login_required
@require_safe
def agent(request: SignedInRequest, agent_id: str) -> HttpResponse:
    return _detail(request, _agent(agent_id))


def for_administrators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @login_required
    @wraps(view)
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@for_administrators
@require_POST
def preview(request: SignedInRequest) -> HttpResponse:
    """Read the card behind an address and show what adding it would mean; nothing is kept."""
    url = request.POST.get("url", "").strip()
    try:
        found = async_to_sync(preview_remote_agent)(url)
    except RemoteError as error:
        return _list(request, url=url, error=str(error))
    return _consent(request, found, found.agent_id)


@for_administrators
@require_http_methods(["POST"])
def add(request: SignedInRequest) -> HttpResponse:
    """Keep what was shown, unless the card has become another one meanwhile."""
    url, agent_id = request.POST.get("url", ""), request.POST.get("agent_id", "")
    try:
        found = async_to_sync(preview_remote_agent)(url)
    except RemoteError as error:
        return _list(request, url=url, error=str(error))
    if found.sha256 != request.POST.get("sha256"):
        return _consent(request, found, agent_id, error="The card has changed just now. Look at it again.")
    try:
        remote = add_remote_agent(request.user, found, _credentials(request), agent_id)
    except BadRemoteAgent as bad:
        return _consent(request, found, agent_id, error=str(bad))
    messages.success(request, f"{found.name} is here now. Call it by @{remote.agent_id}.")
    return redirect("agent", remote.agent_id)


@for_administrators
@require_POST
def remove(request: SignedInRequest, agent_id: str) -> HttpResponse:
    remote = _remote(agent_id)
    name = remote.agent.name
    remove_remote_agent(request.user, remote)
    messages.success(request, f"{name} is removed. What it has said stays.")
    return redirect("agents")


@for_administrators
@require_POST
def credentials(request: SignedInRequest, agent_id: str) -> HttpResponse:
    """An empty field keeps what is there; what is to be removed is ticked."""
    remote = _remote(agent_id)
    given: dict[str, str | None] = {name: secret or None for name, secret in _credentials(request).items()}
    given |= dict.fromkeys(request.POST.getlist("forget"), "")
    try:
        update_credentials(request.user, remote, given)
    except BadRemoteAgent as bad:
        return _detail(request, remote.agent, error=str(bad))
    messages.success(request, "The credentials are saved.")
    return redirect("agent", agent_id)


@for_administrators
@require_POST
def accept(request: SignedInRequest, agent_id: str) -> HttpResponse:
    remote = _remote(agent_id)
    try:
        accept_changed_card(request.user, remote)
    except RemoteError as error:
        return _detail(request, remote.agent, error=str(error))
    messages.success(request, f"The new card of {remote.agent.name} is accepted.")
    return redirect("agent", agent_id)


@for_administrators
@require_POST
def look(request: SignedInRequest, agent_id: str) -> HttpResponse:
    """Look at its card now instead of later."""
    async_to_sync(check)(_remote(agent_id))
    return redirect("agent", agent_id)


def _list(request: SignedInRequest, **shown: Any) -> HttpResponse:
    listed = [(agent, brain_label(agent)) for agent in access.list_agents()]
    page = {"agents": listed, "may_add": request.user.is_staff}
    return render(request, "chat/agents.html", page | shown, status=422 if "error" in shown else 200)


def _consent(request: SignedInRequest, preview: Preview, agent_id: str, error: str = "") -> HttpResponse:
    shown = {"preview": preview, "agent_id": agent_id, "error": error}
    return render(request, "chat/agents_add.html", shown, status=422 if error else 200)


def _detail(request: SignedInRequest, agent: Agent, error: str = "") -> HttpResponse:
    remote = getattr(agent, "remote", None)
    shown = {"agent": agent, "remote": remote, "brain": brain_label(agent), "error": error}
    if remote is not None:
        shown |= _remote_details(remote)
    return render(request, "chat/agents_detail.html", shown, status=422 if error else 200)


def _remote_details(remote: RemoteAgent) -> dict[str, Any]:
    card = parse_card(remote.card)
    try:
        known, unreadable = unseal(remote), False
    except Unreadable:
        known, unreadable = {}, True
    return {
        "card": card,
        "schemes": [(scheme, scheme.name in known) for scheme in list_schemes(card)],
        "unreadable": unreadable,
        "changes": difference(remote.card, remote.pending_card) if remote.pending_card else [],
    }


def _agent(agent_id: str) -> Agent:
    try:
        return access.get_agent(agent_id)
    except access.NotFound as missing:
        raise Http404(str(missing)) from None


def _remote(agent_id: str) -> RemoteAgent:
    remote = getattr(_agent(agent_id), "remote", None)
    if remote is None:
        raise Http404("This agent is one of this server.")
    return remote


def _credentials(request: SignedInRequest) -> dict[str, str]:
    fields = [name for name in request.POST if name.startswith(CREDENTIAL)]
    return {name.removeprefix(CREDENTIAL): request.POST[name] for name in fields}
