"""Requests that come round in a ring, also over other servers.

Names say nothing there: two servers may each have a Chloe. So whoever passes a request on adds a mark of its own to the
budget that travels with it. Only the server that made a mark can know it again; to others it tells nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from django.conf import settings

from agents_app.models import Task

THROUGH = "through"  # in a budget: the marks of the agents that passed the request on, outermost first
MARK_CHARS = 22  # 128 bits
PURPOSE = b"tkr-agent-chat chain 1:"


def mark(agent_id: str) -> str:
    return _mark(settings.SECRET_KEY, agent_id)


def with_mark(budget: dict[str, Any], agent_id: str) -> list[str]:
    """The marks of a request that this agent passes on."""
    return [*budget.get(THROUGH, []), mark(agent_id)]


def came_round(task: Task) -> bool:
    """Whether its agent passed this very request on before."""
    if not (through := task.budget.get(THROUGH)):
        return False
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(_mark(str(key), task.agent_id) in through for key in keys)


def _mark(key: str, agent_id: str) -> str:
    digest = hmac.digest(key.encode(), PURPOSE + agent_id.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()[:MARK_CHARS]
