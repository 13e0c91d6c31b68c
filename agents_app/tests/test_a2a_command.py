from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from a2a.server.agent_execution import RequestContext
from a2a.server.tasks import TaskUpdater
from a2a.types.a2a_pb2 import Part
from django.conf import settings
from django.core.management import CommandError, call_command
from google.protobuf.json_format import ParseDict

from agents_app.a2a.client.card_file import BINDINGS
from agents_app.a2a.client.tests.elsewhere import Elsewhere, answer, elsewhere, text


class Ran:
    def __init__(self, *arguments: str, typed: str = "") -> None:
        self.out, self.err, self.code = io.StringIO(), io.StringIO(), 0
        before, sys.stdin = sys.stdin, io.StringIO(typed)
        try:
            call_command("a2a", *arguments, stdout=self.out, stderr=self.err)
        except SystemExit as end:
            self.code = int(end.code or 0)
        finally:
            sys.stdin = before

    @property
    def said(self) -> str:
        return self.out.getvalue()

    @property
    def aside(self) -> str:
        return self.err.getvalue()

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.said.splitlines()]


@pytest.fixture
def server() -> Iterator[Callable[..., Elsewhere]]:
    """Start the SDK's own server on this machine, with a script for an agent."""
    with ExitStack() as stack:
        yield lambda play=answer, **values: stack.enter_context(elsewhere(play, **values))


async def ask_back(context: RequestContext, updater: TaskUpdater) -> None:
    if context.get_user_input() == "Saturday":
        await updater.complete(updater.new_agent_message(text("Booked.")))
    else:
        await updater.requires_input(updater.new_agent_message(text("Which day?")))


async def make_all_kinds(context: RequestContext, updater: TaskUpdater) -> None:
    parts = [
        Part(raw=b"12345", filename="a.png"),
        Part(url="https://example.com/b"),
        ParseDict({"data": {"n": 1}}, Part()),
    ]
    await updater.add_artifact(parts, name="things")
    await updater.complete()


async def fail(context: RequestContext, updater: TaskUpdater) -> None:
    await updater.failed(updater.new_agent_message(text("No paper.")))


@pytest.mark.parametrize("binding", BINDINGS)
def test_it_works(server, binding):
    ran = Ran("stream", server(binding=binding).url, "Rain?")

    assert ran.said == "It will rain tomorrow.\n" and ran.code == 0
    notes = ran.aside.splitlines()
    assert notes[0].startswith("· task ") and "· working: Looking out of the window" in notes
    assert notes[-1] == "· completed"


@pytest.mark.parametrize("binding", BINDINGS)
def test_every_operation_reaches_the_agent(server, binding):
    url = server(ask_back, binding=binding).url
    sent = Ran("send", url, "Book it", "--json")
    task = sent.json[0]["task"]

    assert sent.code == 4 and task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert f"Task     {task['id']}\n" in Ran("get", url, task["id"]).said
    assert "State    input-required" in Ran("get", url, task["id"]).said
    listed = Ran("list", url, "--context", task["contextId"], "--state", "input-required").said
    assert listed.startswith(task["id"]) and listed.endswith("Book it\n")
    assert Ran("list", url, "--state", "completed").said == ""
    assert "State    canceled" in Ran("cancel", url, task["id"]).said


def test_a_question_is_answered_by_naming_the_task(server):
    url = server(ask_back).url
    task = Ran("send", url, "Book it", "--json").json[0]["task"]

    ran = Ran("stream", url, "Saturday", "--task", task["id"], "--context", task["contextId"])

    assert ran.code == 0 and "completed: Booked." in ran.aside


def test_a_task_is_watched_again(server):
    url = server(ask_back).url
    task = Ran("send", url, "Book it", "--json").json[0]["task"]
    with pytest.raises(CommandError):  # it waits, and so would we
        Ran("subscribe", url, task["id"], "--timeout", "0.5")
    Ran("cancel", url, task["id"])

    with pytest.raises(CommandError) as over:
        Ran("subscribe", url, task["id"])
    assert "\n" not in str(over.value)


def test_what_an_agent_makes_is_shown_as_far_as_a_terminal_can(server):
    url = server(make_all_kinds).url
    ran = Ran("send", url, "Make")

    assert "[a.png, 5 bytes]\nhttps://example.com/b\n" in ran.said and '"n": 1' in ran.said
    assert "· artifact things" in ran.aside


def test_a_plain_message_is_an_answer_too(server):
    async def plain(*_: Any) -> None: ...

    plain.plain = True  # type: ignore[attr-defined]
    ran = Ran("send", server(plain).url, "Well?")

    assert (ran.said, ran.code) == ("Just words.\n", 0)


def test_the_exit_code_says_how_it_ended(server):
    ran = Ran("send", server(fail).url, "Print it")

    assert ran.code == 1 and "· failed: No paper." in ran.aside


def test_what_to_say_may_come_from_the_standard_input(server):
    there = server()
    Ran("send", there.url, typed="Rain?\n")

    assert b'"Rain?"' in there.seen[0].body


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
def test_the_token_is_sent_with_every_call_and_never_for_the_card(server, binding):
    there = server(binding=binding)
    Ran("send", there.url, "Rain?", "--token", "s3cret")

    assert [seen.headers["authorization"] for seen in there.seen] == ["Bearer s3cret"]
    assert there.seen[0].headers["a2a-version"] == "1.0"


def test_a_card_is_told_in_words_and_as_it_is(server):
    url = server().url
    words = Ran("card", url).said

    assert words.startswith("Weather Bot 1\n") and f"Speaks     JSONRPC 1.0 at {url}/rpc\n" in words
    assert "Skill      Forecast: Tells tomorrow.\n" in words
    assert json.loads(Ran("card", url, "--json").said)["skills"][0]["id"] == "forecast"


def test_a_server_of_version_0_3_is_spoken_to_in_its_way(server):
    there = server(version="0.3")
    ran = Ran("send", there.url, "Rain?")

    assert ran.said == "It will rain tomorrow.\n" and b"message/send" in there.seen[0].body


def test_a_binding_may_be_chosen(server):
    there = server()
    with pytest.raises(CommandError, match="Weather Bot does not speak GRPC. It speaks JSONRPC."):
        Ran("send", there.url, "Rain?", "--binding", "grpc")
    assert Ran("send", there.url, "Rain?", "--binding", "jsonrpc").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("get", "{url}", "no-such-task"), "does not know this task"),
        (("send", "{url}", " "), "Say something to send."),
        (("send", "{url}/nowhere", "Rain?"), "There is no agent card at"),
        (("send", "http://127.0.0.1:9", "Rain?"), "127.0.0.1"),
        (("send", "ftp://127.0.0.1", "Rain?"), "http"),
        (("list", "{url}", "--state", "asleep"), "asleep"),
    ],
)
def test_what_goes_wrong_is_one_sentence(server, arguments, words):
    url = server().url
    with pytest.raises(CommandError) as wrong:
        Ran(*(argument.format(url=url) for argument in arguments))

    assert words in str(wrong.value) and "\n" not in str(wrong.value)


def test_whoever_is_not_accepted_is_told_what_to_do(server):
    there = server(status=401)
    with pytest.raises(CommandError, match="Say who you are with --token"):
        Ran("send", there.url, "Rain?")


def test_only_commands_may_talk_with_this_machine(server):
    allowed = list(settings.OUTGOING_ALLOW)
    Ran("send", server().url, "Rain?")

    assert "127.0.0.0/8" not in allowed
    assert list(settings.OUTGOING_ALLOW) == allowed


def test_certify_says_line_by_line_what_is_right_and_wrong(server):
    ran = Ran("certify", server().url)
    assert ran.code == 0
    assert "green  Sending a message: It answers a message with a task that is completed." in ran.said.splitlines()
    assert "amber  Signature of the card: The card is not signed." in ran.said.splitlines()


def test_certify_calls_as_it_is_told(server):
    with pytest.raises(CommandError, match=r"does not speak GRPC\. It speaks JSONRPC\."):
        Ran("certify", server().url, "--binding", "grpc")


def test_certify_fails_when_something_is_wrong(server):
    there = server()
    there.status = 500
    ran = Ran("certify", there.url, "--json")
    findings = {finding["id"]: finding for finding in json.loads(ran.said)}
    assert (
        ran.code == 1 and findings["send"]["level"] == "red" and "HTTP 500" in findings["send"]["exchange"]["response"]
    )
