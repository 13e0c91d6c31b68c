from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.actions.audit import note


class Audited:
    """What the admin deletes stands in the audit log, one by one. What it adds and changes is noted for every model
    (`receivers.py`); of accounts also what others delete, so these need no mixin."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> object:
        for row in queryset:
            note(f"{row._meta.model_name}.deleted", row)
        return super().log_deletions(request, queryset)  # type: ignore[misc]
