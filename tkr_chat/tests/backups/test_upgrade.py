from __future__ import annotations

import pytest

from tkr_chat.tests.backups.installation import Installation
from tkr_chat.tests.server import serving


def applied(here: Installation) -> list[str]:
    return here.run("showmigrations", "--plan").splitlines()


def test_it_works(here: Installation) -> None:
    """From before there was a ledger of backups."""
    here.run("migrate", "ops", "zero")

    report = here.report("upgrade")

    assert "ops.0001_backups" in report["applied"] and here.said() == ["before the backup"]
    [listed] = here.report("listbackups")["backups"]
    assert (listed["name"], listed["proof"]) == (report["backup"], "proven")
    assert here.report("upgrade")["applied"] == [], "harmless to repeat"


@pytest.mark.parametrize(
    ("version", "why"), [("failing", "a_table_that_is_not_there"), ("losing", "1 messages before, and 0 are left")]
)
def test_when_it_fails_everything_is_put_back(here: Installation, version: str, why: str) -> None:
    before = applied(here)

    said = here.refused("upgrade", DJANGO_SETTINGS_MODULE=f"tkr_chat.tests.backups.{version}.settings")

    assert why in said and "everything is as it was" in said
    assert here.said() == ["before the backup"]
    assert applied(here) == before
    assert len(list(here.backups.glob("*.backup"))) == 1


def test_while_a_server_runs_it_is_refused(here: Installation) -> None:
    with serving(here.data, "--no-link", **here.variables) as server:
        assert "is ready" in server.banner
        assert "stop the server" in here.refused("upgrade")

    assert list(here.backups.glob("*.backup")) == []
