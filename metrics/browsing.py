"""The browser of samples: what somebody chose, as a chart, as rows, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from metrics import charts
from metrics.actions.pruning import list_sampled_names
from metrics.measuring import fits
from metrics.models import Sample
from metrics.registry import LABEL, is_added_up, read_labels
from metrics.series import RANGES, Range, Series, added_up, levels

MOST_ROWS = 200
SLOTS = 90
LEAST_STEP_SECONDS = 10
LONGEST = timedelta(days=366)


class BrowserForm(forms.Form):
    name = forms.ChoiceField(label="Metric", required=False, widget=UnfoldAdminSelectWidget)
    by = forms.ChoiceField(label="Apart by", required=False, widget=UnfoldAdminSelectWidget)
    labels = forms.CharField(
        label="Only with labels",
        max_length=250,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": 'state="failed"'}),
    )
    process = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    range = forms.ChoiceField(label="Time", required=False, widget=UnfoldAdminSelectWidget)
    begin = forms.DateTimeField(label="… or from", required=False, widget=UnfoldAdminTextInputWidget)
    end = forms.DateTimeField(label="to (UTC)", required=False, widget=UnfoldAdminTextInputWidget)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        names = list_sampled_names()
        self.chosen = data.get("name") if data.get("name") in names else (names[0] if names else "")
        day = Sample.objects.filter(name=self.chosen, timestamp__gte=timezone.now() - timedelta(days=1)).order_by()
        labels = {label for text in day.values_list("labels", flat=True).distinct() for label in read_labels(text)}
        processes = [each for each in day.values_list("process", flat=True).distinct() if each]
        self._offer("name", [(name, name) for name in names])
        self._offer(
            "by", [("", "nothing"), *((label, label) for label in sorted({*labels, data.get("by") or ""} - {""}))]
        )
        known = sorted({*processes, data.get("process") or ""} - {""})
        self._offer("process", [("", "all"), *((each, each) for each in known)])
        self._offer("range", [(key, name) for key, (name, *_) in RANGES.items()])
        for name in ("begin", "end"):
            self.fields[name].widget.attrs["placeholder"] = "2026-11-28 14:00"

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_labels(self) -> str:
        text = self.cleaned_data["labels"].strip()
        if text and not LABEL.search(text):
            raise forms.ValidationError('Write labels as name="value", with commas between them.')
        return text

    def clean(self) -> dict[str, Any]:
        begin, end = self.cleaned_data.get("begin"), self.cleaned_data.get("end") or timezone.now()
        if begin and not timedelta(0) < end - begin <= LONGEST:
            raise forms.ValidationError("It must begin before it ends, and be at most a year.")
        return self.cleaned_data


class Browsed:
    def __init__(self, form: BrowserForm) -> None:
        chosen = form.cleaned_data if form.is_valid() else {}
        self.name: str = form.chosen
        self.by: str = chosen.get("by", "")
        self.labels: str = chosen.get("labels", "")
        self.process: str = chosen.get("process", "")
        self.range = _range(chosen)

    @property
    def series(self) -> list[Series]:
        if is_added_up(self.name):
            return added_up(self.name, self.range, self.by, self.labels, self.process)
        return levels(self.name, self.range, sum, self.by, self.labels, self.process)

    def chart(self) -> dict[str, Any]:
        series, show = self.series, unit_of(self.name)
        draw = charts.bars if is_added_up(self.name) else charts.lines
        last = [(each.total if is_added_up(self.name) else each.last) or 0.0 for each in series]
        legend = [(min(i, charts.COLOURS), each.name or "none", show(last[i - 1])) for i, each in enumerate(series, 1)]
        return {"svg": draw(series, self.range, show), "legend": legend[:20], "empty": not series}

    def rows(self) -> Iterator[Sample]:
        """The newest first."""
        rows = Sample.objects.of(self.name, self.range.begin, self.range.end + timedelta(seconds=1))
        if self.process:
            rows = rows.filter(process=self.process)
        return (row for row in rows.order_by("-timestamp", "-id").iterator(2000) if fits(row.labels, self.labels))

    def csv(self) -> Iterator[str]:
        yield _csv_line("timestamp", "name", "labels", "process", "span", "value")
        for row in self.rows():
            yield _csv_line(row.timestamp.isoformat(), row.name, row.labels, row.process, row.span, repr(row.value))


def unit_of(name: str) -> charts.Format:
    if name.endswith(("_seconds", "_seconds_sum")):
        return charts.seconds
    if name.endswith("_bytes"):
        return charts.octets
    if name.endswith("_ratio"):
        return charts.share
    return charts.dollars if "_dollars_" in name else charts.count


def _range(chosen: dict[str, Any]) -> Range:
    begin, end = chosen.get("begin"), chosen.get("end") or timezone.now()
    if not begin:
        key = chosen.get("range") or "1h"
        return Range(key, *RANGES[key])
    seconds = max(60, int((end - begin).total_seconds()))
    step = max(LEAST_STEP_SECONDS, seconds // SLOTS // LEAST_STEP_SECONDS * LEAST_STEP_SECONDS)
    return Range("", f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}", seconds, step, end)


def _csv_line(*values: object) -> str:
    """A value that a spreadsheet would take for a formula is text."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{v}" if str(v).startswith(("=", "+", "@")) else v for v in values])
    return line.getvalue()
