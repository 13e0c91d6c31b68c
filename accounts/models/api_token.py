from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Scope(models.TextChoices):
    """What a token lets a program do."""

    API = "api", "Everything the chat page can do, over REST"
    SEND = "a2a:send", "Send messages to agents and cancel tasks, over A2A"
    READ = "a2a:read", "Read and watch tasks, over A2A"
    PUSH = "a2a:push", "Have a task's events pushed to an address, over A2A"


def all_scopes() -> list[str]:
    return list(Scope.values)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> ApiTokenQuerySet:
        lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(lasting, revoked_at=None, user__is_active=True)


class ApiToken(models.Model):
    """Lets a program act as a person. Only the hash of the token is kept; `prefix` tells people which one it is."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120, help_text="What it is for.")
    prefix = models.CharField(max_length=16, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=all_scopes, blank=True, help_text="What it may do.")
    agents = models.JSONField(default=list, blank=True, help_text="Ids of the agents it may call; empty: all.")
    tenant = models.CharField(max_length=200, blank=True, help_text="The A2A tenant it belongs to; empty: the default.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def allows(self, scope: Scope) -> bool:
        """REST knows neither tenants nor limits to agents, so a token that is limited is for A2A alone."""
        limited = bool(self.agents or self.tenant)
        return scope in self.scopes and not (limited and scope == Scope.API)

    def reaches(self, agent_id: str) -> bool:
        return not self.agents or agent_id in self.agents

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
