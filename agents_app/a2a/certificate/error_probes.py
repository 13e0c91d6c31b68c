"""About mistakes of the caller: each must be refused with the error that A2A has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from agents_app.a2a.certificate.calls import Reply
from agents_app.a2a.certificate.findings import Verdict, amber, green, red

if TYPE_CHECKING:
    from agents_app.a2a.certificate.examination import Examination


async def unknown_task(exam: Examination) -> Verdict:
    reply = await exam.calls.call("GetTask", {"id": str(uuid4())})
    return _judge(reply, "A task that does not exist", "TaskNotFound")


async def unknown_method(exam: Examination) -> Verdict:
    reply = await exam.calls.call_unknown()
    # Who speaks 1.0 as well takes it for one of 1.0, called in the wrong version.
    names = ("MethodNotFound", "VersionNotSupported") if exam.target.is_legacy else ("MethodNotFound",)
    return _judge(reply, "A method that does not exist", *names)


async def malformed(exam: Examination) -> Verdict:
    reply = await exam.calls.send_broken()
    return _judge(reply, "A body that cannot be read", "ParseError")


async def invalid(exam: Examination) -> Verdict:
    if exam.target.is_legacy:
        return green(f"A2A {exam.target.interface.version} does not forbid it.")
    params = exam.message()
    params["message"]["parts"] = []
    reply = await exam.calls.call("SendMessage", params)
    return _judge(reply, "A message without content", "InvalidParams", "InvalidRequest")


def _judge(reply: Reply, what: str, *names: str) -> Verdict:
    if reply.is_error(*names):
        return green(f"{what} is refused with the right error.", reply.exchange)
    if reply.status >= 500:
        return red(f"{what} breaks it: {reply.said}.", reply.exchange)
    if reply.result is not None:
        return red(f"{what} is answered as if nothing were wrong.", reply.exchange)
    return amber(f"{what} is refused with another error than A2A says: {reply.said}.", reply.exchange)
