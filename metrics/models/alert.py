from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone


class AlertRule(models.Model):
    """When somebody should be told. What is counted is added up over `window_seconds`, and divided when `per_metric` is
    given; of everything else the worst present value counts."""

    class Comparison(models.TextChoices):
        ABOVE = ">", "is above"
        BELOW = "<", "is below"

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    name = models.CharField(max_length=120, unique=True)
    what_to_do = models.TextField(blank=True, help_text="Sent with the alert.")
    metric = models.CharField(max_length=80)
    labels = models.CharField(max_length=250, blank=True, help_text='Only with these labels: state="failed".')
    per_metric = models.CharField(max_length=80, blank=True, help_text="Divide by this one, for a rate such as errors.")
    least = models.FloatField(default=0, help_text="Of the divisor: below that nothing is said.")
    by = models.CharField(max_length=40, blank=True, help_text="A label: one alert for each of its values.")
    comparison = models.CharField(max_length=1, choices=Comparison, default=Comparison.ABOVE)
    threshold = models.FloatField()
    window_seconds = models.PositiveIntegerField(default=300, help_text="Over which what is counted is added up.")
    hold_seconds = models.PositiveIntegerField(default=60, help_text="For how long before it fires.")
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.WARNING)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.window_seconds < 20:
            raise ValidationError({"window_seconds": "At least 20 seconds: samples are ten seconds apart."})

    def is_met(self, value: float) -> bool:
        return value > self.threshold if self.comparison == self.Comparison.ABOVE else value < self.threshold

    @property
    def condition(self) -> str:
        of = f"{self.metric}{{{self.labels}}}" if self.labels else self.metric
        per = f" / {self.per_metric}" if self.per_metric else ""
        return f"{of}{per} {self.comparison} {self.threshold:g} for {self.hold_seconds} s"


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> AlertQuerySet:
        return self.exclude(state=Alert.State.RESOLVED)

    def firing(self) -> AlertQuerySet:
        return self.filter(state=Alert.State.FIRING)


class Alert(models.Model):
    """One time that a rule was met: pending, firing, resolved. What never fired is forgotten."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        FIRING = "firing", "Firing"
        RESOLVED = "resolved", "Resolved"

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="alerts")
    key = models.CharField(max_length=120, blank=True, help_text="The value of the rule's label.")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    value = models.FloatField(help_text="The last one that was measured.")
    worst = models.FloatField()
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last measured.")
    fired_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it was silenced, nobody was told.")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.TextField(blank=True, help_text="What whoever acknowledged it said.")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "key"], condition=~Q(state="resolved"), name="alert_open_once")
        ]

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.key}" if self.key else self.rule.name


class SilenceQuerySet(models.QuerySet["Silence"]):
    def active(self) -> SilenceQuerySet:
        now = timezone.now()
        return self.filter(begins_at__lte=now, ends_at__gt=now)


class Silence(models.Model):
    """Nobody is told of alerts meanwhile. They are still seen, and told when they still fire at its end."""

    rule = models.ForeignKey(
        AlertRule, models.CASCADE, null=True, blank=True, related_name="silences", help_text="Empty: every rule."
    )
    key = models.CharField(max_length=120, blank=True, help_text="Only for this value of its label; empty: for all.")
    begins_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = SilenceQuerySet.as_manager()

    class Meta:
        ordering = ["-ends_at"]

    def __str__(self) -> str:
        return f"{self.rule or 'everything'} until {self.ends_at:%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        if self.ends_at and self.begins_at and self.ends_at <= self.begins_at:
            raise ValidationError({"ends_at": "It must end after it begins."})

    def covers(self, alert: Alert) -> bool:
        return self.rule_id in (None, alert.rule_id) and self.key in ("", alert.key)


class AlertDelivery(models.Model):
    """One message about one alert on one way. The ledger: what was tried, and what became of it."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        GIVEN_UP = "given-up", "Given up"

    alert = models.ForeignKey(
        Alert, models.CASCADE, null=True, blank=True, related_name="deliveries", help_text="Empty: a test."
    )
    what = models.CharField(max_length=8, help_text="firing, resolved or test")
    channel = models.CharField(max_length=8, choices=Channel)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="alert_delivery_due")]
        verbose_name_plural = "alert deliveries"

    def __str__(self) -> str:
        return f"{self.what} by {self.channel} ({self.state})"
