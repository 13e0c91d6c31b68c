from __future__ import annotations

from datetime import datetime

from django.db import models

SAMPLE_SECONDS = 10
THINNED_SECONDS = 300


class SampleQuerySet(models.QuerySet["Sample"]):
    def of(self, name: str, begin: datetime, end: datetime) -> SampleQuerySet:
        return self.filter(name=name, timestamp__gte=begin, timestamp__lt=end)


class Sample(models.Model):
    """One value of one metric. Of what is counted (`_total`, `_sum`, `_count`, `_bucket`): how much came since the sample
    before, and no row when nothing came, so that adding up rows is right over restarts and processes. Of a `_bucket`: what
    fell into that one alone. Of everything else: the value."""

    timestamp = models.DateTimeField()
    name = models.CharField(max_length=80)
    labels = models.CharField(max_length=250, blank=True, help_text='As Prometheus writes them: agent="chloe".')
    process = models.CharField(max_length=120, blank=True, help_text="Empty: true of the whole server.")
    span = models.PositiveSmallIntegerField(default=SAMPLE_SECONDS, help_text="Seconds it speaks for.")
    value = models.FloatField()

    objects = SampleQuerySet.as_manager()

    class Meta:
        db_table = "system_metrics"
        indexes = [models.Index(fields=["name", "timestamp"], name="system_metrics_of_name")]

    def __str__(self) -> str:
        return f"{self.name}{{{self.labels}}} {self.value:g}"


class Figures(models.Model):
    """The last figures of one process, as they stand, for whoever scrapes another one."""

    process = models.CharField(primary_key=True, max_length=120)
    taken_at = models.DateTimeField()
    figures = models.JSONField(help_text="Lists of name, labels and value.")

    class Meta:
        verbose_name_plural = "figures"

    def __str__(self) -> str:
        return self.process or "the whole server"
