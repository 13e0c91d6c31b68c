from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from agents_app.threads import in_thread
from ops.backups.stores import DiskStore
from ops.models import Backup

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:ops_backup_changelist"


@pytest.fixture
def staff(db: None) -> User:
    """Works in the admin, and may look at backups, but is no superuser."""
    staff = User.objects.create_user("katherine", is_staff=True)
    staff.user_permissions.add(*_permissions())
    return staff


def _permissions():
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(content_type__app_label="ops")


def test_it_works(client: Client, grace: User, store: DiskStore) -> None:
    call_command("backup", "--prove")
    client.force_login(grace)

    page = client.get(reverse(LIST)).content.decode()

    assert "Last proven restore" in page and "UTC, 0 messages" in page and "Back up now" in page
    assert "proven" in page and "Download" in page and str(store.folder) in page
    backup = Backup.objects.get()
    assert "Prove" in client.get(reverse("admin:ops_backup_change", args=[backup.pk])).content.decode()


async def test_it_can_be_fetched(async_client: AsyncClient, grace: User, store: DiskStore) -> None:
    await in_thread(call_command, "backup")
    await async_client.aforce_login(grace)
    backup = await Backup.objects.aget()

    answer = await async_client.get(reverse("admin:ops_backup_download", args=[backup.pk]))

    assert b"".join([part async for part in answer]) == (store.folder / backup.name).read_bytes()
    assert await AuditEntry.objects.filter(action="backup.downloaded", actor="grace").acount() == 1


def test_staff_see_the_ledger_and_get_nothing(client: Client, staff: User, store: DiskStore) -> None:
    call_command("backup")
    backup = Backup.objects.get()
    client.force_login(staff)

    assert "Back up now" not in client.get(reverse(LIST)).content.decode()
    assert client.post(reverse("admin:ops_backup_make")).status_code == 403
    assert client.post(reverse("admin:ops_backup_prove", args=[backup.pk])).status_code == 403
    assert client.get(reverse("admin:ops_backup_download", args=[backup.pk])).status_code == 403


def test_ordinary_people_stay_outside(client: Client, ada: User, store: DiskStore) -> None:
    client.force_login(ada)
    for address in (reverse(LIST), reverse("admin:ops_backup_download", args=[1])):
        assert client.get(address).status_code == 302


def test_nothing_is_done_by_a_link(client: Client, grace: User, store: DiskStore) -> None:
    client.force_login(grace)
    assert client.get(reverse("admin:ops_backup_make")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(grace)
    assert strict.post(reverse("admin:ops_backup_make")).status_code == 403


def test_one_at_a_time_and_nothing_that_is_not_there(client: Client, grace: User, store: DiskStore) -> None:
    gone = Backup.objects.create(name="tkr-gone.backup", state="gone", made_at=datetime.now(UTC))
    client.force_login(grace)
    proven = client.post(reverse("admin:ops_backup_prove", args=[gone.pk]), follow=True).content.decode()
    assert "there is nothing to prove" in proven
    assert client.get(reverse("admin:ops_backup_download", args=[gone.pk])).status_code == 404

    Backup.objects.create(name="tkr-now.backup", made_at=datetime.now(UTC), owner="another machine")
    assert "wait until it is done" in client.post(reverse("admin:ops_backup_make"), follow=True).content.decode()
