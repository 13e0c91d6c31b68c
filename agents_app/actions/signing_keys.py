from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import transaction
from django.utils import timezone
from jwt.algorithms import ECAlgorithm

from accounts.actions.audit import note
from agents_app.models import SigningKey
from agents_app.vault import encrypt

KID_CHARS = 32


class KeyInUse(Exception):
    """There is a key already. Rotate it: what it has signed still holds then."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@transaction.atomic
def make_signing_key() -> SigningKey:
    """Raises `KeyInUse`."""
    if SigningKey.objects.in_use().exists():
        raise KeyInUse
    return rotate_signing_key()


@transaction.atomic
def rotate_signing_key() -> SigningKey:
    """Sign with a new key from now on. The earlier one is retired: caches still hold cards that it has signed."""
    SigningKey.objects.in_use().update(retired_at=timezone.now())
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    jwk = _public_jwk(private.public_key())
    key = SigningKey.objects.create(kid=jwk["kid"], public_jwk=jwk, private_pem=encrypt(pem), created_at=timezone.now())
    note("signing_key.made", key)
    return key


def revoke_signing_key(key: SigningKey) -> None:
    """Somebody else has it: nothing that it signed holds any more, and the key itself is thrown away."""
    now = timezone.now()
    with transaction.atomic():
        if SigningKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now, private_pem=""):
            note("signing_key.revoked", key)


def _public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """Named by its thumbprint (RFC 7638); in hexadecimal, since a name that begins with "-" is an option to a command."""
    jwk = ECAlgorithm.to_jwk(key, as_dict=True)
    required = json.dumps({name: jwk[name] for name in sorted(("crv", "kty", "x", "y"))}, separators=(",", ":"))
    return jwk | {"kid": hashlib.sha256(required.encode()).hexdigest()[:KID_CHARS], "alg": "ES256", "use": "sig"}
