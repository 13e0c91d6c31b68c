"""Signatures on agent cards: ours, and those of others.

A signature is a JWS (RFC 7515) over the canonical JSON (RFC 8785) of the card without its signatures. "Canonical" is
read in two ways: the SDKs first drop what is empty, at any depth; the text of the specification keeps more. A card of
ours has at most one empty thing, the security requirement that asks for nothing, and then it carries a signature for
each reading. Of a foreign card either is accepted.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from a2a.types import AgentCard
from a2a.utils._jcs import CanonicalizationError, canonicalize
from a2a.utils.proto_utils import validate_proto_required_fields
from a2a.utils.signing import _canonicalize_agent_card  # the SDK has no public name for it
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.protobuf.json_format import ParseDict, ParseError
from jwt import PyJWK, PyJWTError, api_jws
from jwt.utils import base64url_decode, base64url_encode, der_to_raw_signature

from agents_app import outgoing
from agents_app.models import RemoteAgent, SigningKey
from agents_app.vault import Unreadable, decrypt

Signature = RemoteAgent.Signature
Card = dict[str, Any]
Keys = Mapping[str, Mapping[str, Any]]  # JSON Web Keys by their `kid`

ALGORITHM = "ES256"
# None with a shared secret: whoever could check such a signature could also make it.
ACCEPTED = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA")
JWKS_PATH = "/.well-known/jwks.json"
MAX_SIGNATURES = 8
MAX_JWKS_BYTES = 256 * 1024

logger = logging.getLogger(__name__)


def jwks() -> dict[str, Any]:
    """A JSON Web Key Set of the keys whose signatures hold. A revoked key is missing, so what it signed holds no more."""
    return {"keys": [key.public_jwk for key in SigningKey.objects.trusted()]}


def card_signer(base: str) -> Callable[[Card], Card]:
    """Signs cards with the key that is in use now. Without a key they stay as they are."""
    key = SigningKey.objects.in_use().first()
    private = _private_key(key.kid, key.private_pem) if key else None
    if key is None or private is None:
        return lambda card: card
    return lambda card: sign_card(card, private, key.kid, base + JWKS_PATH)


def sign_card(card: Card, private: ec.EllipticCurvePrivateKey, kid: str, jku: str) -> Card:
    """The card with our signatures. Raises `a2a.utils.errors.InvalidParamsError` when a required value is empty:
    readers disagree about what such a card says.

    The same card always gets the same signature (RFC 6979), so its ETag is the same in every process.
    """
    validate_proto_required_fields(ParseDict(card, AgentCard()))
    header = {"alg": ALGORITHM, "typ": "JOSE", "kid": kid, "jku": jku}
    protected = base64url_encode(json.dumps(header, separators=(",", ":")).encode())
    signatures = []
    for payload in _payloads(card):
        signed = protected + b"." + base64url_encode(payload)
        der = private.sign(signed, ec.ECDSA(SHA256(), deterministic_signing=True))
        signature = base64url_encode(der_to_raw_signature(der, private.curve))
        signatures.append({"protected": protected.decode(), "signature": signature.decode()})
    return card | {"signatures": signatures}


async def verify_card(card: Card, card_url: str) -> Signature:
    """What the signatures of a card that was read at `card_url` (after redirects) are worth.

    A signature names where its key is (`jku`), and that is believed only at the origin the card itself came from. Anywhere
    else the author of a forged card would name a key of their own, and "signed" would mean nothing. Whoever holds
    the origin could serve any card anyhow; what the signature adds is that the holder of the key made it, which
    a cache, a mirror or a stolen right to change one file cannot.
    """
    named = {jku for header, _ in _signatures(card) if header and isinstance(jku := header.get("jku"), str)}
    near = [jku for jku in named if same_origin(jku, card_url)]
    fetched = await asyncio.gather(*(fetch_keys(jku) for jku in near))
    return judge_card(card, {jku: keys for jku, keys in zip(near, fetched, strict=True) if keys is not None})


async def fetch_keys(jku: str) -> Keys | None:
    """The keys that may be used of a JSON Web Key Set, or None when there is none to read."""
    try:
        fetched = await outgoing.fetch(jku, max_bytes=MAX_JWKS_BYTES, accept="application/json")
        found = json.loads(fetched.body) if fetched.status == 200 and same_origin(fetched.url, jku) else None
    except (outgoing.OutgoingError, ValueError, RecursionError):
        return None
    return usable_keys(found)


def usable_keys(key_set: Any) -> Keys | None:
    listed = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(listed, list):
        return None
    return {key["kid"]: key for key in listed if isinstance(key, dict) and _is_usable(key)}


def judge_card(card: Card, key_sets: Mapping[str, Keys]) -> Signature:
    """`key_sets` by their address, those that are believed. One valid signature is enough."""
    if not card.get("signatures"):
        return Signature.NONE
    payloads = _payloads(card)
    verdicts = {
        _judge(header, signature, payloads, key_sets) if header else Signature.INVALID
        for header, signature in _signatures(card)
    }
    return next((found for found in (Signature.VALID, Signature.INVALID) if found in verdicts), Signature.UNKNOWN)


def same_origin(one: str, other: str) -> bool:
    try:
        return _origin(one) == _origin(other)
    except outgoing.BadUrl:
        return False


def _judge(header: Card, signature: Card, payloads: list[bytes], key_sets: Mapping[str, Keys]) -> Signature:
    jku, kid, algorithm = (header.get(name) for name in ("jku", "kid", "alg"))
    if not isinstance(jku, str) or jku not in key_sets or algorithm not in ACCEPTED:
        return Signature.UNKNOWN
    jwk = key_sets[jku].get(kid) if isinstance(kid, str) else None
    if jwk is None:
        return Signature.INVALID  # its owner has withdrawn the key
    valid = any(_holds(payload, signature, jwk, algorithm) for payload in payloads)
    return Signature.VALID if valid else Signature.INVALID


def _holds(payload: bytes, signature: Card, jwk: Mapping[str, Any], algorithm: str) -> bool:
    token = f"{signature['protected']}.{base64url_encode(payload).decode()}.{signature.get('signature')}"
    try:
        api_jws.decode(token, PyJWK(dict(jwk), jwk.get("alg") or algorithm), algorithms=list(ACCEPTED))
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):  # a foreign key may be any JSON
        return False
    return True


def _signatures(card: Card) -> list[tuple[Card | None, Any]]:
    """Each signature behind its protected header, which is None when it cannot be read."""
    found = card.get("signatures")
    return [(_header(each), each) for each in (found if isinstance(found, list) else [None])[:MAX_SIGNATURES]]


def _header(signature: Any) -> Card | None:
    try:
        header = json.loads(base64url_decode(signature["protected"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _payloads(card: Card) -> list[bytes]:
    """What a signature of this card may have been made over."""
    bare = {name: value for name, value in card.items() if name != "signatures"}
    found = []
    for canonical in (_as_the_sdks_read_it, canonicalize):
        try:
            found.append(canonical(bare).encode())
        except (CanonicalizationError, ParseError):
            continue
    return list(dict.fromkeys(found))


def _as_the_sdks_read_it(card: Card) -> str:
    return _canonicalize_agent_card(ParseDict(card, AgentCard(), ignore_unknown_fields=True))


def _is_usable(key: Card) -> bool:
    """For signatures, neither withdrawn nor expired. A revoked key may stay in a set, with the time it was revoked."""
    expiry = key.get("exp")
    fresh = expiry is None or (isinstance(expiry, int | float) and expiry > time.time())
    return isinstance(key.get("kid"), str) and key.get("use", "sig") == "sig" and "revoked" not in key and fresh


def _origin(url: str) -> tuple[str, str, int]:
    parsed = outgoing.checked_url(url)
    return parsed.scheme, parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80)


@lru_cache(maxsize=8)  # keeps the answer, and so says only once that a key cannot be read
def _private_key(kid: str, encrypted: str) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = load_pem_private_key(decrypt(encrypted).encode(), None)
    except Unreadable:
        logger.warning("Cards are not signed: key %s was encrypted with another SECRET_KEY. Rotate it.", kid)
        return None
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
