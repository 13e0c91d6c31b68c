from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Field, Schema

from metrics.models import Alert, AlertRule, Silence


class MetricOut(Schema):
    name: str
    type: str
    what: str


class PointOut(Schema):
    at: datetime
    value: float


class SeriesOut(Schema):
    labels: str = Field(description='As Prometheus writes them: `agent="chloe",state="failed"`.')
    process: str = Field(description="Empty: true of the whole server.")
    points: list[PointOut]


class AlertOut(Schema):
    id: int
    rule: str
    key: str = Field(description="The value of the rule's label; empty when it has none.")
    severity: str
    state: str
    value: float
    worst: float
    began_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str

    @staticmethod
    def of(alert: Alert) -> AlertOut:
        names = (
            "id",
            "key",
            "state",
            "value",
            "worst",
            "began_at",
            "fired_at",
            "resolved_at",
            "acknowledged_at",
            "note",
        )
        by = alert.acknowledged_by.username if alert.acknowledged_by else ""
        return AlertOut(
            rule=alert.rule.name,
            severity=alert.rule.severity,
            acknowledged_by=by,
            **{name: getattr(alert, name) for name in names},
        )


class RuleOut(Schema):
    id: int
    name: str
    condition: str
    metric: str
    labels: str
    comparison: str
    threshold: float
    window_seconds: int
    hold_seconds: int
    severity: str
    enabled: bool
    what_to_do: str

    @staticmethod
    def of(rule: AlertRule) -> RuleOut:
        return RuleOut(**{name: getattr(rule, name) for name in RuleOut.model_fields})


class RuleChange(Schema):
    enabled: bool | None = None
    threshold: float | None = Field(None, allow_inf_nan=False)
    hold_seconds: int | None = Field(None, ge=0, le=86_400)
    severity: Literal["info", "warning", "critical"] | None = None


class Acknowledgement(Schema):
    note: str = Field("", max_length=2000)


class SilenceOut(Schema):
    id: int
    rule: str = Field(description="Empty: every rule.")
    key: str
    begins_at: datetime
    ends_at: datetime
    reason: str

    @staticmethod
    def of(silence: Silence) -> SilenceOut:
        names = ("id", "key", "begins_at", "ends_at", "reason")
        rule = silence.rule.name if silence.rule else ""
        return SilenceOut(rule=rule, **{name: getattr(silence, name) for name in names})


class NewSilence(Schema):
    reason: str = Field(min_length=1, max_length=200)
    hours: float = Field(gt=0, le=24 * 30)
    rule: int | None = Field(None, ge=1, le=2**31 - 1, description="Id of a rule; without it every rule.")
    key: str = Field("", max_length=120)


class TestOut(Schema):
    channels: list[str] = Field(
        description="Where a test goes within ten seconds; deliveries in the admin say how it ended."
    )
