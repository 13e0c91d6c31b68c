"""Every REST operation is called as its description says, and as it does not: no 5xx, and no answer that is not described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from chat.api import api as chat_api
from tkr_chat.tests.a2a.site import MAKE_TOKEN
from tkr_chat.tests.processes import manage
from tkr_chat.tests.server import serving

SECONDS = 10
CHECKS = [checks.response_schema_conformance, checks.content_type_conformance]
QUIET = {
    "EMBEDDED_MODEL": "off",
    "OLLAMA_URL": "",
    "DJANGO_SETTINGS_MODULE": "tkr_chat.tests.a2a.settings",
    "RATE_PER_MINUTE_API": "0",  # the limits have tests of their own
    "RATE_PER_MINUTE_MESSAGES": "0",
}


OPERATIONS = [(method, path) for path, item in chat_api.get_openapi_schema()["paths"].items() for method in item]


class Api(NamedTuple):
    schema: Any
    address: str
    headers: dict[str, str]

    def make_things(self) -> dict[str, str]:
        """A conversation with a file, and a message that made a task: their ids, as paths name them."""
        with httpx.Client(base_url=f"{self.address}/api/v1", headers=self.headers) as program:
            made = program.post("/conversations", json={"agents": ["clerk"]}).raise_for_status().json()
            path = f"/conversations/{made['id']}"
            file = program.post(f"{path}/attachments", files={"file": ("a.txt", b"Hi!")}).raise_for_status().json()
            said = program.post(f"{path}/messages", json={"text": "wait 5"}).raise_for_status().json()
        participant = made["participants"][-1]["id"]
        ids = {"conversation_id": made["id"], "participant_id": participant, "attachment_id": file["id"]}
        return ids | {"task_id": said["tasks"][0]}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    data = tmp_path_factory.mktemp("api")
    manage(data, "prepare", **QUIET)
    made = manage(data, "shell", "--no-imports", "-c", MAKE_TOKEN.format(name="ada"), **QUIET)
    with serving(data, "--no-link", **QUIET) as server:
        schema = schemathesis.openapi.from_url(f"{server.address}/api/v1/openapi.json")
        yield Api(schema, server.address, {"Authorization": f"Bearer {made.stdout.split()[-1]}"})


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_it_works(api: Api, method: str, path: str, mode: GenerationMode) -> None:
    things = api.make_things()

    @settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=api.schema[path][method].as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        if mode == GenerationMode.POSITIVE:
            case.path_parameters.update({name: things[name] for name in case.path_parameters if name in things})
        answer = case.call(headers=api.headers, timeout=SECONDS)
        assert answer.status_code < 500, case.as_curl_command()
        if answer.status_code >= 400:
            assert answer.json()["error"]["message"], case.as_curl_command()
        else:
            case.validate_response(answer, checks=CHECKS)

    call()
