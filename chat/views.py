"""The pages of the chat. Each fetches with permission, renders, and decides nothing."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.views.decorators.http import conditional_page, require_safe

from accounts.views import SignedInRequest
from agents_app.brains import brain_label
from agents_app.models import Agent, JournalHead
from agents_app.models.message import MessageQuerySet
from chat import access
from chat.agent_styles import agents_stylesheet
from chat.export import FORMATS, export_response
from chat.loading import load_messages
from chat.models import Conversation
from chat.pages import (
    BadCursor,
    Page,
    messages_page,
    messages_page_after,
    messages_page_around,
    participations_page,
)
from chat.protocol import VERSION
from chat.rendering import (
    IMAGES,
    conversation_items,
    messages_html,
    participants_html,
)
from chat.search import search

THEMES = (("system", "monitor", "As the system"), ("light", "sun", "Light"), ("dark", "moon", "Dark"))
MODULES = ("controllers", "models", "helpers")
EXAMPLES_SHOWN = 3
FOUND_PAGE_SIZE = 20
CHOSEN_AGENTS = 4  # with more agents than this the start page chooses only the first


@login_required
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    newest = access.list_participations(request.user).first()
    return redirect("conversation", newest.conversation_id) if newest else start(request)


@login_required
@require_safe
def start(request: SignedInRequest) -> HttpResponse:
    agents = list(access.list_agents())
    chosen = agents if len(agents) <= CHOSEN_AGENTS else agents[:1]
    return _page(request, introductions=[_introduction(agent, agent in chosen) for agent in agents])


def _introduction(agent: Agent, chosen: bool) -> dict[str, Any]:
    examples = [example for skill in agent.skills for example in skill.get("examples", ())]
    return {"agent": agent, "brain": brain_label(agent), "examples": examples[:EXAMPLES_SHOWN], "chosen": chosen}


@login_required
@require_safe
def conversation(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    conversation = _conversation(request, conversation_id)
    # Read before the messages: the page then hears again of what happens in between, instead of never.
    head = JournalHead.objects.filter(context_id=conversation.id).first()
    try:
        messages = _messages(request, conversation)
    except BadCursor as bad:
        return HttpResponseBadRequest(str(bad), "text/plain")
    return _page(
        request,
        conversation=conversation,
        seq=head.seq if head else 0,
        messages=messages,
        participants=participants_html(conversation),
        tasks=access.list_unfinished_tasks(conversation),
    )


@login_required
@require_safe
def older_messages(request: SignedInRequest, conversation_id: UUID) -> HttpResponse:
    conversation = _conversation(request, conversation_id)
    try:
        messages = _messages(request, conversation)
    except BadCursor as bad:
        return HttpResponseBadRequest(str(bad), "text/plain")
    return render(request, "chat/_messages.html", {"conversation": conversation, "messages": messages})


@login_required
@require_safe
def older_conversations(request: SignedInRequest) -> HttpResponse:
    try:
        sidebar = _sidebar(request)
    except BadCursor as bad:
        return HttpResponseBadRequest(str(bad), "text/plain")
    return render(request, "chat/_conversation_items.html", {"sidebar": sidebar})


@login_required
@require_safe
def search_results(request: SignedInRequest) -> HttpResponse:
    query = request.GET.get("q", "")
    try:
        found = search(request.user, query, request.GET.get("before", ""), FOUND_PAGE_SIZE)
    except BadCursor as bad:
        return HttpResponseBadRequest(str(bad), "text/plain")
    return render(request, "chat/_found.html", {"query": query, "found": found})


@login_required
@require_safe
def export(request: SignedInRequest, conversation_id: UUID, format: str) -> HttpResponseBase:
    if format not in FORMATS:
        raise Http404(f'A conversation is exported as {" or ".join(FORMATS)}, not as "{format}".')
    return export_response(_conversation(request, conversation_id), format)


@login_required
@require_safe
def attachment(request: SignedInRequest, attachment_id: UUID) -> HttpResponse:
    """The bytes of a file, in a way that no file can act as a page of ours."""
    try:
        found = access.get_attachment(request.user, attachment_id)
    except access.NotFound as missing:
        raise Http404(str(missing)) from None
    shown = found.media_type in IMAGES
    with found.file.open("rb") as file:
        response = HttpResponse(file.read(), found.media_type if shown else "application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(not shown, found.filename or "file") or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


@require_safe
@conditional_page
def agents_css(request: HttpRequest) -> HttpResponse:
    """The agents' colours: a stylesheet, because the policy forbids style attributes.

    For strangers an empty one: whoever signs out while a page loads would get the page to sign in as its style.
    """
    colours = agents_stylesheet() if request.user.is_authenticated else ""
    return HttpResponse(colours, "text/css", headers={"Cache-Control": "private, no-cache"})


def _conversation(request: SignedInRequest, conversation_id: UUID) -> Conversation:
    try:
        return access.get_conversation(request.user, conversation_id)
    except access.NotFound as missing:
        raise Http404(str(missing)) from None


def _page(request: SignedInRequest, **shown: Any) -> HttpResponse:
    page = {
        "sidebar": _sidebar(request, first=True),
        "themes": THEMES,
        "modules": _modules(),
        "version": VERSION,
        "max_chars": settings.CHAT_MESSAGE_MAX_CHARS,
        "max_bytes": settings.ATTACHMENT_MAX_BYTES,
    }
    return render(request, "chat/page.html", page | shown)


def _sidebar(request: SignedInRequest, first: bool = False) -> Page[SafeString]:
    before = "" if first else request.GET.get("before", "")
    page = participations_page(access.list_participations(request.user), before, settings.CHAT_PAGE_SIZE)
    return Page(conversation_items(page.rows), page.before)


def _messages(request: SignedInRequest, conversation: Conversation) -> dict[str, str]:
    page = _messages_page(request, access.list_messages(conversation), settings.CHAT_PAGE_SIZE)
    html = messages_html(load_messages(page.rows), request.user)
    return {"html": html, "before": page.before, "after": page.after}


def _messages_page(request: SignedInRequest, messages: MessageQuerySet, size: int) -> Page[UUID]:
    """`at` is where the reader wants to be; without it the newest, or what comes before or after a page."""
    if at := request.GET.get("at"):
        return messages_page_around(messages, at, size)
    if after := request.GET.get("after"):
        return messages_page_after(messages, after, size)
    return messages_page(messages, request.GET.get("before", ""), size)


@cache
def _modules() -> list[str]:
    """Every script the page will ask for, from the folder of static files."""
    root = settings.BASE_DIR / "static"
    files = [*root.glob("vendor/stimulus-*.js"), *(file for name in MODULES for file in root.glob(f"js/{name}/*.js"))]
    return sorted(file.relative_to(root).as_posix() for file in files)
