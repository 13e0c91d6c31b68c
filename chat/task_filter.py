from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from agents_app.models import TERMINAL, Agent, Task, TaskState, Via
from chat import access

if TYPE_CHECKING:
    from accounts.models import User

UNFINISHED = "unfinished"
STATES = [("", "Any state"), (UNFINISHED, "Unfinished"), *TaskState.choices]
VIAS = [("", "Any way"), (Via.CHAT, "In the chat"), (Via.A2A, "Over A2A")]
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class TaskFilter(forms.Form):
    """What the list of tasks is narrowed down to. Days are those of UTC."""

    state = forms.ChoiceField(choices=STATES, required=False)
    agent = forms.ModelChoiceField(Agent.objects.all(), required=False, empty_label="Any agent")
    via = forms.ChoiceField(label="Came", choices=VIAS, required=False)
    since = forms.DateField(label="From", required=False, widget=DATE)
    until = forms.DateField(label="To", required=False, widget=DATE)
    everybody = forms.BooleanField(label="Everybody's", required=False)

    def __init__(self, user: User, data: Any) -> None:
        super().__init__(data, label_suffix="")
        self._user = user
        if not user.is_staff:
            del self.fields["everybody"]

    @property
    def is_narrow(self) -> bool:
        return self.is_valid() and any(self.cleaned_data.values())

    @property
    def of_everybody(self) -> bool:
        return self.is_valid() and bool(self.cleaned_data.get("everybody"))

    def tasks(self) -> QuerySet[Task]:
        """The tasks this person may see and asked for; none where the question makes no sense."""
        tasks = access.list_tasks(self._user, everybody=self.of_everybody)
        if not self.is_valid():
            return tasks.none()
        given = self.cleaned_data
        wanted = {
            "agent": given["agent"],
            "via": given["via"],
            "updated_at__gte": given["since"] and _begin(given["since"]),
            "updated_at__lt": given["until"] and _begin(given["until"]) + timedelta(days=1),
            "state": "" if given["state"] == UNFINISHED else given["state"],
        }
        tasks = tasks.filter(**{name: value for name, value in wanted.items() if value})
        return tasks.exclude(state__in=TERMINAL) if given["state"] == UNFINISHED else tasks


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())
