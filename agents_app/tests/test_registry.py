from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks

from agents_app import registry
from agents_app.base import Agent


class Gardener(Agent):
    id = "gardener"
    name = "Gardener"
    description = "Knows plants."


@pytest.fixture(autouse=True)
def clean_registry() -> Iterator[None]:
    yield
    registry.remove("gardener")


def test_it_works() -> None:
    assert list(registry.agents())[:2] == ["chloe", "phil"]
    assert registry.get_agent("chloe") is registry.get_agent("chloe")


@pytest.mark.django_db
def test_an_unknown_agent_is_named() -> None:
    with pytest.raises(registry.UnknownAgent, match='There is no agent called "nobody" here.'):
        registry.get_agent("nobody")


def test_more_can_be_added_for_a_test() -> None:
    added = registry.add(Gardener)
    assert registry.get_agent("gardener") is added
    registry.remove("gardener")
    assert "gardener" not in registry.agents()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": "Gardener!"}, 'has the id "Gardener!"'),
        ({"id": "chloe"}, 'share the id "chloe"'),
        ({"name": ""}, "has no name"),
        ({"description": ""}, "has no description"),
        ({"colour": "green"}, 'has the colour "green"'),
        ({"avatar": "a whole word"}, "is too long"),
    ],
)
def test_a_bad_identity_is_explained(change: dict[str, str], sentence: str) -> None:
    bad = type("Bad", (Gardener,), change)
    with pytest.raises(registry.BadAgent, match=sentence):
        registry.add(bad)


def test_a_bad_identity_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = type("Bad", (Gardener,), {"colour": "green"})
    with monkeypatch.context() as patched:
        patched.setattr(registry, "agents", registry.agents.__wrapped__)
        patched.setattr(registry, "_find_classes", lambda: iter([bad]))
        errors = [error for error in run_checks() if error.id == "agents_app.E001"]
    assert len(errors) == 1
    assert "#rrggbb" in errors[0].msg
