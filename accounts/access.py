"""Who somebody is: the only way from a token to a person."""

from __future__ import annotations

from django.utils import timezone

from accounts.actions.api_tokens import note_token_used
from accounts.models import ApiToken, SignInLink, User
from accounts.secrets import hash_of


async def find_user_by_token(text: str) -> User | None:
    """The person for whom a program acts. The database compares hashes, so timing tells nothing about the token."""
    token = await ApiToken.objects.usable().select_related("user").filter(token_hash=hash_of(text)).afirst()
    if token is None:
        return None
    await note_token_used(token)
    return token.user


def find_usable_link(text: str) -> SignInLink | None:
    """Unused as far as one look can tell; `use_sign_in_link` decides."""
    links = SignInLink.objects.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)
    return links.select_related("user").filter(token_hash=hash_of(text)).first()


def find_person(username: str) -> User | None:
    return User.objects.filter(username=username, is_active=True).first()


def find_first_admin() -> User | None:
    return User.objects.filter(is_superuser=True, is_active=True).order_by("date_joined").first()
