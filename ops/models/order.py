from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

OBEYED_SECONDS = 60  # an older order is not carried out any more: whoever gave it has given up


class OrderQuerySet(models.QuerySet["Order"]):
    def for_process(self, owner: str, after: int) -> OrderQuerySet:
        """Newer than `after`, and still to be obeyed."""
        fresh = self.filter(pk__gt=after, at__gt=timezone.now() - timedelta(seconds=OBEYED_SECONDS))
        return fresh.filter(Q(to="") | Q(to=owner)).order_by("pk")


class Order(models.Model):
    """What an operator wants processes to do. It stands in the database, which every process looks at, so it reaches
    them with Redis and without."""

    class Kind(models.TextChoices):
        REPORT_SOCKETS = "sockets.report", "Say which sockets are open"
        CLOSE_SOCKETS = "sockets.close", "Close sockets; the pages connect again by themselves"
        RESET_POOL = "pool.reset", "Replace the database connections"
        CLEAR_CACHE = "cache.clear", "Forget what is cached"
        RECOVER = "tasks.recover", "Take over tasks whose process died"
        DRAIN = "process.drain", "Hand over what runs, and end"

    kind = models.CharField(max_length=20, choices=Kind)
    to = models.CharField(max_length=200, blank=True, help_text="The process; empty: all of them.")
    details = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = OrderQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} to {self.to or 'all'}"


class OrderAnswer(models.Model):
    """What one process says to an order when it is done."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="answers")
    process = models.CharField(max_length=200)
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "process"], name="order_answered_once")]

    def __str__(self) -> str:
        return f"{self.process} to {self.order}"
