"""One trace follows a message from the page through every process to the last agent, and says nothing of what was said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tkr_chat.tests.a2a.site import Site, site
from tkr_chat.tests.browser.conftest import PATIENCE_MS, send
from tkr_chat.tests.otlp import Collector, Span, collecting

pytestmark = pytest.mark.browser

SECONDS = 60
ADD = """
from dataclasses import replace
from asgiref.sync import async_to_sync
from accounts.access import find_first_admin
from agents_app.a2a.client.card_file import Interface
from agents_app.a2a.client.preview import preview_remote_agent
from agents_app.actions.remote_agents import add_remote_agent

preview = async_to_sync(preview_remote_agent)("{url}")
for offered in preview.parsed.supported_interfaces:
    if offered.protocol_version == "1.0":
        chosen = replace(preview, interface=Interface(offered.url, offered.protocol_binding, "1.0", offered.tenant))
        name = offered.protocol_binding.lower().replace("+", "-")
        add_remote_agent(find_first_admin(), chosen, {{"bearer": "{token}"}}, f"{{name}}-parrot")
print("added")
"""
REMOTES = {"jsonrpc-parrot": "JSONRPC", "http-json-parrot": "HTTP+JSON", "grpc-parrot": "GRPC"}


class Traced(NamedTuple):
    site: Site
    collector: Collector
    page: Page


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, internet: int, chromium_browser: Browser) -> Iterator[Traced]:
    """A server and its gRPC beside it, which knows its own parrot as a remote agent by each binding; and a page."""
    services = f"http://127.0.0.1:{internet}"
    with collecting() as collector:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=open-sesame",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "LOG_FILES": "on",
            "OPEN_METEO_URL": services,
            "OPEN_METEO_GEOCODING_URL": services,
        }
        with site(tmp_path_factory.mktemp("traced"), "traced", **variables) as found:
            url = f"{found.card_url('parrot')}/.well-known/agent-card.json"
            assert found.shell(ADD.format(url=url, token=found.token("neighbour"))) == "added"
            context = chromium_browser.new_context(base_url=found.address)
            context.set_default_timeout(PATIENCE_MS)
            link = re.search(r"http://\S+(/sign-in/\S+)", found.manage("signinlink"))
            assert link
            page = context.new_page()
            page.goto(link[1])
            yield Traced(found, collector, page)
            context.close()


def asked(traced: Traced, text: str, runs: int) -> list[Span]:
    """The whole trace of one message: complete when so many tasks have run in it, and the page has said how long it took."""
    known = {span.trace for span in traced.collector.spans}
    traced.page.goto("/new/")
    send(traced.page, text)

    def mine(spans: list[Span]) -> list[Span]:
        began = {span.trace for span in spans if span.name == "browser message"} - known
        return [span for span in spans if span.trace in began]

    def is_whole(spans: list[Span]) -> bool:
        names = [span.name for span in mine(spans)]
        return names.count("task.run") >= runs and "frame message.post" in names

    return mine(traced.collector.until(is_whole, SECONDS))


def path(span: Span, spans: list[Span]) -> list[str]:
    """From the browser down to it. A span whose parent nobody tells of breaks the trace, and this."""
    by_id = {each.id: each for each in spans}
    names = [span.name]
    while span.parent:
        span = by_id[span.parent]
        names.insert(0, span.name)
    return names


def test_a_delegation_and_a_tool_are_one_trace_without_what_was_said(traced: Traced) -> None:
    spans = asked(traced, "@chloe what should I wear in Oslo today?", runs=2)

    assert len({span.trace for span in spans}) == 1
    paths = [path(span, spans) for span in spans]
    assert {first for first, *_ in paths} == {"browser message"}
    chloe = ["browser message", "frame message.post", "task.run"]
    assert ["browser message", "frame message.post", "journal.commit"] in paths
    thinking = [*chloe, "invoke_agent chloe"]
    phil = [*thinking, "execute_tool ask_agent", "task.delegate", "task.run"]
    assert [*thinking, "chat embedded"] in paths
    assert any(found[: len(phil)] == phil and found[-1] == "tool.call" for found in paths), paths
    assert {span.values["tkr.agent"] for span in spans if span.name == "task.run"} == {"chloe", "phil"}
    assert {span.values["tkr.state"] for span in spans if span.name == "task.run"} == {"completed"}
    for word in ("wear", "oslo", "groundhog", "degrees", "open-sesame"):
        assert not [span for span in spans if word in f"{span.name} {span.values}".lower()]
        assert word.encode() not in b"".join(traced.collector.bodies).lower()
    assert traced.collector.headers[0]["x-key"] == "open-sesame"


@pytest.mark.parametrize("agent", REMOTES)
def test_it_goes_on_in_the_server_of_a_remote_agent(traced: Traced, agent: str) -> None:
    spans = asked(traced, f"@{agent} say something", runs=2)

    assert len({span.trace for span in spans}) == 1
    there = [span for span in spans if span.name == "task.run" and span.values["tkr.agent"] == "parrot"]
    assert [path(span, spans) for span in there] == [
        ["browser message", "frame message.post", "task.run", "remote.call", "a2a.call", "task.run"]
    ]
    assert {span.values["tkr.binding"] for span in spans if span.name in ("remote.call", "a2a.call")} == {
        REMOTES[agent]
    }
    assert there[0].process == ("grpc" if REMOTES[agent] == "GRPC" else "web")


def test_log_lines_say_to_which_trace_they_belong(traced: Traced) -> None:
    [trace] = {span.trace for span in asked(traced, "@clerk\nraise Nonsense", runs=1)}
    expect(traced.page.get_by_text("made a mistake nobody foresaw").first).to_be_visible()

    logged = (traced.site.data / "logs" / "server.log").read_text()
    assert any(f"trace={trace}" in line for line in logged.splitlines() if "action=agent.failed" in line)
