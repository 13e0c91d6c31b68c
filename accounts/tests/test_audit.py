from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from accounts.actions.api_tokens import make_token, revoke_token
from accounts.actions.audit import note
from accounts.context import binding
from accounts.models import AppendOnly, AuditEntry, User


def test_it_works(ada: User) -> None:
    with binding(person=ada.pk, address="203.0.113.1", via="http", request="r1"):
        token, text = make_token(ada, "report")

    entry = AuditEntry.objects.get(action="token.made")
    assert (entry.actor, entry.address, entry.via, entry.request) == ("ada", "203.0.113.1", "http", "r1")
    assert entry.about == f"accounts.apitoken:{token.pk}" and entry.details["owner"] == "ada"
    assert text not in str(entry.details) + entry.about_name


def test_what_the_console_does_has_no_person(ada: User) -> None:
    revoke_token(make_token(ada, "report")[0])

    entry = AuditEntry.objects.get(action="token.revoked")
    assert (entry.actor, entry.actor_id, entry.via) == ("", None, "command")


def test_what_is_done_twice_is_noted_once(ada: User) -> None:
    token, _ = make_token(ada, "report")
    revoke_token(token)
    revoke_token(token)

    assert AuditEntry.objects.filter(action="token.revoked").count() == 1


def test_what_is_undone_leaves_no_entry(ada: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_token(ada, "report")
        raise ZeroDivisionError

    assert not AuditEntry.objects.exists()


def test_it_cannot_be_changed(ada: User) -> None:
    note("something.happened", ada)
    entry = AuditEntry.objects.get()
    entry.actor = "mallory"

    for change in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(AppendOnly):
            change()
    with pytest.raises(AppendOnly):
        AuditEntry.objects.update(actor="mallory")


def test_it_outlives_whom_it_names(ada: User) -> None:
    note("something.happened", ada, actor=ada)
    ada.delete()

    assert AuditEntry.objects.get(action="something.happened").actor == "ada"
    assert AuditEntry.objects.get(action="user.deleted").about_name == "Ada"


def test_signing_in_and_out_and_failing_is_noted(ada: User, client: Client) -> None:
    client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    client.post("/sign-in/", {"username": "ada", "password": "ada's password"})
    client.post("/sign-out/")

    actions = list(AuditEntry.objects.order_by("id").values_list("action", "about_name"))
    assert actions == [
        ("person.sign_in_failed", "ada"),
        ("person.signed_in", "Ada"),
        ("person.signed_out", "Ada"),
    ]
    assert "wrong" not in str(list(AuditEntry.objects.values()))


def test_what_administrators_change_is_noted(ada: User, grace: User, client: Client) -> None:
    client.force_login(grace)
    AuditEntry.objects.all()

    values = {"username": "ada", "display_name": "Ada L.", "is_active": "on"}
    assert client.post(f"/admin/accounts/user/{ada.pk}/change/", values).status_code == 302

    entry = AuditEntry.objects.get(action="user.changed")
    assert entry.actor == "grace" and "Display name" in str(entry.details)


def test_administrators_read_it_and_others_do_not(ada: User, grace: User, client: Client) -> None:
    note("something.happened", ada)
    client.force_login(grace)
    page = client.get("/admin/accounts/auditentry/")
    assert "something.happened" in page.text
    entry = AuditEntry.objects.get(action="something.happened")
    assert client.post(f"/admin/accounts/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403

    client.force_login(ada)
    assert client.get("/admin/accounts/auditentry/").status_code == 302
