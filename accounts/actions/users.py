from __future__ import annotations

from itertools import count

from accounts.models import User

GUEST = "a2a-guest"


def make_first_admin() -> User | None:
    """An administrator without a password, signed in by a link, if the server has none yet."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    return User.objects.create_superuser(_free_username("admin"))


def get_guest() -> User:
    """Who owns what callers without a token ask for. Nobody can sign in as the guest."""
    guest, _ = User.objects.get_or_create(
        username=GUEST, defaults={"display_name": "A2A guest", "is_active": False, "password": "!"}
    )
    return guest


def _free_username(wanted: str) -> str:
    """Somebody may carry the name already, and must not become an administrator by it."""
    names = (f"{wanted}{number or ''}" for number in count())
    return next(name for name in names if not User.objects.filter(username=name).exists())
