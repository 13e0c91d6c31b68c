from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.access import find_user_by_token
from accounts.actions.api_tokens import NOTED_EVERY, make_token, revoke_token
from accounts.models import ApiToken, User

pytestmark = pytest.mark.django_db(transaction=True)
make = sync_to_async(make_token)


async def test_it_works(ada: User) -> None:
    token, text = await make(ada, "backup script")

    assert await find_user_by_token(text) == ada
    assert text.startswith(token.prefix) and token.token_hash not in text


async def test_use_is_noted_but_not_on_every_call(ada: User) -> None:
    _, text = await make(ada, "backup script")
    await find_user_by_token(text)
    first = (await ApiToken.objects.aget()).last_used_at
    await find_user_by_token(text)
    assert first and (await ApiToken.objects.aget()).last_used_at == first

    await ApiToken.objects.aupdate(last_used_at=first - NOTED_EVERY)
    await find_user_by_token(text)
    assert (await ApiToken.objects.aget()).last_used_at > first - NOTED_EVERY


async def test_an_expired_token_is_refused(ada: User) -> None:
    _, text = await make(ada, "old", timezone.now() - timedelta(seconds=1))

    assert await find_user_by_token(text) is None


async def test_a_revoked_token_is_refused(ada: User) -> None:
    token, text = await make(ada, "lost")
    await sync_to_async(revoke_token)(token)

    assert await find_user_by_token(text) is None


async def test_a_token_of_somebody_switched_off_is_refused(ada: User) -> None:
    _, text = await make(ada, "backup script")
    await User.objects.filter(pk=ada.pk).aupdate(is_active=False)

    assert await find_user_by_token(text) is None


@pytest.mark.parametrize("text", ["", "tkr_", "tkr_invented", "x" * 10_000, "ünïcode"])
async def test_what_is_no_token_is_refused(ada: User, text: str) -> None:
    await make(ada, "backup script")

    assert await find_user_by_token(text) is None


async def test_the_stored_hash_is_no_token(ada: User) -> None:
    token, _ = await make(ada, "backup script")

    assert await find_user_by_token(token.token_hash) is None
