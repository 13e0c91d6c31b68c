"""The one way out: every HTTP request this product makes to somewhere else goes through here.

`fetch` gets one page; `open_client` is an `httpx.AsyncClient` for everything else (webhooks, remote agents). Both

1. take http and https only, without a user name in the address; any port, since what counts is whose machine it is,
2. resolve the host once, and refuse unless every address it has is public or in `settings.OUTGOING_ALLOW`,
3. connect to exactly those addresses; certificate, SNI and Host header stay those of the host name,
4. use no proxy and no credentials from the environment,
5. stop an answer that is too large, packed or unpacked, or too slow.

`fetch` follows up to five redirects inside the same site. `open_client` follows none.
"""

from agents_app.outgoing.addresses import checked_url, resolve
from agents_app.outgoing.client import CheckedTransport, open_client
from agents_app.outgoing.errors import (
    BadAnswer,
    BadUrl,
    ForbiddenAddress,
    LeadsElsewhere,
    OutgoingError,
    TooLarge,
    TooSlow,
    UnknownHost,
    Unreachable,
)
from agents_app.outgoing.fetch import Fetched, fetch

__all__ = [
    "BadAnswer",
    "BadUrl",
    "CheckedTransport",
    "Fetched",
    "ForbiddenAddress",
    "LeadsElsewhere",
    "OutgoingError",
    "TooLarge",
    "TooSlow",
    "UnknownHost",
    "Unreachable",
    "checked_url",
    "fetch",
    "open_client",
    "resolve",
]
