from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from agents_app import vault
from agents_app.ids import uuid7
from agents_app.models import Agent, Message, PushAttempt, PushConfig, PushDelivery, Task

LIST = "admin:agents_app_pushdelivery_changelist"


@pytest.fixture
def delivery(grace) -> PushDelivery:
    now = timezone.now()
    agent = Agent.objects.create(id="tester", name="Tester")
    request = Message.objects.create(context_id=uuid7(), seq=1, role="user", user=grace, text="Hello", created_at=now)
    task = Task.objects.create(
        agent=agent, context_id=request.context_id, request=request, created_at=now, updated_at=now
    )
    config = PushConfig.objects.create(
        task=task,
        name="mine",
        url="https://hook.example/a2a",
        token=vault.encrypt("t0ken"),
        scheme="Bearer",
        credentials=vault.encrypt("s3cret"),
        created_at=now,
    )
    delivery = PushDelivery.objects.create(config=config, version=3, state="dead", tries=2, due_at=now, created_at=now)
    PushAttempt.objects.create(delivery=delivery, at=now, error="hook.example cannot be reached.")
    PushAttempt.objects.create(delivery=delivery, at=now + timedelta(seconds=5), status=503, milliseconds=12)
    return delivery


def page(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_works(client, grace, delivery):
    client.force_login(grace)
    ledger = page(client, reverse(LIST) + "?state__exact=dead")
    assert str(delivery.config.task_id) in ledger and "https://hook.example/a2a" in ledger and "503" in ledger
    assert "https://hook.example/a2a" not in page(client, reverse(LIST) + "?state__exact=sent")
    detail = page(client, reverse("admin:agents_app_pushdelivery_change", args=[delivery.id]))
    assert "hook.example cannot be reached." in detail and "503" in detail


def test_dead_letters_can_be_sent_again(client, grace, delivery):
    client.force_login(grace)
    client.post(reverse(LIST), {"action": "send_again", "_selected_action": [str(delivery.id)]})
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("waiting", 0)


@pytest.mark.parametrize("search", ["hook.example", "task"])
def test_the_ledger_is_searched_by_address_and_by_task(client, grace, delivery, search):
    client.force_login(grace)
    words = str(delivery.config.task_id) if search == "task" else search
    assert "https://hook.example/a2a" in page(client, reverse(LIST) + f"?q={words}")


def test_secrets_are_not_shown(client, grace, delivery):
    client.force_login(grace)
    config = delivery.config
    shown = page(client, reverse("admin:agents_app_pushconfig_change", args=[config.id]))
    shown += page(client, reverse("admin:agents_app_pushconfig_changelist"))
    assert "https://hook.example/a2a" in shown and "Bearer" in shown
    for secret in ("t0ken", "s3cret", config.token, config.credentials):
        assert secret not in shown


@pytest.mark.parametrize("name", ["pushdelivery", "pushconfig"])
def test_nothing_is_made_changed_or_deleted_by_hand(client, grace, delivery, name):
    client.force_login(grace)
    row = delivery if name == "pushdelivery" else delivery.config
    assert client.get(reverse(f"admin:agents_app_{name}_add")).status_code == 403
    assert client.get(reverse(f"admin:agents_app_{name}_delete", args=[row.id])).status_code == 403
    assert client.post(reverse(f"admin:agents_app_{name}_change", args=[row.id]), {"url": "x"}).status_code == 403


def test_who_may_only_look_may_not_send_again(client, ada, delivery):
    from django.contrib.auth.models import Permission

    ada.is_staff = True
    ada.save()
    ada.user_permissions.add(Permission.objects.get(codename="view_pushdelivery"))
    client.force_login(ada)
    assert "send_again" not in page(client, reverse(LIST))
    client.post(reverse(LIST), {"action": "send_again", "_selected_action": [str(delivery.id)]})
    delivery.refresh_from_db()
    assert delivery.state == "dead"
