"""Tokens that give access. The database holds their hashes only, so a stolen copy of it signs nobody in."""

from hashlib import sha256
from secrets import token_urlsafe

TOKEN_BYTES = 32


def new_token() -> str:
    return token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> str:
    """No salt and no slow hash: 256 random bits cannot be guessed, and the hash must be found by an index."""
    return sha256(token.encode()).hexdigest()
