"""An order is given, and what the processes answer is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from metrics.models import Process
from ops.control import giving
from ops.control.giving import NoSuchProcess, give
from ops.models import Order, OrderAnswer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web process and a worker that answer everything at once, and a web process that never does."""
    now = timezone.now()
    for name, kind in (("web", Process.Kind.WEB), ("worker", Process.Kind.WORKER), ("deaf", Process.Kind.WEB)):
        Process.objects.create(owner=f"host/{name}/1", name=name, kind=kind, pid=1, started_at=now, last_seen_at=now)
    create = Order.objects.create

    def answered(**fields: Any) -> Order:
        order = create(**fields)
        for name in ("web", "worker"):
            OrderAnswer.objects.create(order=order, process=f"host/{name}/1", data={"from": name})
        return order

    monkeypatch.setattr(Order.objects, "create", answered)
    monkeypatch.setattr(giving, "ANSWER_SECONDS", 0.2)


def test_it_works() -> None:
    outcome = give(Order.Kind.RECOVER)

    assert outcome.answers == {"web": {"from": "web"}, "worker": {"from": "worker"}}
    assert outcome.silent == ["deaf"]


def test_what_was_not_asked_is_not_told() -> None:
    """A worker obeys an order about browsers as well, and has none."""
    outcome = give(Order.Kind.CLOSE_SOCKETS, kinds=(Process.Kind.WEB,))

    assert outcome.answers == {"web": {"from": "web"}}
    assert outcome.silent == ["deaf"]


def test_an_order_for_a_process_that_is_not_there_is_refused() -> None:
    with pytest.raises(NoSuchProcess, match="deaf.*web.*worker|web.*deaf.*worker"):
        give(Order.Kind.RECOVER, "nobody")
