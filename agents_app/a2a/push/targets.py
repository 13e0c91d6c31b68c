"""Where notifications may go: https to public addresses; anything else only where OUTGOING_ALLOW names the target."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from agents_app.outgoing import BadUrl, TooSlow, checked_url, resolve
from agents_app.outgoing.addresses import is_allowed

DNS_SECONDS = 5
PORTS = {"https": 443, "http": 80}


async def check_target(url: str) -> None:
    """Raises `OutgoingError`. Says where the address leads now; each connection is checked and pinned again."""
    target = checked_url(url)
    try:
        async with asyncio.timeout(DNS_SECONDS):
            addresses = await resolve(target.host, target.port or PORTS[target.scheme])
    except TimeoutError:
        raise TooSlow(f"{target.host} could not be looked up in time.") from None
    if target.scheme == "http" and not all(is_allowed(target.host, ip_address(address)) for address in addresses):
        raise BadUrl(
            "Notifications go to addresses that begin with https://. "
            "Others are only used when the operator lists their host in OUTGOING_ALLOW."
        )
