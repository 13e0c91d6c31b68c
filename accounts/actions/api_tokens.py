from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.secrets import hash_of, new_token

PREFIX = "tkr_"  # so that people and secret scanners recognise one
SHOWN_CHARS = len(PREFIX) + 6
NOTED_EVERY = timedelta(minutes=1)


def make_token(user: User, name: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """The saved token, and its text, which cannot be had again."""
    text = PREFIX + new_token()
    token = ApiToken.objects.create(
        user=user, name=name, prefix=text[:SHOWN_CHARS], token_hash=hash_of(text), expires_at=expires_at
    )
    return token, text


def revoke_token(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


async def note_token_used(token: ApiToken) -> None:
    """Not on every call: a write for each read would cost more than most reads."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
        await ApiToken.objects.filter(stale, pk=token.pk).aupdate(last_used_at=now)
