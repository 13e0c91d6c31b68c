"""What all ways of calling an agent have in common: whom to call, what came back, and which error it is.

Probes know nothing else: what comes back is in the JSON of A2A 1.0, whichever version and binding it came in.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

from agents_app.a2a.certificate.findings import Exchange
from agents_app.a2a.client.card_file import Interface
from agents_app.a2a.client.credentials import Shown

VERSION = "1.0"
TERMINAL = ("COMPLETED", "FAILED", "CANCELED", "REJECTED")


class Told(NamedTuple):
    """How an error is told (specification 1.0.1, then 1.0.0)."""

    number: int  # in JSON-RPC
    statuses: tuple[int, ...]  # in HTTP+JSON
    codes: tuple[str, ...]  # in gRPC


ERRORS = {
    "TaskNotFound": Told(-32001, (404,), ("NOT_FOUND",)),
    "TaskNotCancelable": Told(-32002, (400, 409), ("FAILED_PRECONDITION",)),
    "PushNotificationNotSupported": Told(-32003, (400, 501), ("FAILED_PRECONDITION", "UNIMPLEMENTED")),
    "UnsupportedOperation": Told(-32004, (400, 501), ("FAILED_PRECONDITION", "UNIMPLEMENTED")),
    "ExtendedAgentCardNotConfigured": Told(-32007, (400, 404), ("FAILED_PRECONDITION", "NOT_FOUND")),
    "VersionNotSupported": Told(-32009, (400,), ("FAILED_PRECONDITION", "UNIMPLEMENTED")),
    # Bytes that are no message never reach most servers: gRPC's own runtime answers, INTERNAL in most languages.
    "ParseError": Told(-32700, (400,), ("INVALID_ARGUMENT", "INTERNAL", "UNKNOWN")),
    "InvalidRequest": Told(-32600, (400,), ("INVALID_ARGUMENT",)),
    "MethodNotFound": Told(-32601, (404, 405), ("UNIMPLEMENTED",)),
    "InvalidParams": Told(-32602, (400, 422), ("INVALID_ARGUMENT",)),
}


def _reason(name: str) -> str:
    """As the specification writes it in an ErrorInfo: TASK_NOT_FOUND."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


REASONS = {_reason(name): name for name, told in ERRORS.items() if -32100 < told.number <= -32001}


def errors_of(*, number: Any = None, status: int = 0, code: str = "", reason: str = "") -> frozenset[str]:
    """Which errors this may be. A `reason` of A2A's own leaves no doubt."""
    if reason in REASONS:
        return frozenset({REASONS[reason]})
    found = (
        name for name, told in ERRORS.items() if number == told.number or status in told.statuses or code in told.codes
    )
    return frozenset(found)


@dataclass(frozen=True)
class Target:
    """Whom to call, where, and with what."""

    card_url: str
    interface: Interface
    shown: Shown
    open_client: Callable[[], httpx.AsyncClient]
    secrets: tuple[str, ...] = ()
    accepted_sha256: str = ""  # of the card that an administrator accepted; empty: none was

    @property
    def is_legacy(self) -> bool:
        return self.interface.version != VERSION


@dataclass(frozen=True)
class Reply:
    """What came back, and how it looked."""

    result: Any  # what was asked for; None: an error, or something that is no answer at all
    exchange: Exchange
    status: int  # HTTP's number, or the one that stands for gRPC's code
    code: str = ""  # gRPC's
    said: str = ""  # an error, or whatever it is instead of an answer, in a few words
    errors: frozenset[str] = frozenset()  # those it may be, as the specification writes them
    is_refused: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    events: list[Any] = field(default_factory=list)  # of a stream, StreamResponse objects

    @property
    def how(self) -> str:
        return f"gRPC {self.code}" if self.code else f"HTTP {self.status}"

    @property
    def says_whom_it_wants(self) -> bool:
        """Of a refusal: HTTP has a header for it."""
        return bool(self.code) or self.status == 403 or "www-authenticate" in self.headers

    def is_error(self, *names: str) -> bool:
        return not self.errors.isdisjoint(names)


class NoReply(Exception):
    """Nothing came back, or too late, or nothing that can be read. The text is fit to show."""

    def __init__(self, text: str, exchange: Exchange) -> None:
        super().__init__(text)
        self.exchange = exchange


class Calls(ABC):
    """Every method raises `NoReply`."""

    def has(self, operation: str) -> bool:
        """Whether there is such an operation in this version and binding."""
        return True

    @abstractmethod
    async def call(
        self, operation: str, params: Mapping[str, Any], *, credentials: bool = True, version: str = VERSION
    ) -> Reply: ...

    @abstractmethod
    async def stream(self, operation: str, params: Mapping[str, Any]) -> Reply:
        """Reads a stream to its end. What is no stream comes back as it is."""

    @abstractmethod
    async def call_unknown(self) -> Reply:
        """A method that does not exist."""

    @abstractmethod
    async def send_broken(self) -> Reply:
        """To where messages are sent, something that cannot be read."""

    async def close(self) -> None:
        return None


def state_of(status: Any) -> str:
    """A TaskStatus's state without its prefix: COMPLETED."""
    state = status.get("state") if isinstance(status, dict) else None
    return str(state or "").removeprefix("TASK_STATE_")
