"""ListTasks: a caller's tasks, the newest status first, page by page."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from agents_app.a2a import access, wire
from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import invalid
from agents_app.a2a.loading import load_views
from agents_app.a2a.schema import ListRequest
from agents_app.a2a.wire import Json
from agents_app.models import Task


def list_page(agent_id: str, caller: Caller, request: ListRequest) -> Json:
    """A ListTasksResponse. Reads the database. Raises `InvalidParamsError` for a token that is none of ours."""
    tasks = _filtered(access.list_tasks(agent_id, caller), caller, request)
    total = tasks.count()
    rest = tasks.filter(_behind(request.page_token)) if request.page_token else tasks
    found = list(rest.order_by("-updated_at", "-id")[: request.page_size + 1])
    page = found[: request.page_size]
    views = load_views(page, artifacts=request.with_artifacts)
    return {
        "tasks": [wire.task_json(view, request.history_length, artifacts=request.with_artifacts) for view in views],
        "nextPageToken": _token(page[-1]) if len(found) > len(page) else "",
        "pageSize": request.page_size,
        "totalSize": total,
    }


def _filtered(tasks: QuerySet[Task], caller: Caller, request: ListRequest) -> QuerySet[Task]:
    if request.context_id:
        head = access.find_context(request.context_id, caller)
        id = head.context_id if head else access.as_uuid(request.context_id)
        tasks = tasks.filter(context_id=id) if id else tasks.none()
    if request.state:
        tasks = tasks.filter(state=request.state)
    if request.changed_since:
        tasks = tasks.filter(updated_at__gte=request.changed_since)
    return tasks


def _token(last: Task) -> str:
    return base64.urlsafe_b64encode(f"{last.updated_at.isoformat()} {last.id}".encode()).decode()


def _behind(token: str) -> Q:
    """What comes after the position that a token names."""
    try:
        moment, id = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
        updated_at, last = datetime.fromisoformat(moment), UUID(id)
    except (ValueError, binascii.Error):
        raise invalid("pageToken", "is none that this server gave") from None
    return Q(updated_at__lt=updated_at) | Q(updated_at=updated_at, id__lt=last)
