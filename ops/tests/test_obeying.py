"""What a process does with an order. `tkr_chat/tests/test_control.py` gives them to a real server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts.models import User
from agents_app import runtime
from agents_app.threads import in_thread
from ops.control.obeying import ORDERS
from ops.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def count_people() -> int:
    return User.objects.count()


async def test_it_works(ada: User) -> None:
    """The connections are new afterwards, and nobody notices; on SQLite there are none to replace."""
    await in_thread(count_people)

    answer = await ORDERS[Order.Kind.RESET_POOL](runtime.current(), {})

    assert answer["reset"] == (connection.vendor == "postgresql")
    assert await in_thread(count_people) == 1


async def test_caches_are_emptied() -> None:
    cache.set("a", 1)

    await ORDERS[Order.Kind.CLEAR_CACHE](runtime.current(), {})

    assert cache.get("a") is None


def test_every_order_is_understood() -> None:
    assert set(ORDERS) == set(Order.Kind)


def test_an_order_is_for_one_process_or_for_all() -> None:
    to_all, to_me, to_other = (Order.objects.create(kind=Order.Kind.RECOVER, to=to) for to in ("", "me", "other"))

    assert list(Order.objects.for_process("me", 0)) == [to_all, to_me]
    assert list(Order.objects.for_process("me", to_all.pk)) == [to_me]
    assert to_other not in Order.objects.for_process("me", 0)


def test_an_order_that_is_old_is_not_obeyed() -> None:
    Order.objects.create(kind=Order.Kind.DRAIN)
    Order.objects.update(at=timezone.now() - timedelta(minutes=2))

    assert not Order.objects.for_process("me", 0)
