"""Where certificates are kept, and the claim that keeps two tests of one agent apart, however many processes there are.

Of an agent elsewhere it is in the agent's row (`RemoteAgent`), of one of this server in a row of its own (`OwnCertificate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from agents_app.a2a.certificate.findings import Finding, as_json, counts
from agents_app.models import Agent, OwnCertificate, RemoteAgent

LONGEST = timedelta(minutes=15)  # a test that is not over by then has died with its process
AT_ONCE = 20
MODELS = (RemoteAgent, OwnCertificate)

Json = dict[str, Any]


@dataclass(frozen=True)
class Progress:
    done: int
    of: int
    title: str


@dataclass(frozen=True)
class Certificate:
    findings: list[Json] = field(default_factory=list)
    at: datetime | None = None
    progress: Progress | None = None  # of a test that runs now

    @property
    def counts(self) -> dict[str, int]:
        return counts(self.findings)


def load_certificate(agent: Agent) -> Certificate:
    kept = _read(agent.id)
    running = kept.get("running") if _is_running(kept) else None
    progress = Progress(running["done"], running["of"], running["title"]) if running else None
    at = parse_datetime(kept["at"]) if "at" in kept else None
    return Certificate(kept.get("findings", []), at, progress)


def claim(agent_id: str) -> bool:
    """Whether this caller may test the agent now: nobody else does."""
    row = _row(agent_id)
    if _is_running(row.certificate):
        return False
    running = {"since": timezone.now().isoformat(), "done": 0, "of": 0, "title": ""}
    unchanged = type(row).objects.filter(pk=agent_id, certified_at=row.certified_at)
    return bool(unchanged.update(certificate={**row.certificate, "running": running}, certified_at=timezone.now()))


def note_progress(agent_id: str, done: int, of: int, title: str) -> None:
    kept = _read(agent_id)
    if "running" in kept:
        _write(agent_id, {**kept, "running": {**kept["running"], "done": done, "of": of, "title": title}})


def keep(agent_id: str, findings: Sequence[Finding]) -> None:
    _write(agent_id, {"at": timezone.now().isoformat(), "findings": as_json(findings)})


def let_go(agent_id: str) -> None:
    """The test was not finished; what was found before stays."""
    kept = {name: value for name, value in _read(agent_id).items() if name != "running"}
    _write(agent_id, kept)


def find_due() -> list[str]:
    """Agents whose last test is long ago. Those that do not answer, or are on hold, wait until they are back."""
    if not settings.A2A_CERTIFY_HOURS:
        return []
    before = timezone.now() - timedelta(hours=settings.A2A_CERTIFY_HOURS)
    due = RemoteAgent.objects.filter(certified_at__lt=before, down_since=None, pending_card__isnull=True)
    return list(due.filter(agent__enabled=True).order_by("certified_at").values_list("pk", flat=True)[:AT_ONCE])


def _row(agent_id: str) -> RemoteAgent | OwnCertificate:
    remote = RemoteAgent.objects.filter(pk=agent_id).first()
    return remote or OwnCertificate.objects.get_or_create(pk=agent_id)[0]


def _read(agent_id: str) -> Json:
    for model in MODELS:
        kept: Json | None = model.objects.filter(pk=agent_id).values_list("certificate", flat=True).first()
        if kept is not None:
            return kept
    return {}


def _write(agent_id: str, kept: Json) -> None:
    """Into the row that was claimed. An agent that was removed meanwhile has none any more."""
    fields = {"certificate": kept} | ({"certified_at": kept["at"]} if "at" in kept and "running" not in kept else {})
    for model in MODELS:
        if model.objects.filter(pk=agent_id).update(**fields):
            return


def _is_running(kept: Json) -> bool:
    since = parse_datetime(kept["running"]["since"]) if "running" in kept else None
    return since is not None and since > timezone.now() - LONGEST
