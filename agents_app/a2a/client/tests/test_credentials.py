from __future__ import annotations

from typing import Any

import pytest
from a2a.types.a2a_pb2 import AgentCard
from google.protobuf.json_format import ParseDict

from agents_app.a2a.client.credentials import list_schemes, seal, show, unseal
from agents_app.models import RemoteAgent

BEARER = {"httpAuthSecurityScheme": {"scheme": "Bearer"}}
BASIC = {"httpAuthSecurityScheme": {"scheme": "basic"}}
OAUTH = {"oauth2SecurityScheme": {"flows": {"clientCredentials": {"tokenUrl": "https://example.com/token"}}}}
OPENID = {"openIdConnectSecurityScheme": {"openIdConnectUrl": "https://example.com/oidc"}}
MTLS: dict[str, Any] = {"mtlsSecurityScheme": {}}


def key(location: str, name: str = "X-Key") -> dict[str, Any]:
    return {"apiKeySecurityScheme": {"location": location, "name": name}}


def card(*requirements: list[str], **schemes: Any) -> AgentCard:
    wanted = [{"schemes": {name: {} for name in names}} for names in requirements]
    return ParseDict({"name": "Bot", "securitySchemes": schemes, "securityRequirements": wanted}, AgentCard())


def test_it_works():
    shown = show(card(["a"], a=BEARER), {"a": "secret"})
    assert (dict(shown.headers), dict(shown.query)) == ({"Authorization": "Bearer secret"}, {})


@pytest.mark.parametrize(
    ("scheme", "secret", "headers", "query"),
    [
        (BASIC, "ada:pass", {"Authorization": "Basic YWRhOnBhc3M="}, {}),
        (OAUTH, "t", {"Authorization": "Bearer t"}, {}),
        (OPENID, "t", {"Authorization": "Bearer t"}, {}),
        (key("header"), "k", {"X-Key": "k"}, {}),
        (key("query", "key"), "k", {}, {"key": "k"}),
        (key("cookie", "sid"), "k", {"Cookie": "sid=k"}, {}),
    ],
)
def test_each_kind_is_shown_in_its_way(scheme, secret, headers, query):
    shown = show(card(["a"], a=scheme), {"a": secret})
    assert (dict(shown.headers), dict(shown.query)) == (headers, query)


def test_the_first_requirement_that_can_be_fulfilled_counts():
    either = card(["a", "b"], ["c"], a=BEARER, b=key("header"), c=key("query", "key"))
    assert show(either, {"a": "1", "c": "3"}).query == {"key": "3"}
    assert show(either, {"a": "1", "b": "2"}).headers == {"Authorization": "Bearer 1", "X-Key": "2"}
    assert show(either, {"a": "1"}).headers == {}


def test_what_nobody_asks_for_is_not_shown():
    assert show(card(["a"], a=BEARER, b=key("header")), {"a": "1", "b": "2"}).headers == {"Authorization": "Bearer 1"}


def test_schemes_are_described_for_the_person_who_pastes():
    listed = {scheme.name: scheme for scheme in list_schemes(card(["a"], ["a", "b"], a=BEARER, b=BASIC, c=MTLS))}
    assert (listed["a"].label, listed["a"].required, listed["b"].required) == ("Access token", True, False)
    assert listed["c"].usable and listed["c"].has_lines
    assert listed["c"].help.startswith("Paste the certificate and its private key")


def test_secrets_are_kept_encrypted():
    remote = RemoteAgent(credentials=seal({"a": "open sesame", "b": ""}))
    assert "sesame" not in remote.credentials
    assert unseal(remote) == {"a": "open sesame"}
    assert seal({}) == ""
