"""Who calls: from a token, or from the setting that allows callers without one, to what they may do."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from uuid import UUID

from django.conf import settings

from accounts.access import find_token, list_usable_tokens
from accounts.actions.users import get_guest
from accounts.models import Scope
from accounts.secrets import hash_of
from agents_app.a2a.errors import Forbidden, Unauthenticated
from agents_app.threads import in_thread

KNOWN_SECONDS = 1.0  # for which a token is not looked up again: a revoked one works no longer than that
KNOWN_TOKENS = 1000
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
EVERYTHING = frozenset(Scope.values)


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a call is made; with `tenant`, the key of everything it may see."""

    user_id: UUID
    user_name: str
    scopes: frozenset[str]
    agents: frozenset[str]  # empty: all
    bound_tenant: str  # a token may belong to one tenant; empty: to none in particular
    key: str  # for limits: the token, or the address
    token_id: UUID | None = None
    is_anonymous: bool = False
    tenant: str = ""  # of this call
    is_legacy: bool = False  # speaks 0.3 in this call

    def in_tenant(self, tenant: str) -> Caller:
        """Raises `Forbidden`."""
        if self.bound_tenant and tenant not in ("", self.bound_tenant):
            raise Forbidden("This token belongs to another tenant.")
        chosen = tenant or self.bound_tenant
        return self if chosen == self.tenant else replace(self, tenant=chosen)

    def of_legacy(self) -> Caller:
        return replace(self, is_legacy=True)

    def require(self, scope: str, agent_id: str) -> None:
        """Raises `Forbidden`."""
        if scope not in self.scopes:
            raise Forbidden(f"This token lacks the scope {scope}. Make one that has it on the settings page.")
        if self.agents and agent_id not in self.agents:
            raise Forbidden("This token is not for this agent.")


_known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
_guest: tuple[UUID, str] | None = None


async def identify(headers: Mapping[str, str], address: str) -> Caller:
    """`headers` in lower case; `address`: whence the connection comes. Raises `Unauthenticated`."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if not scheme:
        return await _anonymous(headers, address)
    if scheme.lower() != "bearer" or not credentials.strip():
        raise Unauthenticated("Send `Authorization: Bearer <token>` with a token from the settings page.")
    return await _by_token(credentials.strip())


def forget() -> None:
    """Look everybody up anew, for tests."""
    global _guest
    _guest = None
    _known.clear()


async def _by_token(text: str) -> Caller:
    key, now = hash_of(text), time.monotonic()
    known = _known.get(key)
    if known is not None and known[0] > now:
        return known[1]
    caller = await in_thread(_load, text)
    if caller is None:
        raise Unauthenticated("This token is not known here, has expired, or was revoked.")
    _known[key] = (now + KNOWN_SECONDS, caller)
    while len(_known) > KNOWN_TOKENS:
        _known.popitem(last=False)
    return caller


def _load(text: str) -> Caller | None:
    token = find_token(text)
    if token is None:
        return None
    return Caller(
        user_id=token.user_id,
        user_name=token.user.name,
        scopes=frozenset(token.scopes),
        agents=frozenset(token.agents),
        bound_tenant=token.tenant,
        key=f"token:{token.id}",
        token_id=token.id,
    )


def find_lost(callers: set[Caller]) -> set[Caller]:
    """Those whose token does not let them do any more what it did. Reads the database."""
    tokens = list_usable_tokens({caller.token_id for caller in callers if caller.token_id})
    kept = {token.id: (frozenset(token.scopes), frozenset(token.agents), token.tenant) for token in tokens}
    return {
        caller
        for caller in callers
        if caller.token_id and kept.get(caller.token_id) != (caller.scopes, caller.agents, caller.bound_tenant)
    }


async def _anonymous(headers: Mapping[str, str], address: str) -> Caller:
    """All callers without a token are one guest, who owns what they ask for."""
    global _guest
    allowed = settings.A2A_ANONYMOUS == "on" or (settings.A2A_ANONYMOUS == "loopback" and _is_local(headers, address))
    if not allowed:
        raise Unauthenticated(
            "This server wants a token: send `Authorization: Bearer <token>`, made on its settings page."
        )
    if _guest is None:
        person = await in_thread(get_guest)
        _guest = (person.id, person.name)
    return Caller(*_guest, EVERYTHING, frozenset(), "", f"address:{address}", is_anonymous=True)


def _is_local(headers: Mapping[str, str], address: str) -> bool:
    """On this machine, and not a proxy on this machine that speaks for somebody elsewhere."""
    try:
        return ip_address(address).is_loopback and not any(name in headers for name in FORWARDED)
    except ValueError:
        return False
