"""The REST API under /api/v1/. It translates between JSON and the actions, and decides nothing."""

from __future__ import annotations

from ninja import NinjaAPI

from chat.api.agents import router as agents
from chat.api.authentication import SessionAuth, TokenAuth
from chat.api.conversations import router as conversations
from chat.api.errors import explain_errors
from chat.api.files import router as files
from chat.api.messages import router as messages
from chat.api.participants import router as participants
from chat.api.search import router as search
from chat.api.tasks import router as tasks

DESCRIPTION = """\
Everything the chat page can do, for scripts and other programs.

Send `Authorization: Bearer <token>` with a token from your settings page; the program then acts as you. A signed-in
browser may call it too, with Django's CSRF token in the header `X-CSRFToken`.

Lists give one page and, in `before`, the cursor of the next page; it is empty on the last one. Every error is
`{"error": {"code": "…", "message": "…"}}`: the code is for programs, the message for people.
"""

api = NinjaAPI(
    title="tkr-agent-chat",
    version="1",
    description=DESCRIPTION,
    docs_url=None,  # /docs/api shows the reference: ninja's own page needs inline scripts
    auth=[TokenAuth(), SessionAuth()],
    urls_namespace="api",
)
explain_errors(api)
for router, tag in (
    (conversations, "Conversations"),
    (participants, "Participants"),
    (messages, "Messages"),
    (search, "Search"),
    (files, "Files"),
    (tasks, "Tasks"),
    (agents, "Agents"),
):
    api.add_router("", router, tags=[tag])
