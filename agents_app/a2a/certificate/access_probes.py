"""About who calls, and in which version."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from agents_app.a2a.certificate.findings import Verdict, amber, green, red

if TYPE_CHECKING:
    from agents_app.a2a.certificate.examination import Examination

NO_VERSION = "99.0"


async def version(exam: Examination) -> Verdict:
    reply = await exam.calls.call("GetTask", {"id": str(uuid4())}, version=NO_VERSION)
    if reply.is_error("VersionNotSupported"):
        return green(f"A call in version {NO_VERSION} is refused as one that it does not speak.", reply.exchange)
    return red(f"A call in version {NO_VERSION}, which does not exist, was taken: {reply.said}.", reply.exchange)


async def without_credentials(exam: Examination) -> Verdict:
    if not exam.demands_credentials:
        return green("The card demands no credentials: everybody may call.")
    reply = await exam.calls.call("ListTasks", {}, credentials=False)
    if reply.status in (401, 403):
        named = "www-authenticate" in reply.headers or reply.status == 403
        return (
            green(f"A call without credentials is refused (HTTP {reply.status}).", reply.exchange)
            if named
            else amber("A call without credentials is refused, but without WWW-Authenticate.", reply.exchange)
        )
    if reply.result is None:
        return amber(f"A call without credentials fails, but not with HTTP 401: {reply.said}.", reply.exchange)
    return red("The card demands credentials, and a call without any was answered.", reply.exchange)
