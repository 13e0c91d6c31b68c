from __future__ import annotations

import base64
import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from a2a.types import AgentCard
from a2a.utils._jcs import canonicalize
from a2a.utils.errors import InvalidParamsError
from a2a.utils.signing import InvalidSignaturesError, create_agent_card_signer, create_signature_verifier
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given
from hypothesis import strategies as st
from jwt import PyJWK, api_jws
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from agents_app.a2a import served, signing
from agents_app.a2a.cards import agent_card
from agents_app.a2a.signing import Signature, card_signer, judge_card, jwks, usable_keys, verify_card
from agents_app.actions.signing_keys import make_signing_key, revoke_signing_key, rotate_signing_key
from agents_app.models import Agent, SigningKey
from agents_app.tests.fake_internet import FakeInternet, Page, as_json, redirect, serve

BASE = "https://chat.example.com"
JKU = f"{BASE}/.well-known/jwks.json"
QUIET = Agent(id="quiet", name="Quiet", description="Hums “très bas”. 🎵")


def our_card(base: str = BASE) -> dict[str, Any]:
    return card_signer(base)(agent_card(QUIET, base))


def judged(card: dict[str, Any]) -> Signature:
    return judge_card(card, {JKU: usable_keys(jwks()) or {}})


def read_by_the_sdk(card: dict[str, Any]) -> None:
    """Raises `InvalidSignaturesError`."""
    keys = {key["kid"]: PyJWK(key) for key in jwks()["keys"]}
    create_signature_verifier(lambda kid, jku: keys[kid or ""], ["ES256"])(ParseDict(card, AgentCard()))


def sdk_signed(key: Any, algorithm: str, jku: str | None = JKU, card: dict[str, Any] | None = None) -> dict[str, Any]:
    message = ParseDict(card or agent_card(QUIET, BASE), AgentCard())
    header = {"kid": "theirs", "alg": algorithm, "jku": jku, "typ": "JOSE"}
    return MessageToDict(create_agent_card_signer(key, header)(message))  # type: ignore[arg-type]


@pytest.fixture
def their_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_set(*keys: Any, **more: Any) -> dict[str, Any]:
    makers = {
        ec.EllipticCurvePublicKey: ECAlgorithm,
        rsa.RSAPublicKey: RSAAlgorithm,
        ed25519.Ed25519PublicKey: OKPAlgorithm,
    }
    jwks = [
        next(maker.to_jwk(key, as_dict=True) for kind, maker in makers.items() if isinstance(key, kind)) for key in keys
    ]
    return {"keys": [jwk | {"kid": "theirs"} | more for jwk in jwks]}


def test_it_works(db: None) -> None:
    key = make_signing_key()

    card = our_card()

    header = json.loads(base64.urlsafe_b64decode(card["signatures"][0]["protected"] + "=="))
    assert header == {"alg": "ES256", "typ": "JOSE", "kid": key.kid, "jku": JKU}
    assert judged(card) == Signature.VALID


def test_without_a_key_a_card_is_not_signed(db: None) -> None:
    card = our_card()

    assert "signatures" not in card and judged(card) == Signature.NONE


def test_the_private_key_is_kept_encrypted_and_never_served(db: None) -> None:
    key = make_signing_key()

    assert "PRIVATE" not in key.private_pem
    assert [set(each) for each in jwks()["keys"]] == [{"kty", "crv", "x", "y", "kid", "alg", "use"}]


@pytest.mark.parametrize("base", [BASE, "http://127.0.0.1:8000"])
def test_the_sdk_accepts_our_signature(db: None, settings: Any, base: str) -> None:
    settings.A2A_ANONYMOUS = "loopback"
    make_signing_key()
    card = our_card(base)

    read_by_the_sdk(card)
    card["description"] = "Shouts."
    with pytest.raises(InvalidSignaturesError):
        read_by_the_sdk(card)


@pytest.mark.parametrize(("anonymous", "readings"), [("off", 1), ("on", 2)])
def test_who_drops_nothing_empty_finds_a_signature_too(db: None, settings: Any, anonymous: str, readings: int) -> None:
    settings.A2A_ANONYMOUS = anonymous
    make_signing_key()
    card = our_card()
    signatures = card.pop("signatures")

    token = ".".join((signatures[-1]["protected"], _encoded(canonicalize(card)), signatures[-1]["signature"]))
    assert len(signatures) == readings
    assert api_jws.decode(token, PyJWK(jwks()["keys"][0]), algorithms=["ES256"])


def test_the_same_card_always_has_the_same_signature(db: None) -> None:
    make_signing_key()

    assert our_card() == our_card()


def test_a_card_with_an_empty_required_value_is_not_signed(db: None) -> None:
    make_signing_key()

    with pytest.raises(InvalidParamsError):
        card_signer(BASE)(agent_card(QUIET, BASE) | {"description": ""})


def test_what_a_retired_key_signed_still_holds(db: None) -> None:
    make_signing_key()
    card = our_card()
    rotate_signing_key()

    assert judged(card) == Signature.VALID and our_card()["signatures"] != card["signatures"]
    read_by_the_sdk(card)


def test_what_a_revoked_key_signed_does_not_hold(db: None) -> None:
    key = make_signing_key()
    card = our_card()
    revoke_signing_key(key)
    rotate_signing_key()

    assert judged(card) == Signature.INVALID
    key.refresh_from_db()
    assert not key.private_pem


def test_a_key_of_another_secret_key_signs_nothing(db: None, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    make_signing_key()
    settings.SECRET_KEY = "another" * 8
    signing._private_key.cache_clear()

    assert "signatures" not in our_card() and "Cards are not signed" in caplog.text


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (lambda: rsa.generate_private_key(65537, 2048), "RS256"),
        (lambda: rsa.generate_private_key(65537, 2048), "PS256"),
        (ed25519.Ed25519PrivateKey.generate, "EdDSA"),
    ],
)
def test_we_accept_what_the_sdk_signs(make: Callable[[], Any], algorithm: str) -> None:
    key = make()
    card = sdk_signed(key, algorithm)
    keys = {JKU: usable_keys(key_set(key.public_key())) or {}}

    assert judge_card(card, keys) == Signature.VALID
    assert judge_card(card | {"name": "Mallory"}, keys) == Signature.INVALID


def test_we_accept_a_signature_over_the_literal_json(their_key: ec.EllipticCurvePrivateKey) -> None:
    card = agent_card(QUIET, BASE) | {"description": "", "fromTheFuture": {"x": [1.5, True, None]}}
    header = {"kid": "theirs", "jku": JKU}
    protected, _, signature = api_jws.encode(canonicalize(card).encode(), their_key, "ES256", header).split(".")
    signed = card | {"signatures": [{"protected": protected, "signature": signature}]}
    keys = {JKU: usable_keys(key_set(their_key.public_key())) or {}}

    assert judge_card(signed, keys) == Signature.VALID
    assert judge_card(signed | {"fromTheFuture": 1}, keys) == Signature.INVALID


def test_one_valid_signature_of_several_is_enough(their_key: ec.EllipticCurvePrivateKey) -> None:
    card = sdk_signed(their_key, "ES256")
    wrong = [{"protected": "nonsense", "signature": ""}, {}, card["signatures"][0] | {"signature": "AAAA"}]
    card["signatures"] = wrong + card["signatures"]
    keys = {JKU: usable_keys(key_set(their_key.public_key())) or {}}

    assert judge_card(card, keys) == Signature.VALID
    assert judge_card(card | {"signatures": wrong}, keys) == Signature.INVALID


def test_a_shared_secret_is_no_key(their_key: ec.EllipticCurvePrivateKey) -> None:
    secret = b"s" * 64
    jwk = {"kty": "oct", "k": _encoded(secret.decode()), "kid": "theirs", "alg": "HS256"}
    card = sdk_signed(secret, "HS256")

    assert judge_card(card, {JKU: usable_keys({"keys": [jwk]}) or {}}) == Signature.UNKNOWN
    card = sdk_signed(their_key, "ES256")
    assert judge_card(card, {JKU: usable_keys({"keys": [jwk]}) or {}}) == Signature.INVALID


@pytest.mark.parametrize(
    "change", [{"use": "enc"}, {"exp": 1}, {"exp": "soon"}, {"revoked": {"revoked_at": 1}}, {"kid": 7}]
)
def test_a_key_that_may_not_be_used_makes_nothing_valid(
    their_key: ec.EllipticCurvePrivateKey, change: dict[str, Any]
) -> None:
    keys = {JKU: usable_keys(key_set(their_key.public_key(), **change)) or {}}

    assert judge_card(sdk_signed(their_key, "ES256"), keys) == Signature.INVALID


@pytest.mark.parametrize(
    "key", [{}, {"kty": 1}, {"kty": "EC"}, {"kty": "EC", "crv": "P-256", "x": 1, "y": []}, {"alg": []}]
)
def test_a_key_that_is_none_makes_nothing_valid(their_key: ec.EllipticCurvePrivateKey, key: dict[str, Any]) -> None:
    keys = {JKU: usable_keys({"keys": [key | {"kid": "theirs"}, 5, None]}) or {}}

    assert judge_card(sdk_signed(their_key, "ES256"), keys) == Signature.INVALID


@pytest.mark.parametrize("signatures", ["", [], None, {}])
def test_a_card_without_signatures_has_none(signatures: Any) -> None:
    assert judge_card(agent_card(QUIET, BASE) | {"signatures": signatures}, {}) == Signature.NONE


@pytest.mark.parametrize(
    "signatures", ["x", 5, [5], [None], {"protected": "x"}, [{"protected": 5}], [{"protected": "W10"}]]
)
def test_signatures_that_cannot_be_read_are_invalid(signatures: Any) -> None:
    assert judge_card(agent_card(QUIET, BASE) | {"signatures": signatures}, {}) == Signature.INVALID


@pytest.mark.parametrize("keys", [None, 5, [], {}, {"keys": {}}, {"keys": None}])
def test_a_key_set_that_is_none_has_no_keys(keys: Any) -> None:
    assert usable_keys(keys) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "alg", "k", "exp", "use"])
WORDS = st.sampled_from(["EC", "RSA", "OKP", "oct", "P-256", "Ed25519", "AQAB", "ES256", "RS256", "EdDSA"])


@given(st.sampled_from([*agent_card(QUIET, BASE), "signatures"]), JSON, st.dictionaries(MEMBERS, WORDS | JSON))
def test_no_json_brings_the_judge_down(name: str, value: Any, key: dict[str, Any]) -> None:
    header = _encoded(json.dumps({"alg": "ES256", "kid": "theirs", "jku": JKU}))
    card = agent_card(QUIET, BASE) | {"signatures": [{"protected": header, "signature": value}]} | {name: value}

    assert judge_card(card, {JKU: {"theirs": key}}) != Signature.VALID


class TestFetched:
    """Cards and keys on a server of their own."""

    @pytest.fixture
    def signed_at(
        self, internet: FakeInternet, their_key: ec.EllipticCurvePrivateKey
    ) -> Callable[..., Awaitable[Signature]]:
        async def verify(jku: str | None = "/jwks.json", **changes: Any) -> Signature:
            jku = internet.url + jku if jku and jku.startswith("/") else jku
            return await verify_card(sdk_signed(their_key, "ES256", jku) | changes, f"{internet.url}/card.json")

        internet.pages["/jwks.json"] = as_json(key_set(their_key.public_key()))
        return verify

    async def test_it_works(self, signed_at: Callable[..., Awaitable[Signature]], internet: FakeInternet) -> None:
        assert await signed_at() == Signature.VALID
        assert [asked.path for asked in internet.asked] == ["/jwks.json"]

    async def test_a_changed_card_is_found_out(self, signed_at: Callable[..., Awaitable[Signature]]) -> None:
        assert await signed_at(name="Mallory") == Signature.INVALID

    async def test_keys_elsewhere_are_not_even_asked_for(
        self, signed_at: Callable[..., Awaitable[Signature]], their_key: ec.EllipticCurvePrivateKey
    ) -> None:
        with serve() as elsewhere:
            elsewhere.pages["/jwks.json"] = as_json(key_set(their_key.public_key()))

            assert await signed_at(f"{elsewhere.url}/jwks.json") == Signature.UNKNOWN
            assert not elsewhere.asked

    async def test_keys_that_lie_elsewhere_after_all_are_not_believed(
        self,
        signed_at: Callable[..., Awaitable[Signature]],
        internet: FakeInternet,
        their_key: ec.EllipticCurvePrivateKey,
    ) -> None:
        with serve() as elsewhere:
            elsewhere.pages["/jwks.json"] = as_json(key_set(their_key.public_key()))
            internet.pages["/jwks.json"] = redirect(f"{elsewhere.url}/jwks.json")

            assert await signed_at() == Signature.UNKNOWN

    @pytest.mark.parametrize(
        "page", [Page("no JSON"), as_json([]), as_json({}, 500), Page("[" * 100_000), Page(b"\xff")]
    )
    async def test_keys_that_cannot_be_had_leave_it_unknown(
        self, signed_at: Callable[..., Awaitable[Signature]], internet: FakeInternet, page: Page
    ) -> None:
        internet.pages["/jwks.json"] = page

        assert await signed_at() == Signature.UNKNOWN

    @pytest.mark.parametrize("jku", [None, "", "file:///etc/passwd", "http://[", "/nothing"])
    async def test_without_keys_it_is_unknown(self, signed_at: Callable[..., Awaitable[Signature]], jku: str) -> None:
        assert await signed_at(jku) == Signature.UNKNOWN

    async def test_a_withdrawn_key_makes_it_invalid(
        self, signed_at: Callable[..., Awaitable[Signature]], internet: FakeInternet
    ) -> None:
        internet.pages["/jwks.json"] = as_json({"keys": []})

        assert await signed_at() == Signature.INVALID

    @pytest.mark.django_db(transaction=True)
    async def test_what_one_of_our_servers_serves_another_accepts(self, internet: FakeInternet) -> None:
        from agents_app.actions.agents import register_agents
        from agents_app.threads import in_thread

        await in_thread(register_agents)
        await in_thread(make_signing_key)
        served.forget()
        internet.pages["/.well-known/jwks.json"] = Page(
            (await served.served_keys(internet.url)).body, "application/json"
        )
        card = json.loads((await served.served_card(None, internet.url)).body)

        assert await verify_card(card, f"{internet.url}/.well-known/agent-card.json") == Signature.VALID
        forged = copy.deepcopy(card)
        forged["supportedInterfaces"][0]["url"] = "https://evil.example/"
        assert await verify_card(forged, f"{internet.url}/.well-known/agent-card.json") == Signature.INVALID
        await SigningKey.objects.all().adelete()


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
