"""The A2A edge: an ASGI application beside Django's, for everything under /a2a/ and the well-known addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from agents_app.a2a import jsonrpc
from agents_app.a2a.admission import Admission
from agents_app.a2a.bindings import HttpJsonCall, JsonRpcCall
from agents_app.a2a.directory import find_agent
from agents_app.a2a.errors import NoSuchAddress, Refusal, WrongMethod, rest_error
from agents_app.a2a.http import Receive, Request, Response, Send
from agents_app.a2a.legacy.calls import LegacyHttpJsonCall
from agents_app.a2a.negotiation import is_legacy
from agents_app.a2a.served import Served, served_card, served_catalogue, served_keys, served_legacy_card
from agents_app.registry import UnknownAgent

Application = Callable[[Any, Any, Any], Awaitable[None]]

CARD_PATH = "/.well-known/agent-card.json"
LEGACY_CARD_PATHS = ("/v0.3/.well-known/agent-card.json", "/v0.3/.well-known/agent.json", "/.well-known/agent.json")
KEYS_PATH = "/.well-known/jwks.json"
CARD_SECONDS = 60  # for which a card may be kept


class Edge:
    """Takes what is A2A's, and leaves the rest to Django."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._admission = Admission()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not (path.startswith("/a2a/") or path in (CARD_PATH, KEYS_PATH, "/a2a")):
            await self._django(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            if not request.is_for_us:
                raise NoSuchAddress("This server is not called that. See ALLOWED_HOSTS.")
            await self._route(request, send)
        except Refusal as refusal:
            await _refused(request, refusal).send(send)
        except UnknownAgent as unknown:
            await _refused(request, NoSuchAddress(str(unknown))).send(send)

    async def _route(self, request: Request, send: Send) -> None:
        if request.path == CARD_PATH:
            await _document(request, await served_card(None, request.base)).send(send)
        elif request.path == KEYS_PATH:
            await _document(request, await served_keys(request.base)).send(send)
        elif request.path in ("/a2a", "/a2a/"):
            await _document(request, await served_catalogue(request.base)).send(send)
        else:
            agent_id, _, rest = request.path.removeprefix("/a2a/").partition("/")
            await self._route_to_agent(request, agent_id, f"/{rest}", send)

    async def _route_to_agent(self, request: Request, agent_id: str, rest: str, send: Send) -> None:
        agent = await find_agent(agent_id)
        if agent is None:
            raise UnknownAgent(agent_id)
        if rest == CARD_PATH:
            await _document(request, await served_card(agent_id, request.base)).send(send)
        elif rest in LEGACY_CARD_PATHS:
            await _document(request, await served_legacy_card(agent_id, request.base)).send(send)
        elif rest == "/":
            await JsonRpcCall(self._admission, request, agent).run(send)
        elif rest.startswith("/v1/") or rest == "/v1":
            kind = LegacyHttpJsonCall if is_legacy(request.parameter("A2A-Version")) else HttpJsonCall
            await kind(self._admission, request, agent, rest.removeprefix("/v1")).run(send)
        else:
            raise NoSuchAddress("There is nothing at this address. See /docs/ for those that A2A has.")


def _document(request: Request, served: Served) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise WrongMethod("This is read with GET.", headers={"allow": "GET, HEAD"})
    headers = {
        "etag": served.etag,
        "last-modified": served.last_modified,
        "cache-control": f"public, max-age={CARD_SECONDS}",
        "access-control-allow-origin": "*",  # it is public, and pages of other servers may show it
    }
    known = served.is_known_to(request.headers.get("if-none-match", ""), request.headers.get("if-modified-since", ""))
    if known:
        return Response(304, headers=headers)
    return Response(200, b"" if request.method == "HEAD" else served.body, headers=headers)


def _refused(request: Request, refusal: Refusal) -> Response:
    return Response(refusal.status, jsonrpc.dumps(rest_error(refusal)), headers=dict(refusal.headers))
