"""About who calls, and in which version."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from agents_app.a2a.certificate.findings import Verdict, amber, green, red

if TYPE_CHECKING:
    from agents_app.a2a.certificate.examination import Examination

NO_VERSION = "99.0"


async def version(exam: Examination) -> Verdict:
    if exam.target.is_legacy:
        return amber(f"It is called in A2A {exam.target.interface.version}. Agents of today speak 1.0.")
    reply = await exam.calls.call("GetTask", {"id": str(uuid4())}, version=NO_VERSION)
    if reply.is_error("VersionNotSupported"):
        return green(f"A call in version {NO_VERSION} is refused as one that it does not speak.", reply.exchange)
    judged = amber if reply.code else red  # over gRPC a server should look at it, elsewhere it must
    return judged(f"A call in version {NO_VERSION}, which does not exist, was taken: {reply.said}.", reply.exchange)


async def without_credentials(exam: Examination) -> Verdict:
    if not exam.demands_credentials:
        return green("The card demands no credentials: everybody may call.")
    shown = exam.target.shown
    if shown.certificate and not shown.headers and not shown.query:
        return amber("Not tested: who calls is shown by the connection itself, with a certificate.")
    lists = exam.calls.has("ListTasks")
    params = {} if lists else {"id": str(uuid4())}
    reply = await exam.calls.call("ListTasks" if lists else "GetTask", params, credentials=False)
    if reply.status in (401, 403):
        if reply.says_whom_it_wants:
            return green(f"A call without credentials is refused ({reply.how}).", reply.exchange)
        return amber("A call without credentials is refused, but without WWW-Authenticate.", reply.exchange)
    if reply.result is not None or reply.is_error("TaskNotFound"):  # it looked for the task of a stranger
        return red("The card demands credentials, and a call without any was answered.", reply.exchange)
    return amber(f"A call without credentials fails, but not because of them: {reply.said}.", reply.exchange)
