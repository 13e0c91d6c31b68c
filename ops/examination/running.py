"""What should be running: processes, Redis, schedules, the queue, brains and agents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from redis import Redis, RedisError

from agents_app.brains import describe_default
from agents_app.models import Agent, RemoteAgent, ScheduledRun, SigningKey, Task
from metrics.models import Process
from ops.examination.findings import Finding, amber, green, red

WAITS_TOO_LONG = timedelta(minutes=2)
REDIS_SECONDS = 2.0
NAMES_SHOWN = 5


def redis() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        several = Process.objects.alive().count() > 1
        alone = "There is none, and several processes run: news do not reach all browsers."
        yield (
            red("redis", alone, "Set REDIS_URL.")
            if several
            else green("redis", "There is none; one process needs none.")
        )
        return
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_SECONDS) as client:
            client.ping()
            version = client.info("server").get("redis_version", "")
        yield green("redis", f"Redis {version} answers.")
    except (RedisError, OSError) as error:
        yield red("redis", f"It does not answer: {error}", "Start it, or look at REDIS_URL.")


def processes() -> Iterator[Finding]:
    alive = list(Process.objects.alive())
    if not alive:
        yield amber("processes", "No process of the server is alive.", "manage.py serve")
        return
    kinds = Counter(process.get_kind_display() for process in alive)
    text = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    others = sorted({process.version for process in alive} - {settings.VERSION})
    if others:
        todo = "Start every process of the server again."
        yield amber("processes", f"{text}; some run version {', '.join(others)}, this is {settings.VERSION}.", todo)
    else:
        yield green("processes", f"{text}.")
    if not any(process.runs_agents for process in alive):
        todo = "manage.py runagents, or serve where tasks run in the web process."
        yield red("processes", "None of them runs agents: tasks wait.", todo)
    for process in alive:
        # As it begins, a process waits for connections that are being made.
        if process.pool_waiting and (process.pool_in_use or 0) >= (process.pool_max or 0):
            todo = "Look who holds it up, as docs/operations.md says; else raise DB_POOL_OVERFLOW."
            yield red("processes", f"{process.name}: {process.pool_waiting} wait for a database connection.", todo)


def queue() -> Iterator[Finding]:
    waiting = Task.objects.runnable().filter(lease_owner="")
    late = waiting.filter(updated_at__lt=timezone.now() - WAITS_TOO_LONG).count()
    if late:
        yield amber("queue", f"{late} tasks wait for more than two minutes.", "Start more workers: manage.py runagents")
    else:
        yield green("queue", f"{waiting.count()} tasks wait.")


def schedules() -> Iterator[Finding]:
    failed = list(ScheduledRun.objects.exclude(error=""))
    for run in failed:
        yield amber("schedules", f"{run.name} failed: {run.error}", "Mend that; it is run again when it is due.")
    if not failed:
        yield green("schedules", "None has failed.")


def brains() -> Iterator[Finding]:
    yield green("brains", describe_default())


def agents() -> Iterator[Finding]:
    served = Agent.objects.enabled()
    if not served.exists():
        yield red("agents", "Nobody answers: no agent is enabled.", "Enable one in the admin, under Agents.")
        return
    down = RemoteAgent.objects.filter(agent__in=served).exclude(down_since=None)
    held = RemoteAgent.objects.filter(agent__in=served).exclude(pending_card=None)
    for remote in down[:NAMES_SHOWN]:
        yield amber("agents", f"{remote.agent_id} does not answer: {remote.last_error}", f"Look at {remote.host}.")
    for remote in held[:NAMES_SHOWN]:
        yield amber(
            "agents", f"The card of {remote.agent_id} changed.", f"Accept it, or not: /agents/{remote.agent_id}/"
        )
    gone = Agent.objects.filter(Q(enabled=True) & Q(present=False)).count()
    if gone:
        yield amber("agents", f"{gone} agents are enabled whose code is gone.", "Disable them in the admin.")
    if not down and not held:
        yield green("agents", f"{served.count()} answer.")


def signing_keys() -> Iterator[Finding]:
    key = SigningKey.objects.in_use().first()
    unsigned = "Agents' cards are not signed; others may want that: manage.py a2akey make"
    yield green("signing keys", f"{key.kid} signs agents' cards." if key else unsigned)
