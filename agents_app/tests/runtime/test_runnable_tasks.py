"""What looks for tasks to run every few seconds reads no more than those, however many have ended."""

from __future__ import annotations

import pytest
from django.db import connection

from agents_app.models import Task
from agents_app.runtime.leases import free

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("find", [Task.objects.runnable, lambda: free(Task.objects.all())])
def test_they_are_found_in_their_index(find):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # it reads a small table as a whole, unless it must not
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = find().explain()

    assert "task_to_run" in plan
    assert not any(line.split()[-1] == "agents_app_task" for line in plan.splitlines()), plan  # SQLite: a whole scan
