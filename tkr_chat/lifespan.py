from __future__ import annotations

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, LifespanScope

from tkr_chat import lifetime


async def lifespan(scope: LifespanScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """ASGI's lifespan protocol, for other servers: `manage.py serve` does the same by itself."""
    await receive()
    started = False
    try:
        await lifetime.begin("web")
        started = True
    finally:
        if not started:  # a server that is not told goes on without agents
            await send({"type": "lifespan.startup.failed", "message": "The agents did not start; the log says why."})
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await lifetime.end()
    await send({"type": "lifespan.shutdown.complete"})
