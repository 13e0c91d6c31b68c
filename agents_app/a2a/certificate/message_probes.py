"""About messages and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2a.types.a2a_pb2 import SendMessageResponse
from a2a.utils.errors import InvalidParamsError
from a2a.utils.proto_utils import validate_proto_required_fields
from google.protobuf.json_format import ParseDict, ParseError

from agents_app.a2a.certificate.calls import TERMINAL, Reply, state_of
from agents_app.a2a.certificate.findings import Verdict, amber, green, not_tested, red

if TYPE_CHECKING:
    from agents_app.a2a.certificate.examination import Examination

LISTED = ("tasks", "nextPageToken", "pageSize", "totalSize")


async def send(exam: Examination) -> Verdict:
    reply = await exam.calls.call("SendMessage", exam.message())
    if reply.status in (401, 403):
        return red(f"It does not accept this server's credentials ({reply.how}).", reply.exchange)
    if reply.result is None:
        return red(f"It did not take a message: {reply.said}.", reply.exchange)
    if wrong := _what_is_wrong(reply.result):
        return red(f"Its answer is not A2A: {wrong}.", reply.exchange)
    if "message" in reply.result:
        exam.context_id = reply.result["message"].get("contextId", "")
        return green("It answers with a message.", reply.exchange)
    exam.task = reply.result["task"]
    exam.context_id = exam.task["contextId"]
    return _judge_task(exam.task, reply)


async def get(exam: Examination) -> Verdict:
    if exam.task is None:
        return not_tested()
    reply = await exam.calls.call("GetTask", {"id": exam.task["id"]})
    if reply.result is None or reply.result.get("id") != exam.task["id"]:
        return red(f"The task that it answered with cannot be read: {reply.said}.", reply.exchange)
    return green("The task can be read afterwards.", reply.exchange)


async def history(exam: Examination) -> Verdict:
    if exam.task is None:
        return not_tested()
    length = 1 if exam.target.is_legacy else 0  # 0.3 knows no difference between none and all
    reply = await exam.calls.call("GetTask", {"id": exam.task["id"], "historyLength": length})
    if reply.result is None:
        return red(f"The task cannot be read with less of its history: {reply.said}.", reply.exchange)
    if len(reply.result.get("history", ())) > length:
        return amber("More of the history came than was asked for.", reply.exchange)
    return green("No more of the history comes than is asked for.", reply.exchange)


async def list_tasks(exam: Examination) -> Verdict:
    if not exam.calls.has("ListTasks"):
        return green(f"A2A {exam.target.interface.version} has no list of tasks.")
    reply = await exam.calls.call("ListTasks", {"contextId": exam.context_id} if exam.context_id else {})
    if reply.result is None:
        return red(f"Tasks cannot be listed: {reply.said}.", reply.exchange)
    if exam.task is not None:
        if exam.task["id"] not in [task.get("id") for task in reply.result.get("tasks", ())]:
            return red("The task that was just done is not in the list of its conversation.", reply.exchange)
        if any("artifacts" in task for task in reply.result["tasks"]):
            return amber("The list holds artifacts though nobody asked for them.", reply.exchange)
    if absent := [name for name in LISTED if name not in reply.result]:
        return amber(f"The list lacks {', '.join(absent)}.", reply.exchange)
    return green("Tasks can be listed, with everything a page of them needs.", reply.exchange)


async def cancel(exam: Examination) -> Verdict:
    task, begun = await exam.begin_task()
    if task is None:
        return (
            not_tested() if begun.result is not None else red(f"No task could be begun: {begun.said}.", begun.exchange)
        )
    reply = await exam.calls.call("CancelTask", {"id": task["id"]})
    if reply.is_error("TaskNotCancelable"):
        return green("The agent was quicker than the call that was to stop it, and said so.", reply.exchange)
    if reply.result is None:
        return red(f"A task at work cannot be stopped: {reply.said}.", reply.exchange)
    state = state_of(reply.result.get("status"))
    if state == "CANCELED":
        return green("A task at work can be stopped.", reply.exchange)
    return amber(
        f"The call to stop a task was taken, but the task is {state.lower() or 'without a state'}.", reply.exchange
    )


async def cancel_ended(exam: Examination) -> Verdict:
    if exam.task is None or state_of(exam.task["status"]) not in TERMINAL:
        return not_tested()
    reply = await exam.calls.call("CancelTask", {"id": exam.task["id"]})
    if reply.is_error("TaskNotCancelable"):
        return green("Stopping a task that has ended is refused.", reply.exchange)
    if reply.result is None:
        return amber(f"Stopping a task that has ended is refused in the wrong words: {reply.said}.", reply.exchange)
    return red("A task that had ended could be stopped.", reply.exchange)


def _judge_task(task: dict[str, Any], reply: Reply) -> Verdict:
    state = state_of(task["status"])
    if state == "COMPLETED":
        return green("It answers a message with a task that is completed.", reply.exchange)
    if state in ("SUBMITTED", "WORKING"):
        return red(f"It was to wait for the end, and answered while the task was {state.lower()}.", reply.exchange)
    return amber(f"It took the message, and the task ended up as {state.lower().replace('_', '-')}.", reply.exchange)


def _what_is_wrong(result: Any) -> str:
    """Empty: nothing."""
    try:
        response = ParseDict(result, SendMessageResponse(), ignore_unknown_fields=True)
        if response.WhichOneof("payload") is None:
            return "there is neither a task nor a message in it"
        validate_proto_required_fields(response)
    except ParseError as error:
        return str(error)[:200]
    except InvalidParamsError as error:
        fields = ", ".join(str(each.get("field", each)) for each in (error.data or {}).get("errors", ()))
        return f"it lacks {fields}"
    return ""
