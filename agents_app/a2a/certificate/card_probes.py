"""About the card: whether it is there, complete, cacheable, signed, the one that was accepted, and safe to use."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from a2a.utils.errors import InvalidParamsError
from a2a.utils.proto_utils import validate_proto_required_fields

from agents_app.a2a.certificate.findings import Verdict, amber, green, red
from agents_app.a2a.client.card_file import card_sha256, parse_card
from agents_app.a2a.client.errors import BadCard
from agents_app.a2a.signing import verify_card
from agents_app.models import RemoteAgent
from agents_app.outgoing.addresses import is_public

if TYPE_CHECKING:
    from agents_app.a2a.certificate.examination import Examination

Signature = RemoteAgent.Signature


async def read(exam: Examination) -> Verdict:
    reply = await exam.fetch_card()
    if reply.status != 200 or not isinstance(reply.result, dict):
        return red(f"There is no card at {exam.target.card_url}: {reply.said}.", reply.exchange)
    try:
        exam.card, exam.parsed = reply.result, parse_card(reply.result)
    except BadCard as bad:
        return red(str(bad), reply.exchange)
    if missing := _missing(exam):
        return red(f"The card lacks what it must say: {missing}.", reply.exchange)
    if not reply.headers.get("content-type", "").startswith("application/json"):
        return amber("The card is complete, but is not served as application/json.", reply.exchange)
    return green("The card is there and says everything it must.", reply.exchange)


async def caching(exam: Examination) -> Verdict:
    reply = await exam.fetch_card()
    names = {"cache-control": "Cache-Control", "etag": "ETag"}
    absent = [shown for name, shown in names.items() if name not in reply.headers]
    if absent:
        return amber(f"The card comes without {' and '.join(absent)}: it is read anew each time.", reply.exchange)
    return green("The card says how long it may be kept, and how to ask whether it has changed.", reply.exchange)


async def accepted(exam: Examination) -> Verdict:
    if not exam.target.accepted_sha256:
        return green("Nobody has accepted another card of this agent.")
    if card_sha256(exam.card) == exam.target.accepted_sha256:
        return green("The card says what an administrator has accepted.")
    return amber("The card has changed since an administrator accepted it. What is different is on the agent's page.")


async def signature(exam: Examination) -> Verdict:
    match await verify_card(exam.card, exam.target.card_url):
        case Signature.VALID:
            return green("The card is signed, and the signature holds.")
        case Signature.INVALID:
            return red("The card is signed, but the signature does not fit what it says.")
        case Signature.UNKNOWN:
            return amber("The card is signed by a key that cannot be checked from here.")
        case _:
            return amber("The card is not signed.")


async def encryption(exam: Examination) -> Verdict:
    open_ones = [url for url in (exam.target.card_url, exam.target.interface.url) if not _is_safe(url)]
    if open_ones:
        return amber(f"Whoever is on the way can read along: {open_ones[0]} is not encrypted.")
    return green("The card and the agent are reached in a way nobody else can read.")


def _missing(exam: Examination) -> str:
    try:
        validate_proto_required_fields(exam.parsed)
    except InvalidParamsError as error:
        return ", ".join(str(each.get("field", each)) for each in (error.data or {}).get("errors", ()))
    return ""


def _is_safe(url: str) -> bool:
    """Encrypted, or not leaving the operator's own network. gRPC's addresses have no scheme."""
    parts = urlsplit(url if "://" in url else f"grpc://{url}")
    if parts.scheme != "http":
        return True
    try:
        return not is_public(ip_address(parts.hostname or ""))
    except ValueError:
        return parts.hostname == "localhost"
