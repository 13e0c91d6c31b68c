"""Whatever the admin may add, change or delete leaves an entry in the audit log: of every model, also of the next one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.forms import ModelForm, MultiWidget
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.actions.api_tokens import make_token
from accounts.models import ApiToken, AuditEntry, User
from agents_app.actions.signing_keys import rotate_signing_key
from agents_app.models import Agent, SigningKey
from metrics.models import AlertRule, Silence

pytestmark = pytest.mark.django_db

# One of each, for models whose admin may change anything. The second: what the form to add one needs.
MADE: dict[type[Model], tuple[Callable[[User], Model], dict[str, Any]]] = {
    User: (
        lambda _: User.objects.create_user("eve"),
        {"username": "mia", "usable_password": "true", "password1": "korinth-79-x", "password2": "korinth-79-x"},
    ),
    Group: (lambda _: Group.objects.create(name="editors"), {"name": "readers"}),
    ApiToken: (lambda root: make_token(root, "report")[0], {"user": "", "name": "export", "scopes": ["api"]}),
    Agent: (lambda _: Agent.objects.get(id="chloe"), {}),
    SigningKey: (lambda _: SigningKey.objects.get(kid=rotate_signing_key().kid), {}),
    AlertRule: (
        lambda _: AlertRule.objects.create(name="Hot", metric="tkr_queue_age_seconds", threshold=10),
        {"name": "Cold", "metric": "tkr_queue_age_seconds", "threshold": "1"},
    ),
    Silence: (
        lambda _: Silence.objects.create(reason="moving", ends_at=timezone.now() + timedelta(hours=1)),
        {"reason": "painting", "ends_at_0": "2100-01-01", "ends_at_1": "10:00"},
    ),
}


@pytest.fixture
def root(client: Client) -> User:
    person = User.objects.create_superuser("root")
    client.force_login(person)
    return person


def _changing(root: User) -> list[tuple[type[Model], str]]:
    request = RequestFactory().get("/admin/")
    request.user = root
    return [
        (model, way)
        for model, its in admin.site._registry.items()
        for way in ("add", "change", "delete")
        if getattr(its, f"has_{way}_permission")(request)
    ]


def test_every_change_is_in_the_audit_log(client: Client, root: User) -> None:
    changing = _changing(root)
    assert (AlertRule, "delete") in changing and (Silence, "add") in changing

    for model, way in changing:
        assert model in MADE, f"{model.__name__} can be changed in the admin: say here how to make one."
        make, fields = MADE[model]
        with transaction.atomic():
            {"add": _add, "change": _change, "delete": _delete}[way](client, root, model, make, fields)
            transaction.set_rollback(True)  # the next one is made by the same names


def _add(client: Client, root: User, model: type[Model], make: Any, fields: dict[str, Any]) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    form = client.get(url).context["adminform"].form
    wanted = _posted(form) | fields | ({"user": root.pk} if "user" in fields else {})
    _press(client, url, wanted, f"{model._meta.model_name}.added")


def _change(client: Client, root: User, model: type[Model], make: Any, fields: dict[str, Any]) -> None:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[make(root).pk])
    _press(client, url, _posted(client.get(url).context["adminform"].form), f"{model._meta.model_name}.changed")


def _delete(client: Client, root: User, model: type[Model], make: Any, fields: dict[str, Any]) -> None:
    """By its own page, and several at once out of the list."""
    one = make(root)
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    action = f"{model._meta.model_name}.deleted"
    _press(client, reverse(f"{place}_delete", args=[one.pk]), {"post": "yes"}, action)
    chosen = {"action": "delete_selected", "_selected_action": [make(root).pk], "post": "yes"}
    _press(client, reverse(f"{place}_changelist"), chosen, action)


def _press(client: Client, url: str, fields: dict[str, Any], action: str) -> None:
    before = AuditEntry.objects.filter(action=action, actor="root").count()
    response = client.post(url, fields)
    assert response.status_code == 302, response.context and response.context["errors"]
    assert AuditEntry.objects.filter(action=action, actor="root").count() == before + 1, f"{url}: {action}"


def _posted(form: ModelForm[Any]) -> dict[str, Any]:
    """What a browser would send of an untouched form."""
    sent: dict[str, Any] = {}
    for bound in form:
        value, widget = bound.value(), bound.field.widget
        parts = {"": value}
        if isinstance(widget, MultiWidget):
            parts = dict(zip(widget.widgets_names, widget.decompress(value), strict=True))
        for name in (bound.html_name, *([bound.html_initial_name] if bound.field.show_hidden_initial else [])):
            sent |= {name + tail: part for tail, part in parts.items()}
    return {name: value for name, value in sent.items() if value is not None and value is not False}
