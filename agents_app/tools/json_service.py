"""One question to a service on the web that answers in JSON."""

from __future__ import annotations

import json
from typing import Any

import httpx

from agents_app.base import ToolError
from agents_app.outgoing import LeadsElsewhere, OutgoingError, fetch


async def get_json(service: str, url: str, params: dict[str, Any]) -> Any:
    """The answer of `service` (its name, for errors). Raises `ToolError`; never shows the address, which may have a key."""
    try:
        fetched = await fetch(str(httpx.URL(url, params=params)), accept="application/json")
    except LeadsElsewhere:  # its text has the whole address
        raise ToolError(
            f"{service} has moved to another address. The operator must change it in the settings."
        ) from None
    except OutgoingError as error:
        raise ToolError(f"{service} cannot be asked right now: {error}") from None
    if fetched.status in (401, 403):
        raise ToolError(f"{service} does not accept this server's key.")
    if fetched.status == 429:
        raise ToolError(f"{service} has been asked too often. Try again in a while.")
    try:
        if fetched.status < 400:
            return json.loads(fetched.body)
    except ValueError:
        pass
    raise ToolError(f"{service} did not give an answer that can be used ({fetched.status}).")
