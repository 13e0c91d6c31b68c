from __future__ import annotations

from itertools import islice
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.audited_admin import Audited
from accounts.models import User
from accounts.read_only_admin import ReadOnly
from metrics.actions import alerts
from metrics.browsing import MOST_ROWS, Browsed, BrowserForm
from metrics.dashboard import may_see, read_dashboard
from metrics.models import Alert, AlertDelivery, AlertRule, Sample, Silence

SEVERITIES = {"Info": "info", "Warning": "warning", "Critical": "danger"}
STATES = {"Pending": "warning", "Firing": "danger", "Resolved": "success"}


@admin.register(Sample)
class SampleAdmin(ReadOnly, ModelAdmin):
    """Instead of a list of a million rows: a chart of what was chosen, and the newest rows of it."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("dashboard/", view(require_safe(self.dashboard)), name="metrics_sample_dashboard"),
            path("csv/", view(require_safe(self.csv)), name="metrics_sample_csv"),
            path("", view(require_safe(self.changelist_view)), name="metrics_sample_changelist"),
        ]

    def dashboard(self, request: HttpRequest) -> HttpResponse:
        """The changing part of the admin's first page."""
        _require(request)
        return render(request, "metrics/_dashboard.html", read_dashboard(request.GET.get("range", "")))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        _require(request)
        form = BrowserForm(request.GET)
        browsed = Browsed(form)
        context = {
            **self.admin_site.each_context(request),
            "title": "Metrics",
            "form": form,
            "browsed": browsed,
            "chart": browsed.chart(),
            "rows": list(islice(browsed.rows(), MOST_ROWS)),
            "query": request.GET.urlencode(),
        }
        return render(request, "metrics/browser.html", context)

    def csv(self, request: HttpRequest) -> HttpResponseBase:
        _require(request)
        browsed = Browsed(BrowserForm(request.GET))
        response = HttpResponse("".join(browsed.csv()), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{browsed.name or "metrics"}.csv"'
        return response


def _require(request: HttpRequest) -> None:
    if not may_see(request):
        raise PermissionDenied


@admin.register(AlertRule)
class AlertRuleAdmin(Audited, ModelAdmin):
    list_display = ("name", "shown_severity", "condition", "enabled")
    list_filter = ("severity", "enabled")
    search_fields = ("name", "metric")
    fieldsets = (
        (None, {"fields": ("name", "enabled", "severity", "what_to_do")}),
        ("What is measured", {"fields": ("metric", "labels", "by", "per_metric", "least", "window_seconds")}),
        ("When it fires", {"fields": ("comparison", "threshold", "hold_seconds")}),
    )

    @display(description="Severity", ordering="severity", label=SEVERITIES)
    def shown_severity(self, rule: AlertRule) -> str:
        return rule.get_severity_display()


class DeliveryInline(ReadOnly, TabularInline):
    model = AlertDelivery
    fields = ("what", "channel", "state", "tries", "created_at", "sent_at", "error")
    extra = 0


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin):
    list_display = ("__str__", "shown_state", "shown_severity", "value", "began_at", "fired_at", "resolved_at", "who")
    list_filter = ("state", "rule__severity", "rule")
    list_select_related = ("rule", "acknowledged_by")
    inlines = (DeliveryInline,)
    actions = ("acknowledge",)

    @display(description="State", ordering="state", label=STATES)
    def shown_state(self, alert: Alert) -> str:
        return alert.get_state_display()

    @display(description="Severity", ordering="rule__severity", label=SEVERITIES)
    def shown_severity(self, alert: Alert) -> str:
        return alert.rule.get_severity_display()

    @display(description="Acknowledged by")
    def who(self, alert: Alert) -> str:
        return alert.acknowledged_by.name if alert.acknowledged_by else ""

    @admin.action(description="Acknowledge: I look after it")
    def acknowledge(self, request: HttpRequest, chosen: QuerySet[Alert]) -> None:
        _require_change(request)
        for alert in chosen:
            try:
                alerts.acknowledge_alert(alert, _user(request))
            except alerts.AlertOver as over:
                self.message_user(request, f"{alert}: {over}", messages.WARNING)


@admin.register(Silence)
class SilenceAdmin(Audited, ModelAdmin):
    list_display = ("__str__", "key", "begins_at", "ends_at", "reason", "made_by")
    list_select_related = ("rule", "made_by")
    fields = ("rule", "key", "begins_at", "ends_at", "reason")

    def save_model(self, request: HttpRequest, obj: Silence, form: ModelForm[Silence], change: bool) -> None:
        obj.made_by = obj.made_by or _user(request)
        super().save_model(request, obj, form, change)


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(ReadOnly, ModelAdmin):
    """Every message about an alert, and why it did not arrive."""

    list_display = ("created_at", "what", "alert", "channel", "state", "tries", "error")
    list_filter = ("state", "channel", "what")
    list_select_related = ("alert__rule",)
    change_list_template = "metrics/deliveries.html"

    def get_urls(self) -> list[Any]:
        test = self.admin_site.admin_view(require_POST(self.send_test))
        return [path("test/", test, name="metrics_alertdelivery_test"), *super().get_urls()]

    def send_test(self, request: HttpRequest) -> HttpResponse:
        _require_change(request)
        try:
            sent = alerts.send_test()
            ways = " and ".join(delivery.get_channel_display() for delivery in sent)
            self.message_user(request, f"A test leaves within ten seconds, by {ways}. Look at its state below.")
        except alerts.NoWayToTell as nowhere:
            self.message_user(request, str(nowhere), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:metrics_alertdelivery_changelist"))


def _require_change(request: HttpRequest) -> None:
    if not request.user.has_perm("metrics.change_alert"):
        raise PermissionDenied


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user
