"""`manage.py a2a certify` against a running installation, in every binding and version."""

from __future__ import annotations

import json

import pytest

from tkr_chat.tests.a2a.conftest import BINDINGS
from tkr_chat.tests.a2a.site import Site


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize(("version", "old"), [("1.0", []), ("0.3", ["version"])])
def test_it_works(home: Site, token: str, binding: str, version: str, old: list[str]) -> None:
    address = home.card_url(version=version)
    found = json.loads(home.manage("a2a", "certify", address, "--token", token, "--binding", binding, "--json"))

    assert [each["id"] for each in found if each["level"] == "amber"] == ["signature", *old]  # it has no key
    by_id = {each["id"]: each for each in found}
    assert len(found) == 21 and by_id["version"]["level"] == ("amber" if old else "green")
    assert by_id["subscribe"]["level"] == by_id["cancel"]["level"] == "green"
    spoken = {"JSONRPC": "POST http", "HTTP+JSON": "POST http", "GRPC": "gRPC 127.0.0.1"}[binding]
    assert by_id["send"]["exchange"]["request"].startswith(spoken)
