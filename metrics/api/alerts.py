from __future__ import annotations

from typing import Literal

from django.core.exceptions import ValidationError
from ninja import Query, Router, Status
from ninja.errors import HttpError

from agents_app.threads import in_thread
from chat.api.authentication import ApiRequest, StaffTokenAuth
from metrics import access
from metrics.actions import alerts as actions
from metrics.api.schemas import (
    Acknowledgement,
    AlertOut,
    NewSilence,
    RuleChange,
    RuleOut,
    SilenceOut,
    TestOut,
)
from metrics.models import Alert, AlertRule, Silence

router = Router(auth=StaffTokenAuth())

State = Literal["open", "pending", "firing", "resolved", "all"]


@router.get("/alerts", response=list[AlertOut], summary="List alerts")
async def list_alerts(
    request: ApiRequest, state: State = "open", limit: int = Query(100, ge=1, le=500)
) -> list[AlertOut]:
    """The newest first. `open` are those that pend or fire."""
    return await in_thread(_alerts, state, limit)


@router.post("/alerts/{int:number}/acknowledge", response=AlertOut, summary="Acknowledge an alert")
async def acknowledge(request: ApiRequest, number: int, change: Acknowledgement) -> AlertOut:
    """Somebody looks after it. One that does not fire is a conflict (409)."""
    return await in_thread(_acknowledge, request, number, change.note)


@router.post("/alerts/test", response=TestOut, summary="Send a test")
async def send_test(request: ApiRequest) -> TestOut:
    """By every way that is set up. None at all is a conflict (409)."""
    return await in_thread(_test)


@router.get("/alert-rules", response=list[RuleOut], summary="List rules of alerts")
async def list_rules(request: ApiRequest) -> list[RuleOut]:
    return await in_thread(lambda: [RuleOut.of(rule) for rule in AlertRule.objects.all()])


@router.patch("/alert-rules/{int:number}", response=RuleOut, summary="Change a rule")
async def change_rule(request: ApiRequest, number: int, change: RuleChange) -> RuleOut:
    return await in_thread(_change, request, number, change)


@router.get("/silences", response=list[SilenceOut], summary="List silences")
async def list_silences(request: ApiRequest) -> list[SilenceOut]:
    """Those that hold now."""
    found = Silence.objects.active().select_related("rule")
    return await in_thread(lambda: [SilenceOut.of(each) for each in found])


@router.post("/silences", response={201: SilenceOut}, summary="Silence alerts")
async def silence(request: ApiRequest, change: NewSilence) -> Status[SilenceOut]:
    return Status(201, await in_thread(_silence, request, change))


@router.delete("/silences/{int:number}", response={204: None}, summary="End a silence")
async def end_silence(request: ApiRequest, number: int) -> Status[None]:
    await in_thread(_end_silence, request, number)
    return Status(204, None)


def _alerts(state: State, limit: int) -> list[AlertOut]:
    found = Alert.objects.select_related("rule", "acknowledged_by")
    if state == "open":
        found = found.open()
    elif state != "all":
        found = found.filter(state=state)
    return [AlertOut.of(alert) for alert in found[:limit]]


def _acknowledge(request: ApiRequest, number: int, text: str) -> AlertOut:
    try:
        return AlertOut.of(actions.acknowledge_alert(access.get_alert(number), request.auth, text))
    except actions.AlertOver as over:
        raise HttpError(409, str(over)) from None


def _test() -> TestOut:
    try:
        return TestOut(channels=[delivery.channel for delivery in actions.send_test()])
    except actions.NoWayToTell as nowhere:
        raise HttpError(409, str(nowhere)) from None


def _change(request: ApiRequest, number: int, change: RuleChange) -> RuleOut:
    values = {name: value for name, value in change.dict(exclude_unset=True).items() if value is not None}
    try:
        return RuleOut.of(actions.change_rule(access.get_rule(number), request.auth, **values))
    except ValidationError as wrong:
        raise HttpError(400, " ".join(wrong.messages)) from None


def _silence(request: ApiRequest, change: NewSilence) -> SilenceOut:
    rule = access.get_rule(change.rule) if change.rule else None
    return SilenceOut.of(actions.silence(request.auth, change.reason, change.hours, rule, change.key))


def _end_silence(request: ApiRequest, number: int) -> None:
    actions.end_silence(access.get_silence(number), request.auth)
