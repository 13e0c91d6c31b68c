from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions.audit import note
from accounts.models import ApiToken, User
from accounts.models.api_token import all_scopes
from accounts.secrets import hash_of, new_token

PREFIX = "tkr_"  # so that people and secret scanners recognise one
SHOWN_CHARS = len(PREFIX) + 6
NOTED_EVERY = timedelta(minutes=1)


def make_token(
    user: User,
    name: str,
    expires_at: datetime | None = None,
    *,
    scopes: Iterable[str] | None = None,
    agents: Iterable[str] = (),
    tenant: str = "",
) -> tuple[ApiToken, str]:
    """The saved token, and its text, which cannot be had again. Without `scopes` it may do everything."""
    token = ApiToken(user=user, name=name, expires_at=expires_at, agents=list(agents), tenant=tenant)
    token.scopes = all_scopes() if scopes is None else list(scopes)
    return token, issue_token(token)


def issue_token(token: ApiToken) -> str:
    """Save a token that is filled in, and return its text."""
    text = PREFIX + new_token()
    token.prefix, token.token_hash = text[:SHOWN_CHARS], hash_of(text)
    with transaction.atomic():
        token.save(force_insert=True)
        note(
            "token.made",
            token,
            scopes=token.scopes,
            agents=token.agents,
            tenant=token.tenant,
            owner=token.user.username,
        )
    return text


def revoke_token(token: ApiToken) -> None:
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            note("token.revoked", token)


def note_token_used(token: ApiToken) -> None:
    """Not on every call: a write for each read would cost more than most reads."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
