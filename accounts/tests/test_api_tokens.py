from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.access import find_token
from accounts.actions.api_tokens import NOTED_EVERY, make_token, revoke_token
from accounts.models import ApiToken, Scope, User

pytestmark = pytest.mark.django_db(transaction=True)
make = sync_to_async(make_token)
find = sync_to_async(find_token)


async def test_it_works(ada: User) -> None:
    token, text = await make(ada, "backup script")

    found = await find(text)
    assert found == token and found.user == ada
    assert text.startswith(token.prefix) and token.token_hash not in text


async def test_use_is_noted_but_not_on_every_call(ada: User) -> None:
    _, text = await make(ada, "backup script")
    await find(text)
    first = (await ApiToken.objects.aget()).last_used_at
    await find(text)
    assert first and (await ApiToken.objects.aget()).last_used_at == first

    await ApiToken.objects.aupdate(last_used_at=first - NOTED_EVERY)
    await find(text)
    assert (await ApiToken.objects.aget()).last_used_at > first - NOTED_EVERY


async def test_an_expired_token_is_refused(ada: User) -> None:
    _, text = await make(ada, "old", timezone.now() - timedelta(seconds=1))

    assert await find(text) is None


async def test_a_revoked_token_is_refused(ada: User) -> None:
    token, text = await make(ada, "lost")
    await sync_to_async(revoke_token)(token)

    assert await find(text) is None


async def test_a_token_of_somebody_switched_off_is_refused(ada: User) -> None:
    _, text = await make(ada, "backup script")
    await User.objects.filter(pk=ada.pk).aupdate(is_active=False)

    assert await find(text) is None


@pytest.mark.parametrize("text", ["", "tkr_", "tkr_invented", "x" * 10_000, "ünïcode"])
async def test_what_is_no_token_is_refused(ada: User, text: str) -> None:
    await make(ada, "backup script")

    assert await find(text) is None


async def test_the_stored_hash_is_no_token(ada: User) -> None:
    token, _ = await make(ada, "backup script")

    assert await find(token.token_hash) is None


async def test_a_token_may_do_everything_unless_it_says_less(ada: User) -> None:
    everything, _ = await make(ada, "backup script")
    reading, _ = await make(ada, "dashboard", scopes=[Scope.READ])

    assert all(everything.allows(scope) for scope in Scope) and everything.reaches("chloe")
    assert [scope for scope in Scope if reading.allows(scope)] == [Scope.READ]


@pytest.mark.parametrize("limits", [{"agents": ["chloe"]}, {"tenant": "acme"}])
async def test_a_token_with_limits_is_for_a2a_alone(ada: User, limits: dict[str, Any]) -> None:
    token, text = await make(ada, "partner", **limits)

    found = await find(text)
    assert found and (found.agents, found.tenant) == (token.agents, token.tenant)
    assert found.allows(Scope.SEND) and not found.allows(Scope.API)


async def test_a_token_reaches_only_the_agents_it_names(ada: User) -> None:
    token, _ = await make(ada, "partner", agents=["chloe"])

    assert token.reaches("chloe") and not token.reaches("phil")
