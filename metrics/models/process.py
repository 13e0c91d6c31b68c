from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

ALIVE_SECONDS = 20  # several heartbeats: one that a busy database delays makes nobody dead


class ProcessQuerySet(models.QuerySet["Process"]):
    def alive(self) -> ProcessQuerySet:
        return self.filter(last_seen_at__gt=timezone.now() - timedelta(seconds=ALIVE_SECONDS))

    def dead(self) -> ProcessQuerySet:
        """Those that ended without saying so."""
        return self.exclude(last_seen_at__gt=timezone.now() - timedelta(seconds=ALIVE_SECONDS))


class Process(models.Model):
    """A process of this server, as it last told of itself. One that ends in order takes its row away."""

    class Kind(models.TextChoices):
        WEB = "web", "Web"
        WORKER = "worker", "Worker"
        GRPC = "grpc", "gRPC"

    owner = models.CharField(max_length=200, unique=True, help_text="Its name in the leases of tasks.")
    name = models.CharField(max_length=120, help_text="kind@host:pid, for people and for samples.")
    kind = models.CharField(max_length=8, choices=Kind)
    host = models.CharField(max_length=80)
    runs_agents = models.BooleanField(default=True, help_text="Tasks run in it.")
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    memory_bytes = models.BigIntegerField(default=0, help_text="Resident.")
    loop_lag_seconds = models.FloatField(default=0, help_text="The longest of the last seconds.")
    open_sockets = models.PositiveIntegerField(default=0)
    running_tasks = models.PositiveIntegerField(default=0)
    pool_size = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: this database has no pool.")
    pool_max = models.PositiveIntegerField(null=True, blank=True)
    pool_in_use = models.PositiveIntegerField(null=True, blank=True)
    pool_waiting = models.PositiveIntegerField(null=True, blank=True, help_text="Callers who wait for a connection.")
    pool_timeouts = models.PositiveBigIntegerField(null=True, blank=True, help_text="Who waited in vain, since start.")

    objects = ProcessQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "started_at"]
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return self.name

    @property
    def is_alive(self) -> bool:
        return self.last_seen_at > timezone.now() - timedelta(seconds=ALIVE_SECONDS)
