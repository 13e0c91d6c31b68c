"""About streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents_app.a2a.certificate.calls import TERMINAL, Reply, state_of
from agents_app.a2a.certificate.findings import Verdict, amber, green, not_tested, red

if TYPE_CHECKING:
    from agents_app.a2a.certificate.examination import Examination

ENDED = ("UnsupportedOperation",)  # so says who is asked to follow a task that has ended
ENDED_IN_0_3 = (*ENDED, "InvalidParams", "TaskNotFound")
INTERRUPTED = ("INPUT_REQUIRED", "AUTH_REQUIRED")


async def stream(exam: Examination) -> Verdict:
    reply = await exam.calls.stream("SendStreamingMessage", exam.message())
    if not exam.parsed.capabilities.streaming:
        if reply.is_error("UnsupportedOperation", "MethodNotFound"):
            return green("It does not stream, its card says so, and a stream is refused.", reply.exchange)
        return amber(
            f"Its card says that it does not stream, but a stream is not refused: {reply.said}.", reply.exchange
        )
    if not reply.events:
        return red(f"It did not stream: {reply.said}.", reply.exchange)
    first = _kind(reply.events[0])
    if first == "message" and len(reply.events) == 1:
        return green("It streams one message.", reply.exchange)
    if first != "task" and not (exam.target.is_legacy and first):  # 0.3 does not say what comes first
        return red(f"A stream begins with the task; this one began with {first or 'something else'}.", reply.exchange)
    return _judge_end(reply, TERMINAL + INTERRUPTED, "It streams until the end of the task.")


async def subscribe(exam: Examination) -> Verdict:
    if not exam.parsed.capabilities.streaming:
        return green("It does not stream, as its card says.")
    task, begun = await exam.begin_task()
    if task is None:
        return (
            not_tested() if begun.result is not None else red(f"No task could be begun: {begun.said}.", begun.exchange)
        )
    reply = await exam.calls.stream("SubscribeToTask", {"id": task["id"]})
    if reply.is_error(*ENDED_IN_0_3 if exam.target.is_legacy else ENDED) and not reply.events:
        return green("The agent had finished before it could be followed, and said so.", reply.exchange)
    if not reply.events:
        return red(f"A task at work cannot be followed: {reply.said}.", reply.exchange)
    if _kind(reply.events[0]) != "task" and not exam.target.is_legacy:
        return red("Following a task must begin with the task as it is, and does not.", reply.exchange)
    return _judge_end(reply, TERMINAL, "A task at work can be followed to its end.")


def _judge_end(reply: Reply, ends: tuple[str, ...], text: str) -> Verdict:
    states = [state_of(status) for status in map(_status, reply.events) if status]
    if not states or states[-1] not in ends:
        return red("The stream ended before the task did.", reply.exchange)
    if any(state in TERMINAL for state in states[:-1]):
        return amber("After the end of the task there was more.", reply.exchange)
    return green(text, reply.exchange)


def _kind(event: Any) -> str:
    kinds = ("task", "message", "statusUpdate", "artifactUpdate")
    return next((kind for kind in kinds if isinstance(event, dict) and kind in event), "")


def _status(event: Any) -> Any:
    kind = _kind(event)
    return event[kind].get("status") if kind in ("task", "statusUpdate") else None
