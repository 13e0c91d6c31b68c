"""The pages of tasks: the list, and one with all that was done and sent for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models.functions import Substr
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from accounts.views import SignedInRequest
from agents_app.models import Artifact, Message, Step, Task
from chat import access
from chat.chains import agent_names, chain_of
from chat.exchanges import count_exchanges, load_exchanges
from chat.pages import BadCursor, Page, everybodys_tasks_page, tasks_page
from chat.protocol import VERSION
from chat.rendering import shown_artifact
from chat.sequence import caller_name, load_sequence
from chat.task_filter import TaskFilter
from chat.timeline import load_timeline

WORDS_CHARS = 240


@login_required
@require_safe
def tasks(request: SignedInRequest) -> HttpResponse:
    filter = TaskFilter(request.user, request.GET)
    try:
        page = _page(filter, request.GET.get("before", ""))
    except BadCursor as bad:
        return HttpResponseBadRequest(str(bad), "text/plain")
    names = agent_names(page.rows)
    query = request.GET.copy()
    query["before"] = page.before
    shown = {
        "filter": filter,
        "tasks": [(task, chain_of(task, names), task.updated_at - task.created_at) for task in page.rows],
        "older": query.urlencode() if page.before else "",
        "first": not request.GET.get("before"),
    }
    return render(request, "chat/tasks.html", shown)


def _page(filter: TaskFilter, before: str) -> Page[Task]:
    words = Substr("request__text", 1, WORDS_CHARS)
    found = filter.tasks().select_related("agent", "owner").annotate(words=words)
    page = everybodys_tasks_page if filter.of_everybody else tasks_page
    return page(found, before, settings.CHAT_PAGE_SIZE)


@login_required
@require_safe
def task(request: SignedInRequest, task_id: UUID) -> HttpResponse:
    try:
        found = access.get_task_record(request.user, task_id)
        exchanges = load_exchanges(found, request.GET.get("before", ""))
    except access.NotFound as missing:
        raise Http404(str(missing)) from None
    except BadCursor as bad:
        return HttpResponseBadRequest(str(bad), "text/plain")
    conversation = access.find_conversation(request.user, found.context_id)
    shown = {
        "task": found,
        "chain": chain_of(found, agent_names([found])),
        "conversation": conversation,
        "live": conversation is not None and not found.is_terminal,
        "mine": found.owner_id == request.user.pk,
        "took": found.updated_at - found.created_at,
        "facts": _facts(found),
        "timeline": load_timeline(found),
        "diagram": load_sequence(found, caller_name(found, request.user.pk)),
        "artifacts": _artifacts(found),
        "exchanges": exchanges,
        "exchanges_count": count_exchanges(found.id),
        "version": VERSION,
    }
    return render(request, "chat/task.html", shown)


def _facts(task: Task) -> list[tuple[str, str]]:
    """What the task may still use, and what it took; each only where known."""
    usages = [usage for usage in task.messages.values_list("usage", flat=True) if usage]
    tokens = sum((usage.get("input_tokens") or 0) + (usage.get("output_tokens") or 0) for usage in usages)
    price = sum(float(usage.get("price") or 0) for usage in usages)
    facts = [
        ("Tokens", f"{tokens:,}" if tokens else ""),
        ("Price", f"${price:.4f}" if price else ""),
        ("Budget left", "" if task.is_terminal else _budget_left(task.budget, tokens)),
        ("Began", f"{task.attempts} times" if task.attempts > 1 else ""),
        ("Tenant", task.tenant),
    ]
    return [(name, value) for name, value in facts if value]


def _budget_left(budget: dict[str, Any], spent: int) -> str:
    """In words, from `{hops, tokens, deadline}`, none of which need be there."""
    deadline = parse_datetime(budget.get("deadline") or "")
    seconds = max((deadline - timezone.now()).total_seconds(), 0) if deadline else None
    left = [
        f"{budget['hops']} delegations" if "hops" in budget else "",
        f"{max(budget['tokens'] - spent, 0):,} tokens" if "tokens" in budget and not budget.get("round") else "",
        f"{seconds:.0f} s" if seconds is not None else "",
    ]
    return ", ".join(part for part in left if part)


def _artifacts(task: Task) -> list[dict[str, Any]]:
    """What came out of it: what the agent said, but for its questions, and what it made besides."""
    questions = [step.data.get("question") for step in task.steps.filter(kind=Step.Kind.ASK)]
    said = task.messages.filter(role=Message.Role.AGENT).exclude(text="", parts=[]).order_by("seq")
    answers = [Artifact(name="Answer", parts=message.all_parts) for message in said if message.text not in questions]
    return [shown_artifact(artifact) for artifact in (*answers, *task.artifacts.order_by("id"))]
