"""What is looked at before a new version serves, and after."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import httpx
from django.conf import settings
from django.core import checks

from ops.examination.findings import Finding, amber, green, red

AUDIT_SECONDS = 120
HTTP_SECONDS = 10
LOG_BYTES = 256 * 1024
SHOWN = 5


def deployment_settings() -> Iterator[Finding]:
    found = [message for message in checks.run_checks(include_deployment_checks=True) if not message.is_silenced()]
    for message in found[:SHOWN]:
        text = f"{message.id}: {' '.join(str(message.msg).split())}"
        todo = str(message.hint or "manage.py check --deploy says more.")
        yield red("settings", text, todo) if message.is_serious() else amber("settings", text, todo)
    if not found:
        yield green("settings", "check --deploy finds nothing.")


def tests() -> Iterator[Finding]:
    if find_spec("pytest") is None:
        yield amber("tests", "pytest is not installed, so they were not run.", "make test, on a machine for it")
        return
    done = _run("-m", "pytest", "-q", "-x")
    last = (done.stdout.strip() or done.stderr.strip() or "no output").splitlines()[-1]
    yield green("tests", last) if done.returncode == 0 else red("tests", last, "make test")


def dependencies() -> Iterator[Finding]:
    if find_spec("pip_audit") is None:
        todo = "pip install pip-audit, if you want to know."
        yield amber("dependencies", "pip-audit is not installed, so nobody looked for known problems.", todo)
        return
    try:
        flags = ("--local", "--skip-editable", "--progress-spinner=off", "--format=json")
        told = json.loads(_run("-m", "pip_audit", *flags, seconds=AUDIT_SECONDS).stdout)["dependencies"]
    except (ValueError, KeyError, subprocess.TimeoutExpired):
        todo = "Let this machine reach pypi.org, or run scripts/audit on one that does."
        yield amber("dependencies", "The registry could not be asked for known problems.", todo)
        return
    yield from _told_by_registry(told)


def _told_by_registry(told: list[dict[str, object]]) -> Iterator[Finding]:
    asked = [one for one in told if "vulns" in one]
    weak = [one for one in asked if one["vulns"]]
    for one in weak:
        yield red("dependencies", f"{one['name']} {one['version']} has a known weakness.", "scripts/audit says which.")
    if len(asked) < len(told):
        todo = "scripts/audit, on a machine that reaches pypi.org"
        yield amber("dependencies", f"Of {len(told) - len(asked)} nothing is known.", todo)
    elif not weak:
        yield green("dependencies", f"{len(asked)} looked up, none with a known weakness.")


def health(url: str) -> Iterator[Finding]:
    """Of the server that runs, as a probe sees it."""
    for path in ("/healthz", "/readyz"):
        try:
            answer = httpx.get(f"{url}{path}", timeout=HTTP_SECONDS, headers={"host": _host()})
        except httpx.HTTPError as error:
            yield red("health", f"{url}{path} does not answer: {error}", "manage.py serve; the log says why it ended.")
            return
        if answer.status_code == 200:
            yield green("health", f"{path} says that all is well.")
        else:
            yield red(
                "health", f"{path} answers {answer.status_code}: {answer.text.strip()}", "See to the part it names."
            )


def metrics(url: str) -> Iterator[Finding]:
    answer = httpx.get(f"{url}/metrics", timeout=HTTP_SECONDS, headers={"host": _host()})
    if answer.status_code == 200:
        yield green("metrics", f"{len(re.findall('^# TYPE', answer.text, re.MULTILINE))} are exposed.")
    elif answer.status_code in (401, 403):
        yield green("metrics", "They are there, for those who may see them.")
    else:
        yield amber("metrics", f"/metrics answers {answer.status_code}.", "The log says why.")


def error_log() -> Iterator[Finding]:
    """Of today."""
    file = settings.LOG_DIR / "errors.log"
    if not settings.LOG_FILES or not file.is_file():
        yield green("log", "No error was logged today." if settings.LOG_FILES else "Logs are not kept in files.")
        return
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - LOG_BYTES))
        lines = [
            line for line in log.read().decode(errors="replace").splitlines() if "ERROR" in line or "CRITICAL" in line
        ]
    if lines:
        yield amber("log", f"{len(lines)} errors were logged today; the last: {lines[-1][:200]}", f"Read {file}.")
    else:
        yield green("log", "No error was logged today.")


def _host() -> str:
    """One that ALLOWED_HOSTS has, also when the server is asked at another address."""
    return httpx.URL(settings.PUBLIC_URL).netloc.decode()


def _run(*arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(  # noqa: S603  (our own tools)
        command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False, timeout=seconds
    )
