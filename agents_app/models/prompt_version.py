from __future__ import annotations

from django.db import models
from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import AppendOnlyModel, AppendOnlyQuerySet
from agents_app.models.agent import Agent


class PromptVersionQuerySet(AppendOnlyQuerySet["PromptVersion"]):
    def of(self, agent_id: str) -> QuerySet[PromptVersion]:
        """The newest first: that one holds."""
        return self.filter(agent_id=agent_id).order_by("-id")


class PromptVersion(AppendOnlyModel):
    """What an operator wants an agent's prompt to be. The newest of an agent holds; without one, its class does."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="prompt_versions")
    text = models.TextField(blank=True, help_text="Empty: what the agent's class says.")
    shipped = models.TextField(blank=True, help_text="What the agent's class said at that time.")
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=150, help_text="Their name at that time: it outlives the person.")

    objects = PromptVersionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["agent", "-id"], name="prompt_version_newest")]

    def __str__(self) -> str:
        return f"{self.agent_id}, version {self.pk}"

    @property
    def meant(self) -> str:
        """The whole prompt, as it was when this was written."""
        return self.text or self.shipped


def newest_override() -> Subquery:
    """For a query of agents: the text that an operator wants, empty or NULL where it is the class's."""
    newest = PromptVersion.objects.filter(agent=OuterRef("pk")).order_by("-id")
    return Subquery(newest.values("text")[:1])
