"""Why a request was refused or failed. Every text is fit to show to a person.

They are `httpx.TransportError`s so that libraries which are given our client treat a refusal as any failed connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx


class OutgoingError(httpx.TransportError):
    """Base of all."""


class BadUrl(OutgoingError):
    """The address cannot be read, or is not one of the web."""


class ForbiddenAddress(OutgoingError):
    """The host is in a local network, on this machine or in another place that is not public."""


class UnknownHost(OutgoingError):
    """The host's name does not resolve."""


class Unreachable(OutgoingError, httpx.NetworkError):
    """No connection, or no valid certificate."""


class TooSlow(OutgoingError, httpx.TimeoutException):
    """A time limit was reached."""


class TooLarge(OutgoingError):
    """The body is larger than was asked for."""


class BadAnswer(OutgoingError):
    """What came back is not HTTP, or not in a form that was asked for."""


class LeadsElsewhere(OutgoingError):
    """A redirect to another site. `url` is where it wanted to go."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


@contextmanager
def readable_errors(host: str) -> Iterator[None]:
    """Turn what the HTTP library raises while it talks with `host` into one of the above."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise TooSlow(f"{host} took too long to answer.") from error
    except httpcore.ConnectError as error:
        raise Unreachable(_why_unreachable(host, error)) from error
    except httpcore.NetworkError as error:
        raise Unreachable(f"The connection to {host} broke off.") from error
    except ssl.SSLError as error:  # the library maps those of the handshake alone; TLS 1.3 refuses a client behind it
        raise Unreachable(f"{host} ended the secure connection. It may want a certificate of this server.") from error
    except httpcore.ProtocolError as error:
        raise BadAnswer(f"{host} did not answer as a web server does.") from error


def _why_unreachable(host: str, error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"{host} has no valid certificate, so the connection is not safe."
        cause = cause.__cause__ or cause.__context__
    return f"{host} cannot be reached."
