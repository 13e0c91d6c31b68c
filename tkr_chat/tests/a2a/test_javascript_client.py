"""The official JavaScript clients, of today and of the days of 0.3, do everything they can in each binding."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tkr_chat.tests.a2a.conftest import BINDINGS, SECONDS
from tkr_chat.tests.a2a.site import Site

SCRIPTS = Path(__file__).parent / "js"


@pytest.mark.node
@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize(("client", "version"), [("current", "1.0"), ("current", "0.3"), ("former", "0.3")])
def test_it_works(node: str, home: Site, secret: str, client: str, version: str, binding: str) -> None:
    given = {"url": home.card_url(version=version), "binding": binding, "version": version, "token": secret}
    command = [node, "run.mjs", client, json.dumps(given)]
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, timeout=SECONDS)

    assert done.returncode == 0, done.stderr
