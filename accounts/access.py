"""Who somebody is: the only way from a token to a person."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.actions.api_tokens import note_token_used
from accounts.models import ApiToken, BrowserSession, SignInLink, User
from accounts.secrets import hash_of


def find_token(text: str) -> ApiToken | None:
    """The usable token with this text, with its user, the person for whom a program acts. Notes that it was used.

    The database compares hashes, so timing tells nothing about the token. Whoever asks decides by its `allows`, its
    `reaches` and its tenant what the program may do.
    """
    token = ApiToken.objects.usable().select_related("user").filter(token_hash=hash_of(text)).first()
    if token is not None:
        note_token_used(token)
    return token


def list_usable_tokens(ids: Collection[UUID]) -> list[ApiToken]:
    """Those of these that work still."""
    return list(ApiToken.objects.usable().filter(id__in=ids)) if ids else []


def find_usable_link(text: str) -> SignInLink | None:
    """Unused as far as one look can tell; `use_sign_in_link` decides."""
    links = SignInLink.objects.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)
    return links.select_related("user").filter(token_hash=hash_of(text)).first()


def list_sessions(user: User) -> list[BrowserSession]:
    """The browsers in which somebody is signed in, last seen first."""
    alive = Session.objects.filter(expire_date__gt=timezone.now(), session_key=OuterRef("session_key"))
    return list(user.browser_sessions.filter(Exists(alive)))


def find_person(username: str) -> User | None:
    return User.objects.filter(username=username, is_active=True).first()


def find_first_admin() -> User | None:
    return User.objects.filter(is_superuser=True, is_active=True).order_by("date_joined").first()
