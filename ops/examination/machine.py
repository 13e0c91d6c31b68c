"""The machine: disks, clock, who may read our files, certificates."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from django.conf import settings
from django.db import connection
from redis import Redis

from ops.examination.findings import Finding, amber, green, red

DISK_AMBER_SHARE, DISK_RED_SHARE = 0.10, 0.03
DISK_RED_BYTES = 256 * 1024 * 1024
CLOCK_SECONDS = 2.0
EXPIRES_SOON = timedelta(days=14)


def disks() -> Iterator[Finding]:
    seen: set[int] = set()
    for folder in (settings.DATA_DIR, settings.MEDIA_ROOT, settings.BACKUP_DIR):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if there.stat().st_dev not in seen:
            seen.add(there.stat().st_dev)
            yield _disk(there)


def _disk(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    text = f"{folder} has {usage.free / 2**30:,.1f} GB free of {usage.total / 2**30:,.1f}."
    todo = "Make room: manage.py prunebackups, manage.py prune; docs/operations.md, “The disk is full”."
    if usage.free < max(usage.total * DISK_RED_SHARE, DISK_RED_BYTES):
        return red("disk", text, todo)
    return amber("disk", text, todo) if usage.free < usage.total * DISK_AMBER_SHARE else green("disk", text)


def clock() -> Iterator[Finding]:
    """Leases, signatures and tokens are compared with clocks of several machines."""
    for name, moment in _other_clocks():
        apart = abs((datetime.now(UTC) - moment).total_seconds())
        if apart > CLOCK_SECONDS:
            todo = "Let both machines follow a time server (systemd-timesyncd, chrony)."
            yield red("clock", f"It is {apart:,.1f} s away from the clock of {name}.", todo)
            return
    yield green("clock", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC.")


def _other_clocks() -> Iterator[tuple[str, datetime]]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            yield "PostgreSQL", cursor.fetchone()[0]
    if settings.REDIS_URL:
        with Redis.from_url(settings.REDIS_URL) as client:
            seconds, microseconds = client.time()
            yield "Redis", datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)


def permissions() -> Iterator[Finding]:
    private = [settings.DATA_DIR / "secret-key", settings.BASE_DIR / ".env", *settings.BACKUP_DIR.glob("*.backup")]
    if connection.vendor == "sqlite":
        private.append(Path(connection.settings_dict["NAME"]))
    open_to_all = [file for file in private if file.is_file() and file.stat().st_mode & 0o007]
    for file in open_to_all:
        yield amber("permissions", f"Every user of this machine may read {file}.", f"chmod o= {file}")
    closed = [
        folder
        for folder in (settings.DATA_DIR, settings.MEDIA_ROOT)
        if folder.exists() and not os.access(folder, os.W_OK)
    ]
    for folder in closed:
        yield red("permissions", f"{folder} cannot be written.", "Give it to the user that the server runs as.")
    if not open_to_all and not closed:
        yield green("permissions", "Our files are ours alone.")


def certificates() -> Iterator[Finding]:
    if not settings.A2A_GRPC_CERT:
        return
    certificate = x509.load_pem_x509_certificate(Path(settings.A2A_GRPC_CERT).read_bytes())
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    text = f"That of gRPC is valid until {certificate.not_valid_after_utc:%Y-%m-%d}."
    todo = "Renew it (A2A_GRPC_CERT), and start `rungrpc` again."
    if left < timedelta(0):
        yield red("certificates", text, todo)
    else:
        yield amber("certificates", text, todo) if left < EXPIRES_SOON else green("certificates", text)
