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
    reply = await exam.calls.call("NoSuchMethod", {})
    return _judge(reply, "A method that does not exist", "MethodNotFound")


async def malformed(exam: Examination) -> Verdict:
    reply = await exam.calls.send_raw(b'{"jsonrpc": "2.0", "id": 1, "method"')
    return _judge(reply, "A body that is not JSON", "ParseError")


async def invalid(exam: Examination) -> Verdict:
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
