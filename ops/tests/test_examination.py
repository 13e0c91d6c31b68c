from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from pytest_django import Settings

from agents_app.models import Agent, ScheduledRun
from metrics.models import Process
from ops.examination import data, deployment, machine, running
from ops.examination.findings import Finding, amber, as_report, examine, green, in_lines, red
from ops.models import Backup


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def colours(found: Iterator[Finding]) -> list[str]:
    return [finding.colour for finding in found]


def test_it_works() -> None:
    def looks() -> Iterator[Finding]:
        yield green("disk", "There is room.")
        yield red("clock", "It is wrong.", "Set it.")

    report = as_report(examine([("all", looks)]))

    assert report["counts"] == {"green": 1, "amber": 0, "red": 1}
    assert in_lines(report)[1:3] == ["✗ clock  It is wrong.", "         → Set it."]


def test_one_that_cannot_be_looked_at_is_red_and_hides_no_other() -> None:
    def broken() -> Iterator[Finding]:
        yield from ()
        raise OSError("gone")

    found = examine([("disk", broken), ("clock", lambda: iter([amber("clock", "Late.", "Wait.")]))])

    assert [(finding.name, finding.colour) for finding in found] == [("disk", "red"), ("clock", "amber")]


@pytest.mark.parametrize(("free", "colour"), [(50, "green"), (9, "amber"), (2, "red")])
def test_a_disk_that_fills_up_is_told_in_time(free: int, colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: Usage(100 << 30, 0, free << 30))

    assert set(colours(machine.disks())) == {colour}


@pytest.mark.parametrize(("days", "colour"), [(100, "green"), (5, "amber"), (-1, "red")])
def test_a_certificate_that_ends_is_told_in_time(days: int, colour: str, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "certificate.pem"
    file.write_bytes(certificate(days))
    settings.A2A_GRPC_CERT = str(file)

    assert colours(machine.certificates()) == [colour]


def certificate(days: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=9))
    return (
        builder.not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


@pytest.mark.django_db
def test_backups_that_fail_or_grow_old_are_told() -> None:
    assert colours(data.backups()) == ["amber"]
    now = timezone.now()
    backup = Backup.objects.create(name="1", state="whole", made_at=now)
    assert colours(data.backups()) == ["amber"], "never proven"

    Backup.objects.update(proof="proven", proven_at=now)
    assert colours(data.backups()) == ["green"]

    Backup.objects.update(proven_at=now - timedelta(days=3))
    assert colours(data.backups()) == ["amber"]
    Backup.objects.create(
        name="2", state="failed", made_at=backup.made_at + timedelta(days=1), error="The disk is full."
    )
    assert colours(data.backups())[0] == "red"


@pytest.mark.django_db
def test_processes_of_another_version_failed_schedules_and_absent_agents_are_told() -> None:
    assert colours(running.processes()) == ["amber"]
    Agent.objects.update(enabled=False)
    assert colours(running.agents()) == ["red"]
    now = timezone.now()
    values = {"kind": "web", "host": "here", "pid": 1, "started_at": now, "last_seen_at": now}
    Process.objects.create(owner="1", name="web@here:1", version="0.0.1", **values)
    ScheduledRun.objects.create(name="ops.back_up", due_at=now, error="CommandFailed: the disk is full")
    Agent.objects.create(id="tester", name="Tester")

    assert colours(running.processes()) == ["amber"] and colours(running.schedules()) == ["amber"]
    assert colours(running.agents()) == ["green"]


@pytest.mark.django_db
def test_an_exhausted_pool_is_told(settings: Settings) -> None:
    now = timezone.now()
    values = {
        "kind": "web",
        "host": "here",
        "pid": 1,
        "started_at": now,
        "last_seen_at": now,
        "version": settings.VERSION,
    }
    process = Process.objects.create(owner="1", name="web@here:1", pool_waiting=0, **values)
    assert colours(running.processes()) == ["green"]

    process.pool_waiting, process.pool_in_use, process.pool_max = 3, 2, 12
    process.save()
    assert colours(running.processes()) == ["green"], "it has just begun, and makes connections"

    process.pool_in_use = 12
    process.save()
    assert colours(running.processes()) == ["green", "red"]


@pytest.mark.django_db
def test_that_nobody_runs_agents_is_told(settings: Settings) -> None:
    now = timezone.now()
    values = {"kind": "web", "host": "here", "pid": 1, "started_at": now, "last_seen_at": now}
    Process.objects.create(owner="1", name="web@here:1", version=settings.VERSION, runs_agents=False, **values)

    assert colours(running.processes()) == ["green", "red"]


def test_errors_in_the_log_are_counted(settings: Settings, tmp_path: Path) -> None:
    settings.LOG_DIR, settings.LOG_FILES = tmp_path, True
    assert colours(deployment.error_log()) == ["green"]
    (tmp_path / "errors.log").write_text("2026-11-28 ERROR action=x msg=y\n")
    assert colours(deployment.error_log()) == ["amber"]
