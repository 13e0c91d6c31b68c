from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.actions.audit import note
from accounts.models import SignInLink, User
from accounts.secrets import hash_of, new_token

VALID_FOR = timedelta(days=1)


@transaction.atomic
def make_sign_in_link(user: User, base: str = "") -> str:
    """The address that signs `user` in once. Links made for them before stop working. `base`: PUBLIC_URL if empty."""
    token = new_token()
    user.sign_in_links.all().delete()
    SignInLink.objects.create(user=user, token_hash=hash_of(token), expires_at=timezone.now() + VALID_FOR)
    note("sign_in_link.made", user)
    return (base or settings.PUBLIC_URL) + reverse("sign_in_link", args=[token])


def use_sign_in_link(link: SignInLink) -> bool:
    """True for exactly one of any number of callers.

    The condition stands in the row's own columns: PostgreSQL checks them again after waiting for another transaction,
    and would not check a subquery or a join again.
    """
    return SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()) == 1
