"""What the first page of the admin shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

from metrics import charts, usage
from metrics.models import Alert, Process
from metrics.series import RANGES, Range, Series, added_up, find_range, levels, quantile

NOTHING = "–"


@dataclass
class Figure:
    """One number at the top."""

    name: str
    value: str
    spark: SafeString | str = ""
    note: str = ""
    bad: bool = False


@dataclass
class Chart:
    title: str
    svg: SafeString
    legend: list[tuple[int, str, str]] = field(default_factory=list)
    empty: bool = False
    metric: str = ""


@dataclass
class Table:
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def cells(self) -> list[list[tuple[str, str]]]:
        """Each with the name of its column, which it shows by itself where the window is narrow."""
        return [list(zip(self.head, row, strict=True)) for row in self.rows]


def may_see(request: HttpRequest) -> bool:
    return request.user.has_perm("metrics.view_sample")


def add_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """For `UNFOLD["DASHBOARD_CALLBACK"]`."""
    if may_see(request):
        context |= read_dashboard(request.GET.get("range", ""))
    return context


def read_dashboard(key: str) -> dict[str, Any]:
    of = find_range(key)
    return {
        "range": of,
        "ranges": [(each, name) for each, (name, *_) in RANGES.items()],
        "figures": _figures(of),
        "charts": _charts(of),
        "tables": _tables(of),
        "alerts": Alert.objects.open().select_related("rule", "acknowledged_by"),
        "processes": Process.objects.alive(),
    }


def _figures(of: Range) -> list[Figure]:
    totals = usage.totals()
    messages = _one(added_up("tkr_messages_total", of), of)
    tasks = _one(added_up("tkr_tasks_total", of), of)
    failed = _one(added_up("tkr_tasks_total", of, wanted='state="failed"'), of)
    tokens = _one(added_up("tkr_tokens_total", of), of)
    price = _one(added_up("tkr_price_dollars_total", of), of)
    errors = _one(added_up("tkr_errors_total", of), of)
    sockets = levels("tkr_sockets_open", of)
    open_now = sum(Process.objects.alive().values_list("open_sockets", flat=True))
    return [
        Figure("People", charts.count(totals["people"]), note="active accounts"),
        Figure("Conversations", charts.count(totals["conversations"]), note="in all"),
        Figure("Open sockets", charts.count(open_now), _spark(sockets), "browsers now"),
        Figure("Messages", charts.count(messages.total), charts.sparkline(messages), of.name),
        Figure("Tasks", charts.count(tasks.total), charts.sparkline(tasks), f"{charts.count(failed.total)} failed"),
        Figure("Tokens", charts.count(tokens.total), charts.sparkline(tokens), of.name),
        Figure("Price", charts.dollars(price.total), charts.sparkline(price), "where known"),
        Figure("Errors", charts.count(errors.total), charts.sparkline(errors), "in the log", errors.total > 0),
    ]


def _charts(of: Range) -> list[Chart]:
    return [
        _bars("Messages", "tkr_messages_total", of, "kind"),
        _bars("Tasks that ended", "tkr_tasks_total", of, "state"),
        _latency(of),
        _slow(
            "Tools and delegations, 95 of 100",
            {"tools": "tkr_tool_seconds", "delegations": "tkr_delegation_seconds"},
            of,
        ),
        _bars("Tokens by agent", "tkr_tokens_total", of, "agent"),
        _bars("Price by brain", "tkr_price_dollars_total", of, "brain", charts.dollars),
        _bars("Errors in the log", "tkr_errors_total", of, "app"),
        _bars("HTTP requests", "tkr_http_requests_total", of, "area"),
        _levels("Queue", "tkr_queue_tasks", of, charts.count),
        _levels("Event loop, worst lag", "tkr_event_loop_lag_seconds", of, charts.seconds, worst=True),
        _levels("Memory of all processes", "tkr_memory_bytes", of, charts.octets),
        _bars("A2A calls", "tkr_a2a_calls_total", of, "operation"),
    ]


def _bars(title: str, metric: str, of: Range, by: str, show: charts.Format = charts.count) -> Chart:
    series = added_up(metric, of, by)
    legend = [(min(tint, charts.COLOURS), each.name or "none", show(each.total)) for tint, each in enumerate(series, 1)]
    return Chart(title, charts.bars(series, of, show), legend[: charts.COLOURS + 2], not series, metric)


def _levels(title: str, metric: str, of: Range, show: charts.Format, *, worst: bool = False) -> Chart:
    series = [Series(title, each.values) for each in levels(metric, of, max if worst else sum)]
    legend = [(1, "now", show(each.last)) for each in series if each.last is not None]
    return Chart(title, charts.lines(series, of, show, area=True), legend, not series, metric)


def _latency(of: Range) -> Chart:
    return _quantiles(
        "How long people wait",
        of,
        [
            ("first piece, half of all", "tkr_first_piece_seconds", 0.5),
            ("first piece, 95 of 100", "tkr_first_piece_seconds", 0.95),
            ("full answer, half of all", "tkr_answer_seconds", 0.5),
            ("full answer, 95 of 100", "tkr_answer_seconds", 0.95),
        ],
    )


def _slow(title: str, metrics: dict[str, str], of: Range) -> Chart:
    return _quantiles(title, of, [(name, metric, 0.95) for name, metric in metrics.items()])


def _quantiles(title: str, of: Range, wanted: list[tuple[str, str, float]]) -> Chart:
    series, legend = [], []
    for tint, (name, metric, part) in enumerate(wanted, 1):
        values, whole = quantile(metric, of, part)
        series.append(Series(name, values))
        legend.append((tint, name, charts.seconds(whole) if whole is not None else NOTHING))
    empty = all(value is None for each in series for value in each.values)
    return Chart(title, charts.lines(series, of, charts.seconds), legend, empty, f"{wanted[0][1]}_bucket")


def _tables(of: Range) -> list[Table]:
    return [_agents(of), _brains(of), _people(of)]


def _agents(of: Range) -> Table:
    tasks = {each.name: each.total for each in added_up("tkr_tasks_total", of, "agent")}
    failed = {each.name: each.total for each in added_up("tkr_tasks_total", of, "agent", 'state="failed"')}
    tokens = {each.name: each.total for each in added_up("tkr_tokens_total", of, "agent")}
    price = {each.name: each.total for each in added_up("tkr_price_dollars_total", of, "agent")}
    rows = []
    for agent, total in sorted(tasks.items(), key=lambda item: -item[1]):
        first, answer = (
            quantile(metric, of, 0.5, "agent", agent)[1] for metric in ("tkr_first_piece_seconds", "tkr_answer_seconds")
        )
        waits = [charts.seconds(each) if each is not None else NOTHING for each in (first, answer)]
        spent = [charts.count(tokens.get(agent, 0)), charts.dollars(price.get(agent, 0))]
        rows.append((agent, charts.count(total), charts.count(failed.get(agent, 0)), *waits, *spent))
    return Table("Agents", ("Agent", "Tasks", "Failed", "First piece", "Answer", "Tokens", "Price"), rows)


def _brains(of: Range) -> Table:
    price = {each.name: each.total for each in added_up("tkr_price_dollars_total", of, "brain")}
    rows = [
        (each.name, charts.count(each.total), charts.dollars(price.get(each.name, 0)))
        for each in added_up("tkr_tokens_total", of, "brain")
    ]
    return Table("Brains", ("Brain", "Tokens", "Price"), rows)


def _people(of: Range) -> Table:
    rows = [
        (each.name, charts.count(each.messages), charts.count(each.tokens), charts.dollars(each.price))
        for each in usage.people(of)
    ]
    return Table("People", ("Person", "Tasks", "Tokens", "Price"), rows)


def _one(series: list[Series], of: Range) -> Series:
    return series[0] if series else Series("", [0.0] * of.slots)


def _spark(series: list[Series]) -> SafeString | str:
    return charts.sparkline(series[0]) if series else ""
