"""What goes wrong with a remote agent. Every text is fit to show to a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import httpcore
import httpx
from a2a.client.errors import A2AClientTimeoutError
from a2a.utils.errors import A2AError, TaskNotCancelableError, TaskNotFoundError, UnsupportedOperationError
from google.protobuf.json_format import ParseError
from pydantic import ValidationError

from agents_app import outgoing

NOT_ALLOWED = (outgoing.ForbiddenAddress, outgoing.BadUrl, outgoing.TooLarge, outgoing.LeadsElsewhere)
AWAY_STATUS = (429, 502, 503, 504)  # it, or what stands before it, says: later
UNTOUCHED_STATUS = (429, 503)  # not those of a gateway that heard nothing more of a request it had passed on
UNTOUCHED = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, outgoing.UnknownHost)
AWAY_CODES = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)
MAX_WORDS = 500  # of another server's error


class RemoteError(Exception):
    """Base of all."""


class BadCard(RemoteError):
    """There is no card, or none this server can work with."""


class Unavailable(RemoteError):
    """It does not answer right now. What was meant for it waits."""

    def __init__(self, text: str, *, untouched: bool = False) -> None:
        super().__init__(text)
        self.untouched = untouched  # what was to be sent has certainly not been taken


class Declined(RemoteError):
    """It answered, and said no; or it may not be called."""


class NoSuchTask(Declined):
    """It does not know the task, or not any more."""


class NotPossible(Declined):
    """The operation does not exist there, or not for a task in that state."""


class NoCredentials(Declined):
    """It does not accept who we are."""


@contextmanager
def readable_errors(name: str) -> Iterator[None]:
    """Turn what the SDK raises while it talks with the agent called `name` into one of the above."""
    try:
        yield
    except (A2AError, httpx.HTTPError, grpc.RpcError) as error:
        raise _readable(error, name) from error
    except NotImplementedError as error:
        raise NotPossible(f"{name} does not offer this.") from error
    except (ParseError, ValidationError, ValueError, TypeError, KeyError, AttributeError) as error:
        # What the SDK's parsers raise on JSON that is not A2A; each of them happens.
        raise Declined(f"{name} sent something that is not A2A.") from error


def _readable(error: BaseException, name: str) -> RemoteError:
    for cause in _causes(error):
        if isinstance(cause, NOT_ALLOWED):
            return Declined(str(cause))
        if isinstance(cause, httpx.HTTPStatusError) and (found := _of_status(cause.response.status_code, name)):
            return found
        if isinstance(cause, grpc.aio.AioRpcError) and (found := _of_code(cause, name)):
            return found
        if isinstance(cause, httpx.TransportError | A2AClientTimeoutError):
            untouched = any(isinstance(cause, UNTOUCHED) for cause in _causes(error))
            return Unavailable(str(cause) or f"{name} took too long to answer.", untouched=untouched)
    words = str(error)[:MAX_WORDS]
    if isinstance(error, TaskNotFoundError):
        return NoSuchTask(f"{name} does not know this task any more.")
    if isinstance(error, UnsupportedOperationError | TaskNotCancelableError):
        return NotPossible(f"{name} answered: {words}")
    return Declined(f"{name} answered with an error: {words}")


def _of_status(status: int, name: str) -> RemoteError | None:
    if status in AWAY_STATUS:
        return Unavailable(f"{name} is not available (HTTP {status}).", untouched=status in UNTOUCHED_STATUS)
    return _no_credentials(name) if status in (401, 403) else None


def _of_code(error: grpc.aio.AioRpcError, name: str) -> RemoteError | None:
    code = error.code()
    if code in AWAY_CODES:
        never_connected = "failed to connect" in (error.details() or "").lower()
        untouched = never_connected or code == grpc.StatusCode.RESOURCE_EXHAUSTED
        return Unavailable(f"{name} is not available (gRPC {code.name}).", untouched=untouched)
    if code == grpc.StatusCode.UNIMPLEMENTED:
        return NotPossible(f"{name} does not offer this.")
    return _no_credentials(name) if code.name in ("UNAUTHENTICATED", "PERMISSION_DENIED") else None


def _no_credentials(name: str) -> NoCredentials:
    return NoCredentials(
        f"{name} does not accept this server's credentials. Try again once an administrator has entered new ones "
        "on its page."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
