"""How an agent wants to be shown who calls: the security schemes of its card, and the secrets that were entered for them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from a2a.types.a2a_pb2 import AgentCard, SecurityScheme

from agents_app.models import RemoteAgent
from agents_app.outgoing.client_certificate import ClientCertificate
from agents_app.vault import decrypt, encrypt

CERTIFICATE = (
    "Paste the certificate and its private key, both in PEM form, one below the other, the key without a password."
)
BEARER = "Paste a token. It is sent as “Authorization: Bearer …”."


@dataclass(frozen=True, slots=True)
class Scheme:
    """One security scheme, and what to ask a person for."""

    name: str
    label: str
    help: str
    usable: bool = True
    required: bool = False
    has_lines: bool = False  # a text of several lines


@dataclass(frozen=True, slots=True)
class Shown:
    """What goes with every call."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    certificate: ClientCertificate | None = None


def list_schemes(card: AgentCard) -> list[Scheme]:
    needed = [set(requirement.schemes) for requirement in card.security_requirements]
    always = set.intersection(*needed) if needed else set()
    schemes = [_described(name, scheme, name in always) for name, scheme in card.security_schemes.items()]
    return sorted(schemes, key=lambda scheme: (not scheme.usable, not scheme.required, scheme.name))


def show(card: AgentCard, secrets: Mapping[str, str]) -> Shown:
    """The first requirement of the card that the secrets fulfil; without requirements, all of them."""
    sets = [set(requirement.schemes) for requirement in card.security_requirements]
    names = next((names for names in sets if names <= secrets.keys()), set(secrets) if not any(sets) else set())
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    certificate = None
    for name in sorted(names & set(card.security_schemes)):
        if card.security_schemes[name].HasField("mtls_security_scheme"):
            certificate = ClientCertificate.read(secrets[name])
        _apply(card.security_schemes[name], secrets[name], headers, query)
    return Shown(headers, query, certificate)


def seal(secrets: Mapping[str, str]) -> str:
    kept = {name: secret for name, secret in secrets.items() if secret}
    return encrypt(json.dumps(kept)) if kept else ""


def unseal(remote: RemoteAgent) -> dict[str, str]:
    """Raises `agents_app.vault.Unreadable`."""
    return json.loads(decrypt(remote.credentials)) if remote.credentials else {}


def _described(name: str, scheme: SecurityScheme, required: bool) -> Scheme:
    kind = scheme.WhichOneof("scheme")
    if kind == "api_key_security_scheme":
        key = scheme.api_key_security_scheme
        label = f"API key ({key.name} in the {key.location})"
        return Scheme(name, label, "Paste the key.", key.location in ("header", "query", "cookie"), required)
    if kind == "http_auth_security_scheme":
        return _described_http(name, scheme.http_auth_security_scheme.scheme, required)
    if kind == "oauth2_security_scheme":
        return Scheme(name, "OAuth 2 access token", BEARER, True, required)
    if kind == "open_id_connect_security_scheme":
        return Scheme(name, "OpenID Connect token", BEARER, True, required)
    if kind == "mtls_security_scheme":
        return Scheme(name, "Client certificate", CERTIFICATE, True, required, has_lines=True)
    return Scheme(name, name, "This server does not know this kind of credentials.", False, required)


def _described_http(name: str, scheme: str, required: bool) -> Scheme:
    if scheme.lower() == "basic":
        return Scheme(name, "User name and password", "Write them as name:password.", True, required)
    if scheme.lower() == "bearer":
        return Scheme(name, "Access token", BEARER, True, required)
    return Scheme(name, f"HTTP {scheme}", "This server knows Basic and Bearer only.", False, required)


def _apply(scheme: SecurityScheme, secret: str, headers: dict[str, str], query: dict[str, str]) -> None:
    kind = scheme.WhichOneof("scheme")
    if kind == "api_key_security_scheme":
        _apply_key(scheme.api_key_security_scheme.location, scheme.api_key_security_scheme.name, secret, headers, query)
    elif kind == "http_auth_security_scheme" and scheme.http_auth_security_scheme.scheme.lower() == "basic":
        headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    elif kind in ("http_auth_security_scheme", "oauth2_security_scheme", "open_id_connect_security_scheme"):
        headers["Authorization"] = f"Bearer {secret}"


def _apply_key(location: str, name: str, secret: str, headers: dict[str, str], query: dict[str, str]) -> None:
    if location == "header":
        headers[name] = secret
    elif location == "query":
        query[name] = secret
    elif location == "cookie":
        cookie: SimpleCookie = SimpleCookie({name: secret})
        said = cookie.output(header="", sep=";").strip()
        headers["Cookie"] = f"{headers['Cookie']}; {said}" if "Cookie" in headers else said
