from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from metrics import readiness
from metrics.models import Process


@pytest.fixture
def process(transactional_db) -> Process:
    now = timezone.now()
    fixed = {"kind": "web", "host": "here", "pid": 1, "version": "1", "started_at": now, "last_seen_at": now}
    return Process.objects.create(owner="a", name="web@here:1", **fixed)


async def test_it_works(async_client):
    """Without any database: this test has none."""
    response = await async_client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok\n")


async def test_ready_when_every_part_is(async_client, process):
    response = await async_client.get("/readyz")

    assert response.status_code == 200, response.content
    assert set(response.json()["parts"]) >= {"database", "migrations", "workers", "queue"}


async def test_without_anybody_who_runs_agents_it_is_not_ready(async_client, transactional_db):
    response = await async_client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["parts"]["workers"] == "No process that runs agents is alive."


async def test_a_missing_migration_is_named(async_client, process):
    await MigrationRecorder(connection).migration_qs.filter(app="metrics").adelete()
    try:
        response = await async_client.get("/readyz")
    finally:
        await MigrationRecorder.Migration.objects.abulk_create(
            [MigrationRecorder.Migration(app="metrics", name=name) for name in _migrations()]
        )

    assert response.status_code == 503
    assert "manage.py prepare" in response.json()["parts"]["migrations"]


def _migrations() -> list[str]:
    from django.db.migrations.loader import MigrationLoader

    return [name for app, name in MigrationLoader(None).disk_migrations if app == "metrics"]


async def test_redis_that_does_not_answer_is_named_without_its_address(async_client, process, settings):
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    response = await async_client.get("/readyz")

    assert response.status_code == 503
    assert "redis" in response.json()["parts"]
    assert b"secret" not in response.content


async def test_a_database_that_hangs_is_said_in_time(async_client, process, monkeypatch):
    monkeypatch.setattr(readiness, "LONGEST_SECONDS", 0.0)
    response = await async_client.get("/readyz")

    assert response.status_code == 503
    assert "did not answer" in response.json()["parts"]["database"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_they_are_only_read(async_client, path):
    assert (await async_client.post(path)).status_code == 405
