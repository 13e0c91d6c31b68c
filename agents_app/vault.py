"""Secrets that must be read again: encrypted with a key that comes from SECRET_KEY, so that a copied database tells none."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PURPOSE = b"tkr-agent-chat vault 1:"


class Unreadable(Exception):
    """This was encrypted with another SECRET_KEY: enter the secret again, or name the old key in SECRET_KEY_FALLBACKS."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def encrypt(text: str) -> str:
    return _fernet(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """Raises `Unreadable`."""
    try:
        return _fernet(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).decrypt(text.encode()).decode()
    except InvalidToken:
        raise Unreadable from None


@lru_cache(maxsize=4)
def _fernet(*keys: str) -> MultiFernet:
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(PURPOSE + key.encode()).digest())) for key in keys]
    )
