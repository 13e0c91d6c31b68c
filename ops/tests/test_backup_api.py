"""Who is let in, and what is refused. `tkr_chat/tests/backups` makes and proves one over a real server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from accounts.models import User
from agents_app.threads import in_thread
from chat.tests.api_client import Program, token_of
from ops.backups.stores import DiskStore
from ops.models import Backup

pytestmark = pytest.mark.django_db(transaction=True)
BACKUPS = "/admin/backups"


async def test_it_works(grace: User, store: DiskStore) -> None:
    await in_thread(call_command, "backup", "--prove")

    status, answer = await Program(token_of(grace)).call("GET", BACKUPS)

    assert status == 200 and answer["where"] == str(store.folder)
    [backup] = answer["backups"]
    assert (backup["state"], backup["proof"], answer["last_proof"]["name"]) == ("whole", "proven", backup["name"])


@pytest.mark.parametrize(
    ("method", "path"), [("GET", BACKUPS), ("POST", BACKUPS), ("POST", f"{BACKUPS}/tkr-1.backup/prove")]
)
async def test_only_administrators_programs_are_let_in(ada: User, grace: User, method: str, path: str) -> None:
    assert await Program().refused(method, path) == (401, "unauthenticated")
    assert await Program("wrong").refused(method, path) == (401, "unauthenticated")
    assert await Program(token_of(ada)).refused(method, path) == (403, "forbidden")
    browser = Program()
    await browser.client.aforce_login(grace)
    assert await browser.refused(method, path) == (401, "unauthenticated")


async def test_what_is_wrong_is_refused(grace: User, store: DiskStore) -> None:
    program = Program(token_of(grace))
    assert await program.refused("POST", f"{BACKUPS}/tkr-nothing.backup/prove") == (404, "not_found")
    assert await program.refused("DELETE", BACKUPS) == (405, "method_not_allowed")
    assert (await program.call("GET", BACKUPS))[1] == {"where": str(store.folder), "last_proof": None, "backups": []}

    await Backup.objects.acreate(name="tkr-now.backup", made_at=datetime.now(UTC), owner="another machine")
    assert await program.refused("POST", BACKUPS) == (409, "refused")
