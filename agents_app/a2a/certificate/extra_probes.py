"""About what an agent may offer besides, when its card says that it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from agents_app.a2a.certificate.findings import Verdict, amber, green, not_tested, red

if TYPE_CHECKING:
    from agents_app.a2a.certificate.examination import Examination


async def extended_card(exam: Examination) -> Verdict:
    reply = await exam.calls.call("GetExtendedAgentCard", {})
    if not exam.parsed.capabilities.extended_agent_card:
        if reply.result is None:
            return green("It has no extended card, as its card says.", reply.exchange)
        return amber("It has an extended card, though its card does not say so.", reply.exchange)
    if isinstance(reply.result, dict) and reply.result.get("name"):
        return green("The extended card is there.", reply.exchange)
    if reply.status == 401 and not exam.demands_credentials:  # the test has none to show then
        return green("The extended card is for callers with credentials, and refused without.", reply.exchange)
    if reply.is_error("ExtendedAgentCardNotConfigured"):
        return amber("Its card offers an extended card, and there is none.", reply.exchange)
    return red(f"Its card offers an extended card, which cannot be read: {reply.said}.", reply.exchange)


async def push(exam: Examination) -> Verdict:
    if exam.task is None:
        return not_tested()
    task_id = exam.task["id"]
    config = {"taskId": task_id, "url": f"{settings.PUBLIC_URL}/a2a/", "token": "a test"}
    made = await exam.calls.call("CreateTaskPushNotificationConfig", config)
    if not exam.parsed.capabilities.push_notifications:
        if made.is_error("PushNotificationNotSupported", "UnsupportedOperation", "MethodNotFound"):
            return green("It sends no notifications, its card says so, and asking for some is refused.", made.exchange)
        return amber(
            f"Its card offers no notifications, but asking for some is not refused: {made.said}.", made.exchange
        )
    if made.result is None and made.is_error("InvalidParams"):
        return amber(f"It sends notifications, but not to this server: {made.said}.", made.exchange)
    if made.result is None or not made.result.get("id"):
        return red(f"Its card offers notifications, and asking for some failed: {made.said}.", made.exchange)
    return await _round_trip(exam, {"taskId": task_id, "id": made.result["id"]})


async def _round_trip(exam: Examination, named: dict[str, Any]) -> Verdict:
    """It was made; now it must be found, listed, deleted, and gone."""
    read = await exam.calls.call("GetTaskPushNotificationConfig", named)
    if read.result is None or read.result.get("id") != named["id"]:
        return red(f"A configuration that was made cannot be read: {read.said}.", read.exchange)
    if not exam.calls.has("ListTaskPushNotificationConfigs"):
        return green("A configuration can be made and read.", read.exchange)
    listed = await exam.calls.call("ListTaskPushNotificationConfigs", {"taskId": named["taskId"]})
    if listed.result is None or named["id"] not in [each.get("id") for each in listed.result.get("configs", ())]:
        return red(f"A configuration that was made is not in the list: {listed.said}.", listed.exchange)
    deleted = await exam.calls.call("DeleteTaskPushNotificationConfig", named)
    if deleted.is_refused:
        return red(f"A configuration cannot be deleted: {deleted.said}.", deleted.exchange)
    gone = await exam.calls.call("GetTaskPushNotificationConfig", named)
    if gone.is_error("TaskNotFound"):
        return green("A configuration can be made, read, listed and deleted.", gone.exchange)
    return red("A configuration that was deleted is still there.", gone.exchange)
