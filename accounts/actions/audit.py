"""The audit log: every change that matters to who is responsible for the server."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.context import bound
from accounts.models import AuditEntry, User

CONSOLE = "command"  # nothing is bound where `manage.py` runs


def note(
    action: str, about: models.Model | str = "", name: str = "", *, actor: User | None = None, **details: Any
) -> None:
    """Write one entry. Without `actor` it is whoever the request is made for. `details` hold no secrets and no messages.

    Call it where the change is made, in the same transaction: what is undone leaves no entry.
    """
    context = bound()
    who = actor or _person(context.get("person"))
    AuditEntry.objects.create(
        action=action,
        actor_id=who.pk if who else None,
        actor=who.username if who else "",
        address=context.get("address", ""),
        via=context.get("via", CONSOLE),
        request=context.get("request", ""),
        about=about if isinstance(about, str) else f"{about._meta.label_lower}:{about.pk}",
        about_name=(name or ("" if isinstance(about, str) else str(about)))[:200],
        details=details,
    )


def _person(id: str | None) -> User | None:
    return User.objects.filter(pk=id).first() if id else None
